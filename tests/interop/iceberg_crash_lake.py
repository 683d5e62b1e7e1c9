"""A catalog of SQLite in which firn is killed, and all that it holds as PyIceberg and as firn read it."""
import collections
import contextlib
import csv
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess

import iceberg_peers
from iceberg_crash_states import Column, State, Table, View, difference, in_sql, plain


class Reading:
    """All that is in the catalog at one moment, by one catalog of PyIceberg's, which has nothing in a cache."""

    def __init__(self, lake):
        self.lake = lake
        catalog = lake.peers.pyiceberg()
        self.opened = {}  # PyIceberg's tables.
        self.needed: set[str] = set()  # Files whose contents are what is read,
        self.known: set[str] = set()   # and all that are named.
        tables, schemas = {}, {}
        waiting = catalog.list_namespaces()
        while waiting:
            space = waiting.pop()
            waiting += catalog.list_namespaces(space)
            properties = catalog.load_namespace_properties(space)
            schemas[".".join(space)] = properties if properties.pop("exists", None) == "true" else {"exists": False}
            for each in catalog.list_tables(space):
                name = ".".join(each).removeprefix("db.") if len(each) == 2 else ".".join(each)
                self.opened[name] = catalog.load_table(each)
                tables[name], needed, others = lake.table(self.opened[name])
                self.needed |= needed
                self.known |= {os.path.realpath(path) for path in needed | others}
        catalog.close()
        self.state = State(tables, self.views(), schemas)
        self.plain = plain(self.state)

    def views(self):
        """SQLite's rows and what they name: PyIceberg's catalog of SQLite sees no views."""
        views = {}
        with contextlib.closing(sqlite3.connect(self.lake.peers.database)) as catalog:
            rows = catalog.execute("SELECT table_namespace, table_name, metadata_location, previous_metadata_location "
                                   "FROM iceberg_tables WHERE iceberg_type = 'VIEW'").fetchall()
        for space, name, *locations in rows:
            path, *before = [file_of(each) for each in locations if each]
            said = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            for each in before:
                json.loads(pathlib.Path(each).read_text(encoding="utf-8"))
            self.needed |= {path, *before}
            self.known |= {os.path.realpath(each) for each in (path, *before)}
            sql = {each["version-id"]: each["representations"][0]["sql"] for each in said["versions"]}
            views[name if space == "db" else f"{space}.{name}"] = View(
                sql[said["current-version-id"]], said["properties"], tuple(sql.values()))
        return views

    def unknown_files(self):
        """Files that nothing in the catalog names."""
        found = [os.path.realpath(path) for path in (self.lake.folder / "lake" / "warehouse").rglob("*")
                 if path.is_file()]
        return [path for path in found if path not in self.known]

    def has_new_deletes(self, name):
        """Whether the newest snapshot wrote files of position deletes."""
        return int(self.opened[name].current_snapshot().summary["added-position-deletes"] or 0) > 0


def rows_of(table):
    """The columns and rows of an Arrow table."""
    return tuple(table.column_names), tuple(zip(*[column.to_pylist() for column in table.columns]))


def file_of(location):
    return location.removeprefix("file://")


def files_of(table):
    """What the metadata of a table names: files that reading it may need, and its earlier metadata."""
    needed = {table.metadata_location}
    for snapshot in table.snapshots():
        needed.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            needed.add(manifest.manifest_path)
            needed |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return {file_of(each) for each in needed}, {file_of(entry.metadata_file) for entry in table.metadata.metadata_log}


def digest(paths):
    """What is in files; some of them may be gone."""
    found = {}
    for each in paths:
        try:
            found[each] = hashlib.blake2b(pathlib.Path(each).read_bytes()).digest()
        except FileNotFoundError:
            found[each] = b""
    return found


class Lake:
    def __init__(self, build, folder):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(folder)
        (self.folder / "lake").mkdir()
        self.peers = iceberg_peers.Peers(build, self.folder / "lake")
        self.read_before: dict[tuple, tuple] = {}   # A Reading, by the rows of the catalog; with the contents of files,
        self.tables_before: dict[str, tuple] = {}   # and what one table was, by the location of its metadata.
        subprocess.run([str(self.peers.program), "-c", self.peers.attach, "-c", "CREATE SCHEMA ice.db"], check=True)

    def start(self, statements, **environment):
        """{warehouse} in a statement is its address, {table.ref} the snapshot of a branch or tag, {table.ref.time} a
        moment right behind it."""
        def meant(found):
            if found[1] == "warehouse":
                return self.peers.warehouse
            name, ref, *time = found[1].split(".")
            metadata = self.peers.pyiceberg().load_table(("db", name)).metadata
            snapshot = metadata.snapshot_by_id(metadata.refs[ref].snapshot_id)
            return str(snapshot.timestamp_ms + 1 if time else snapshot.snapshot_id)
        statements = [re.sub(r"\{(.*?)\}", meant, each) for each in statements]
        command = [str(self.peers.program), "-c", self.peers.attach, "-c", "USE ice.db"]
        for each in statements:
            command += ["-c", each]
        # pylint: disable-next=consider-using-with
        return subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def run(self, statements, **environment):
        process = self.start(statements, **environment)
        told = process.communicate()[1]
        return process.returncode, told

    # ---- Reading ---------------------------------------------------------------------------------

    def read(self):
        """All that is there. PyIceberg would read again what it has read before if the catalog's rows are those, the
        file of SQLite is sound and no byte of a file that is needed is another one; then it is not asked again."""
        with contextlib.closing(sqlite3.connect(self.peers.database)) as catalog:
            (told,), = catalog.execute("PRAGMA integrity_check")
            if told != "ok":
                raise RuntimeError(told)
            rows = tuple(tuple(sorted(catalog.execute(f"SELECT * FROM {name}").fetchall(), key=repr)) for name, in
                         catalog.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").fetchall())
        reading, contents = self.read_before.get(rows, (None, None))
        if not reading or digest(reading.needed) != contents:
            reading = Reading(self)
            self.read_before[rows] = reading, digest(reading.needed)
        return reading

    def table(self, opened):
        """A table as PyIceberg has it, and the files that it needs and others that it names; as `read` says."""
        at = opened.metadata_location
        if at in self.tables_before:
            contents, *found = self.tables_before[at]
            if digest(contents) == contents:
                return found
        found = [as_pyiceberg_reads(opened, self.peers.warehouse), *files_of(opened)]
        self.tables_before[at] = digest(found[1]), *found
        return found

    def results(self, statements):
        """What firn answers to queries: of each its columns and rows, as texts."""
        blocks = self.peers.firn(*statements).split("\n\n") if statements else []
        if len(blocks) != len(statements):
            raise RuntimeError(f"{len(blocks)} results of {statements}")
        found = [list(csv.reader(io.StringIO(block))) for block in blocks]
        return [(tuple(rows[0]), rows[1:]) for rows in found]

    def firn(self, reading):
        """All as firn has it. It does not show specs, orders and versions of views: they are those that PyIceberg read,
        as are branches of whose columns the table does not have all any more, since it reads them with the table's."""
        (_, schemas), (_, listed) = self.results([
            "SHOW SCHEMAS FROM ice", "SELECT DISTINCT table_schema, table_name, table_type FROM "
            "information_schema.tables WHERE table_catalog = 'ice' AND table_schema <> 'information_schema'"])
        names = {kind: [name if schema == "db" else f"{schema}.{name}" for schema, name, its in listed if its == kind]
                 for kind in ("BASE TABLE", "VIEW")}
        refs = [(name, ref, columns) for name in names["BASE TABLE"] if name in reading.opened
                for ref, columns in columns_as_firn_reads(reading, name)]
        asked = [f"SHOW CREATE TABLE {in_sql(name)}" for name in names["BASE TABLE"]]
        asked += [f"SELECT * FROM {in_sql(name)}" for name in names["BASE TABLE"]]
        asked += [f"SELECT * FROM {in_sql(name)} FOR VERSION AS OF '{ref}'" for name, ref, _ in refs]
        asked += [f"SHOW CREATE VIEW {in_sql(name)}" for name in names["VIEW"]]
        asked += [f"SELECT * FROM {in_sql(name)}" for name in names["VIEW"]]
        answers = collections.deque(self.results(asked))
        made = {name: answers.popleft()[1][0][0] for name in names["BASE TABLE"]}
        tables = {}
        for name in names["BASE TABLE"]:
            columns, rows = answers.popleft()
            like = reading.state.tables.get(name, Table(()))
            tables[name] = like._replace(columns=columns, rows=numbers(rows), refs=dict(like.refs),
                                        **as_firn_shows(made[name], self.peers.warehouse))
        for name, ref, columns in refs:
            found, rows = answers.popleft()
            at = [found.index(column) for column in columns]
            tables[name].refs[ref] = (reading.state.tables[name].refs[ref][0],
                                      tuple(tuple(row[i] for i in at) for row in numbers(rows)))
        views = {}
        for name, text in [(name, answers.popleft()[1][0][0]) for name in names["VIEW"]]:
            like = reading.state.views.get(name, View(""))
            views[name] = View(text.partition(" AS ")[2], properties_in(text), like.versions)
            found = answers.popleft()
            if f"SELECT {found[1][0][0]} AS {found[0][0]}" != views[name].sql:
                raise RuntimeError(f"{name} reads {found}, and is {text}")
        known = {name for name, in schemas if name != "information_schema"}
        return plain(State(tables, views, {name: reading.state.schemas.get(name) for name in known}))

    def check_firn(self, name, reading):
        """firn reads the same, and lists the files below a table that no table knows; them and no more."""
        found = self.firn(reading)
        self.peers.expect(f"{name}: firn reads the same", found == reading.plain, difference(found, reading.plain))
        unknown = set(reading.unknown_files())
        tables = sorted(reading.opened)
        asked = [f"CALL ice.system.remove_orphan_files('{in_sql(table).removeprefix('ice.')}', dry_run => true, "
                 "older_than => TIMESTAMPTZ '2999-01-01 00:00:00+00')" for table in tables]
        for table, (_, rows) in zip(tables, self.results(asked)):
            below = os.path.realpath(file_of(reading.opened[table].location())) + os.sep
            listed = {os.path.realpath(file_of(row[0])) for row in rows}
            wanted = {path for path in unknown if path.startswith(below)}
            self.peers.expect(f"{name}: orphans of {table}", listed == wanted,
                              f"{sorted(listed ^ wanted)} of {sorted(wanted)}")

    # ---- Going back ------------------------------------------------------------------------------

    def save(self, name):
        shutil.copytree(self.folder / "lake", self.folder / name)

    def restore(self, name):
        shutil.rmtree(self.folder / "lake")
        shutil.copytree(self.folder / name, self.folder / "lake")


def as_pyiceberg_reads(opened, warehouse):
    schema, spec, order = opened.schema(), opened.spec(), opened.sort_order()
    refs = {ref: rows_of(opened.scan(snapshot_id=of.snapshot_id).to_arrow())
            for ref, of in opened.metadata.refs.items() if ref != "main"}
    details = {each.name: Column(str(each.field_type), each.required, each.doc) for each in schema.fields}
    return Table(
        *rows_of(opened.scan().to_arrow()), refs=refs, details=details, properties=dict(opened.properties),
        version=opened.format_version, location=location_in(opened.location(), warehouse),
        spec=tuple((schema.find_column_name(each.source_id), str(each.transform)) for each in spec.fields),
        order=tuple(schema.find_column_name(each.source_id) for each in order.fields))


def location_in(location, warehouse):
    """What SET LOCATION said; other places depend on what was there before."""
    return location.removeprefix(f"{warehouse}/") if location.startswith(f"{warehouse}/moved/") else ""


def columns_as_firn_reads(reading, name):
    """The branches and tags that firn reads, and how it calls the columns of their snapshots: of a branch as the table
    calls them now."""
    opened = reading.opened[name]
    now = opened.schema()
    for ref, (columns, _) in reading.state.tables[name].refs.items():
        of = opened.metadata.refs[ref]
        written = opened.schemas()[opened.snapshot_by_id(of.snapshot_id).schema_id]
        if of.snapshot_ref_type == "tag":
            yield ref, columns
        elif set(written.field_ids) <= set(now.field_ids):
            yield ref, tuple(now.find_column_name(written.find_field(column).field_id) for column in columns)


def numbers(rows):
    return tuple(tuple(int(each) if each else None for each in row) for row in rows)


def properties_in(text):
    """COMMENT and WITH of what SHOW CREATE prints, without what stands in parentheses before: columns."""
    head = text.partition(" AS ")[0] if text.startswith("CREATE VIEW") else text.partition(" USING ")[2]
    head = re.sub(r"^CREATE VIEW [\w.\" ]+\([^)]*\)", "", head)
    before, _, listed = head.partition(" WITH (")
    comment = re.search(r" COMMENT '([^']*)'", before)
    return {**dict(re.findall(r"'([^']+)' = '([^']*)'", listed)), **({"comment": comment[1]} if comment else {})}


def as_firn_shows(text, warehouse):
    """What SHOW CREATE TABLE says of a table's columns and its properties."""
    columns = re.findall(r"(\w+) (INTEGER|BIGINT)( NOT NULL)?(?: COMMENT '([^']*)')?", text.partition(" USING ")[0])
    properties = properties_in(text)
    version = int(properties.pop("format-version"))
    location = re.search(r" LOCATION '([^']*)'", text)
    return {"version": version, "properties": properties,
            "location": location_in(location[1], warehouse) if location else "",
            "details": {name: Column("int" if type_name == "INTEGER" else "long", bool(required), comment or None)
                        for name, type_name, required, comment in columns}}
