#!/usr/bin/env python3
"""iceberg_crash_test.py BUILD [--full] [--kills N] [--seed N] [--only KIND] - firn is killed while it commits.

At each of its calls in turn that change something on disk (tests/tools/killed_at.c), SQLite's among them, for one
statement of every kind (iceberg_crash_kinds.py): of tables, those that change rows on one that is copy-on-write and
partitioned and on one that is merge-on-read and has a branch and a tag; of views; of schemas, also nested ones. And
with kill -9 at random moments of many, one on top of what the other left. Without --full the first calls, the last
ones and some between are tried.

Whenever it was: PyIceberg and firn read everything in the catalog as it was before or as it is afterwards, the latter
if firn had said that it is done; DROP SCHEMA CASCADE, which is several commits, may have dropped some of the tables.
The next statement works; and at worst there are files that nothing names: remove_orphan_files lists those that lie
below a table, and no other. A kind of which not all outcomes were seen is a failure.
"""
import argparse
import collections
import random
import sys
import tempfile
import time

from iceberg_crash_kinds import BASES, KINDS, MAKING
from iceberg_crash_lake import Lake
from iceberg_crash_states import difference, plain

SIGKILLED = -9


def read(lake, name):
    """What PyIceberg reads; None, which is a failure, if it does not."""
    try:
        return lake.read()
    except Exception as error:  # pylint: disable=broad-exception-caught
        lake.peers.expect(name, False, f"PyIceberg: {error!r}")
        return None


def make_bases(lake):
    lake.save("nothing")
    for name, statements in MAKING.items():
        lake.restore("nothing")
        code, told = lake.run(statements)
        found = lake.read().plain
        if code != 0 or found != plain(BASES[name]):
            raise RuntimeError(f"{name}: {told}; {difference(found, plain(BASES[name]))}")
        lake.save(name)


# ---- At each call --------------------------------------------------------------------------------


def calls(count, chance, step):
    """The first ones, and the last ones, where the commit is, without leaving any out."""
    some_of = range(4 + chance.randrange(step), count, step)
    return sorted({n for n in (*range(1, 5), *some_of, *range(count - 8, count + 1)) if 1 <= n <= count})


def goes_in_part(before, after, name):
    """Some of its rows go or change, and not all."""
    old = set(before.tables[name].rows)
    return 0 < len(old - set(after.tables[name].rows)) < len(old)


def wanted_of(kind, chance, on):
    """What it does to these tables of its base: something that can be seen. The states between, too."""
    base = BASES[kind.base]
    seen = base._replace(tables={name: base.tables[name] for name in on or base.tables})
    for _ in range(1000):
        made = kind.change(seen, chance)
        if made:
            statements, after, *between = made
            others = {name: table for name, table in base.tables.items() if name not in seen.tables}
            between = [each._replace(tables={**others, **each.tables}) for each in (between or [[]])[0]]
            after = after._replace(tables={**others, **after.tables})
            if plain(after) != plain(base) and (not kind.deletes or goes_in_part(base, after, on[0])):
                return statements, after, between
    raise RuntimeError(f"{kind.name} does nothing to {on or kind.base}")


def at_each_call(lake, kind, chance, step, on):
    """Whether both the state before and the one after were seen."""
    expect = lake.peers.expect
    what = f"{kind.name} of {' and '.join(on) or kind.base}"
    statements, after, between = wanted_of(kind, chance, on)
    old, new = plain(BASES[kind.base]), plain(after)
    between = [plain(each) for each in between]
    counted = lake.folder / "count"
    shim = str(lake.build / "killed_at.so")
    lake.restore(kind.base)
    code, told = lake.run(statements, LD_PRELOAD=shim, KILLED_COUNT=str(counted))
    reading = read(lake, what)
    if not reading or not expect(f"{what} is done", code == 0 and reading.plain == new,
                                 f"{statements}: {told} {difference(reading.plain, new)}"):
        return False
    if on == ("b",) and kind.deletes:
        expect(f"{what} writes position deletes", reading.has_new_deletes("b"))
    count, outcomes, unknown = int(counted.read_text()), collections.Counter(), 0
    for number, n in enumerate(calls(count, chance, step)):
        lake.restore(kind.base)
        code, told = lake.run(statements, LD_PRELOAD=shim, KILLED_AT=str(n))
        name = f"{what}, killed at call {n} of {count}"
        if code not in (0, SIGKILLED):
            expect(name, False, f"exit {code}: {told}")
        reading = read(lake, name)
        if not reading:
            continue
        outcome = "new" if reading.plain == new else "between" if reading.plain in between else "old"
        expect(name, outcome == "new" or (code != 0 and reading.plain in (old, *between)),
               f"exit {code}: {statements}: beside the old state {difference(reading.plain, old)}, beside the new one "
               f"{difference(reading.plain, new)}")
        outcomes[outcome] += 1
        unknown += len(reading.unknown_files())
        if number % 5 == 0:
            lake.check_firn(name, reading)
            if outcome != "new":
                code, told = lake.run(statements)
                reading = read(lake, name)
                expect(f"{name}: again", reading and code == 0 and reading.plain == new, told)
    print(f"     {what}: {count} calls, {outcomes['old']} times old, "
          + (f"{outcomes['between']} times between, " if between else "")
          + f"{outcomes['new']} times new, {unknown} files that nothing names", flush=True)
    return expect(f"{what}: all outcomes were seen",
                  set(outcomes) == ({"old", "between", "new"} if between else {"old", "new"}), outcomes)


# ---- At random moments ---------------------------------------------------------------------------


def at_random(lake, chance, kills):
    """Gives how often each kind was tried."""
    expect = lake.peers.expect
    lake.restore("rows")
    state, outcomes, seconds = BASES["rows"], collections.Counter(), 0.05
    for number in range(kills):
        made = None
        while not made:
            kind = chance.choice(KINDS)
            made = kind.change(state, chance)
        statements, after, *between = made
        begin = time.monotonic()
        process = lake.start(statements)
        if number % 10:
            time.sleep(chance.random() * seconds * 1.1)
            process.kill()
        told = process.communicate()[1]
        if number % 10 == 0:
            seconds = time.monotonic() - begin  # What one takes that is left alone.
        name = f"{number}, {kind.name}"
        if process.returncode not in (0, SIGKILLED):
            expect(name, False, f"exit {process.returncode}: {statements}: {told}")
        reading = read(lake, name)
        if not reading:
            break
        allowed = [after] if process.returncode == 0 else [after, state, *(between or [[]])[0]]
        found = [each for each in allowed if plain(each) == reading.plain]
        if not expect(name, found, f"exit {process.returncode}: {statements}: beside the old state "
                      f"{difference(reading.plain, plain(state))}, beside the new one "
                      f"{difference(reading.plain, plain(after))}"):
            break
        outcomes[kind.name, "new" if found[0] is after else "old"] += 1
        state = found[0]
    if reading:
        lake.check_firn("at random", reading)
        print(f"     at random: {dict(sorted(outcomes.items()))}")
        print(f"     {len(reading.unknown_files())} files that nothing names")
    expect("old and new were seen", len({which for _, which in outcomes}) == 2, outcomes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    chance = random.Random(told.seed)
    with tempfile.TemporaryDirectory(prefix="firn-crash-") as folder:
        lake = Lake(told.build, folder)
        make_bases(lake)
        wanted, covered = [kind for kind in KINDS if told.only in kind.name], []
        for kind in wanted:
            outcomes = [at_each_call(lake, kind, chance, 1 if told.full else 60, on)
                        for on in [(name,) for name in kind.on] or [()]]
            if all(outcomes):
                covered.append(kind.name)
        if told.only in "random":
            at_random(lake, chance, told.kills or (300 if told.full else 40))
        print(f"     {len(covered)} of {len(wanted)} kinds: {', '.join(covered)}")
        lake.peers.expect("all kinds were tried, with all outcomes", len(covered) == len(wanted),
                          [kind.name for kind in wanted if kind.name not in covered])
        print(f"{lake.peers.passed} passed, {lake.peers.failed} failed")
        return lake.peers.failed > 0


if __name__ == "__main__":
    sys.exit(main())
