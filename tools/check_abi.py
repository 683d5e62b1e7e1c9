#!/usr/bin/env python3
"""Checks the binary interface: what libfirn.so exports, and what firn.h says, against abi/firn_1.txt.

    check_abi.py BUILD [--update]

The shared library exports exactly the functions of firn.h (and Adbc*), each under the version node
FIRN_1. Sizes of structs, offsets of members, numbers of enums and prototypes must stand in the file
as they are: a line that changed or went is a break; a new line is stored with --update, on purpose.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
STORED = ROOT / "tools" / "abi" / "firn_1.txt"
HEADER = ROOT / "include" / "firn.h"
STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)\} \1;", re.DOTALL)
ENUM = re.compile(r"typedef enum [^{]*\{(.*?)\} (\w+);", re.DOTALL)
FUNCTION = re.compile(r"FIRN_API ([^;]*?\b(\w+)\([^;]*\));", re.DOTALL)


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def member_names(body):
    names = []
    for declaration in body.split(";"):
        for part in declaration.split(","):
            found = re.search(r"(\w+)\s*(\[[^\]]*\])?\s*$", part)
            if found:
                names.append(found.group(1))
    return names


def layout(header):
    """Lines about structs and enums, as the compiler sees them."""
    program = ['#include <firn.h>', '#include <stdio.h>', 'int main(void) {']
    for name, body in STRUCT.findall(header):
        program.append(f'printf("struct {name} size %zu\\n", sizeof({name}));')
        for member in member_names(body):
            program.append(f'printf("struct {name}.{member} offset %zu size %zu\\n", '
                           f'offsetof({name}, {member}), sizeof((({name} *)0)->{member}));')
    for body, name in ENUM.findall(header):
        for constant in re.findall(r"\b([A-Z][A-Z0-9_]+)\b\s*=", body):
            program.append(f'printf("enum {name} {constant} %d\\n", (int){constant});')
    program += ["return 0;", "}"]
    with tempfile.TemporaryDirectory() as folder:
        tool = pathlib.Path(folder) / "layout"
        subprocess.run(["gcc", "-std=c17", "-I", str(HEADER.parent), "-x", "c", "-", "-o", tool],
                       input="\n".join(program), text=True, check=True)
        return subprocess.run([tool], capture_output=True, text=True, check=True).stdout.split("\n")


def prototypes(header):
    return {name: "function " + re.sub(r"\s+", " ", text) for text, name in FUNCTION.findall(header)}


def exported(library):
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                          check=True)
    names = {}
    for line in done.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":  # The version node itself.
            symbol, _, version = name.partition("@@")
            names[symbol] = version
    return names


def check_symbols(library, declared):
    problems = []
    symbols = exported(library)
    for name, version in sorted(symbols.items()):
        if name not in declared and not name.startswith("Adbc"):
            problems.append(f"{library} exports {name}, which firn.h does not declare")
        if version != "FIRN_1":
            problems.append(f"{name} has the version node \"{version}\", not FIRN_1")
    if "firn_query" in symbols:
        problems += [f"firn.h declares {name}, which {library} does not export"
                     for name in sorted(declared - set(symbols))]
    return problems


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: check_abi.py BUILD [--update]")
    header = without_comments(HEADER.read_text())
    functions = prototypes(header)
    now = sorted(line for line in [*layout(header), *functions.values()] if line)
    if "--update" in sys.argv:
        STORED.parent.mkdir(exist_ok=True)
        STORED.write_text("\n".join(now) + "\n")
    stored = STORED.read_text().splitlines() if STORED.exists() else []
    problems = [f"gone or changed: {line}" for line in stored if line not in now]
    problems += [f"not in {STORED.relative_to(ROOT)} (--update stores it): {line}"
                 for line in now if line not in stored]
    problems += check_symbols(str(pathlib.Path(sys.argv[1]) / "libfirn.so"), set(functions))
    print("\n".join("FAIL " + problem for problem in problems) if problems
          else f"ok   {len(now)} facts of the binary interface")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
