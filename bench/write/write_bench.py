#!/usr/bin/env python3
"""write_bench.py [--rounds N] [--scale S] [--options "k=v ..."] - lineitem as a Parquet file.

Each writer has the table in memory and writes it: firn by COPY, Polars, DuckDB and PyArrow, with ZSTD and
with Snappy, by two threads where they have them; and firn's writer alone by one thread, with the encodings
that tables have ("java": tests/interop/parquet_rewrite). Then each peer reads each file as a whole. The best of N rounds (3), in turns, each in a process of its own: seconds of the
processors, seconds by the clock, megabytes. Goals: writing at most 0.7 of the best peer's time at no
more bytes; no peer reads firn's file slower than its own.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "build" / "bench" / "write"
PEERS = ("polars", "duckdb", "pyarrow")


def timed(work):
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def write_with(peer, source, target, codec):
    if peer == "polars":
        import polars
        frame = polars.read_parquet(source)
        return timed(lambda: frame.write_parquet(target, compression=codec))
    if peer == "duckdb":
        import duckdb
        session = duckdb.connect()
        session.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{source}')")
        return timed(lambda: session.execute(f"COPY t TO '{target}' (FORMAT parquet, CODEC '{codec}')"))
    import pyarrow.parquet as pq
    table = pq.read_table(source)
    return timed(lambda: pq.write_table(table, target, compression=codec))


def read_with(peer, source):
    if peer == "polars":
        import polars
        return timed(lambda: polars.read_parquet(source))
    if peer == "duckdb":
        import duckdb
        session = duckdb.connect()
        return timed(lambda: session.execute(
            f"CREATE TEMP TABLE t AS SELECT * FROM read_parquet('{source}')"))
    import pyarrow.parquet as pq
    return timed(lambda: pq.read_table(source))


def venv(group):
    done = subprocess.run(["bash", "tools/dev/venv.sh", group], cwd=ROOT, check=True, capture_output=True,
                          text=True)
    return ROOT / done.stdout.strip() / "bin" / "python"


def child(pythons, *arguments):
    done = subprocess.run([pythons[arguments[1]], __file__, *map(str, arguments)], check=True,
                          capture_output=True, text=True)
    return tuple(json.loads(done.stdout))


def copy_firn(source, target, codec):
    """One `firn session`, whose COPY is timed from outside."""
    process = subprocess.Popen([ROOT / "build/release/firn", "session", "-s", "threads=2"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(sql):
        process.stdin.write(json.dumps({"sql": sql}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{sql}: {answer['error']}")

    def processor_seconds():
        tasks = pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9

    ask(f"CREATE TABLE memory.main.l AS SELECT * FROM read_parquet('{source}')")
    cpu, wall = processor_seconds(), time.perf_counter()
    ask(f"COPY memory.main.l TO '{target}' (FORMAT parquet, COMPRESSION {codec})")
    taken = processor_seconds() - cpu, time.perf_counter() - wall
    process.stdin.close()
    process.wait()
    return taken


def write_firn(source, target, options):
    done = subprocess.run([ROOT / "build/release/parquet_rewrite", source, target, *options.split()], check=True,
                          capture_output=True, text=True)
    cpu, wall = done.stdout.split(",")[-2:]
    return float(cpu.split()[0]), float(wall.split()[0])


def best(results, key, times):
    cpu, wall = results.get(key, times)
    results[key] = (min(cpu, times[0]), min(wall, times[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--options", default="", help="of parquet_rewrite, for its files")
    given = parser.parse_args()
    subprocess.run(["bash", "tools/dev/tpch_data.sh", given.scale, "snappy"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["bash", "tools/dev/build.sh", "release", "firn", "parquet_rewrite"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    source = ROOT / "build" / "data" / f"tpch_{given.scale}_snappy" / "lineitem.parquet"
    OUT.mkdir(parents=True, exist_ok=True)
    pythons = {peer: venv("data" if peer == "pyarrow" else peer) for peer in PEERS}
    wrote, read = {}, {}
    for _ in range(given.rounds):
        for codec in ("zstd", "snappy"):
            name = f"firn {codec}"
            best(wrote, name, copy_firn(source, OUT / name, codec))
            best(wrote, f"firn {codec} java", write_firn(
                source, OUT / f"firn {codec} java", f"codec={codec} encodings=java {given.options}"))
            for peer in PEERS:
                name = f"{peer} {codec}"
                best(wrote, name, child(pythons, "--write", peer, source, OUT / name, codec))
        for name in list(wrote):
            for peer in PEERS:
                best(read, (name, peer), child(pythons, "--read", peer, OUT / name))
    print(f"{'file':16} {'MB':>7} {'write':>13}  " + "  ".join(f"{'read by ' + p:>15}" for p in PEERS))
    print(f"{'':16} {'':7} {'cpu':>6} {'wall':>6}  " + "  ".join(f"{'cpu':>8} {'wall':>6}" for _ in PEERS))
    for name, (cpu, wall) in wrote.items():
        reads = "  ".join("{:8.2f} {:6.2f}".format(*read[name, peer]) for peer in PEERS)
        print(f"{name:16} {(OUT / name).stat().st_size / 1e6:7.1f} {cpu:6.2f} {wall:6.2f}  {reads}")
    for codec in ("zstd", "snappy"):
        others = [f"{peer} {codec}" for peer in PEERS]
        least = min((OUT / name).stat().st_size for name in others)
        print(f"{codec}: cpu {wrote[f'firn {codec}'][0] / min(wrote[n][0] for n in others):.2f}, wall "
              f"{wrote[f'firn {codec}'][1] / min(wrote[n][1] for n in others):.2f} of the best peer (0.70), bytes "
              f"{(OUT / f'firn {codec}').stat().st_size / least:.2f} of the smallest (1.00); read against their own: "
              + ", ".join(f"{p} {read[f'firn {codec}', p][0] / read[f'{p} {codec}', p][0]:.2f}" for p in PEERS))


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--write":
        print(json.dumps(write_with(*sys.argv[2:])))
    elif len(sys.argv) > 2 and sys.argv[1] == "--read":
        print(json.dumps(read_with(*sys.argv[2:])))
    else:
        main()
