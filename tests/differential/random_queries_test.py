#!/usr/bin/env python3
"""Random queries in firn and in DuckDB: random_queries_test.py FIRN COUNT [FIRST_SEED]

Query number N is made from N alone, and the tables from N rounded down to TABLES_EVERY, so that one
number tells all: random_queries_test.py FIRN 1 N. Queries that DuckDB refuses (correlated columns
in places where it has none, mostly) are left out and told: the next numbers take their place, until
COUNT queries are compared or twice as many made. What firn refuses and DuckDB answers is a failure,
like other rows.
"""
import argparse
import random
import sys

from peer import Duck, Firn, same_rows, texts
from random_queries import QueryMaker, tables

TABLES_EVERY = 50
# Errors of rows that one engine reaches and the other does not.
BY_ROWS = ("out of range", "Out of Range", "does not fit")


class Pair:
    """Both engines with the same tables."""

    def __init__(self, program, seed):
        self.statements = list(tables(random.Random(seed * 7919)))
        self.firn, self.duck = Firn(program), Duck()
        for engine in (self.firn, self.duck):
            self.fill(engine)

    def fill(self, engine):
        for statement in self.statements:
            wrong = engine.ask(statement)[1]
            if wrong is not None:
                sys.exit(f"{wrong}: {statement}")

    def revive_firn(self):
        self.firn.start()
        self.fill(self.firn)

    def revive_duck(self):
        self.duck = Duck()
        self.fill(self.duck)


def check(pair, sql):
    """("passed" | "failed" | "left", what to tell)."""
    mine, wrong = pair.firn.ask(sql)
    if wrong is not None and wrong.startswith("CRASH"):
        pair.revive_firn()
        return "failed", wrong
    theirs, otherwise = pair.duck.ask(sql)
    if otherwise is not None and otherwise.startswith(("FATAL", "INTERNAL")):
        pair.revive_duck()  # It answers nothing more.
    if otherwise is not None or (wrong and any(word in wrong for word in BY_ROWS)):
        return "left", otherwise or wrong
    if wrong is not None:
        return "failed", f"firn: {wrong}"
    theirs = texts(theirs)
    if same_rows(mine, theirs):
        return "passed", ""
    return "failed", (f"firn   {len(mine)} rows {sorted(mine, key=str)[:5]}\n"
                      f"DuckDB {len(theirs)} rows {sorted(theirs, key=str)[:5]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firn")
    parser.add_argument("count", type=int)
    parser.add_argument("first", type=int, nargs="?", default=0)
    options = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "left": 0}
    reasons = {}
    pair, made_for = None, None
    for seed in range(options.first, options.first + 2 * options.count):
        if counts["passed"] + counts["failed"] == options.count:
            break
        if made_for != seed // TABLES_EVERY:
            made_for = seed // TABLES_EVERY
            if pair is not None:
                pair.firn.stop()
            pair = Pair(options.firn, made_for)
        sql = QueryMaker(random.Random(seed)).statement()
        how, words = check(pair, sql)
        counts[how] += 1
        if how == "failed":
            print(f"FAIL query {seed}: {sql}\n{words}")
        elif how == "left":
            reasons[words[:60]] = reasons.get(words[:60], 0) + 1
    pair.firn.stop()
    for words, count in sorted(reasons.items(), key=lambda each: -each[1])[:5]:
        print(f"left out {count}: {words}")
    if counts["left"] > options.count:
        print("FAIL half of the queries and more are left out")
        counts["failed"] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, 0 skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
