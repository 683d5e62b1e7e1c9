#!/usr/bin/env python3
"""documented_queries_test.py BUILD - the examples of docs/reference/queries.md give what stands behind them.

The first block of SQL makes the tables; each later statement is run behind it in a process of its own, and its last
row as CSV is what its comment says.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/reference/queries.md"
STATEMENTS_MIN = 20  # A page that the expressions below do not fit any more must not pass.


def main():
    firn = ROOT / sys.argv[1] / "firn"
    setup, *blocks = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    examples = [line for block in blocks for line in block.splitlines()]
    passed = failed = 0
    for line in examples:
        sql, separator, wanted = line.partition(";  -- ")
        done = subprocess.run([firn, "--quiet", "--format", "csv", "-c", f"{setup}{sql}"], capture_output=True,
                              text=True, timeout=60, check=False)
        found = (done.stdout.splitlines() or [""])[-1]
        if separator and done.returncode == 0 and found == wanted:
            passed += 1
        else:
            failed += 1
            print(f"FAIL {line}\n  found {found!r} {done.stderr.strip()}")
    if len(examples) < STATEMENTS_MIN:
        failed += 1
        print(f"FAIL only {len(examples)} examples in {PAGE}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
