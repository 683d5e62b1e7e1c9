#!/usr/bin/env python3
"""plan_files_test.py [BUILD] - plans are data: one process writes them, another one runs them.

Every query of tests/sql is planned and its plan written to a file, with its rows; a second process
that never sees the query runs the files and must give the same rows. Then names in plans are
changed: an unknown node, function, kind of table or version is refused by name.
"""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/dev")
PROGRAM = str(ROOT / BUILD / "plan_files")
LEAST = 200
MAGIC = b"FIRNPLAN"


def call(*words):
    return subprocess.run([PROGRAM, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=False)


def refusal(folder, content):
    path = pathlib.Path(folder, "changed")
    path.write_bytes(content)
    answer = call("read", path)
    return answer.stdout if answer.returncode == 1 else f"no refusal: {answer.stdout}"


def renamed(plan, old, new):
    """A plan in which a name of the same length stands for another."""
    size = bytes([len(old)])
    assert len(old) == len(new) < 128
    return plan.replace(size + old, size + new)


def refusals(folder):
    plans = [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.plan"))]
    failed = 0
    for old, new, words in [(b"Project", b"Teleprt", 'unknown node "Teleprt"'),
                            (b"Sort", b"Sart", 'unknown node "Sart"'),
                            (b"upper", b"uqper", 'unknown function "uqper"'),
                            (b"sum", b"sun", 'unknown aggregate "sun"'),
                            (b"call", b"yell", 'unknown expression "yell"')]:
        plan = next((each for each in plans if bytes([len(old)]) + old in each), None)
        answer = refusal(folder, renamed(plan, old, new)) if plan else "no plan has it"
        failed += report(f"refuses {words}", words in answer and "unsupported" in answer, answer)
    version = plans[0][:len(MAGIC)] + bytes([99]) + plans[0][len(MAGIC) + 1:]
    answer = refusal(folder, version)
    failed += report("refuses another version", "encoding version 99" in answer, answer)
    answer = refusal(folder, plans[0][:-1])
    failed += report("refuses a plan that is cut", "corrupt" in answer, answer)
    return failed


def report(name, is_good, why):
    print(f"ok   {name}" if is_good else f"FAIL {name}\n  {why}")
    return not is_good


def main():
    files = sorted((ROOT / "tests/sql").rglob("*.slt"))
    with tempfile.TemporaryDirectory(prefix="firn-plans-") as folder:
        written = call("write", folder, *[path.relative_to(ROOT) for path in files])
        count = len(list(pathlib.Path(folder).glob("*.plan")))
        print(written.stdout, end="")
        failed = report("writes plans", written.returncode == 0, written.stdout)
        failed += report(f"at least {LEAST} plans differ", count >= LEAST, f"{count} do")
        ran = call("run", folder)
        wanted = f"{count} passed, 0 failed"
        failed += report("a second process runs them", ran.stdout.splitlines()[-1:] == [wanted],
                         ran.stdout)
        failed += refusals(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
