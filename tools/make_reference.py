#!/usr/bin/env python3
"""Writes docs/reference/ from the program itself: make_reference.py BUILD [--check]

Functions come from SHOW FUNCTIONS, which is functions.def and the like; settings from SHOW ALL
SETTINGS, which is settings.def; the command line from firn --help and the table of the prompt's
commands; options of functions of FROM and of ATTACH from table_functions.def and
catalog_options.def. --check only says whether the files are as they would be written.
"""
import csv
import io
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Made by tools/make_reference.py; do not edit. -->\n\n"
SAME_AS = "the same as "  # How SHOW FUNCTIONS says that a name is another one's.
OF_ENGINE = " (engine)"  # How SHOW ALL SETTINGS says that a setting holds for all sessions.
# Ours, so that the file does not depend on the machine.
SETTINGS = ("-s", "threads=2", "-s", "memory_limit=1GB")


def output(firn, *arguments):
    return subprocess.run([firn, *arguments], capture_output=True, text=True, check=True).stdout


def rows(firn, sql):
    return list(csv.DictReader(io.StringIO(output(firn, *SETTINGS, "--format", "csv", "-c", sql))))


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def code(text):
    """A span of code, also of text with a grave accent."""
    return f"`{cell(text)}`" if "`" not in text else f"`` {cell(text)} ``"


def functions(firn):
    by_category = {}
    for row in rows(firn, "SHOW FUNCTIONS"):
        of_category = by_category.setdefault(row["category"], {})
        if row["description"].startswith(SAME_AS):
            of = of_category[row["description"].removeprefix(SAME_AS)]
            of[2].extend({row["name"]}.difference(of[2]))
            continue
        signatures, _, _ = of_category.setdefault(row["name"], ([], row["description"], []))
        if row["signature"]:
            signatures.append(row["signature"])
    text = MADE + ("# Functions\n\nA signature says result `<-` arguments; `T` is one type in all "
                   "places, `...` any number of arguments. `SHOW FUNCTIONS` lists the same.\n")
    for category in sorted(by_category):
        names = by_category[category]
        text += f"\n## {category}\n\n| function | what it gives | signatures |\n| --- | --- | --- |\n"
        for name in sorted(names):
            signatures, description, others = names[name]
            text += (f"| {', '.join(map(code, [name, *others]))} | {cell(description)} | "
                     f"{'<br>'.join(code(each) for each in signatures)} |\n")
    return text


def is_of_engine(row):
    return row["description"].endswith(OF_ENGINE)


def settings(firn):
    text = MADE + (
        "# Settings\n\n`SET name = value`, `RESET name`, `SHOW name`, `SHOW ALL`; on the command line "
        "`-s name=value`; in C `firn_engine_set`, `firn_session_set` and `firn_statement_set`.\n\n"
        "One of the engine holds for all its sessions, whichever of them sets it, from the next "
        "statement on. One of a session holds for its later statements; what is set on the engine "
        "(`firn_engine_open`, `firn_engine_set`) is what later sessions begin with. "
        "`firn_statement_set` sets one of a session for one prepared statement, but not "
        "`search_path`.\n\n| setting | of | default | meaning |\n| --- | --- | --- | --- |\n")
    found = rows(firn, "SHOW ALL SETTINGS")
    for row in found:
        text += (f"| `{row['name']}` | {'engine' if is_of_engine(row) else 'session'} | "
                 f"{code(row['default'])} | {cell(row['description'].removesuffix(OF_ENGINE))} |\n")
    check_manual(found)
    return text


def check_manual(found):
    """The manual in firn.h must name the settings that belong to the engine, and those of Arrow."""
    header = (ROOT / "include/firn.h").read_text()
    of_engine = comment_of(header, "firn_engine_set").split("hold for all statements")[0]
    of_statement = comment_of(header, "firn_statement_set")
    named = {name for name in (row["name"] for row in found) if re.search(rf"\b{name}\b", of_engine)}
    named |= set(re.findall(r"^ {4,}(arrow\.\w+)", of_statement, re.MULTILINE))
    wanted = {row["name"] for row in found
              if is_of_engine(row) or row["name"].startswith("arrow.")}
    if named != wanted:
        raise SystemExit("FAIL firn.h names other settings than there are: "
                         + ", ".join(sorted(named ^ wanted)))


def comment_of(header, function):
    """The comment above a function, without its slashes."""
    before = header.split(f"FIRN_API firn_status {function}(")[0].splitlines()
    lines = []
    while before and before[-1].startswith("///"):
        lines.insert(0, before.pop()[3:])
    return "\n".join(lines)


def calls(path, macro):
    """The arguments of each call of a macro in a list, texts without their quotes."""
    found = []
    for body in re.findall(rf"^{macro}\((.*?)\)$", (ROOT / path).read_text(), re.MULTILINE | re.DOTALL):
        body = re.sub(r'"\s*"', "", body)
        found.append([part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^,"]+', body)
                      if part.strip()])
    return found


TABLES = """# Tables in FROM

Beside tables of catalogs, which [catalogs.md](catalogs.md) is about and [ddl.md](ddl.md) makes and changes, these stand in `FROM`:

```sql
FROM 'events.parquet'                                   -- .parquet or .parq, also https://…
FROM 'events/*.parquet'                                 -- *, ?, [a-z], and ** for folders of any depth
FROM read_parquet(['a.parquet', 'b.parquet'], union_by_name => true)
FROM iceberg_scan('/lake/db/sales', ref => 'end_of_2023')
FROM unnest([10, 20]) WITH ORDINALITY AS u (value, number)
FROM generate_series(1, 10) AS g (n)
```

Tables of Iceberg have earlier versions: `FROM t FOR VERSION AS OF 123` (a snapshot), `FOR VERSION AS OF 'name'` (a branch or
tag), `FOR TIMESTAMP AS OF TIMESTAMP '…'`. `SHOW FUNCTIONS` lists the functions as well.
"""

CATALOGS = """# Catalogs

```sql
ATTACH 'https://catalog.example.com' AS lake (TYPE iceberg, CREDENTIAL 'id:secret');  -- an Iceberg REST catalog
ATTACH 'sqlite:/lake/catalog.db' AS local (READ_ONLY);                                -- PyIceberg's, JdbcCatalog's
ATTACH '/lake/warehouse' AS files;                                                    -- folders of folders of tables
SHOW CATALOGS; USE lake.db; SHOW TABLES; DESCRIBE sales; DETACH files;
```

The location says which kind of catalog it is. `TYPE` is the format of its tables: `iceberg`, which may be left out. Names are
`table`, `schema.table` or `catalog.schema.table`; `memory` and `temp` are always there and take `CREATE TABLE` and `CREATE VIEW`.

Names without quotes match whatever their case, those of catalogs, schemas, tables, views and columns: the exact one wins, else
the one that differs in case only is meant; several of those are an error that lists them. What is written in quotes, at any
level, is exact. Tables that are written as their catalog writes them cost it no further request; in another case what is not
found is looked for in the lists of the catalog, each time, as far as it lets them be seen. USE keeps the catalog's spelling.

What a catalog lists: a name once, however often a server repeats it. Namespaces of a SQLite catalog end before a level that is
empty (`a..b` is listed as `a`), and those that are not UTF-8 are left out: no name in SQL means them, and the others stay usable.

## SQLite catalogs

The file is PyIceberg's and Java's JdbcCatalog's as well: each sees the other's tables under the same `CATALOG_NAME`, and commits are
safe among programs, since each is one transaction of the file. One that does not exist is made, in the newer of the two layouts
(V1), if its folder exists and `READ_ONLY` does not forbid it. All tables of a COMMIT change at once. New tables lie in
`<WAREHOUSE>/<schema>/<table>`, or below the property `location` of their schema. Triggers in the file do not run.

`DROP TABLE … PURGE` removes what the table's last metadata names, as Java does: data, manifests, statistics, metadata, wherever they
lie; data only if `gc.enabled` is not `false`. Other files in its folder stay. A REST server does as it likes.

Do not open the same file with two SQLite libraries **in one process**, such as `libfirn` and PyIceberg in one Python program:
Linux drops all locks of a process on a file when one of its handles is closed, so each library loses the locks of the other,
READ_ONLY or not, and two writers may then damage the file (sqlite.org/howtocorrupt.html, 2.2.1). Processes of their own are safe, as
is everything that goes through firn alone. The same holds for file systems whose locks do not work, some NFS among them.

## Folders of tables

Schemas are folders, tables lie in their own, and each commit is the next file `v<N>.metadata.json`, which only one of several
writers can make. `DROP TABLE` removes the folder with all that is in it, PURGE or not, as Java's HadoopCatalog does. Tables cannot
be renamed or lie elsewhere, and a transaction changes one. Java's own writers overwrite each other's commits, and firn's, on a local
disk without a lock manager: let them take turns.

## Locations

Locations in catalogs and metadata, `file:///lake/t` like plain paths, are taken as they are written: `%20` is three characters of
a name, not a blank, as PyIceberg takes it too.

## Keys to storages

A REST server may send keys to the storage of a table with it. firn asks for them when it loads or stages one, as PyIceberg does
(`X-Iceberg-Access-Delegation: vended-credentials`); what `HEADERS` has of that name is sent in its place, and an empty value,
`HEADERS MAP {'X-Iceberg-Access-Delegation': ''}`, means none. What the server answers is for the files of this table alone: those
below its location, the folders that its properties (`write.data.path`, `write.metadata.path` …) name, and the places
that its credentials name. As in Java, of one property counts the last of: the `defaults` of the server's configuration, `PROPERTIES` of ATTACH,
the `overrides` of the configuration, the table's `config`, its storage credential with the longest prefix. Only properties of
storages are handed on (`s3.…`, `gcs.…`, `adls.…`, `client.…`, `signer.…`, `io-impl`); a `token` of the table stays with its requests.
They are kept in memory until DETACH, newer ones replace them whenever the table is loaded, and a table is had anew, unchanged
or not, five minutes before they end (`s3.session-token-expires-at-ms` and the like), or after a quarter of an hour where they do not
say. They are printed nowhere, also not where a message of the server repeats one. So far files are read and
written on this machine and, reading, at web addresses, which need none of it: no store of object storages is there yet.

## Options of ATTACH

"""

CONFIGURED = """
## Options that are not written in SQL

What ATTACH does not give is looked for outside, so that secrets need not stand in SQL; first in the environment, by the
catalog's alias and the option in capitals with `_` for other signs:

```
FIRN_CATALOG__LAKE__TOKEN=…
```

(a variable of the catalog that names no option is an error), then in the file that `FIRN_CONFIG` names, in the section of the alias:

```
# FIRN_CONFIG=/etc/firn.ini
[lake]
credential = id:secret
```
"""


def tables(_):
    functions_of = {}
    for name, signature, summary in calls("src/tables/table_functions.def", "TABLE_FUNCTION"):
        functions_of.setdefault(name, []).append(f"- {code(signature)}: {summary}\n")
    options_of = {}
    for name, option, takes, meaning in calls("src/tables/table_functions.def", "TABLE_OPTION"):
        options_of.setdefault(name, []).append(f"| `{option}` | {takes} | {cell(meaning)} |\n")
    text = MADE + TABLES
    for name, lines in functions_of.items():
        text += f"\n## {name}\n\n" + "".join(lines)
        if name in options_of:
            text += "\n| named argument | takes | meaning |\n| --- | --- | --- |\n"
            text += "".join(options_of[name])
    return text


def catalogs(_):
    of_kinds = {"ALL_KINDS": "all", "CATALOG_REST": "REST", "CATALOG_SQLITE": "SQLite",
                "CATALOG_FOLDER": "folders"}
    text = MADE + CATALOGS + "| option | of | takes | meaning |\n| --- | --- | --- | --- |\n"
    for name, kinds, _, takes, meaning in calls("src/catalogs/catalog_options.def", "CATALOG_OPTION"):
        text += f"| `{name}` | {of_kinds[kinds]} | {cell(takes)} | {cell(meaning)} |\n"
    return text + CONFIGURED


COPY = """# COPY

`COPY (query) | table [(columns)] TO 'path' [(option value, …)]` writes the rows of a query, or of a table, to files, and answers
how many there were, as INSERT does:

```sql
COPY (FROM 'events/*.parquet' WHERE day >= DATE '2024-01-01' ORDER BY id) TO 'events_2024.parquet'
COPY sales (id, region) TO 'sales.parquet' (COMPRESSION snappy, ROW_GROUP_ROWS 200000, OVERWRITE)
COPY sales TO 'sales' (PARTITION_BY (region, day), FILE_SIZE '100MB')
COPY sales TO 'sales.csv.gz' (DELIMITER ';', NULL 'NULL')
EXPLAIN COPY sales TO 'sales.parquet'
```

A file appears under its name when it is whole, those of a folder when all are; after an error, a full disk or Ctrl-C there is
nothing but folders, and what OVERWRITE would have replaced (on file systems with links). Folders of the path that are not there are made. What is there is not replaced without OVERWRITE, and the query may read what it overwrites. Rows are in the
order of the query with `preserve_order` (on unless it is set off) and with ORDER BY, whatever the number of threads; in files of PARTITION_BY
only ORDER BY says an order. FROM reads Parquet back: keys of folders by `read_parquet('sales/**/*.parquet')`.

## Formats

| format | path | what is in the file |
| --- | --- | --- |
| `parquet` | .parquet | Parquet. TIMESTAMP_S and seconds of TIME become milliseconds, INTERVAL has no parts of milliseconds; a TIME of 24:00 is an error |
| `csv` | .csv | RFC 4180 with lines that end in LF: values as SQL prints them, nested ones as JSON, the empty text as `""` and NULL as nothing |
| `json` | .json | one array of objects, one a line; decimals, moments (ISO 8601), binaries (hexadecimal), NaN and infinities are strings, maps arrays of [key, value] |
| `ndjson` | .ndjson, .jsonl | the same objects, one a line |
| `arrow` | .arrows | an Arrow IPC stream; UUID and JSON as the extensions arrow.uuid and arrow.json |
| `feather`, `ipc` | .arrow, .feather, .ipc | an Arrow IPC file (Feather 2): the same with a footer |

Parquet pages have the encoding that makes them smallest: PLAIN, a dictionary, DELTA_BINARY_PACKED, the other DELTA ones or
BYTE_STREAM_SPLIT. PyArrow, DuckDB and Polars read all of them, Spark's own reader all but the last, Iceberg's reader in Java before
1.10 only the first two, which files of Iceberg tables are made of ([ddl.md](ddl.md)). No file says the order of its rows
(`sorting_columns`), not even with ORDER BY.

CSV and JSON are the text that `firn --format csv`, `json` and `ndjson` print. Behind another .gz or .zst they are compressed, in many
members (gzip) or frames (zstd), which every reader reads as one.

## Options

| option | takes | meaning |
| --- | --- | --- |
"""


def copy(_):
    text = MADE + COPY
    for name, _, _, takes, meaning in calls("src/engine/copy_options.def", "COPY_OPTION"):
        text += f"| `{name}` | {cell(takes)} | {cell(meaning)} |\n"
    return text


def command_line(firn):
    text = MADE + f"# Command line\n\n```\n{output(firn, '--help')}```\n"
    text += ("\n## The prompt\n\nWithout `-c` and `-f`, on a terminal. A statement ends with `;` and may take several "
             "lines; Ctrl-C stops the running one, or clears the line; Ctrl-D leaves.\n\n"
             "| command | what it does |\n| --- | --- |\n")
    source = (ROOT / "cli/prompt_command.c").read_text()
    for name, argument, words in re.findall(r'^    \{"(\.\w+)", ("[^"]*"|NULL), "([^"]*)",', source,
                                            re.MULTILINE):
        takes = "" if argument == "NULL" else " " + argument.strip('"')
        text += f"| {code(name + takes)} | {cell(words)} |\n"
    return text + SESSION


SESSION = """
## firn session

The machine mode: a JSON object a line on standard input, an answer a line on standard output, in order, until the input ends.

```
{"sql": "SELECT 1 AS a, NULL::VARCHAR AS b"}
    {"columns":[{"name":"a","type":"INTEGER"},{"name":"b","type":"VARCHAR"}],"rows":[["1",null]]}
{"sql": "INSERT INTO t VALUES (1), (2)"}
    {"columns":[],"rows":[],"count":2}
{"sql": "SELECT aa FROM (SELECT 1 AS a)"}
    {"error":"invalid: there is no column \\"aa\\" here","code":"42703","position":7,"hint":"did you mean \\"a\\"?"}
{"sql": "USE lake.db", "conn": "second"}           a session of its own, of the same engine
{"op": "reset"}                                    forgets everything, as a new process does
```

`sql` may hold several statements, of which the last one answers. Values are texts as CAST writes them, or null.
"""


def main():
    firn = str(pathlib.Path(sys.argv[1]) / "firn")
    problems = []
    for name, make in (("functions.md", functions), ("settings.md", settings),
                       ("command_line.md", command_line), ("tables.md", tables),
                       ("catalogs.md", catalogs), ("copy.md", copy)):
        path = FOLDER / name
        text = make(firn)
        if "--check" not in sys.argv:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            problems.append(f"FAIL {path.relative_to(ROOT)} is not what the program says; "
                            "tools/make_reference.py build/release writes it")
    print("\n".join(problems) if problems else "ok   docs/reference")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
