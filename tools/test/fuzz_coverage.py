#!/usr/bin/env python3
"""fuzz_coverage.py BUILD - do the stored inputs of the fuzz targets reach the decoders?

Compiles the files that fuzz_coverage.txt names once more, to count their lines, links each fuzz
target with them and all other objects of the build (gcc, without sanitizers: release), replays its
corpus, and asks gcov: at least 80 % of the lines of each file must have run.
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
LEAST = 80.0
EXECUTED = re.compile(r"Lines executed:([\d.]+)% of (\d+)")
# Behind the build's own flags; what warns at -O0 was compiled without a warning already.
COUNTED = ["-O0", "-U_FORTIFY_SOURCE", "-w", "--coverage"]


def wanted():
    lines = (ROOT / "tools/test/fuzz_coverage.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}\n{done.stderr[-4000:]}")


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.counted = folder / "fuzz_coverage"
        self.commands = {}  # Source below src/ → how the build compiles it, and into what.
        for entry in json.loads((folder / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            output = words[words.index("-o") + 1]
            if output.startswith("CMakeFiles/firn_objects.dir/"):
                self.commands[entry["file"].split("/src/", 1)[1]] = (words, output)

    def compile(self, source):
        if source not in self.commands:
            raise SystemExit(f"fuzz_coverage.txt names src/{source}, which the build lacks")
        words, output = self.commands[source]
        made = self.counted / (source + ".o")
        at = words.index("-o")
        command = words[:at] + COUNTED + ["-o", str(made), "-c", str(ROOT / "src" / source)]
        # Without ccache: what is counted is told by the path of the object.
        command = [word for word in command if pathlib.Path(word).name != "ccache"]
        run(command, self.folder)
        return output, made

    def link(self, target, others, counted):
        """The target's own objects, the counted ones, and all others."""
        own = sorted(self.folder.glob(f"CMakeFiles/{target}.dir/**/*.o"))
        line = next(text for text in self.links(target) if " -o " in text)
        libraries = [word for word in shlex.split(line) if re.search(r"\.(a|so)$|^-l", word)
                     and "libfirn" not in word]
        program = self.counted / target
        run(["gcc", "--coverage", "-o", str(program), *map(str, own), *map(str, counted),
             *others, *libraries], self.folder)
        return program

    def links(self, target):
        done = subprocess.run(["ninja", "-t", "commands", "-s", target], cwd=self.folder,
                              capture_output=True, text=True, check=True)
        return done.stdout.splitlines()


def replay(build, target, others, counted):
    program = build.link(target, others, counted)
    folder = ROOT / "fuzz" / "corpus" / target.removeprefix("fuzz_")
    done = subprocess.run([program, *sorted(map(str, folder.glob("*")))], capture_output=True,
                          text=True, errors="replace")
    return "" if done.returncode == 0 else f"FAIL {target}\n{done.stderr[-2000:]}"


def coverage(build, source):
    """Percent of the lines of a source that ran."""
    counts = build.counted / (source + ".gcda")
    done = subprocess.run(["gcov", "-n", "-o", counts.parent, counts], cwd=ROOT,
                          capture_output=True, text=True)
    found = EXECUTED.search(done.stdout.split("src/" + source)[-1])
    return float(found.group(1)) if counts.exists() and found else 0.0


def main():
    build = Build(pathlib.Path(sys.argv[1]).resolve())
    sources = wanted()
    for source in sources:
        (build.counted / source).parent.mkdir(parents=True, exist_ok=True)
    for counts in build.counted.rglob("*.gcda"):
        counts.unlink()
    targets = sorted(path.stem for path in (ROOT / "fuzz").glob("fuzz_*.c"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        compiled = dict(pool.map(build.compile, sources))
        isa = sorted(str(path.relative_to(build.folder)) for path in
                     build.folder.glob("CMakeFiles/firn_isa_*.dir/**/*.o"))
        others = isa + [output for _, output in build.commands.values() if output not in compiled]
        faults = list(pool.map(lambda target: replay(build, target, others, compiled.values()),
                               targets))
    failed = [fault for fault in faults if fault]
    print("\n".join(failed), end="\n" if failed else "")
    shares = [(coverage(build, source), source) for source in sources]
    for share, source in sorted(shares):
        print(f"{'ok  ' if share >= LEAST else 'FAIL'} {share:.1f} % of src/{source}")
    return 1 if failed or min(shares)[0] < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
