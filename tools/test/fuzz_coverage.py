#!/usr/bin/env python3
"""fuzz_coverage.py BUILD - do the stored inputs of the fuzz targets reach the decoders?

Replays the corpora of all targets in a build with --coverage and asks gcov for the lines of the
files that fuzz_coverage.txt names: at least 80 % of each must have run.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LEAST = 80.0
EXECUTED = re.compile(r"Lines executed:([\d.]+)% of (\d+)")


def wanted():
    lines = (ROOT / "tools/test/fuzz_coverage.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def coverage(objects, source):
    """Percent of the lines of a source that ran since the counts were removed."""
    counts = [path for path in objects.rglob(pathlib.Path(source).name + ".gcda")
              if str(path).endswith("src/" + source + ".gcda")]
    if not counts:
        return 0.0
    done = subprocess.run(["gcov", "-n", "-o", counts[0].parent, counts[0]], cwd=ROOT,
                          capture_output=True, text=True)
    block = done.stdout.split("src/" + source)[-1]
    found = EXECUTED.search(block)
    return float(found.group(1)) if found else 0.0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    failed = 0
    for counts in build.rglob("*.gcda"):
        counts.unlink()
    for source in sorted((ROOT / "fuzz").glob("fuzz_*.c")):
        folder = ROOT / "fuzz" / "corpus" / source.stem.removeprefix("fuzz_")
        inputs = sorted(str(path) for path in folder.glob("*"))
        subprocess.run([build / source.stem, *inputs], capture_output=True, check=False)
    for path in wanted():
        share = coverage(build, path)
        is_enough = share >= LEAST
        failed += not is_enough
        print(f"{'ok  ' if is_enough else 'FAIL'} {share:.1f} % of src/{path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
