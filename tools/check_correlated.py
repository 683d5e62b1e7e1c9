#!/usr/bin/env python3
"""At least 60 correlated queries of shapes that TPC-H doesn't have lie in tests/sql with their answers.

A record counts if its file says in a comment `Answers:` whose they are (PostgreSQL or DuckDB, which
tests/differential/records_test.py asks again), if it is a query with rows, and if a subquery in it
names a column by a table that stands outside of it. Names and values replaced by placeholders, a
query is its shape: shapes are counted, once each, without those of tests/tpch. Where a column from
outside has no table's name before it, the record is not counted.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WANTED = 60
SOURCE = re.compile(r"^# .*\bAnswers: .*\b(PostgreSQL|DuckDB)\b", re.MULTILINE)
TEXT_OR_WORD = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[a-z_]\w*|\d[\w.]*|\s+|.", re.IGNORECASE)
WORDS = frozenset("""all and any array as asc between by case cast cross date desc distinct else end
    except exists false filter first from full group having in inner intersect interval is join last
    lateral left like limit natural not null nulls offset on or order outer recursive right row
    select some then true union unnest using values when where with within""".split())


def tokens(sql):
    return [word.lower() for word in TEXT_OR_WORD.findall(re.sub(r"--.*", "", sql)) if not word.isspace()]


def is_name(token):
    return token[0] == '"' or ((token[0].isalpha() or token[0] == "_") and token not in WORDS)


def shape(words):
    """The query with `x` for names and `0` for values; members of one list of them are one."""
    plain = ["0" if word[0] == "'" or word[0].isdigit() else "x" if is_name(word) else word
             for word in words]
    return re.sub(r"([x0])(?: [.,] [x0])+", r"\1", " ".join(plain))


def subqueries(words):
    """The tokens inside each pair of parentheses that holds a query."""
    opened = []
    for at, word in enumerate(words):
        if word == "(":
            opened.append(at)
        elif word == ")" and opened:
            start = opened.pop()
            if words[start + 1] in ("select", "with", "values"):
                yield words[start + 1:at]


def tables_in(words):
    """Every name that stands where a table or its alias may."""
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if is_name(word) and (before in ("from", "join", "lateral", "as", ",", ")") or
                              (before and is_name(before))):
            yield word


def is_correlated(words):
    for inner in subqueries(words):
        known = set(tables_in(inner))
        if any(is_name(table) and dot == "." and is_name(column) and table not in known
               for table, dot, column in zip(inner, inner[1:], inner[2:])):
            return True
    return False


def queries(text):
    """The SQL of each record that has rows for an answer."""
    for found in re.finditer(r"^query (?!error)[^\n]*\n(.*?)\n----\n", text, re.MULTILINE | re.DOTALL):
        yield tokens(found[1])




def check_self():
    """What is told apart, so that the count can be believed."""
    cases = (
        ("select (select max(b.x) from b where b.k = a.k) from a", True),
        ("select (select max(b.x) from b where b.k = 1) from a", False),
        ("select 1 from t q where q.k in (select r.k from u as r join t s on s.k = r.k)", False),
        ("select 1 from t q where q.k in (select r.k from u as r join t s on s.k = q.k)", True),
        ("select * from a, (select a.k from a) v", False),
    )
    return [f"{sql}: is {'not ' * wanted}told to be correlated" for sql, wanted in cases
            if is_correlated(tokens(sql)) != wanted]


def main():
    wrong = check_self()
    known = set()
    for path in (ROOT / "tests" / "tpch").glob("*.slt"):
        known |= {shape(words) for words in queries(path.read_text())}
    found = set()
    for path in sorted((ROOT / "tests" / "sql").rglob("*.slt")):
        text = path.read_text()
        if SOURCE.search(text):
            found |= {shape(words) for words in queries(text) if is_correlated(words)} - known
    if len(found) < WANTED:
        wrong.append(f"{len(found)} correlated queries have answers with a source, {WANTED} are wanted")
    for text in wrong:
        print("FAIL", text)
    print(f"{len(found)} shapes of correlated queries that are none of TPC-H's {len(known)}")
    print(f"{len(found)} passed, {len(wrong)} failed, 0 skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
