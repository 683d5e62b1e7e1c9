"""What firn promises of TPC-H, and whether measured values keep it."""
import math

DUCKDB_MEAN = 0.8       # Geometric mean over all queries, firn / DuckDB.
SCANS = ("q01", "q06")  # What is mostly reading and adding up ...
SCANS_BEST = 0.7        # ... against the best peer.
WORST = 1.5             # No query against the best peer.
ICEBERG = 1.1           # Geometric mean, an Iceberg table against its bare files.
OWN = ("firn", "firn-iceberg")


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def ratios(values, index, own, others):
    """{query: measured of `own` / best of `others`}, where both are there."""
    out = {}
    for (engine, query), measured in values.items():
        theirs = [values[other, query][index] for other in others if (other, query) in values]
        if engine == own and theirs and min(theirs) > 0:
            out[query] = measured[index] / min(theirs)
    return out


def judged(variant, measure_name, values, index):
    """Rows: what is promised, what was measured, what is allowed."""
    peers = sorted({engine for engine, _ in values} - set(OWN))
    if "duckdb" in peers:
        mean = geometric_mean(list(ratios(values, index, "firn", ["duckdb"]).values()))
        yield variant, measure_name, "geometric mean, firn / DuckDB", mean, DUCKDB_MEAN
    best = ratios(values, index, "firn", peers)
    for query in SCANS:
        if query in best:
            yield variant, measure_name, f"{query}, firn / best peer", best[query], SCANS_BEST
    if best:
        worst = max(best, key=best.get)
        yield variant, measure_name, f"worst query ({worst}), firn / best peer", best[worst], WORST
    iceberg = ratios(values, index, "firn-iceberg", ["firn"])
    if iceberg:
        yield (variant, measure_name, "geometric mean, Iceberg / its bare files",
               geometric_mean(list(iceberg.values())), ICEBERG)


def limits(runs, measures):
    """The table of what is promised, and whether all of it is kept."""
    lines = ["| files | measure | promised | measured | allowed | |",
             "| --- | --- | --- | ---: | ---: | --- |"]
    all_kept = True
    for variant, values in runs:
        for index, measure_name in measures:
            for row in judged(variant, measure_name, values, index):
                kept = row[3] <= row[4]
                all_kept &= kept
                lines.append(f"| {row[0]} | {row[1]} | {row[2]} | {row[3]:.2f} | {row[4]:.2f} | "
                             f"{'kept' if kept else '**not kept**'} |")
    return "\n".join(lines) + "\n", all_kept
