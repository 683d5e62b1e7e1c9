#!/usr/bin/env python3
"""Runs clang-tidy over src/, cli/ and fuzz/ with the checks of .clang-tidy.

Without --full the slow path-sensitive analyzer is left out. A file whose text, headers, flags and
checks have not changed since it passed is not looked at again (build/tidy/).
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATABASE = ROOT / "build" / "dev" / "compile_commands.json"
PASSED = ROOT / "build" / "tidy"
TIDY = "clang-tidy-22"
# What is a fault in the library and only noise where numbers are small and chosen by hand.
TESTS_MAY = ("-bugprone-implicit-widening-of-multiplication-result,-misc-redundant-expression,"
             "-bugprone-suspicious-memory-comparison,-cert-exp42-c,-cert-flp37-c,"
             "-bugprone-narrowing-conversions,-cert-err33-c,-readability-non-const-parameter")


def fingerprint(entry, configuration):
    """Of everything the verdict depends on: the preprocessed text and the configuration."""
    command = re.sub(r"^\S*ccache\s+", "", entry["command"])
    command = re.sub(r"\s-o\s+\S+|\s-c\s", " ", command) + " -E"
    done = subprocess.run(command, shell=True, cwd=entry["directory"], capture_output=True)
    if done.returncode != 0:
        return None
    return hashlib.sha256(done.stdout + configuration.encode()).hexdigest()


def check(entry, configuration, full):
    checks = [] if full else ["-clang-analyzer-*"]
    if entry["file"].endswith("_test.c") or "/fuzz/" in entry["file"]:
        checks.append(TESTS_MAY)
    arguments = ["--checks=" + ",".join(checks)] if checks else []
    configuration += " ".join(arguments)
    mark = fingerprint(entry, configuration)
    if mark is not None and (PASSED / mark).exists():
        return ""
    done = subprocess.run([TIDY, "-p", str(DATABASE.parent), "--quiet", *arguments, entry["file"]],
                          cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        if mark is not None:
            (PASSED / mark).touch()
        return ""
    return f"FAIL tidy {os.path.relpath(entry['file'], ROOT)}\n{done.stdout}"


def main():
    full = "--full" in sys.argv
    configuration = (ROOT / ".clang-tidy").read_text()
    PASSED.mkdir(parents=True, exist_ok=True)
    entries = {}
    for entry in json.loads(DATABASE.read_text()):
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ("src", "cli", "fuzz"):
            entries.setdefault(entry["file"], entry)  # *.isa.c stands there once per level.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [text for text in pool.map(
            lambda entry: check(entry, configuration, full), entries.values()) if text]
    print("\n".join(problems) if problems else f"ok   tidy of {len(entries)} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
