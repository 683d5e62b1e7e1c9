#!/usr/bin/env python3
"""Random DELETE, UPDATE, MERGE and INSERT in firn and in DuckDB: random_changes_test.py FIRN COUNT [SEED]

Both begin with the same table of some thousand rows and do the same COUNT statements, made from SEED
(printed; 1 if it is not given); after each the whole tables are compared. What is an error must be
one in both, but for what DuckDB answers and the standard does not: a row that several rows of the
source would change.
"""
import argparse
import random
import sys

from peer import Duck, Firn, same_rows, texts

TABLE = ("CREATE TABLE t AS SELECT x AS k, x % 13 AS g, CASE WHEN x % 11 = 0 THEN NULL ELSE x * 3 END AS n, "
         "'name ' || x AS v FROM generate_series(1, {rows}) AS s(x)")
SOURCE = ("CREATE OR REPLACE TABLE o AS SELECT {key} + {shift} AS k, x % 7 AS w, "
          "CASE WHEN x % 5 = 0 THEN NULL ELSE 'other ' || x END AS v FROM generate_series(1, {rows}) AS s(x)")
TWICE = "several rows of the source would change one row"
ROWS = 5000


class Maker:
    """Statements from a sequence of random numbers."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *of):
        return self.random.choice(of)

    def number(self):
        return self.random.randint(-50, ROWS + 500)

    def condition(self, table):
        return self.pick(
            f"{table}.k < {self.number()}", f"{table}.k % {self.random.randint(2, 9)} = 1",
            f"{table}.v LIKE '%{self.random.randint(0, 9)}'", f"{table}.v IS NULL",
            f"{table}.k BETWEEN {self.number()} AND {self.number()}",
            f"{table}.k IN (SELECT o.k + 1 FROM o)", f"NOT {table}.k > {self.number()}",
            f"{table}.k > (SELECT avg(other.k) FROM t AS other)")

    def where(self, table):
        parts = [self.condition(table) for _ in range(self.random.randint(1, 2))]
        return self.pick(" AND ", " OR ").join(f"({part})" for part in parts)

    def value(self, column, source):
        numbers = ["k", "n", "g"]
        if column == "v":
            return self.pick("t.v || '+'", "upper(t.v)", "NULL", "'new'", *([f"{source}.v"] if source else []))
        return self.pick("NULL", str(self.random.randint(-9, 9)), f"t.{self.pick(*numbers)} + 1",
                         f"-t.{self.pick(*numbers)}", *([f"{source}.w", f"{source}.k"] if source else []))

    def assignments(self, source=None):
        columns = self.random.sample(["g", "n", "v"], self.random.randint(1, 3))
        return ", ".join(f"{column} = {self.value(column, source)}" for column in columns)

    def source(self):
        return SOURCE.format(key=self.pick("x", "x * 2", "x * 3", "x", "x * 2", f"x % {self.pick(50, 2900)}"),
                             shift=self.random.randint(-20, ROWS // 2), rows=self.pick(10, 300, 3000, 6000))

    def arm(self, match, is_last):
        also = "" if is_last else f" AND ({self.condition('t' if match.endswith('SOURCE') else 'o')})"
        if match == "NOT MATCHED":
            return f"WHEN {match}{also} THEN INSERT (k, g, v) VALUES (o.k, o.w, o.v)"
        source = "o" if match == "MATCHED" else None
        return f"WHEN {match}{also} THEN " + self.pick("DELETE", f"UPDATE SET {self.assignments(source)}",
                                                      f"UPDATE SET {self.assignments(source)}")

    def merge(self):
        arms = []
        for match in self.random.sample(["MATCHED", "NOT MATCHED", "NOT MATCHED BY SOURCE"],
                                        self.random.randint(1, 3)):
            count = self.random.randint(1, 3)
            arms += [self.arm(match, i == count - 1 and self.random.random() < 0.7) for i in range(count)]
        on = self.pick("t.k = o.k", "t.k = o.k", "t.k = o.k AND o.w <> 3", "t.k = o.k + 1 AND t.k % 2 = 0")
        source = self.pick("o", "o", "(SELECT * FROM o WHERE w < 5) AS o")
        return f"MERGE INTO t USING {source} ON {on} " + " ".join(arms)

    def statement(self):
        what = self.random.randint(0, 9)
        if what == 0:
            return f"DELETE FROM t WHERE ({self.where('t')}) AND t.k % 3 = {self.random.randint(0, 2)}"
        if what == 1:
            return f"DELETE FROM t USING o WHERE o.k = t.k AND ({self.condition('o')}) AND t.k % 4 = 2"
        if what in (2, 3):
            return f"UPDATE t SET {self.assignments()} WHERE {self.where('t')}"
        if what == 4:
            return f"UPDATE t SET {self.assignments('o')} FROM o WHERE o.k = t.k AND ({self.condition('o')})"
        if what == 5:
            return f"INSERT INTO t SELECT k + {ROWS * 2}, w, NULL, v FROM o LIMIT {self.random.randint(1, 2500)}"
        if what == 6:
            return self.source()
        return self.merge()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firn")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    maker, firn, duck = Maker(options.seed), Firn(options.firn), Duck()
    passed = failed = errors = 0
    for number in range(options.count):
        if number % 40 == 0:  # A table that statements have not worn out.
            for sql in ("DROP TABLE IF EXISTS t", TABLE.format(rows=ROWS), maker.source()):
                for engine in (firn, duck):
                    wrong = engine.ask(sql)[1]
                    if wrong is not None:
                        sys.exit(f"{wrong}: {sql}")
        sql = maker.statement()
        duck.ask("BEGIN")
        (mine, wrong), (theirs, otherwise) = firn.ask(sql), duck.ask(sql)
        duck.ask("ROLLBACK" if wrong is not None or otherwise is not None else "COMMIT")
        words = ""
        if wrong is not None and otherwise is None and TWICE in wrong:
            errors += 1
        elif (wrong is None) != (otherwise is None):
            words = f"firn: {wrong}\nDuckDB: {otherwise}"
        elif wrong is not None:
            errors += 1
        (mine, wrong), (theirs, otherwise) = (engine.ask("SELECT k, g, n, v FROM t") for engine in (firn, duck))
        if wrong is not None or otherwise is not None:
            words = f"{words}\nfirn: {wrong}\nDuckDB: {otherwise}"
        elif not same_rows(mine, texts(theirs)):
            mine, theirs = set(mine), set(texts(theirs))
            words = (f"{words}\nfirn alone   {sorted(mine - theirs, key=str)[:5]}\n"
                     f"DuckDB alone {sorted(theirs - mine, key=str)[:5]}")
        if words:
            print(f"FAIL statement {number} of seed {options.seed}: {sql}\n{words}")
            failed += 1
            break  # The tables differ from here on.
        passed += 1
    firn.stop()
    if errors > options.count // 3:
        print(f"FAIL {errors} statements are errors")
        failed += 1
    print(f"{errors} errors in both")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
