"""Rows of the command line and rows of the conformance sets in one form, so that they can be compared.

`firn --format ndjson` shows all digits of a type's unit, decimals and binary as strings and maps as
pairs. What is left is brought to one form here: instants end in Z, maps are sorted, intervals are the
12 bytes of Parquet, floats that read back the same at half precision are the same.
"""
import json
import math
import os
import re
import struct
import subprocess

INSTANT = re.compile(r"^([+-]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)\+00:00$")
INTERVAL_PART = re.compile(r"([+-]?\d+) (year|mon|day)s?|([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?")
# A hang, not slowness: large_string_map.brotli, texts of 1 GiB, takes 15 s of processor time in a build
# with sanitizers, and minutes where ten others want the processors and the memory.
TIMEOUT = 600


class Failed(Exception):
    """firn ended with an error: its text, and what it was doing."""


class Crashed(Exception):
    """firn died, or did not end."""


def run(firn, sql, variables=None):
    """The rows of a query as lines of JSON. `firn` is the program, or a list of it and its options;
    `variables` are added to its environment."""
    command = [*([firn] if isinstance(firn, str) else firn), "--format", "ndjson", "--quiet"]
    try:
        done = subprocess.run([*command, "-f", "-"], input=sql.encode(), capture_output=True,
                              timeout=TIMEOUT, env={**os.environ, **(variables or {})})
    except subprocess.TimeoutExpired:
        raise Crashed(f"no end after {TIMEOUT} s") from None
    err = done.stderr.decode("utf-8", "replace")
    if done.returncode == 1 and err.startswith("{"):
        said = json.loads(err)
        raise Failed("\n  ".join([said.get("error", err), *said.get("context", [])]))
    if done.returncode != 0:
        raise Crashed(f"exit code {done.returncode}: {err[-2000:]}")
    return done.stdout.decode("utf-8").splitlines()


def read(line):
    """A row as nested lists of pairs: order and repeated names are kept."""
    return json.loads(line, object_pairs_hook=lambda pairs: {"pairs": pairs})


def interval_bytes(text):
    """PostgreSQL's text of an interval as Parquet's 12 bytes in hex; None if it is none."""
    months = days = milliseconds = 0
    rest = INTERVAL_PART.sub("", text).strip()
    if rest or not text:
        return None
    for count, unit, sign, hours, minutes, seconds, fraction in INTERVAL_PART.findall(text):
        if unit:
            months += int(count) * {"year": 12, "mon": 1, "day": 0}[unit]
            days += int(count) if unit == "day" else 0
        else:
            size = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000
            size += int((fraction or "0").ljust(3, "0")[:3])
            milliseconds += -size if sign == "-" else size
    if min(months, days, milliseconds) < 0:
        return None
    return struct.pack("<III", months, days, milliseconds).hex()


def plain(value):
    """The form in which two values are compared."""
    if isinstance(value, dict):
        return {"pairs": [(name, plain(part)) for name, part in value["pairs"]]}
    if isinstance(value, list):
        parts = [plain(part) for part in value]
        if parts and all(isinstance(part, list) and len(part) == 2 for part in parts):
            parts.sort(key=lambda part: json.dumps(part[0]))  # A map: its order means nothing.
        return parts
    if isinstance(value, str):
        found = INSTANT.match(value)
        return found.group(1) + "Z" if found else value
    return value


def same(left, right):
    """Whether two plain values are the same; `left` is firn's."""
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left["pairs"]) == len(right["pairs"]) and all(
            a[0] == b[0] and same(a[1], b[1]) for a, b in zip(left["pairs"], right["pairs"]))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        return isinstance(left, (int, float)) and isinstance(right, (int, float)) and (
            same_float(float(left), float(right)))
    if isinstance(left, str) and isinstance(right, str) and left != right:
        return len(right) == 24 and interval_bytes(left) == right
    return left == right


def same_float(left, right):
    if left == right:
        return math.copysign(1, left) == math.copysign(1, right)
    try:  # Half floats are shown with the fewest digits here and whole there.
        return abs(right) < 65536 and right == struct.unpack("<e", struct.pack("<e", right))[0] and (
            struct.pack("<e", left) == struct.pack("<e", right))
    except (OverflowError, struct.error):
        return False


def difference(got, wanted):
    """What differs between two lists of lines, in this order; None if nothing does."""
    if len(got) != len(wanted):
        return f"{len(got)} rows, expected {len(wanted)}"
    for number, (left, right) in enumerate(zip(got, wanted), 1):
        if left != right and not same(plain(read(left)), plain(read(right))):
            return f"row {number}\n  expected {right[:600]}\n  got      {left[:600]}"
    return None


def sort_key(line):
    """An order that does not hang on how a float or a map is written."""
    def key(value):
        if isinstance(value, dict):
            return "{" + ",".join(f"{name}:{key(part)}" for name, part in value["pairs"]) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(key, value)) + "]"
        if isinstance(value, float):
            return repr(value)
        return json.dumps(value)
    return key(plain(read(line)))


class Report:
    """Counts cases and prints a line for each that fails."""

    def __init__(self):
        self.passed = self.failed = 0

    def case(self, name, why):
        if why is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {name}: {why}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, 0 skipped")
        return 1 if self.failed or not self.passed else 0
