#!/usr/bin/env python3
"""Checks that what the documents name is there: every link to a file and heading, every file named
in `code`, every ./dev subcommand and step; every document that a source names. And that each folder
of src/ with sources has a README.md of at most a screen.

A name is looked for beside the document, at the top, in src/ and, if it is a name alone, anywhere.
Patterns such as `prompt.*` must match something. build/ and .git are not looked at.
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"^[\w.*/{},-]+\.(c|h|def|py|sh|md|cmake|txt|slt|csv|map|in)$")
PATTERN = re.compile(r"^[\w/-]+\.\*$")
FOLDER = re.compile(r"^(?:src|cli|tests|tools|docs|fuzz|bench|examples|include|cmake)/[\w/.*-]*$")
DEV = re.compile(r"\./dev (\w+)")
# Made by a build or a user, or placeholders of names.
MADE = re.compile(r"^(build/|\.\./shared|x\.|thing|fuzz_x|bench_x|.*/x[._/]|.*/thing|sales|report|"
                  r"events/|part-|version-hint|fuzz/fuzz_x|.*TARGET|x_)")
SCREEN = 40  # Lines of a README.md.
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def tracked():
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def alternatives(name):
    """`a.{c,h}` is two names."""
    found = re.match(r"(.*)\{(.*)\}(.*)", name)
    return [found[1] + part + found[3] for part in found[2].split(",")] if found else [name]


class Tree:
    def __init__(self, names):
        self.names = set(names)
        self.folders = {str(parent) for name in names for parent in pathlib.PurePath(name).parents}
        self.bases = {pathlib.PurePath(name).name for name in names}

    def has(self, name, beside):
        """Whether a name of a document in the folder `beside` leads to something."""
        name = name.rstrip("/")
        for start in (beside, ".", "src", "include"):
            path = str(pathlib.PurePath(start, name))
            if path in self.names or path in self.folders or fnmatch.filter(self.names, path):
                return True
        return "/" not in name and bool(fnmatch.filter(self.bases, name))


def anchors(text):
    for title in re.findall(r"^#+ +(.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def check(document, tree):
    text = (ROOT / document).read_text(encoding="utf-8")
    beside = str(pathlib.PurePath(document).parent)
    prose = FENCE.sub("", text)
    for target in LINK.findall(prose):
        path, _, anchor = target.partition("#")
        if re.match(r"^[a-z]+:", target):
            continue
        full = (ROOT / beside / path).resolve() if path else ROOT / document
        if not full.exists():
            yield f"{document} links to {target}, which is not there"
        elif anchor and full.suffix == ".md" and anchor not in anchors(full.read_text()):
            yield f"{document} links to the heading {target}, which is not there"
    for span in CODE.findall(prose):
        if (FILE.match(span) or PATTERN.match(span) or FOLDER.match(span)) and not MADE.match(span):
            for name in alternatives(span):
                if not tree.has(name, beside):
                    yield f"{document} names {name}, which is not there"
    for name in DEV.findall(text):
        if not (ROOT / "tools" / "dev" / f"{name}.sh").exists():
            yield f"{document} names ./dev {name}, which is not there"


def check_source(name, tree):
    """Documents of the project are named in capitals; spec.md and its like are others', and what
    lies in design/ belongs to the reference data."""
    text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
    for found in re.finditer(r"(?<!\bdesign/)\b[A-Z][A-Z_]+\.md\b", text):
        if not tree.has(found.group(), "."):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line} names {found.group()}, which is not there"


def check_folders(tree):
    folders = {str(pathlib.PurePath(name).parent) for name in tree.names
               if name.startswith("src/") and name.endswith((".c", ".h"))}
    for folder in sorted(folders):
        readme = f"{folder}/README.md"
        if readme not in tree.names:
            yield f"{folder} has no README.md: what it promises, what it does not, what to read first"
        elif len((ROOT / readme).read_text().splitlines()) > SCREEN:
            yield f"{readme} is longer than a screen of {SCREEN} lines"


def main():
    names = tracked()
    tree = Tree(names)
    documents = [name for name in names if name.endswith(".md")]
    problems = [problem for document in documents for problem in check(document, tree)]
    sources = [name for name in names
               if name.endswith((".c", ".h", ".def", ".py", ".sh", ".slt", ".cmake", ".txt"))]
    problems += [problem for source in sources for problem in check_source(source, tree)]
    problems += check_folders(tree)
    print("\n".join("FAIL " + problem for problem in problems) if problems
          else f"ok   what {len(documents)} documents name is there")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
