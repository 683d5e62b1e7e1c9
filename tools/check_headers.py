#!/usr/bin/env python3
"""Checks that every header compiles alone with gcc, and the public ones as C++ too."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]


def c_command(header):
    folders = ["-I.", "-Isrc", "-Iinclude"]
    parts = header.parts
    if parts[0] == "cli":
        folders = ["-Icli", "-Iinclude"]
    elif parts[0] == "tests":
        folders.append("-I" + str(header.parent))
        folders.append("-Icli")
    return ["gcc", "-std=c17", "-D_GNU_SOURCE", *folders, *WARNINGS, "-x", "c", "-"]


def compiles(header, command):
    text = f'#include "{header}"\ntypedef int not_empty;\n'
    done = subprocess.run([*command, "-I."], cwd=ROOT, input=text, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"FAIL {header} does not compile alone\n{done.stderr}"


def main():
    tasks = []
    for folder in ("include", "src", "cli", "tests"):
        for path in sorted((ROOT / folder).rglob("*.h")):
            header = path.relative_to(ROOT)
            if not path.name.endswith(".template.h"):
                tasks.append((header, c_command(header)))
            if folder == "include":
                tasks.append((header, ["g++", "-std=c++17", "-Iinclude", *WARNINGS, "-x", "c++",
                                       "-"]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [text for text in pool.map(lambda task: compiles(*task), tasks) if text]
    print("\n".join(problems) if problems else f"ok   {len(tasks)} headers compile alone")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
