"""firn and DuckDB side by side: the same SQL, and answers that can be compared."""
import decimal
import datetime
import json
import math
import select
import subprocess

TOLERANCE = 1e-9
ANSWER_SECONDS = 60


class Firn:
    """A session of the program `firn`; one that died or hung is begun anew by `start`."""

    def __init__(self, program):
        self.program = program
        self.process = None
        self.start()

    def start(self):
        self.stop()
        self.process = subprocess.Popen([self.program, "session"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def ask(self, sql):
        """(rows, None) or (None, what went wrong); rows are tuples of texts and None."""
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            return None, "CRASH: no answer"
        line = self.process.stdout.readline()
        if not line:
            return None, f"CRASH: exit {self.process.wait()}"
        answer = json.loads(line)
        if "error" in answer:
            return None, answer["error"]
        return [tuple(row) for row in answer.get("rows", [])], None


class Duck:
    """A connection to DuckDB that orders NULL as firn does."""

    def __init__(self):
        import duckdb
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1; SET default_null_order = 'nulls_last_on_asc_first_on_desc'; "
                                "SET integer_division = true")

    def ask(self, sql):
        try:
            return self.connection.execute(sql).fetchall(), None
        except Exception as error:  # Whatever DuckDB raises is its answer.
            return None, str(error).split("\n")[0]


def text_of_span(span):
    """An INTERVAL that Python holds as days and microseconds, as PostgreSQL writes it."""
    micros = abs(span // datetime.timedelta(microseconds=1))
    days, rest = divmod(micros, 86_400_000_000)
    sign = "-" if span < datetime.timedelta(0) else ""
    parts = [f"{sign}{days} day{'' if days == 1 else 's'}"] if days else []
    if rest or not days:
        seconds, fraction = divmod(rest, 1_000_000)
        clock = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        parts.append(clock + (f".{fraction:06}".rstrip("0") if fraction else ""))
    return " ".join(parts)


def text_of_moment(moment):
    """A TIME, TIMESTAMP or TIMESTAMP WITH TIME ZONE; the zone is UTC."""
    text = moment.replace(tzinfo=None).isoformat(" ") if isinstance(
        moment, datetime.datetime) else moment.replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0")
    return text + ("+00" if moment.tzinfo is not None else "")


def text_in(value):
    """A value inside a list or struct, as firn shows it."""
    if value is None:
        return "NULL"
    text = text_of(value)
    return "''" if text == "" else text


def text_of(value):
    """One value of Python as firn shows it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text_in(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {text_in(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (bytes, bytearray)):
        return "\\x" + value.hex()
    if isinstance(value, datetime.timedelta):
        return text_of_span(value)
    if isinstance(value, (datetime.datetime, datetime.time)):
        return text_of_moment(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return str(value)


def number_of(text):
    try:
        number = float(text)
    except (TypeError, ValueError):
        return None
    return 0.0 if number == 0 else number


def equal(one, other):
    """Whether two texts of values say the same; numbers need not have the same digits."""
    if one == other:
        return True
    left, right = number_of(one), number_of(other)
    if left is None or right is None:
        return False
    return (math.isnan(left) and math.isnan(right)) or math.isclose(
        left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def sort_key(row):
    keys = []
    for value in row:
        number = number_of(value)
        if value is None:
            keys.append((0, 0.0, ""))
        elif number is None:
            keys.append((3, 0.0, value))
        elif math.isnan(number):
            keys.append((2, 0.0, ""))
        else:
            keys.append((1, round(number, 6) if abs(number) < 1e15 else number, ""))
    return keys


def same_rows(one, other, in_order=False):
    if len(one) != len(other):
        return False
    if not in_order:
        one, other = sorted(one, key=sort_key), sorted(other, key=sort_key)
    return all(len(a) == len(b) and all(map(equal, a, b)) for a, b in zip(one, other))


def texts(rows):
    return [tuple(text_of(value) for value in row) for row in rows]
