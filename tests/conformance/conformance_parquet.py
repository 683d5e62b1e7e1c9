#!/usr/bin/env python3
"""conformance_parquet.py FIRN FOLDER [FILTER] - reads the Parquet files of the conformance set.

FOLDER is conformance/parquet: its README.md says what is expected of each file. Rows are compared in
file order; files that are damaged must give an error and must never bring the program down. What the
set says nothing of is encrypted, which must give an error, or shredded variants, which this version
reads as the columns that they are stored in: those must not break anything. Files whose name holds
FILTER, or all.
"""
import concurrent.futures
import glob
import hashlib
import json
import os
import pathlib
import re
import sys

import canonical_rows
from canonical_rows import Crashed, Failed

# No error is asked of these, only that nothing breaks: damaged files.
MAY_FAIL = re.compile(r"^parquet-testing/bad_data/")
# Two maps whose keys are 2^30 times "a": read with 3 GB. It has to be where the machine has so much
# free, and the engine takes so much: its share may be that of a container.
LARGE = "large_string_map.brotli.parquet"
LARGE_FREE, LARGE_LIMIT = 8 << 30, 4 << 30
LARGE_SQL = ("SELECT cardinality(arr) AS n, length(map_keys(arr)[1]) AS size, "
             "ltrim(map_keys(arr)[1], 'a') AS rest, map_values(arr) AS v FROM {}")
LARGE_ROW = '{"n":1,"size":1073741824,"rest":"","v":[1]}'
SAMPLES = ("expected_sample_first60_last60", "expected_sample_first40_last40")


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def entries(folder):
    """(path, index entry) of every file of both sets."""
    for index in sorted(glob.glob(str(folder / "generated" / "index_*.json"))):
        for entry in json.loads(pathlib.Path(index).read_text()):
            yield folder / "generated" / entry["file"], entry
    theirs = folder / "parquet-testing"
    index = json.loads((theirs / "index.json").read_text())
    for entry in index:
        yield theirs / entry["file"], entry
    told = {theirs / entry["file"] for entry in index}
    for path in sorted({*theirs.rglob("*.parquet"), *theirs.rglob("*.encrypted")} - told):
        is_encrypted = path.suffix == ".encrypted" or "aes256" in path.parts
        yield path, {"must_fail" if is_encrypted else "must_not_crash": True}


def expected_lines(path, entry):
    """(all lines, None), or (None, (first, last)) where only a sample is stored, or (None, None)."""
    for key in SAMPLES:
        if key in entry:
            sample = find(path, entry[key])
            lines = sample.read_text(encoding="utf-8").splitlines()
            return None, (lines[:len(lines) // 2], lines[len(lines) // 2:])
    whole = find(path, entry["expected"]) if "expected" in entry else path.with_suffix(".jsonl")
    if whole.is_file():
        return whole.read_text(encoding="utf-8").splitlines(), None
    sample = path.with_suffix(".sample.jsonl")
    if sample.is_file():
        lines = sample.read_text(encoding="utf-8").splitlines()
        return lines, None
    return None, None


def find(path, name):
    """A path of an index: relative to the folder of the index."""
    for folder in path.parents:
        if (folder / name).is_file():
            return folder / name
    return path.parent / name


def digest(lines):
    return hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()


def check_rows(got, path, entry):
    whole, sample = expected_lines(path, entry)
    if "rows" in entry and len(got) != entry["rows"]:
        return f"{len(got)} rows, expected {entry['rows']}"
    if sample:
        first, last = sample
        if len(first) + len(last) < min(80, len(got)):  # It lacks rows that are too long for it.
            return None if digest(got) == entry["jsonl_sha256"] else "other rows by their digest"
        return canonical_rows.difference(got[:len(first)] + got[-len(last):], first + last)
    if whole is None:
        same = digest(got) == entry.get("jsonl_sha256")
        return None if same else "no expected rows, another digest"
    return canonical_rows.difference(got, whole)


def must_fail(firn, sql, path):
    try:
        rows = canonical_rows.run(firn, sql)
    except Failed as error:
        return None if path.name in str(error) else f"an error that does not name the file: {error}"
    return f"{len(rows)} rows, an error was expected"


def scanned(firn, sql):
    """What EXPLAIN ANALYZE says of a query's scan: {"row groups": 4, ...}."""
    lines = [json.loads(line)["plan"] for line in canonical_rows.run(firn, "EXPLAIN ANALYZE " + sql)]
    start = next(i for i, line in enumerate(lines) if line.strip().startswith("Scan "))
    facts = [line for line in lines[start + 1:] if line.startswith(" ") and "filter=[" not in line]
    return {name.strip(): int(count)
            for name, count in re.findall(r"([a-z_ ]+)=(\d+)", "  ".join(facts))}


def row_groups_read(counts):
    pruned = sum(count for name, count in counts.items() if name.startswith("row groups pruned"))
    return counts["row groups"] - pruned


def check_pruning(firn, source, entry, query):
    """No more row groups are read than statistics leave, and no more rows than pages that overlap."""
    counts = scanned(firn, f"SELECT * FROM {source} WHERE {query['where']}")
    read = row_groups_read(counts)
    rows_read = counts.get("rows read", 0)
    most = query.get("row_groups_not_prunable_by_stats", counts["row groups"])
    if counts["row groups"] != entry["meta"]["num_row_groups"]:
        return f"{counts['row groups']} row groups of {entry['meta']['num_row_groups']}"
    if read > most:
        return f"{query['where']}: {read} row groups read, {most} are enough: {counts}"
    if "pages_hint" in query and rows_read > query["rows"] + 64:  # Two pages more than needed.
        return f"{query['where']}: {rows_read} rows read for {query['rows']}: {counts}"
    return None


def check_bloom(firn, source, entry):
    """Bloom filters leave out nearly all row groups that do not have the value."""
    needless = chances = 0
    for query in entry.get("bloom_queries", []):
        counts = scanned(firn, f"SELECT * FROM {source} WHERE {query['where']}")
        needless += row_groups_read(counts) - query["rows"]  # No value comes twice.
        chances += counts["row groups"] - query["rows"]
    if needless * 10 > chances:
        return f"{needless} row groups of {chances} read in vain: bloom filters would say so"
    return None


def check_queries(firn, source, entry):
    for query in entry.get("queries", []) + entry.get("bloom_queries", []):
        sql = f"SELECT count(*) AS n FROM {source} WHERE {query['where']}"
        got = json.loads(canonical_rows.run(firn, sql)[0])["n"]
        if got != query["rows"]:
            return f"{query['where']}: {got} rows, expected {query['rows']}"
        why = check_pruning(firn, source, entry, query)
        if why is not None:
            return why
    return check_bloom(firn, source, entry)


def has_memory(firn):
    found = re.search(r"^MemAvailable: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.MULTILINE)
    limit = json.loads(canonical_rows.run(firn, "SHOW memory_limit")[0])["memory_limit"]
    return int(found[1]) << 10 >= LARGE_FREE and float(limit.removesuffix("MB")) * (1 << 20) >= LARGE_LIMIT


def check_large(firn, source):
    """It is read; only where the machine has too little memory for it may that be told instead."""
    is_required = has_memory(firn)
    try:
        rows = canonical_rows.run(firn, LARGE_SQL.format(source))
    except Failed as error:
        is_told = str(error).startswith("out of memory: ")
        return None if is_told and not is_required else str(error)
    return None if rows == [LARGE_ROW] * 2 else f"other rows: {str(rows)[:200]}"


def check_file(firn, path, name, entry):
    source = f"read_parquet({quoted(path)})"
    if path.name == LARGE:
        return check_large(firn, source)
    sql = f"SELECT * FROM {source}"
    checked = f"SELECT * FROM read_parquet({quoted(path)}, verify_checksums => true)"
    if entry.get("must_fail"):
        return must_fail(firn, sql, path)
    if "corrupt-checksum" in path.name or entry.get("must_fail_with_checksum_verification"):
        why = must_fail(firn, checked, path)
        if why is not None:
            return "with checksums: " + why
    try:
        rows = canonical_rows.run(firn, sql)
    except Failed as error:
        tolerated = entry.get("must_not_crash") or MAY_FAIL.search(name)
        return None if tolerated else str(error)
    if entry.get("must_not_crash") or ("rows" not in entry and "expected" not in entry):
        return None
    return check_rows(rows, path, entry) or check_queries(firn, source, entry)


def check(task):
    firn, path, name, entry = task
    try:
        return name, check_file(firn, path, name, entry)
    except (Crashed, Failed) as error:
        return name, str(error)


def main():
    firn, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    named = [(path, str(path.relative_to(folder)), entry) for path, entry in entries(folder)]
    tasks = [(firn, path, name, entry) for path, name, entry in named
             if wanted in name]
    report = canonical_rows.Report()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, why in pool.map(check, tasks):
            report.case(name, why)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
