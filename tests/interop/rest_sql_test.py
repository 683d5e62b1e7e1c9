#!/usr/bin/env python3
"""rest_sql_test.py [BUILD] - SQL over a REST catalog: Apache Iceberg's own server, on this machine, or ours.

Between firn and the server are proxies that check tokens, demand a prefix or misbehave
(tests/tools/fault_proxy.py). Every fault must end in an answer or a clear error within the time
limit, and the session must go on. BUILD is build/dev unless given.

rest_server.sh says which server and which tables there are.
"""
import contextlib
import http.client
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/dev")
FIRN = str(ROOT / BUILD / "firn")
HAS_CLOCK = "release" in FIRN  # Sanitizers and other work on the machine take their time.
HEADLINE = "SELECT region, SUM(revenue) FROM sales GROUP BY region ORDER BY region"
TOTALS = [["amer", "5674062.50"], ["apac", "5595788.75"], ["emea", "5660610.00"],
          ["latam", "5592336.25"]]
LISTED = ["information_schema"]  # In every catalog.
SECRET = "hunter22"


class Wrong(Exception):
    """What was found is not what is wanted."""


def same(found, wanted):
    if found != wanted:
        raise Wrong(f"found  {found!r}\n  wanted {wanted!r}")


def holds(text, *parts):
    for part in parts:
        if part not in text:
            raise Wrong(f"found     {text!r}\n  must hold {part!r}")


# ---- firn ----------------------------------------------------------------------------------------

class Session:
    """A process of `firn session`."""

    def __init__(self, *settings, environment=None):
        command = [FIRN, "session"] + [word for each in settings for word in ("-s", each)]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, **(environment or {})})
        self.seconds = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
        if self.process.returncode != 0:
            raise Wrong(f"firn session ended with {self.process.returncode}")

    def ask(self, sql):
        begin = time.monotonic()
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        self.seconds = time.monotonic() - begin
        if not line:
            raise Wrong(f"firn died at {sql}")
        if SECRET in line:
            raise Wrong(f"a secret is shown: {line}")
        return json.loads(line)

    def rows(self, sql):
        answer = self.ask(sql)
        if "error" in answer:
            raise Wrong(f"{sql}\n  {json.dumps(answer)}")
        return answer["rows"]

    def fault(self, sql):
        """The error and its context as one text."""
        answer = self.ask(sql)
        if "error" not in answer:
            raise Wrong(f"{sql} has an answer: {json.dumps(answer)[:300]}")
        return " | ".join([answer["error"], *answer.get("context", []), answer.get("hint", "")])

    def attach(self, url, options="", alias="lake"):
        return self.rows(f"ATTACH '{url}' AS {alias} (TYPE iceberg{', ' if options else ''}{options})")


# ---- Servers -------------------------------------------------------------------------------------

class Server:
    """Apache Iceberg's server and what is asked of it directly."""

    def __init__(self, stack, folder):
        line = subprocess.run(["bash", "tests/interop/rest_server.sh", "0", folder], cwd=ROOT,
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        pid, self.url, self.root, self.set = line.split()
        catalog = sqlite3.connect(f"file:{self.set}/catalog.db?mode=ro&immutable=1", uri=True)
        self.spaces = [row[0] for row in catalog.execute(
            "SELECT DISTINCT table_namespace FROM iceberg_tables ORDER BY 1")]
        catalog.close()
        stack.callback(lambda: os.kill(int(pid), 15))

    def send(self, method, path, body=None):
        target = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        connection.request(method, "/v1/" + path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise Wrong(f"{method} {path}: {answer.status} {data[:300]}")
        return json.loads(data) if data else None


class FaultProxy:
    def __init__(self, stack, upstream, *options):
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen([sys.executable, str(ROOT / "tests/tools/fault_proxy.py"), "0",
                                    upstream, *options], stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        self.port = int(process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def tell(self, what, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET" if what == "log" else "POST", "/-/" + what,
                           json.dumps(body) if body is not None else None)
        return json.loads(connection.getresponse().read())

    def faults(self, *faults):
        self.tell("reset")
        self.tell("faults", list(faults))


# ---- The server itself ---------------------------------------------------------------------------

def everything_is_there(peers):
    with Session() as s:
        s.attach(peers.server.url)
        same(s.rows("SHOW CATALOGS")[0], ["lake"])
        same([row[0] for row in s.rows("SHOW SCHEMAS FROM lake")], peers.server.spaces + LISTED)
        same(s.rows("SHOW TABLES FROM lake.db"), [["lake", "db", "regions", "BASE TABLE"],
                                                  ["lake", "db", "sales", "BASE TABLE"]])
        same(s.rows("DESCRIBE lake.db.sales")[3][:3], ["revenue", "DECIMAL(12,2)", "YES"])
        same(s.rows("SELECT schema_name FROM information_schema.schemata WHERE catalog_name = "
                    "'lake' ORDER BY 1"), [[name] for name in sorted(peers.server.spaces + LISTED)])
        same(s.rows("SELECT table_name, table_type FROM information_schema.tables "
                    "WHERE table_schema = 'views' ORDER BY 1"),
             [[name, "VIEW"] for name in ("columns", "relative", "replaced", "simple")])
        s.rows("USE lake.db")
        same(s.rows(HEADLINE), TOTALS)
        same(s.rows(HEADLINE.replace("sales", "lake.db.sales")), TOTALS)
        same(s.rows("SHOW TABLES"), [["lake", "db", "regions", "BASE TABLE"],
                                     ["lake", "db", "sales", "BASE TABLE"]])
        same(s.rows("SELECT count(*) FROM sales JOIN regions USING (region)")[0][0] != "0", True)
        holds(s.fault("SELECT * FROM nope"), 'table "db.nope" of catalog "lake"')
        holds(s.fault("SELECT * FROM lake.nope.t"), 'not found: there is no schema "nope" in the catalog "lake"')
        holds(s.fault("USE lake.nope"), "nope")
        holds(s.fault("ATTACH 'http://127.0.0.1:9' AS lake"), "is attached already")
        same(s.rows("SHOW ALL SETTINGS") != [], True)
        s.rows("DETACH lake")
        holds(s.fault(HEADLINE.replace("sales", "lake.db.sales")), "lake")


def one_thread_is_enough(peers):
    with Session("threads=1") as s:
        s.attach(peers.server.url)
        same(s.rows(HEADLINE.replace("sales", "lake.db.sales")), TOTALS)


def tables_are_those_of_the_sqlite_catalog(peers):
    """The server's answers and its backing file lead to the same rows."""
    names = ["del.eq_parquet", "part.bucket_i", "evo.names", "imp.from_avro", "db.regions"]
    with Session() as s:
        s.attach(peers.server.url)
        s.rows(f"ATTACH 'sqlite:{peers.server.set}/catalog.db' AS file "
               "(TYPE iceberg, CATALOG_NAME 'rest_backend')")
        known = {".".join(row) for row in s.rows(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_catalog = 'file'")}
        for name in [name for name in names if name in known] or Wrong("no table is known"):
            same(sorted(map(str, s.rows(f"SELECT * FROM lake.{name}"))),
                 sorted(map(str, s.rows(f"SELECT * FROM file.{name}"))))
        same(s.rows("SELECT count(*) FROM information_schema.tables WHERE table_catalog = 'lake'"),
             s.rows("SELECT count(*) FROM information_schema.tables WHERE table_catalog = 'file'"))


def views_are_read(peers):
    with Session() as s:
        s.attach(peers.server.url)
        holds(s.fault("SELECT * FROM lake.views.simple"), '"rest_backend.db.sales"',
              'while binding the view "views.simple", whose SQL is that of "spark"',
              "attach it under that name")
        s.attach(peers.server.url, alias="rest_backend")
        same(s.rows("SELECT * FROM lake.views.simple ORDER BY 1"), TOTALS)
        same(s.rows("SELECT region, revenue FROM lake.views.relative ORDER BY 1"), TOTALS[:3])
        same(s.rows("DESCRIBE rest_backend.views.columns")[0][0], "r")
        holds(s.fault("SELECT * FROM lake.views.simple FOR VERSION AS OF 1"), "has no earlier")


def default_catalogs_of_views_count(peers):
    """default-catalog is used where it is attached; else the catalog that holds the view."""
    for name, catalog in (("of_other", "other"), ("of_nobody", "nobody_has_this")):
        fields = [{"id": 1, "name": "n", "type": "long", "required": False}]
        with contextlib.suppress(Wrong):
            peers.server.send("DELETE", f"namespaces/views/views/{name}")
        peers.server.send("POST", "namespaces/views/views", {
            "name": name, "location": f"file:{peers.folder}/{name}",
            "schema": {"type": "struct", "schema-id": 0, "fields": fields},
            "view-version": {
                "version-id": 1, "timestamp-ms": int(time.time() * 1000), "schema-id": 0,
                "summary": {}, "default-catalog": catalog, "default-namespace": ["db"],
                "representations": [{"type": "sql", "dialect": "firn",
                                     "sql": "SELECT count(*) FROM sales"}]},
            "properties": {}})
    with Session() as s:
        s.attach(peers.server.url)
        same(s.rows("SELECT * FROM lake.views.of_nobody"), [["4500"]])
        same(s.rows("SELECT * FROM lake.views.of_other"), [["4500"]])
        s.rows(f"ATTACH '{peers.folder}' AS other (TYPE iceberg)")
        holds(s.fault("SELECT * FROM lake.views.of_other"), "sales", "other",
              'while binding the view "views.of_other"')


def nested_namespaces_have_tables(peers):
    location = peers.server.send("GET", "namespaces/db/tables/sales")["metadata-location"]
    levels = ["ä b", "in.ner", "3"]
    # The server joins levels with dots, so that one inside a level cannot be told apart.
    levels[1] = "inner"
    for depth in range(1, 4):
        with contextlib.suppress(Wrong):
            peers.server.send("POST", "namespaces", {"namespace": levels[:depth]})
    path = urllib.parse.quote(".".join(levels)).replace(".", "%2E")
    with contextlib.suppress(Wrong):
        peers.server.send("POST", f"namespaces/{path}/register",
                          {"name": "my sales", "metadata-location": location})
    try:
        with Session() as s:
            s.attach(peers.server.url)
            found = [row[0] for row in s.rows("SHOW SCHEMAS FROM lake")]
            same([name for name in found if name not in peers.server.spaces + LISTED], ["ä b", "ä b.inner", "ä b.inner.3"])
            same(s.rows('SELECT count(*) FROM lake."ä b".inner."3"."my sales"'), [["4500"]])
            s.rows('USE lake."ä b".inner."3"')
            same(s.rows('SELECT count(*) FROM "my sales"'), [["4500"]])
            same(s.rows("SHOW TABLES"), [["lake", "ä b.inner.3", "my sales", "BASE TABLE"]])
            same(s.rows("SELECT table_schema FROM information_schema.tables WHERE table_name = "
                        "'my sales'"), [["ä b.inner.3"]])
    finally:
        peers.server.send("DELETE", f"namespaces/{path}/tables/my%20sales")
        for depth in range(3, 0, -1):
            path = urllib.parse.quote(".".join(levels[:depth])).replace(".", "%2E")
            peers.server.send("DELETE", f"namespaces/{path}")


# ---- Options -------------------------------------------------------------------------------------

def tokens_and_credentials_are_sent(peers):
    url = peers.guarded.url
    peers.guarded.faults()
    with Session() as s:
        holds(s.fault(f"ATTACH '{url}' AS lake (TYPE iceberg)"), "no valid bearer token (HTTP 401)")
        holds(s.fault(f"ATTACH '{url}' AS lake (TYPE iceberg, TOKEN '{SECRET}')"), "HTTP 401")
        holds(s.fault(f"ATTACH '{url}' AS lake (TYPE iceberg, CREDENTIAL 'root:{SECRET}')"),
              "invalid_client: wrong client id or secret (HTTP 401)")
        s.attach(url, "CREDENTIAL 'root:s3cr3t', SCOPE 'catalog'")
        same(s.rows(HEADLINE.replace("sales", "lake.db.sales")), TOTALS)
        time.sleep(3.2)  # The token's life.
        same(s.rows(HEADLINE.replace("sales", "lake.db.sales")), TOTALS)
        grants = peers.guarded.tell("grants")
        same((grants[0], "token-exchange" in grants), ("client_credentials", True))
        # A server that does not exchange: the credential is good for another one.
        time.sleep(3.2)
        count = len(peers.guarded.tell("grants"))
        peers.guarded.tell("faults", [{"do": "status", "status": 400, "match": "oauth/tokens"}])
        same(s.rows(HEADLINE.replace("sales", "lake.db.sales")), TOTALS)
        same(peers.guarded.tell("grants")[count:][:1], ["client_credentials"])
        s.attach(url, f"CREDENTIAL 'root:s3cr3t', TOKEN 'old', OAUTH2_SERVER_URI '{url}/v1/oauth/tokens'",
                 "again")
        same(s.rows("SELECT count(*) FROM again.db.sales"), [["4500"]])
    paths = [path for method, path, _ in peers.guarded.tell("log") if method == "POST"]
    same(set(paths), {"/v1/oauth/tokens"})


def secrets_come_from_outside(peers):
    config = pathlib.Path(peers.folder, "firn.ini")
    config.write_text("[lake]\ncredential = root:s3cr3t\n")
    for variables in ({"FIRN_CONFIG": str(config)},
                      {"FIRN_CATALOG__LAKE__CREDENTIAL": "root:s3cr3t"}):
        with Session(environment=variables) as s:
            s.attach(peers.guarded.url)
            same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])
            holds(s.fault(f"ATTACH '{peers.guarded.url}' AS other (TYPE iceberg)"), "HTTP 401")


def a_prefix_is_taken_over(peers):
    with Session() as s:
        s.attach(peers.prefixed.url, "CREDENTIAL 'root:s3cr3t', WAREHOUSE 'ware house'")
        same([row[0] for row in s.rows("SHOW SCHEMAS FROM lake")][:3], peers.server.spaces[:3])
        time.sleep(2.2)
        same(s.rows(HEADLINE.replace("sales", "lake.db.sales")), TOTALS)
        holds(s.fault("SELECT * FROM lake.db.nope"), "db.nope")


def headers_warehouse_and_settings_of_the_server_are_sent(peers):
    proxy = peers.proxy
    proxy.faults({"do": "status", "match": "/v1/config", "status": 200, "body": {
        "defaults": {"header.X-Default": "of the server", "header.X-Mine": "not this"},
        "overrides": {"header.X-Over": "over", "namespace-separator": "%2E"}, "endpoints": [
            "GET /v1/{prefix}/namespaces", "GET /v1/{prefix}/namespaces/{namespace}/tables",
            "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}"]}})
    with Session() as s:
        s.attach(proxy.url, "WAREHOUSE 'a b/ä', HEADERS MAP {'X-Mine': 'mine', 'X-Over': 'not'}")
        same(s.rows("SHOW TABLES FROM lake.views"), [])  # The server says it has no views.
        same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])
    log = proxy.tell("log")
    same(log[0][1], "/v1/config?warehouse=a%20b%2F%C3%A4")
    headers = proxy.tell("headers")
    same({name: headers.get(name) for name in ("X-Default", "X-Mine", "X-Over")},
         {"X-Default": "of the server", "X-Mine": "mine", "X-Over": "over"})


def pages_are_read_to_the_end(peers):
    def page(names, token):
        return {"do": "status", "match": "/db/tables", "status": 200, "body": {
            "identifiers": [{"namespace": ["db"], "name": name} for name in names],
            **({"next-page-token": token} if token else {})}}
    peers.proxy.faults(page(["a", "b"], "p 2"), page([], "p/3"), page(["c"], None))
    with Session() as s:
        s.attach(peers.proxy.url)
        same([row[2] for row in s.rows("SHOW TABLES FROM lake.db")], ["a", "b", "c"])
        asked = [path for _, path, _ in peers.proxy.tell("log") if "/db/tables" in path]
        same([path.split("pageToken=")[1] for path in asked], ["", "p%202", "p%2F3"])
        peers.proxy.faults({**page(["a"], "same"), "times": -1})
        holds(s.fault("SHOW TABLES FROM lake.db"), "has no last page")
        peers.proxy.faults()
        same(len(s.rows("SHOW TABLES FROM lake.db")), 2)


def a_table_is_loaded_once_for_a_query(peers):
    with Session() as s:
        s.attach(peers.proxy.url)
        counts = []
        for _ in range(50):  # A run that begins more than 20 ms after its prepare loads it again.
            peers.proxy.faults()
            same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])
            counts.append(sum("/db/tables/sales" in path for _, path, _ in
                              peers.proxy.tell("log")))
        same(min(counts), 1)
        same(max(counts) <= 2, True)


# ---- Names in another case -----------------------------------------------------------------------

def is_listing(path):
    """Of schemas, tables or views."""
    return path.split("?")[0].rsplit("/", 1)[1] in ("namespaces", "tables", "views")


def asked(peers):
    return [path for _, path, _ in peers.proxy.tell("log")]


def what_has_not_changed_is_not_sent_again(peers):
    with Session() as s:
        s.attach(peers.proxy.url)
        for wanted in ([200], [200, 304], [200, 304, 304]):
            same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])
            same([status for method, path, status in peers.proxy.tell("log")
                  if method == "GET" and "/tables/sales" in path], wanted)
        same(s.rows("SELECT count(*) FROM lake.db.regions")[0][0] != "0", True)
        same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])


def names_are_found_whatever_their_case(peers):
    with Session() as s:
        s.attach(peers.proxy.url)
        for sql in ("SELECT count(*) FROM lake.db.sales", "DESCRIBE lake.db.sales", "USE lake.db",
                    "SELECT count(*) FROM sales", "SELECT count(*) FROM db.sales"):
            peers.proxy.faults()
            s.rows(sql)
            same([path for path in asked(peers) if is_listing(path)], [])  # It is there exactly.
        s.rows("USE memory")
        for name in ("lake.db.SALES", "LAKE.DB.Sales", 'lake.DB."sales"', 'lake."db".SALES'):
            same(s.rows(f"SELECT count(*) FROM {name}"), [["4500"]])
            same(s.rows(f"DESCRIBE {name}")[3][:3], ["revenue", "DECIMAL(12,2)", "YES"])
        peers.proxy.faults()
        same(s.rows("SELECT count(*) FROM lake.db.SALES"), [["4500"]])
        same({path.split("?")[0] for path in asked(peers) if is_listing(path)},
             {"/v1/namespaces/db/tables", "/v1/namespaces/db/views"})  # The schema is there.
        holds(s.fault('SELECT * FROM lake."DB".sales'), 'no schema "DB"', 'did you mean "db"')
        holds(s.fault('SELECT * FROM lake.db."SALES"'), "db.SALES", 'did you mean "sales"')
        holds(s.fault("SELECT * FROM lake.DB.slaes"), "db.slaes", 'did you mean "sales"')
        same(len(s.rows("SHOW TABLES FROM lake.DB")), 2)
        s.rows("USE lake.DB")
        same(s.rows("SELECT current_schema()"), [["db"]])
        same(s.rows("SELECT count(*) FROM Sales"), [["4500"]])
        s.rows("SET search_path = 'DB'")
        same(len(s.rows("SHOW TABLES")), 2)
        same(s.rows("SELECT count(*) FROM Sales"), [["4500"]])


def names_that_differ_in_case_only_are_told_apart(peers):
    location = peers.server.send("GET", "namespaces/db/tables/sales")["metadata-location"]
    for space in (["Case"], ["CASE"], ["Outer"], ["Outer", "Inner"]):
        peers.server.send("POST", "namespaces", {"namespace": space})
    tables = [("Outer.Inner", "Twice"), ("Outer.Inner", "TWICE"), ("CASE", "one")]
    for space, name in tables:
        path = space.replace(".", "%2E")
        peers.server.send("POST", f"namespaces/{path}/register",
                          {"name": name, "metadata-location": location})
    try:
        with Session() as s:
            s.attach(peers.server.url)
            same(s.rows("SELECT count(*) FROM lake.Outer.INNER.Twice"), [["4500"]])
            same(s.rows("SELECT count(*) FROM lake.CASE.ONE"), [["4500"]])
            same(s.rows('SELECT count(*) FROM lake."Outer".inner."TWICE"'), [["4500"]])
            holds(s.fault("SELECT count(*) FROM lake.outer.inner.twice"),
                  'any of the tables and views "TWICE" and "Twice"', "double quotes")
            holds(s.fault("SELECT count(*) FROM lake.case.one"),
                  'any of the schemas "CASE" and "Case"', "double quotes")
            holds(s.fault("USE lake.case"), 'any of the schemas "CASE" and "Case"')
            holds(s.fault('SELECT count(*) FROM lake.outer."INNER"."Twice"'), '"Outer.INNER"')
            s.rows("USE lake.Outer.INNER")
            same(s.rows("SELECT current_schema()"), [["Outer.Inner"]])
    finally:
        for space, name in tables:
            peers.server.send("DELETE", f"namespaces/{space.replace('.', '%2E')}/tables/{name}")
        for path in ("Outer%2EInner", "Outer", "Case", "CASE"):
            peers.server.send("DELETE", f"namespaces/{path}")


def what_cannot_be_listed_is_not_found(peers):
    """The error is that of the name as it is written. No table is waited for twice."""
    with Session() as s:
        s.attach(peers.proxy.url, f"REQUEST_TIMEOUT '{LIMIT}s'")
        for fault in ({"do": "status", "status": 403}, {"do": "status", "status": 500},
                      {"do": "hang"}):
            peers.proxy.faults({"match": "/db/tables?", "times": -1, **fault})
            holds(s.fault("SELECT * FROM lake.db.SALES"), 'not found: table "db.SALES"')
            if s.seconds > LIMIT + (2 if HAS_CLOCK else 20):
                raise Wrong(f"{fault} took {s.seconds:.1f} s")
            peers.proxy.faults({"match": "/namespaces?", "times": -1, **fault})
            holds(s.fault("SELECT * FROM lake.DB.SALES"), "not found: ", '"DB"')
        # A schema that is found may have a table that is not listed.
        peers.proxy.faults({"match": "/db/tables?", "times": -1, "do": "status", "status": 403})
        same(s.rows("SELECT count(*) FROM lake.DB.sales"), [["4500"]])


# ---- Faults --------------------------------------------------------------------------------------

LIMIT = 3  # Seconds, REQUEST_TIMEOUT of these sessions.
FAULTS = [  # Fault, then words of the error; None: the answer is right, by repeating.
    ({"do": "hang", "times": -1}, "no whole answer came in time"),
    ({"do": "hang", "after": 10, "times": -1}, "no whole answer came in time"),
    ({"do": "cut"}, None),
    ({"do": "cut", "times": -1}, "tried 5 times"),
    ({"do": "lose"}, None),
    ({"do": "half"}, None),
    ({"do": "half", "times": -1}, "tried 5 times"),
    ({"do": "garbage", "times": -1}, "HTTP/0.9"),
    ({"do": "slow", "ms": 1}, None),
    ({"do": "status", "status": 200, "body": "<html>", "times": -1}, "reading the answer"),
    ({"do": "status", "status": 200, "body": {"a": 1}, "times": -1}, "reading the answer"),
    ({"do": "status", "status": 401}, "HTTP 401"),
    ({"do": "status", "status": 403, "body": {"error": {"message": "no", "type": "Forbidden"}}},
     "Forbidden: no (HTTP 403)"),
    ({"do": "status", "status": 419}, "HTTP 419"),
    ({"do": "status", "status": 429, "headers": {"Retry-After": "1"}, "times": 1}, None),
    ({"do": "status", "status": 503, "headers": {"Retry-After": "1"}, "times": 1}, None),
    ({"do": "status", "status": 503, "times": 2}, None),
    ({"do": "status", "status": 503, "headers": {"Retry-After": "3600"}, "times": -1}, "HTTP 503"),
    ({"do": "status", "status": 429, "times": -1}, "HTTP 429"),
    ({"do": "status", "status": 500, "body": "<html>oops", "times": -1}, "HTTP 500"),
    ({"do": "redirect", "times": -1}, "redirects more than 5 times"),
]


def faults_end_in_an_answer_or_an_error(peers):
    with Session() as s:
        s.attach(peers.proxy.url, f"REQUEST_TIMEOUT '{LIMIT}s'")
        for fault, words in FAULTS:
            for sql, match in (("SELECT count(*) FROM lake.db.sales", "/tables/sales"),
                               ("SHOW TABLES FROM lake.db", "/db/tables")):
                s.rows("DETACH lake")  # What is kept of a table is not sent again, and so not broken.
                s.attach(peers.proxy.url, f"REQUEST_TIMEOUT '{LIMIT}s'")
                peers.proxy.faults({"match": match, **fault})
                if words is None:
                    s.rows(sql)
                else:
                    holds(s.fault(sql), words, "db")
                if s.seconds > LIMIT + (2 if HAS_CLOCK else 20):
                    raise Wrong(f"{fault} took {s.seconds:.1f} s")
                peers.proxy.faults()
                same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])


def an_endless_body_ends(peers):
    with Session() as s:
        peers.proxy.faults({"do": "endless", "match": "/v1/config", "times": -1})
        holds(s.fault(f"ATTACH '{peers.proxy.url}' AS lake (TYPE iceberg)"), "/v1/config",
              "answers with more than the allowed 8 MB", 'catalog "lake"')
        peers.proxy.faults()
        s.attach(peers.proxy.url, "REQUEST_TIMEOUT '2s'")
        peers.proxy.faults({"do": "endless", "match": "/tables/sales", "times": -1})
        error = s.fault("SELECT count(*) FROM lake.db.sales")
        if "more than the allowed 512 MB" not in error and "in time" not in error:
            raise Wrong(error)
        peers.proxy.faults()
        same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])


def faults_of_attach_leave_nothing_attached(peers):
    with Session() as s:
        for fault, words in FAULTS:
            peers.proxy.faults({"match": "/v1/config", **fault})
            sql = f"ATTACH '{peers.proxy.url}' AS lake (TYPE iceberg, REQUEST_TIMEOUT '{LIMIT}s')"
            if words is None:
                s.rows(sql)
                s.rows("DETACH lake")
            elif fault.get("body") == {"a": 1}:
                s.rows(sql)  # Every member of a configuration may be missing.
                s.rows("DETACH lake")
            else:
                holds(s.fault(sql), words, 'catalog "lake"')
                holds(s.fault("DETACH lake"), "no catalog")
        holds(s.fault("ATTACH 'http://127.0.0.1:1' AS lake (TYPE iceberg, CONNECT_TIMEOUT '1s')"),
              "127.0.0.1", "connect")
        same(s.rows("SELECT 1"), [["1"]])


def a_lost_token_is_fetched_anew(peers):
    for status in (401, 419):
        with Session() as s:
            s.attach(peers.guarded.url, "CREDENTIAL 'root:s3cr3t'")
            peers.guarded.tell("faults", [{"do": "status", "match": "/tables/", "status": status}])
            same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])
            peers.guarded.tell("faults", [{"do": "status", "match": "/tables/", "status": status,
                                           "times": 2}])
            holds(s.fault("SELECT count(*) FROM lake.db.sales"), f"HTTP {status}")
            same(s.rows("SELECT count(*) FROM lake.db.sales"), [["4500"]])


def ctrl_c_ends_what_hangs(peers):
    """SIGINT while the server says nothing, in ATTACH, in a query and while a name is looked for;
    50 ms of 100 tries are api/cancel_interrupt_test's."""
    attach = f"ATTACH '{peers.proxy.url}' AS lake (TYPE iceberg)"
    for match, sql in (("/config", attach),
                       ("/tables/sales", attach + "; SELECT count(*) FROM lake.db.sales"),
                       ("/db/tables?", attach + "; SELECT count(*) FROM lake.db.SALES"),
                       ("/namespaces?", attach + "; SELECT count(*) FROM lake.DB.sales")):
        for threads in ("1", "4"):
            peers.proxy.faults({"do": "hang", "match": match, "times": -1})
            with subprocess.Popen([FIRN, "--threads", threads, "-c", sql], stderr=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) as process:
                end = time.monotonic() + 60
                while not any(match in path for _, path, _ in peers.proxy.tell("log")):
                    if time.monotonic() > end:
                        raise Wrong(f"{match} is not asked for")
                    time.sleep(0.02)
                time.sleep(0.2)
                begin = time.monotonic()
                process.send_signal(2)
                process.communicate(timeout=60)
                took = time.monotonic() - begin
            same(process.returncode, 130)
            if took > 5:
                raise Wrong(f"{match}, {threads} threads: {took * 1e3:.0f} ms to the end")
            print(f"     {match}, {threads} threads: {took * 1e3:.0f} ms from Ctrl-C to exit")


# ---- Running -------------------------------------------------------------------------------------

TESTS = [everything_is_there, one_thread_is_enough, tables_are_those_of_the_sqlite_catalog,
         views_are_read, default_catalogs_of_views_count, nested_namespaces_have_tables,
         tokens_and_credentials_are_sent, secrets_come_from_outside, a_prefix_is_taken_over,
         headers_warehouse_and_settings_of_the_server_are_sent, pages_are_read_to_the_end,
         a_table_is_loaded_once_for_a_query, what_has_not_changed_is_not_sent_again,
         names_are_found_whatever_their_case, names_that_differ_in_case_only_are_told_apart, what_cannot_be_listed_is_not_found,
         faults_end_in_an_answer_or_an_error, an_endless_body_ends,
         faults_of_attach_leave_nothing_attached, a_lost_token_is_fetched_anew,
         ctrl_c_ends_what_hangs]


class Peers:
    """The servers that the tests share."""

    def __init__(self, stack):
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-rest-"))
        self.server = Server(stack, self.folder)
        self.proxy = FaultProxy(stack, self.server.url)
        self.guarded = FaultProxy(stack, self.server.url, "--client", "root:s3cr3t",
                                  "--token-ttl", "3")
        self.prefixed = FaultProxy(stack, self.server.url, "--client", "root:s3cr3t",
                                   "--token-ttl", "2", "--prefix", "ware/house%201")


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    failed = passed = 0
    with contextlib.ExitStack() as stack:
        peers = Peers(stack)
        for test in TESTS:
            if wanted not in test.__name__:
                continue
            try:
                peers.proxy.faults()
                test(peers)
                passed += 1
                print(f"ok   {test.__name__}", flush=True)
            except (Wrong, OSError, KeyError, IndexError, ValueError,
                    subprocess.SubprocessError) as why:
                failed += 1
                print(f"FAIL {test.__name__}: {type(why).__name__}\n  {why}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
