"""Statements that nobody wrote: SQL that others wrote, cut into tokens, with tokens exchanged.

A mutant keeps most of what made its model valid: a name is replaced by a name, a value by a value,
what stands between two parentheses by what stands between two others. Some of the time anything
goes.
"""
import re

TOKEN = re.compile(r"""
    --[^\n]* | /\*.*?\*/                                # comments, left out
  | (?P<text>(?:[EeXxBbNnUu]&?)?'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")*" | [^\W\d]\w*)
  | (?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
  | (?P<operator>::|<=|>=|<>|!=|\|\||//|<<|>>|=>|->>?|!?~~?\*?|[-+*/%^<>=&|\#@])
  | (?P<other>\$\d+|[^\s])
""", re.VERBOSE | re.DOTALL)

WORDS = set("""all and any as asc between by case cast cross desc distinct else end escape except
exists false filter first from full group having in inner intersect interval is join last left like
limit natural not null nulls offset on or order outer right select set similar some symmetric table
then true union unnest using values when where with create insert into temporary view replace drop
explain analyze if describe show use attach detach""".split())

OPERATORS = """+ - * / // % ^ & | # << >> || < <= > >= = <> ~ !~ ~* -> ->> ::""".split()

WIDE = "9" * 76
# What stands at the border of a type, or is a type seldom seen.
BORDERS = [re.sub("WIDE", WIDE, each) for each in """
NULL|TRUE|0|-1|1|2|-0.0|127|128|255|256|32767|32768|65536|2147483647|2147483648|-2147483648
-2147483649|4294967296|9223372036854775807|9223372036854775808|-9223372036854775808
18446744073709551615|18446744073709551616|170141183460469231731687303715884105727|WIDE|-0.WIDE
1e308|1e-320|1e400|0.1|123456789012345678.5|99999999999999999999999999999999999999.9
'NaN'::DOUBLE|'inf'::DOUBLE|'-inf'::FLOAT|CAST(1 AS FLOAT16)|CAST(200 AS UTINYINT)
CAST(7 AS TINYINT)|CAST(60000 AS USMALLINT)|CAST(4000000000 AS UINTEGER)
CAST(18446744073709551615 AS UBIGINT)|CAST(1 AS SMALLINT)|CAST(1.5 AS DECIMAL(5, 2))
CAST(1.5 AS DECIMAL(15, 3))|CAST(-7 AS DECIMAL(30, 10))|CAST(12.25 AS DECIMAL(60, 20))
''|' '|'a'|'NULL'|'%'|'_'|'\\'|'é€😀'|'a text longer than twelve bytes'|repeat('ab', 3000)|x'00ff'
'2020-02-29'|'1 day'|'[1, 2]'|'{"a": [1, null]}'
DATE '0001-01-01'|DATE '9999-12-31'|DATE '2020-02-29'|DATE 'infinity'|DATE '5881580-07-10'
TIME '00:00:00'|TIME '23:59:59.999999'|CAST('12:34:56.789' AS TIME_MS)|CAST('12:34:56' AS TIME_NS)
TIMESTAMP '1969-12-31 23:59:59.999999'|TIMESTAMP '294247-01-10 04:00:54.775807'
TIMESTAMP 'infinity'|TIMESTAMP_S '2020-01-01 00:00:00'|TIMESTAMP_MS '2020-01-01 00:00:00.123'
TIMESTAMP_NS '2262-04-11 23:47:16.854775807'|TIMESTAMPTZ '2020-03-29 02:30:00 Europe/Berlin'
INTERVAL '1 month'|INTERVAL '-1 day'|INTERVAL '178956970 years'|INTERVAL '0.000001 seconds'
CAST('123e4567-e89b-12d3-a456-426614174000' AS UUID)|CAST('\\x00' AS BLOB)
[]|[NULL]|[1, NULL, 3]|['a', 'b']|[[1], NULL, []]|{'a': 1}|{'a': NULL, 'b': [1]}|row(1, 'x')
MAP {'a': 1}|MAP {}|[{'a': 1}, NULL]|CAST(NULL AS INTEGER[])|CAST(NULL AS STRUCT(a INTEGER))
(SELECT NULL)|(SELECT 1 WHERE FALSE)|(VALUES (1), (2))|(1, 2)|(1, NULL)|*|$1|?|()
""".strip().replace("\n", "|").split("|")]

TYPES = """BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|FLOAT16|FLOAT
DOUBLE|DECIMAL(5, 2)|DECIMAL(15, 3)|DECIMAL(38, 10)|DECIMAL(60, 20)|DECIMAL(76, 76)|VARCHAR|BLOB
BINARY(4)|UUID|DATE|TIME|TIME_MS|TIME_NS|TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS|TIMESTAMPTZ
INTERVAL|JSON|INTEGER[]|VARCHAR[][]|STRUCT(a INTEGER, b VARCHAR[])|MAP(VARCHAR, INTEGER)
""".strip().replace("\n", "|").split("|")

PIECE_TOKENS_MAX = 40
TOKENS_MAX = 600


def tokens(sql):
    return [found.group() for found in TOKEN.finditer(sql) if found.lastgroup]


def joined(parts):
    return " ".join(parts)


def kind(token):
    found = TOKEN.fullmatch(token)
    name = found.lastgroup if found else "other"
    if name == "name" and token.lower() in WORDS:
        return "word"
    return "value" if name in ("text", "number") else name or "other"


def groups(parts):
    """(begin, end) of what stands inside each pair of parentheses or brackets."""
    found, opened = [], []
    for i, token in enumerate(parts):
        if token in ("(", "["):
            opened.append(i)
        elif token in (")", "]") and opened:
            begin = opened.pop() + 1
            if begin < i:
                found.append((begin, i))
    return found


class Corpus:
    """Token lists of statements, and the tokens of each kind in them."""

    def __init__(self, statements, functions):
        self.statements = [parts for parts in map(tokens, statements) if parts]
        self.functions = sorted(functions)
        self.by_kind = {}
        for parts in self.statements:
            for token in parts:
                self.by_kind.setdefault(kind(token), []).append(token)


class Mutator:
    """Mutants of statements, all from one source of chance."""

    def __init__(self, corpus, chance):
        self.corpus = corpus
        self.chance = chance
        self.ways = ((self.replace, 12), (self.border, 12), (self.call, 8), (self.cast, 6),
                     (self.wrap, 8), (self.exchange_groups, 5), (self.foreign_group, 5),
                     (self.combine, 3), (self.swap, 1), (self.drop, 2), (self.repeat, 1),
                     (self.anything, 1))

    def mutant(self, model, other):
        """A statement like `model`, with something of `other` perhaps."""
        parts = list(model)
        for _ in range(self.chance.choice((1, 1, 1, 1, 2, 2, 3, 4))):
            way, = self.chance.choices([each[0] for each in self.ways],
                                       [each[1] for each in self.ways])
            parts = way(parts, other) or parts
        return parts[:TOKENS_MAX]

    def place(self, parts, wanted):
        """The place of a token of one of these kinds, or None."""
        places = [i for i, token in enumerate(parts) if kind(token) in wanted]
        return self.chance.choice(places) if places else None

    def replace(self, parts, other):
        """A token by another of its kind: of the two statements, seldom of all."""
        at = self.place(parts, ("value", "name", "operator"))
        if at is None or self.chance.random() < 0.15:
            at = self.chance.randrange(len(parts))
        of = kind(parts[at])
        if of == "operator":
            near = OPERATORS
        else:
            near = [token for token in parts + other if kind(token) == of]
        if self.chance.random() < 0.2 or not near:
            near = self.corpus.by_kind[of] if of in self.corpus.by_kind else parts
        return parts[:at] + [self.chance.choice(near)] + parts[at + 1:]

    def border(self, parts, _):
        at = self.place(parts, ("value",) if self.chance.random() < 0.7 else ("value", "name"))
        if at is None:
            return None
        return parts[:at] + tokens(self.chance.choice(BORDERS)) + parts[at + 1:]

    def call(self, parts, _):
        """Another function is called."""
        places = [i for i in range(1, len(parts) - 1)
                  if parts[i + 1] == "(" and kind(parts[i]) == "name"
                  and parts[i - 1].lower() not in ("from", "join", "as")]
        if not places:
            return None
        at = self.chance.choice(places)
        return parts[:at] + [self.chance.choice(self.corpus.functions)] + parts[at + 1:]

    def cast(self, parts, _):
        at = self.place(parts, ("value", "name"))
        if at is None:
            return None
        to = tokens(self.chance.choice(TYPES))
        return parts[:at] + ["CAST", "(", parts[at], "AS", *to, ")"] + parts[at + 1:]

    def wrap(self, parts, _):
        """A value or name as the argument of a function or the operand of an operator."""
        at = self.place(parts, ("value", "name"))
        if at is None:
            return None
        if self.chance.random() < 0.5:
            inside = ["(", parts[at], self.chance.choice(OPERATORS),
                      *tokens(self.chance.choice(BORDERS)), ")"]
        else:
            more = [",", *tokens(self.chance.choice(BORDERS))] if self.chance.random() < 0.5 else []
            inside = [self.chance.choice(self.corpus.functions), "(", parts[at], *more, ")"]
        return parts[:at] + inside + parts[at + 1:]

    def exchange_groups(self, parts, _):
        found = groups(parts)
        if len(found) < 2:
            return None
        (a, b), (c, d) = sorted(self.chance.sample(found, 2))
        if b <= c:
            return parts[:a] + parts[c:d] + parts[b:c] + parts[a:b] + parts[d:]
        return parts[:a] + parts[c:d] + parts[b:]  # One in the other: it takes its place.

    def foreign_group(self, parts, other):
        mine, theirs = groups(parts), groups(other)
        piece = other
        if theirs and self.chance.random() < 0.8:
            c, d = self.chance.choice(theirs)
            piece = other[c:d]
        if mine and self.chance.random() < 0.7:
            a, b = self.chance.choice(mine)
            return parts[:a] + piece + parts[b:]
        at = self.place(parts, ("value", "name"))
        if at is None:
            return None
        return parts[:at] + ["(", *piece, ")"] + parts[at + 1:]

    def swap(self, parts, _):
        a, b = self.chance.randrange(len(parts)), self.chance.randrange(len(parts))
        parts[a], parts[b] = parts[b], parts[a]
        return parts

    def piece(self, parts):
        begin = self.chance.randrange(len(parts))
        return begin, begin + self.chance.choice((1, 1, 1, 2, 3, 5, PIECE_TOKENS_MAX))

    def drop(self, parts, _):
        begin, end = self.piece(parts)
        return parts[:begin] + parts[end:]

    def repeat(self, parts, _):
        begin, end = self.piece(parts)
        at = end if self.chance.random() < 0.6 else self.chance.randrange(len(parts))
        return parts[:at] + parts[begin:end] + parts[at:]

    def combine(self, parts, other):
        """Two statements as one."""
        way = self.chance.randrange(5)
        if way == 0:
            return parts + [self.chance.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT ALL")),
                            *other]
        if way == 1:
            return ["SELECT", "*", "FROM", "(", *parts, ")", "a", ",", "(", *other, ")", "b",
                    "LIMIT", "20"]
        if way == 2:
            return ["SELECT", "(", *parts, ")", ",", "EXISTS", "(", *other, ")"]
        if way == 3:
            return ["WITH", "w", "AS", "(", *other, ")", *parts]
        return parts[:self.chance.randrange(len(parts) + 1)] + other[self.chance.randrange(len(other)):]

    def anything(self, parts, _):
        at = self.chance.randrange(len(parts))
        of = self.chance.choice(sorted(self.corpus.by_kind))
        return parts[:at] + [self.chance.choice(self.corpus.by_kind[of])] + parts[at + 1:]
