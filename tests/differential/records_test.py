#!/usr/bin/env python3
"""The answers stored in SQL files are DuckDB's: records_test.py FIRN FILE|FOLDER...

Each query of the files runs in firn and in DuckDB, after the statements before it, and both must
answer the same rows. A record behind `skipif duckdb` is left to firn: DuckDB cannot run it, or
answers otherwise and the comment above says whose answer it is. What is so marked and agrees is
told, that the marks stay few.
"""
import argparse
import pathlib
import re
import sys

from peer import Duck, Firn, same_rows, texts


def records(path):
    """(line, head, sql, is_for_firn) of each record with a head of statement or query."""
    line, marked = 1, False
    for block in re.split(r"(\n\s*\n)", path.read_text()):
        lines = block.split("\n")
        at = 0
        while at < len(lines) and (not lines[at] or lines[at].startswith(("#", "skipif", "onlyif"))):
            marked |= lines[at].strip() == "skipif duckdb"
            at += 1
        if at < len(lines) and lines[at].startswith(("statement", "query")):
            end = next((i for i in range(at, len(lines)) if lines[i] == "----"), len(lines))
            yield line + at, lines[at], "\n".join(lines[at + 1:end]), marked
            marked = False
        elif at < len(lines):
            yield line + at, lines[at], None, marked
        line += block.count("\n")


def check_query(where, sql, marked, firn, duck, told):
    """Runs one query on both sides; the words for what was found."""
    mine, wrong = firn.ask(sql)
    if wrong is not None:
        told.append(f"{where}: firn: {wrong}")
        return "failed"
    theirs, otherwise = duck.ask(sql)
    agrees = otherwise is None and same_rows(mine, texts(theirs))
    if marked:
        if agrees:
            told.append(f"{where}: DuckDB agrees, `skipif duckdb` is not needed")
        return "failed" if agrees else "left"
    if not agrees:
        told.append(f"{where}: {sql}\n  firn   {mine[:5]}\n  DuckDB "
                    f"{otherwise or texts(theirs)[:5]}")
    return "passed" if agrees else "failed"


def check_file(path, program, told):
    counts = {"passed": 0, "failed": 0, "left": 0}
    firn, duck = Firn(program), Duck()
    for line, head, sql, marked in records(path):
        where = f"{path}:{line}"
        words = head.split()
        if sql is None:
            told.append(f"{where}: {words[0]} is nothing that this program runs")
            counts["failed"] += 1
        elif words[0] == "query" and words[1] != "error":
            counts[check_query(where, sql, marked, firn, duck, told)] += 1
        elif words[1] != "error":
            for engine in [firn] if marked else [firn, duck]:
                wrong = engine.ask(sql)[1]
                if wrong is not None:
                    told.append(f"{where}: {type(engine).__name__}: {wrong}")
                    counts["failed"] += 1
    firn.stop()
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firn")
    parser.add_argument("paths", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    total, told = {"passed": 0, "failed": 0, "left": 0}, []
    for path in options.paths:
        for file in sorted(path.rglob("*.slt")) if path.is_dir() else [path]:
            for word, count in check_file(file, options.firn, told).items():
                total[word] += count
    for text in told:
        print("FAIL", text)
    print(f"{total['left']} queries are not DuckDB's")
    print(f"{total['passed']} passed, {total['failed']} failed, 0 skipped")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
