#!/usr/bin/env python3
"""Checks what STYLE asks of sources and a compiler does not see.

Functions of at most 70 lines and seven parameters, file names that are unique and say something,
banned functions, memory and the system only behind their doors, a README in each folder of src/,
lines of at most 100 columns, TODOs with the number of an issue.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "src", "cli", "tests", "fuzz", "bench", "examples", "python", "adbc")
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 7
COLUMNS_MAX = 100
FILE_LINES_MAX = 1000
README_LINES_MAX = 60

BANNED = "strcpy strcat sprintf vsprintf gets strtok atoi atol alloca setjmp longjmp system"
HEAP = "malloc calloc realloc free strdup strndup asprintf aligned_alloc posix_memalign"
SYSTEM = ("fopen fread fwrite opendir readdir pread pwrite mmap munmap madvise getenv secure_getenv "
          "clock_gettime gettimeofday nanosleep usleep sleep pthread_create thrd_create fork execv "
          "socket connect unlink rename mkdir rmdir fsync fdatasync ftruncate getrandom sysconf "
          "sched_getaffinity setlocale signal sigaction umask chdir")


def calls_of(words):
    return re.compile(r"(?<![\w.>])(" + "|".join(words.split()) + r")\s*\(")


BANNED_CALL, HEAP_CALL, SYSTEM_CALL = calls_of(BANNED), calls_of(HEAP), calls_of(SYSTEM)
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
MEANINGLESS = re.compile(r"^(util|utils|common|helper|helpers|misc)[._]")


def code_of(text):
    """The text without comments and the content of literals; line numbers stay."""
    return NOT_CODE.sub(lambda found: "\n" * found.group().count("\n"), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def parameter_count(signature):
    depth = count = 0
    inside = signature[signature.index("(") + 1:signature.rindex(")")]
    if inside.strip() in ("", "void"):
        return 0
    for letter in inside:
        depth += (letter in "([{") - (letter in ")]}")
        count += letter == "," and depth == 0
    return count + 1


def check_functions(where, code, problems):
    """Relies on clang-format: a function's braces stand at the end of a line and in column 1."""
    start = None
    signature = []
    for number, line in enumerate(code.splitlines(), 1):
        if start is not None:
            if line.startswith("}"):
                if number - start - 1 > FUNCTION_LINES_MAX:
                    problems.append(f"{where}:{start}: a function of {number - start - 1} lines, "
                                    f"at most {FUNCTION_LINES_MAX} are allowed")
                start = None
            continue
        if line[:1] in ("#", "}", "") or line.startswith((" ", "\t")) and not signature:
            signature = []
            continue
        signature.append(line)
        if line.endswith("{") and "(" in "".join(signature):
            text = " ".join(signature)
            start = number
            if ")" in text and "=" not in text.split("(")[0] and parameter_count(
                    text[:text.rindex("{")]) > PARAMETERS_MAX:
                problems.append(f"{where}:{number}: more than {PARAMETERS_MAX} parameters")
            signature = []
        elif line.endswith((";", "{")):
            signature = []


def check_calls(where, code, problems):
    """Which functions may be called where: base/ is the door to the system, memory/ to the heap."""
    parts = where.parts
    is_test = where.name.endswith(("_test.c", "_testing.h")) or where.name == "test_main.c"
    for found in BANNED_CALL.finditer(code):
        if parts[:2] != ("src", "base"):
            problems.append(f"{where}:{line_of(code, found.start())}: {found.group(1)} is banned")
    if parts[0] != "src" or is_test or parts[1] in ("base", "net"):
        return
    if parts[1] != "memory":
        for found in HEAP_CALL.finditer(code):
            problems.append(f"{where}:{line_of(code, found.start())}: {found.group(1)}: memory "
                            "comes from memory/")
    for found in SYSTEM_CALL.finditer(code):
        problems.append(f"{where}:{line_of(code, found.start())}: {found.group(1)}: the system is "
                        "behind base/host.h")


def check_file(path, problems):
    where = path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            problems.append(f"{where}:{number}: {len(line)} columns, at most {COLUMNS_MAX}")
        if re.search(r"\b(TODO|FIXME|XXX)\b", line) and not re.search(r"#\d+", line):
            problems.append(f"{where}:{number}: a TODO without the number of an issue")
    if len(lines) > FILE_LINES_MAX and "generated" not in "\n".join(lines[:20]).lower():
        problems.append(f"{where}: {len(lines)} lines, at most {FILE_LINES_MAX}")
    code = code_of(text)
    check_functions(where, code, problems)
    check_calls(where, code, problems)


def check_names(files, problems):
    by_name = collections.defaultdict(list)
    for path in files:
        by_name[path.name].append(str(path.relative_to(ROOT)))
        if MEANINGLESS.match(path.name):
            problems.append(f"{path.relative_to(ROOT)}: a name that says nothing")
    for places in by_name.values():
        if len(places) > 1:
            problems.append("the same name twice: " + ", ".join(places))


def check_readmes(problems):
    for folder in sorted(path for path in (ROOT / "src").iterdir() if path.is_dir()):
        readme = folder / "README.md"
        if not readme.is_file():
            problems.append(f"{folder.relative_to(ROOT)}: no README.md")
        elif len(readme.read_text(encoding="utf-8").splitlines()) > README_LINES_MAX:
            problems.append(f"{readme.relative_to(ROOT)}: more than {README_LINES_MAX} lines")


def main():
    problems = []
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.[ch]")
                   if "corpus" not in path.parts)
    for path in files:
        check_file(path, problems)
    check_names(files, problems)
    check_readmes(problems)
    print("\n".join("FAIL " + problem for problem in problems) if problems
          else f"ok   {len(files)} source files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
