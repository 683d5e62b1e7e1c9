#!/usr/bin/env python3
"""Checks that every header compiles alone with gcc, and the public ones as C++ too; and that what
firn.h and the README show as C is C: the program at the top of firn.h, and each of its examples and
the README's as the body of a function that has what they speak of.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]


def c_command(header):
    folders = ["-I.", "-Isrc", "-Iinclude"]
    parts = header.parts
    if parts[0] == "cli":
        folders = ["-Icli", "-Iinclude"]
    elif parts[0] == "tests":
        folders.append("-I" + str(header.parent))
        folders.append("-Icli")
    return ["gcc", "-std=c17", "-D_GNU_SOURCE", *folders, *WARNINGS, "-x", "c", "-"]


def compiles(name, command, text):
    done = subprocess.run([*command, "-I."], cwd=ROOT, input=text, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"FAIL {name} does not compile\n{done.stderr}"


EXAMPLE = """#include <firn.h>
#include <stdio.h>
int example(firn_engine *engine, firn_session *session, const char *sql, size_t size,
            struct ArrowSchema types, struct ArrowArray values, firn_error error) {
    {
%s
    }
    return engine == NULL && session == NULL && sql == NULL && size == 0 &&
           types.release == NULL && values.release == NULL && error.status == FIRN_OK;
}
"""


def examples():
    """(name, program) of each."""
    header = (ROOT / "include" / "firn.h").read_text(encoding="utf-8")
    top = header[:header.index("#ifndef")]
    program = re.findall(r"^//     (.*)\n|^//()\n", top[:top.index("// Four kinds")], re.MULTILINE)
    yield "the program at the top of firn.h", "\n".join(line for line, _ in program) + "\n"
    bodies = [re.sub(r"^/// ?", "", text, flags=re.MULTILINE)
              for text in re.findall(r"/// @code\n(.*?)/// @endcode", header, re.DOTALL)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    bodies += re.findall(r"^```c\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    for body in bodies:
        yield "the example\n" + body, EXAMPLE % body


def main():
    tasks = []
    for folder in ("include", "src", "cli", "tests"):
        for path in sorted((ROOT / folder).rglob("*.h")):
            header = path.relative_to(ROOT)
            if not path.name.endswith(".template.h"):
                alone = f'#include "{header}"\ntypedef int not_empty;\n'
                tasks.append((f"{header} alone", c_command(header), alone))
            if folder == "include":
                tasks.append((f"{header} as C++", ["g++", "-std=c++17", "-Iinclude", *WARNINGS,
                                                   "-x", "c++", "-"], alone))
    header_count = len(tasks)
    tasks += [(name, ["gcc", "-std=c17", "-Iinclude", *WARNINGS, "-x", "c", "-"], program)
              for name, program in examples()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [text for text in pool.map(lambda task: compiles(*task), tasks) if text]
    print("\n".join(problems) if problems else f"ok   {header_count} headers compile alone, and "
          f"{len(tasks) - header_count} examples")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
