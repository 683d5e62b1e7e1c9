#!/usr/bin/env python3
"""replay_corpora.py BUILD - runs every fuzz target of a build over its stored inputs."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    build = pathlib.Path(sys.argv[1])
    failed = False
    targets = sorted(path.stem for path in (ROOT / "fuzz").glob("fuzz_*.c"))
    for target in targets:
        folder = ROOT / "fuzz" / "corpus" / target.removeprefix("fuzz_")
        inputs = sorted(str(path) for path in folder.glob("*"))
        if not inputs:
            print(f"FAIL {target}: {os.path.relpath(folder, ROOT)} holds no inputs")
            failed = True
            continue
        done = subprocess.run([build / target, *inputs], capture_output=True, text=True,
                              errors="replace")
        if done.returncode == 0:
            print(f"ok   {target}: {len(inputs)} inputs")
        else:
            print(f"FAIL {target}\n{done.stdout[-2000:]}{done.stderr[-6000:]}")
            failed = True
    stored = {path.name for path in (ROOT / "fuzz" / "corpus").glob("*") if path.is_dir()}
    for name in sorted(stored - {target.removeprefix("fuzz_") for target in targets}):
        print(f"FAIL fuzz/corpus/{name} belongs to no target")
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
