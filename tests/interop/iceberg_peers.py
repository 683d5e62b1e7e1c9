"""The engines that read and write the same Iceberg tables as firn does, for tests: firn itself, PyIceberg
(in this process), Apache Spark and DuckDB, each answering with rows in the form of peer_lines.py.

    with Peers(build, folder) as peers:
        peers.firn("CREATE TABLE db.t (a INT)", "INSERT INTO db.t VALUES (1)")
        peers.check("an insert", "db.t")        # all of them read the same rows

The catalog is a SQLite file, or a REST server. Spark takes ten seconds to start, and starts when it is
first asked.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pyarrow
import pyarrow.ipc

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests" / "tools" / "peers"
sys.path.insert(0, str(PEERS))
import peer_lines  # noqa: E402


class Refused(Exception):
    """What an engine says that did not do what it was asked."""


def venv(group):
    done = subprocess.run(["bash", ROOT / "tools/dev/venv.sh", group], check=True,
                          stdout=subprocess.PIPE, text=True)
    return pathlib.Path(done.stdout.strip()) / "bin" / "python"


@contextlib.contextmanager
def rest_server(folder):
    """The URI of a REST catalog with a warehouse of its own below `folder` (rest_server.sh says which server)."""
    pathlib.Path(folder).mkdir(exist_ok=True)
    done = subprocess.run(["bash", ROOT / "tests/interop/rest_server.sh", "0", folder], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, "REST_TABLES": "none"})
    pid, uri = done.stdout.split()[:2]
    try:
        yield uri
    finally:
        os.kill(int(pid), signal.SIGTERM)


class Program:
    """One that answers a line of JSON for a line."""

    def __init__(self, command, log):
        self.log = open(log, "w", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a peer ended: {self.log.name}")
        told = json.loads(line)
        if "error" in told:
            raise Refused(told["error"])
        return told["rows"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.log.close()


class Peers:
    """`rest`: the URI of a REST catalog; a SQLite file in `folder` without."""

    def __init__(self, build, folder, rest=None, with_spark=True, with_duckdb=True):
        self.program = pathlib.Path(build) / "firn"
        self.folder = pathlib.Path(folder)
        self.rest = rest
        self.with_spark, self.with_duckdb = with_spark, with_duckdb
        self.warehouse = f"file://{self.folder}/warehouse"
        self.database = self.folder / "catalog.db"
        self.programs = {}
        self.duckdb_is_attached = False
        self.passed = self.failed = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.programs.values():
            with contextlib.suppress(subprocess.TimeoutExpired, OSError):
                each.close()

    # ---- Engines ---------------------------------------------------------------------------------

    @property
    def attach(self):
        if self.rest:
            return f"ATTACH '{self.rest}' AS ice"
        return f"ATTACH 'sqlite:{self.database}' AS ice (CATALOG_NAME 'ice', WAREHOUSE '{self.warehouse}')"

    def run_firn(self, statements, *options):
        command = [str(self.program), *options, "-c", self.attach, "-c", "USE ice.db"]
        for each in statements:
            command += ["-c", each]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)

    def firn(self, *statements):
        """Runs statements in one process; what the last one printed as CSV."""
        done = self.run_firn(statements, "--format", "csv")
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout

    def firn_table(self, query):
        """The answer of a query as a PyArrow table."""
        with tempfile.NamedTemporaryFile(suffix=".arrow") as out:
            done = self.run_firn([query], "--format", "arrow", "--output", out.name)
            if done.returncode != 0:
                raise Refused(done.stderr)
            with pyarrow.ipc.open_stream(out.name) as stream:
                return stream.read_all()

    def pyiceberg(self):
        """A catalog of PyIceberg's; a new one each time, which so has nothing in a cache."""
        if self.rest:
            from pyiceberg.catalog.rest import RestCatalog  # pylint: disable=import-outside-toplevel
            return RestCatalog("ice", uri=self.rest)
        from pyiceberg.catalog.sql import SqlCatalog  # pylint: disable=import-outside-toplevel
        return SqlCatalog("ice", uri=f"sqlite:///{self.database}", warehouse=self.warehouse)

    def program_of(self, name):
        if name not in self.programs:
            command = [str(venv("duckdb_iceberg" if name == "duckdb" else "spark")),
                       str(PEERS / f"{name}_peer.py")]
            if name == "spark":
                jars = subprocess.run(["bash", PEERS / "spark_jars.sh"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.strip()
                place = ["--rest", self.rest] if self.rest else ["--sqlite", str(self.database)]
                command += [jars, *place, "--warehouse", self.warehouse]
            self.programs[name] = Program(command, self.folder / f"{name}.log")
        return self.programs[name]

    def spark(self, sql):
        return self.program_of("spark").ask(sql=sql)

    def duckdb(self, sql):
        """DuckDB with the REST catalog: it has no catalog of SQLite."""
        program = self.program_of("duckdb")
        if not self.duckdb_is_attached:
            program.ask(sql=f"ATTACH '' AS ice (TYPE iceberg, ENDPOINT '{self.rest}', AUTHORIZATION_TYPE 'none')")
            self.duckdb_is_attached = True
        return program.ask(sql=sql)

    # ---- Reading ---------------------------------------------------------------------------------

    def rows(self, engine, table, snapshot=None):
        """All rows of a table as one of the engines reads them."""
        if engine == "firn":
            version = "" if snapshot is None else f" FOR VERSION AS OF {snapshot}"
            return peer_lines.arrow_rows(self.firn_table(f"SELECT * FROM ice.{table}{version}"))
        if engine == "spark":
            version = "" if snapshot is None else f" VERSION AS OF {snapshot}"
            return self.spark(f"SELECT * FROM ice.{table}{version}")
        opened = self.pyiceberg().load_table(table)
        if engine == "pyiceberg":
            return peer_lines.arrow_rows(opened.scan(snapshot_id=snapshot).to_arrow())
        more = {} if snapshot is None else {"snapshot": snapshot}
        return self.program_of("duckdb").ask(read=opened.metadata_location, **more)

    def engines(self, without=()):
        every = ["firn", "pyiceberg"] + ["spark"] * self.with_spark + ["duckdb"] * self.with_duckdb
        return [each for each in every if each not in without]

    # ---- Checks ----------------------------------------------------------------------------------

    def expect(self, name, is_true, text=""):
        self.passed += bool(is_true)
        self.failed += not is_true
        if not is_true:
            print(f"FAIL {name}: {str(text)[:2000]}", flush=True)
        return bool(is_true)

    def check(self, name, table, expected=None, without=(), snapshot=None):
        """All engines read these rows; None: those that firn reads."""
        wanted = None if expected is None else peer_lines.in_order(expected)
        for engine in self.engines(without):
            try:
                found = peer_lines.in_order(self.rows(engine, table, snapshot))
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.expect(f"{name}: {engine} reads {table}", False, error)
                continue
            wanted = found if wanted is None else wanted
            different = [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2]
            self.expect(f"{name}: {engine} reads {table}", found == wanted,
                        f"{len(found)} rows, wanted {len(wanted)}: {different}")

    def check_columns(self, name, table, expected, columns):
        """PyIceberg reads these rows as far as some of their columns go."""
        def cut(rows):
            return peer_lines.in_order([row[at] for at in columns] for row in rows)
        found, wanted = cut(self.rows("pyiceberg", table)), cut(expected)
        different = [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2]
        self.expect(f"{name}: pyiceberg reads columns {columns} of {table}", found == wanted,
                    f"{len(found)} rows, wanted {len(wanted)}: {different}")

    def refused(self, name, words, *statements):
        """firn says so, and does nothing."""
        done = self.run_firn(statements)
        self.expect(name, done.returncode == 1 and words in done.stderr,
                    f"exit {done.returncode}: {done.stderr}")
