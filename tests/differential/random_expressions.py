"""Random expressions of SQL that firn and DuckDB must evaluate alike.

Left out is what design/SQL.md decides otherwise than DuckDB: division of integers by `/` and of decimals,
averages of decimals as such, `^`, substr from before the text, upper of letters that grow, rows
that hold NULL (DuckDB compares them as values) and names that only one has.
"""

SQL_TYPES = {"int": "INTEGER", "big": "BIGINT", "dbl": "DOUBLE", "text": "VARCHAR", "date": "DATE",
             "dec": "DECIMAL(10,2)", "bool": "BOOLEAN", "ts": "TIMESTAMP"}
# How often each type is wanted.
TYPES = ["int", "int", "int", "big", "dbl", "dec", "text", "text", "date", "ts", "bool"]

LITERALS = {
    "int": ["0", "1", "2", "3", "5", "-1", "7"],
    "big": ["0", "1", "2", "10", "-3", "5000000000"],
    "dbl": ["CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)", "-0e0", "0.5e0", "1e0", "2.25e0", "-1.5e0", "0e0"],
    "dec": ["1.50", "0.25", "2.00", "-3.75"],
    "text": ["'a'", "'b'", "'ab'", "''", "'B'", "'xyz'", "'é'"],
    "date": ["DATE '2020-01-31'", "DATE '2021-03-01'", "DATE '1999-12-31'"],
    "ts": ["TIMESTAMP '2020-01-31 10:20:30'", "TIMESTAMP '2021-03-01 00:00:00'"],
    "bool": ["TRUE", "FALSE"],
}
ZEROS = {"int": "0", "big": "0", "dbl": "0e0", "dec": "0.0", "text": "''", "bool": "FALSE",
         "date": "DATE '2000-01-01'", "ts": "TIMESTAMP '2000-01-01 00:00:00'"}

# {type} is an expression of that type, {a|b} one of the words.
FORMS = {
    "int": ["({int} {+|-|*} {int})", "({int} % {2|3|5})", "({int} // {2|3})", "abs({int})",
            "(- {int})", "sign({int})", "greatest({int}, {int})", "least({int}, {int}, {int})",
            "ascii({text})", "CAST(length({text}) AS INTEGER)",
            "CAST(strpos({text}, 'b') AS INTEGER)", "CAST({bool} AS INTEGER)",
            "CAST(extract(year FROM {date}) AS INTEGER)",
            "CAST(date_part('{month|quarter|dow|doy|week|isodow}', {date}) AS INTEGER)",
            "CAST(date_part('{day|hour|minute}', {ts}) AS INTEGER)",
            "([{int}, {int}, {int}])[{1|2|-1|4}]",
            "(struct_pack(x := {int}, y := {text})).x"],
    "big": ["({big} {+|-} {int})", "CAST({int} AS BIGINT)", "({big} // {2|3})",
            "CAST(({date} - {date}) AS BIGINT)", "greatest({big}, {int})"],
    "dbl": ["({dbl} {+|-|*} {dbl})", "CAST({int} AS DOUBLE)", "({dbl} + {int})",
            "{floor|ceil|abs|trunc|sin}({dbl})", "sqrt(abs({dbl}))", "round({dbl}, 1)",
            "power(abs({dbl}), 2)", "atan2({dbl}, {dbl})", "CAST({dec} AS DOUBLE)",
            "({dbl} / {2e0|4e0})"],
    "dec": ["CAST(({dec} {+|-} {dec}) AS DECIMAL(10,2))", "CAST({int} AS DECIMAL(10,2))",
            "abs({dec})", "CAST(round({dec}, {0|1}) AS DECIMAL(10,2))"],
    "text": ["({text} || {text})", "{upper|lower|reverse|trim}({text})", "repeat({text}, 2)",
             "split_part({text}, 'b', {1|2})", "{lpad|rpad}({text}, {1|3|5}, 'xy')",
             "{left|right}({text}, {1|2|-1})", "CAST({date|bool|dec|int} AS VARCHAR)",
             "translate({text}, 'ab', 'x')", "concat_ws('-', {text}, {int}, {text})",
             "regexp_replace({text}, '[ab]', 'q')", "{ltrim|rtrim}({text}, 'a')",
             "substr({text}, 1, 2)", "replace({text}, 'a', {text})", "concat({text}, {text})"],
    "date": ["({date} + {1|30|-5})", "CAST({ts} AS DATE)",
             "CAST(({date} + INTERVAL '{1 month|1 year|3 days}') AS DATE)"],
    "ts": ["CAST({date} AS TIMESTAMP)", "({ts} {+|-} INTERVAL '{1 month|36 hours|2 days}')",
           "date_trunc('{month|year|week|day|hour|quarter}', {ts})", "({date} + INTERVAL '2 hours')",
           "greatest({ts}, {ts})"],
    "bool": [],
}
# {T} is one type throughout a form.
OF_ANY_TYPE = ["CASE WHEN {bool} THEN {T} ELSE {T} END", "CASE WHEN {bool} THEN {T} END",
               "CASE {int} WHEN {int} THEN {T} WHEN {int} THEN {T} ELSE {T} END",
               "COALESCE({T}, {T})", "NULLIF({T}, {T})"]
TESTS = ["({T} {=|<|>|<>|<=|>=} {T})"] * 4 + [
    "({bool} {AND|OR} {bool})", "({bool} {AND|OR} {bool})", "(NOT {bool})", "({T} IS {|NOT }NULL)",
    "({T} IS {|NOT }DISTINCT FROM {T})", "({T} {|NOT }IN ({T}, {T}, {T}))",
    "({T} {|NOT }BETWEEN {T} AND {T})", "({text} {|NOT }LIKE '{a%|%b|_|%|%a%b}')",
    "({bool} IS {|NOT }{TRUE|FALSE})"]
AGGREGATES = {
    "int": ["{min|max}({int})", "{bit_and|bit_or}({int})"],
    "big": ["count({|DISTINCT }{int|text|dbl|date|bool})", "count(*)", "{min|max}({big})",
            "CAST(sum({|DISTINCT }{int}) AS BIGINT)"],
    "dbl": ["avg({|DISTINCT }{int})", "sum({dbl})", "{min|max}({dbl})",
            "{stddev_samp|stddev_pop|var_samp|var_pop}({|DISTINCT }{int})", "avg({dec})",
            "CAST(sum({dec}) AS DOUBLE)", "CAST(median({int}) AS DOUBLE)"],
    "dec": ["{min|max}({dec})"],
    "text": ["{min|max}({text})", "string_agg({text}, ',' ORDER BY {same})"],
    "date": ["{min|max}({date})"],
    "ts": ["{min|max}({ts})"],
    "bool": ["{bool_and|bool_or}({bool})"],
}


def literal(random, kind):
    if random.random() < 0.06:
        return f"CAST(NULL AS {SQL_TYPES[kind]})"
    return random.choice(LITERALS[kind])


def fill(random, form, make, kind):
    """A form with its braces filled: make(type) gives an expression."""
    out, at, last = "", 0, ""
    while (start := form.find("{", at)) >= 0:
        end = form.index("}", start)
        word = form[start + 1:end]
        out += form[at:start]
        choice = random.choice(word.split("|"))
        if choice == "T":
            last = make(kind)
        elif choice in SQL_TYPES:
            last = make(choice)
        elif choice != "same":
            out, at = out + choice, end + 1
            continue
        out, at = out + last, end + 1
    return out + form[at:]
