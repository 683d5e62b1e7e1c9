"""The steps of `./dev test`, one line each: name, command, and what build it needs.

A step's command runs with bash in the top folder. run_steps.py says how its output is counted and
builds the preset of `build` before the first step that needs it. Names are paths, so that
`./dev test lint/` runs a group.
"""
import os
import pathlib
import shlex
from dataclasses import dataclass, field

BUILD_TIMEOUT = 3600
SANITIZED = ("dev", "tsan", "msan")
# Records of the random-query set that need what this version of firn does not have.
LATER_SQL = r"over *\(|grouping sets|rollup|cube|recursive|lateral|distinct on|within group"


@dataclass
class Step:
    name: str
    command: str
    build: str = ""
    timeout: int = 1200
    variables: dict = field(default_factory=dict)


def shared_folder(root):
    """Where the reference data lies: FIRN_SHARED or ../shared; None in a clone without them."""
    folder = pathlib.Path(os.environ.get("FIRN_SHARED", root.parent / "shared"))
    return folder if folder.is_dir() else None


def environment(root):
    """Variables that every step sees, also inside SQL test files as ${NAME}."""
    shared = shared_folder(root)
    return {"ROOT": str(root), **({"SHARED": str(shared)} if shared else {})}


def build_command(preset):
    jobs = os.environ.get("JOBS", str(os.cpu_count()))
    return f"cmake --preset {preset} && cmake --build --preset {preset} --parallel {jobs}"


def has_engine(root):
    """Whether src/engine implements firn.h; CMakeLists.txt asks the same."""
    return any("\nfirn_status firn_query(" in path.read_text()
               for path in (root / "src" / "engine").glob("*.c"))


def lint(full):
    return [
        Step("lint/format", "tools/check_format.py"),
        Step("lint/layers", "tools/check_layers.py"),
        Step("lint/sources", "tools/check_sources.py"),
        Step("lint/headers", "tools/check_headers.py"),
        Step("lint/tidy", "tools/check_tidy.py" + (" --full" if full else ""), "dev", 7200),
        Step("lint/abi", "tools/check_abi.py build/release", "release"),
    ]


def unit(full):
    found = [Step(f"unit/{preset}", f"build/{preset}/firn_unit_tests", preset)
             for preset in ("release", "dev", "tsan")]
    for level in ("base", "v3", "v4"):  # A level that the machine lacks runs the best it has.
        found.append(Step(f"unit/isa_{level}", "build/release/firn_unit_tests", "release",
                          variables={"FIRN_ISA": level}))
    found.append(Step("fuzz/replay", "tools/test/replay_corpora.py build/dev", "dev"))
    if full:
        found += [
            Step("unit/gcc", "build/gcc/firn_unit_tests", "gcc"),
            Step("unit/aarch64", "qemu-aarch64-static -L /usr/aarch64-linux-gnu "
                 "build/aarch64/firn_unit_tests", "aarch64", 7200),
            Step("fuzz/search", "./dev fuzz", timeout=7200),
        ]
    return found


def venv(group):
    """A shell word: the Python of a virtual environment, made when it is missing."""
    return f"$(bash tools/dev/venv.sh {group})/bin/python"


def programs():
    return [Step(f"cli/{preset}", f"PYARROW={venv('pyiceberg')} tests/cli/cli_test.py build/{preset}",
                 preset) for preset in ("release", "dev", "tsan")]


def steps(root, full):
    return lint(full) + unit(full) + programs()


def steps_by_test_name(root, fragment):
    """For `./dev test FRAGMENT` where no step has that name: the tests that have."""
    return [Step(f"unit tests \"{fragment}\"", f"build/dev/firn_unit_tests {shlex.quote(fragment)}", "dev")]
