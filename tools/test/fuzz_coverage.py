#!/usr/bin/env python3
"""fuzz_coverage.py BUILD - do the stored inputs of the fuzz targets reach the decoders?

fuzz_coverage.txt names the decoders by patterns, and what those match beyond them. All these files
are compiled once more, to count their lines; each fuzz target is linked with them and all other
objects of the build (gcc, without sanitizers: release), replays its corpus at every instruction-set
level that the machine runs, and gcov is asked: at least 80 % of the lines of each file must have run.
A file that is compiled once per level (*.isa.c) has the lines of those of its objects that ran.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src"
LEAST = 80.0
OBJECTS = re.compile(r"CMakeFiles/firn_(?:objects|isa_(\w+))\.dir/")
# Behind the build's own flags; what warns at -O0 was compiled without a warning already.
COUNTED = ["-O0", "-g0", "-U_FORTIFY_SOURCE", "-w", "--coverage"]


def is_counted(path):
    return not path.name.endswith("_test.c") and path.name != "test_main.c"


def chosen():
    """The files whose lines are counted; those that need no share of them; what is wrong with the list."""
    found, excepted, faults = set(), {}, []
    for line in (ROOT / "tools/test/fuzz_coverage.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("- "):
            source, _, reason = line[2:].partition(": ")
            excepted[source] = reason
            if not reason:
                faults.append(f"FAIL {source}: an exception gives a reason")
            continue
        matched = {str(path.relative_to(SRC)) for path in SRC.glob(line) if is_counted(path)}
        if not matched - found:
            faults.append(f"FAIL {line}: matches no file that another line does not")
        found |= matched
    faults += [f"FAIL {source}: an exception that no pattern matches"
               for source in sorted(set(excepted) - found)]
    return sorted(found), excepted, faults


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}\n{done.stderr[-4000:]}")
    return done.stdout


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.counted = folder / "fuzz_coverage"
        self.commands = {}  # Source below src/ → [(how the build compiles it, into what)].
        self.levels = set()
        for entry in json.loads((folder / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            output = words[words.index("-o") + 1]
            found = OBJECTS.match(output)
            if found:
                source = entry["file"].split("/src/", 1)[1]
                self.commands.setdefault(source, []).append((words, output))
                self.levels |= {found.group(1)} - {None}

    def compile(self, item):
        """A source's object once more: (what it replaces, what it is)."""
        source, (words, output) = item
        made = self.counted / output.removeprefix("CMakeFiles/")
        made.parent.mkdir(parents=True, exist_ok=True)
        at = words.index("-o")
        command = words[:at] + COUNTED + ["-o", str(made), "-c", str(SRC / source)]
        # Without ccache: what is counted is told by the path of the object.
        run([word for word in command if pathlib.Path(word).name != "ccache"], self.folder)
        return output, made

    def link(self, target, objects):
        """The target's own objects, and all of the library."""
        own = sorted(self.folder.glob(f"CMakeFiles/{target}.dir/**/*.o"))
        commands = run(["ninja", "-t", "commands", "-s", target], self.folder).splitlines()
        line = next(text for text in commands if " -o " in text)
        libraries = [word for word in shlex.split(line) if re.search(r"\.(a|so)$|^-l", word)
                     and "libfirn" not in word]
        program = self.counted / target
        run(["gcc", "--coverage", "-o", str(program), *map(str, own), *map(str, objects), *libraries],
            self.folder)
        return program


def replay(build, target, objects):
    program = build.link(target, objects)
    inputs = sorted(map(str, (ROOT / "fuzz" / "corpus" / target.removeprefix("fuzz_")).glob("*")))
    for level in sorted(build.levels):  # One that the machine lacks is the best it has.
        done = subprocess.run([program, *inputs], capture_output=True, text=True, errors="replace",
                              env=dict(os.environ, FIRN_ISA=level))
        if done.returncode != 0:
            return f"FAIL {target}\n{done.stderr[-2000:]}"
    program.unlink()  # All of them together would be the largest part of the build.
    return ""


def lines_of(source, made):
    """The lines of an object that are code of its source: number → times it ran."""
    notes = made.with_suffix(".gcno")  # The counts lie beside it, if it ran.
    lines = {}
    answer = run(["gcov", "--json-format", "--stdout", "-o", str(notes.parent), str(notes)], ROOT)
    for file in json.loads(answer)["files"]:
        if file["file"].endswith("src/" + source):
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
    return lines


def coverage(source, objects):
    """Percent of the lines of a source that ran, and those that did not. Tables have no lines."""
    lines = {}
    for made in objects:
        found = lines_of(source, made)
        if len(objects) == 1 or any(found.values()):
            for number, count in found.items():
                lines[number] = lines.get(number, 0) + count
    missed = sorted(number for number, count in lines.items() if count == 0)
    return (100.0 * (len(lines) - len(missed)) / len(lines) if lines else 100.0), missed


def judge(source, share, excepted):
    reason = excepted.get(source)
    if reason is None:
        return f"{'ok  ' if share >= LEAST else 'FAIL'} {share:.1f} % of src/{source}"
    if share >= LEAST:
        return f"FAIL {share:.1f} % of src/{source}, which needs no exception any more"
    return f"     {share:.1f} % of src/{source}: {reason}"


def main():
    build = Build(pathlib.Path(sys.argv[1]).resolve())
    sources, excepted, report = chosen()
    for counts in build.counted.rglob("*.gcda"):
        counts.unlink()
    targets = sorted(path.stem for path in (ROOT / "fuzz").glob("fuzz_*.c"))
    items = [(source, command) for source in sources for command in build.commands.get(source, [])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        compiled = dict(pool.map(build.compile, items))
        objects = [compiled.get(output, output)
                   for commands in build.commands.values() for _, output in commands]
        report += filter(None, pool.map(lambda target: replay(build, target, objects), targets))
        made = [[compiled[output] for _, output in build.commands.get(source, [])]
                for source in sources]
        found = list(pool.map(coverage, sources, made))
    for (share, missed), source in sorted(zip(found, sources)):
        report.append(judge(source, share, excepted))
        if "--lines" in sys.argv:
            report.append(f"       not run: {' '.join(map(str, missed))}")
    print("\n".join(report))
    return 1 if any(line.startswith("FAIL") for line in report) else 0


if __name__ == "__main__":
    sys.exit(main())
