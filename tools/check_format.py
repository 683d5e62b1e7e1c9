#!/usr/bin/env python3
"""Checks that every C file is formatted as .clang-format says. `--fix` formats them."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "src", "cli", "tests", "fuzz", "bench", "examples")


def main():
    files = sorted(str(path) for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ch]")
                   if "corpus" not in path.parts)
    how = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror"]
    for first in range(0, len(files), 50):
        if subprocess.run(["clang-format-22", *how, *files[first:first + 50]]).returncode != 0:
            print("FAIL format: tools/check_format.py --fix formats all files")
            return 1
    print(f"ok   format of {len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
