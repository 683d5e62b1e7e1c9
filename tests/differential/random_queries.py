"""Random queries over five small tables, of what firn and DuckDB must answer alike."""
from random_expressions import (AGGREGATES, FORMS, OF_ANY_TYPE, SQL_TYPES, TESTS, TYPES, ZEROS,
                                fill, literal)

TABLES = {
    "t1": [("a", "int"), ("b", "int"), ("s", "text"), ("d", "dbl")],
    "t2": [("a", "int"), ("c", "big"), ("s", "text"), ("dt", "date")],
    "t3": [("b", "int"), ("e", "dec"), ("f", "bool"), ("ts", "ts")],
    "t4": [("a", "int"), ("b", "int")],  # Has no rows.
    "t5": [("k", "int"), ("a", "int"), ("s", "text"), ("f", "bool")],
}
ROW_COUNTS = {"t1": 9, "t2": 8, "t3": 6, "t4": 0, "t5": 7}
NULL_SHARE = 0.2
SET_OPERATIONS = ("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")


def tables(random):
    """The statements that make the tables; the values hang on `random`."""
    for name, columns in TABLES.items():
        yield f"CREATE TABLE {name} ({', '.join(f'{c} {SQL_TYPES[t]}' for c, t in columns)})"
        rows = ["(" + ", ".join("NULL" if random.random() < NULL_SHARE else literal(random, kind)
                                for _, kind in columns) + ")" for _ in range(ROW_COUNTS[name])]
        if rows:
            yield f"INSERT INTO {name} VALUES {', '.join(rows)}"


class QueryMaker:
    """Makes one query. A scope is a list of (name, type); `outer` a list of scopes around it."""

    def __init__(self, random):
        self.random = random
        self.alias_count = 0
        self.budget = random.choice([30, 60, 90])  # How many nodes are still welcome.
        self.named = []                            # The queries of WITH: (name, scope).

    def chance(self, share):
        return self.random.random() < share

    def one_of(self, *words):
        return self.random.choice(words)

    def alias(self):
        self.alias_count += 1
        return f"q{self.alias_count}"

    def any_types(self, most):
        return [self.random.choice(TYPES) for _ in range(self.random.randint(1, most))]

    # ---- Expressions

    def leaf(self, kind, scope, outer):
        here = [name for name, its in scope if its == kind]
        around = [name for each in outer for name, its in each if its == kind]
        if around and (not here or self.chance(0.3)):
            return self.random.choice(around)
        return self.random.choice(here) if here and self.chance(0.8) else literal(self.random, kind)

    def expression(self, kind, scope, outer, depth):
        self.budget -= 1
        if depth <= 0 or self.budget < 0 or self.chance(0.35):
            return self.leaf(kind, scope, outer)
        if self.budget > 8 and self.chance(0.12):
            return self.scalar_query(kind, scope, outer, depth - 1)
        if kind == "bool" and self.chance(0.7):
            return self.test(scope, outer, depth)
        forms = OF_ANY_TYPE if not FORMS[kind] or self.chance(0.2) else FORMS[kind]
        return fill(self.random, self.random.choice(forms),
                    lambda its: self.expression(its, scope, outer, depth - 1), kind)

    def test(self, scope, outer, depth):
        """A condition, also over subqueries."""
        if depth > 0 and self.budget > 6 and self.chance(0.25):
            return self.subquery_test(scope, outer, depth)
        if depth > 0 and self.chance(0.03):
            return self.row_test(scope, outer, depth)
        return fill(self.random, self.random.choice(TESTS if depth > 0 else TESTS[:1]),
                    lambda its: self.expression(its, scope, outer, depth - 1),
                    self.random.choice(TYPES))

    def row_test(self, scope, outer, depth):
        kinds = [self.random.choice(TYPES), self.random.choice(TYPES)]

        def row():
            return "(" + ", ".join(f"COALESCE({self.expression(kind, scope, outer, depth - 1)}, "
                                   f"{ZEROS[kind]})" for kind in kinds) + ")"
        if self.chance(0.5):
            return f"({row()} {self.one_of('=', '<>')} {row()})"
        return f"({row()} {self.one_of('', 'NOT ')}IN ({row()}, {row()}))"

    def subquery_test(self, scope, outer, depth):
        around = [scope, *outer]
        if self.chance(0.4):
            inner = self.query(around, depth - 1, self.any_types(3))
            return f"({self.one_of('', 'NOT ')}EXISTS ({inner}))"
        if self.chance(0.15):
            return self.row_in_query(scope, outer, depth)
        kind = self.random.choice(TYPES)
        left = self.expression(kind, scope, outer, depth - 1)
        inner = self.query(around, depth - 1, [kind])
        if self.chance(0.7):
            return f"({left} {self.one_of('', 'NOT ')}IN ({inner}))"
        compared = self.one_of("=", "<", ">", "<>", "<=", ">=")
        return f"({left} {compared} {self.one_of('ANY', 'ALL')} ({inner}))"

    def row_in_query(self, scope, outer, depth):
        """(x, y) NOT IN (SELECT …), without NULL, which DuckDB has not of outer columns."""
        kinds = [self.random.choice(TYPES), self.random.choice(TYPES)]
        row = ", ".join(f"COALESCE({self.expression(kind, scope, outer, depth - 1)}, {ZEROS[kind]})"
                        for kind in kinds)
        listed = ", ".join(f"COALESCE(o{i}, {ZEROS[kind]})" for i, kind in enumerate(kinds))
        inner = self.query([], depth - 1, kinds)
        return (f"(({row}) {self.one_of('', 'NOT ')}IN "
                f"(SELECT {listed} FROM ({inner}) AS {self.alias()}))")

    def bounds(self, scope, added, common):
        """Conditions by order between the two sides: one, or an interval, or two that overlap."""
        its = self.random.choice(common)
        here = [name for name, kind in scope if kind == its]
        there = [name for name, kind in added if kind == its]

        def bound():
            pair = [self.random.choice(here), self.random.choice(there)]
            self.random.shuffle(pair)
            return f"{pair[0]} {self.one_of('<', '<=', '>', '>=')} {pair[1]}"
        if self.chance(0.3):
            one, other = (there, here) if self.chance(0.5) else (here, there)
            return (f"{self.random.choice(one)} BETWEEN {self.random.choice(other)} "
                    f"AND {self.random.choice(other)}")
        return " AND ".join(bound() for _ in range(self.random.randint(1, 3)))

    def scalar_query(self, kind, scope, outer, depth):
        around = [scope, *outer]
        source, inner = self.source(around, depth)
        where = f" WHERE {self.test(inner, around, depth)}" if self.chance(0.7) else ""
        if self.chance(0.75):
            having = f" HAVING count(*) {self.one_of('> 1', '= 0')}" if self.chance(0.1) else ""
            return f"(SELECT {self.aggregate(kind, inner)} FROM {source}{where}{having})"
        value = self.expression(kind, inner, around, depth - 1)
        return (f"(SELECT {value} AS o0 FROM {source}{where} ORDER BY o0 "
                f"{self.one_of('ASC NULLS LAST', 'DESC NULLS FIRST')} LIMIT 1)")

    def aggregate(self, kind, scope):
        """A call over columns of the query itself: of an outer query it would be that one's."""
        def make():
            return fill(self.random, self.random.choice(AGGREGATES[kind]),
                        lambda its: self.expression(its, scope, [], 1), kind)
        call = make()
        for _ in range(5):
            if call == "count(*)" or any(name in call for name, _ in scope):
                break
            call = make()
        if self.chance(0.15) and not call.startswith("CAST("):
            call += f" FILTER (WHERE {self.test(scope, [], 0)})"
        return call

    # ---- FROM

    def source_item(self, outer, depth):
        alias = self.alias()
        if self.named and self.chance(0.25):
            name, scope = self.random.choice(self.named)
            return f"{name} AS {alias}", [(f"{alias}.{c}", kind) for c, kind in scope]
        which = self.random.random()
        if which > 0.4 or (depth <= 0 and which > 0.2):
            name = self.random.choice(list(TABLES))
            return f"{name} AS {alias}", [(f"{alias}.{c}", kind) for c, kind in TABLES[name]]
        kinds = self.any_types(3)
        names = [f"c{i}" for i in range(len(kinds))]
        scope = [(f"{alias}.{name}", kind) for name, kind in zip(names, kinds)]
        if which > 0.2:
            inner = self.query([], depth - 1, kinds)
        else:
            rows = ["(" + ", ".join(f"CAST({literal(self.random, kind)} AS {SQL_TYPES[kind]})"
                                    for kind in kinds) + ")"
                    for _ in range(self.random.randint(1, 3))]
            inner = f"VALUES {', '.join(rows)}"
        return f"({inner}) AS {alias}({', '.join(names)})", scope

    def used(self):
        """Two tables joined by columns of the same name and type, in a query of its own."""
        one, other = self.random.choice(list(TABLES)), self.random.choice(list(TABLES))
        common = [column for column in TABLES[one] if column in TABLES[other]]
        if not common:
            return self.source_item([], 0)
        columns = self.random.sample(common, self.random.randint(1, len(common)))
        alias, names = self.alias(), ", ".join(name for name, _ in columns)
        kind = self.one_of("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
        inner = f"SELECT {names} FROM {one} AS l {kind} {other} AS r USING ({names})"
        return f"({inner}) AS {alias}", [(f"{alias}.{name}", kind) for name, kind in columns]

    def unnested(self):
        """A list as rows, or a series."""
        alias = self.alias()
        if self.chance(0.3):
            return (f"generate_series({self.one_of('0', '1')}, {self.one_of('0', '2', '3')}) "
                    f"AS {alias}(c0)"), [(f"{alias}.c0", "big")]
        kind = self.random.choice(TYPES)
        items = ", ".join(f"CAST({literal(self.random, kind)} AS {SQL_TYPES[kind]})"
                          for _ in range(self.random.randint(1, 4)))
        return f"unnest([{items}]) AS {alias}(c0)", [(f"{alias}.c0", kind)]

    def lateral(self, scope, outer, depth):
        alias = self.alias()
        if self.chance(0.3):  # A list or a series of each row, NULL where a bound is.
            bounds = [f"{self.leaf('int', scope, outer)} % 4" for _ in range(2)]
            item = self.one_of(f"generate_series({bounds[0]}, {bounds[1]})",
                               f"unnest(generate_series({bounds[0]}, {bounds[1]}))")
            kinds = ["big"]
        else:
            kinds = self.any_types(2)
            item = f"({self.query([scope, *outer], depth - 1, kinds)})"
        names = [f"c{i}" for i in range(len(kinds))]
        added = [(f"{alias}.{name}", kind) for name, kind in zip(names, kinds)]
        joined = self.one_of("CROSS JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN")
        condition = self.one_of("TRUE", fill(self.random, self.random.choice(TESTS),
                                             lambda its: self.leaf(its, scope + added, []),
                                             self.random.choice(TYPES)))
        end = "" if joined == "CROSS JOIN" else f" ON {condition}"
        return f" {joined} LATERAL {item} AS {alias}({', '.join(names)}){end}", added

    def joined(self, scope, outer, depth):
        """` JOIN … ON …` after a source of that scope, and what it adds to it."""
        if depth > 1 and self.budget > 15 and self.chance(0.06):
            return self.lateral(scope, outer, depth)
        which = self.random.random()
        item, added = (self.used() if which < 0.06 else self.unnested() if which < 0.1
                       else self.source_item(outer, depth))
        if self.chance(0.12):
            return f" CROSS JOIN {item}", added
        kind = self.one_of("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
        common = sorted({its for _, its in scope} & {its for _, its in added})
        if self.chance(0.04):
            return f" {kind} {item} ON {self.one_of('FALSE', 'TRUE', 'NULL', '1 = 0')}", added
        if kind != "FULL JOIN" and self.chance(0.05):  # Of one side alone.
            return f" {kind} {item} ON {self.test(scope if self.chance(0.5) else added, [], 0)}", added
        if common and self.chance(0.15):
            condition = self.bounds(scope, added, common)
            if kind != "FULL JOIN" and self.chance(0.3):
                condition += f" AND {self.test(scope + added, [], 1)}"
            return f" {kind} {item} ON {condition}", added
        if not common:
            condition = "TRUE" if kind == "FULL JOIN" else self.test(scope + added, [], 1)
            return f" {kind} {item} ON {condition}", added
        its = self.random.choice(common)
        condition = (f"{self.random.choice([c for c, t in scope if t == its])} = "
                     f"{self.random.choice([c for c, t in added if t == its])}")
        if kind != "FULL JOIN" and self.chance(0.3):
            condition += f" AND {self.test(scope + added, [], 1)}"
        return f" {kind} {item} ON {condition}", added

    def source(self, outer, depth):
        text, scope = self.source_item(outer, depth)
        for _ in range(self.one_of(0, 0, 0, 1, 1, 2)):
            if self.budget > 5:
                more, added = self.joined(scope, outer, depth)
                text, scope = text + more, scope + added
        return text, scope

    # ---- Queries

    def select(self, outer, depth, kinds):
        self.budget -= 2
        source, scope = self.source(outer, depth)
        where = f" WHERE {self.test(scope, outer, depth)}" if self.chance(0.7) else ""
        if self.chance(0.3):
            return self.grouped(source + where, scope, kinds, depth)
        items = [self.expression(kind, scope, outer, depth) for kind in kinds]
        listed = ", ".join(f"{item} AS o{i}" for i, item in enumerate(items))
        text = f"SELECT {'DISTINCT ' if self.chance(0.15) else ''}{listed} FROM {source}{where}"
        if self.chance(0.12):
            order = ", ".join(f"o{i} {self.one_of('ASC', 'DESC')} NULLS {self.one_of('FIRST', 'LAST')}"
                              for i in range(len(items)))
            text += f" ORDER BY {order} LIMIT {self.random.randint(0, 4)}"
            text += f" OFFSET {self.random.randint(0, 2)}" if self.chance(0.4) else ""
        return text

    def grouped(self, source, scope, kinds, depth):
        keys = []
        for kind in self.any_types(2) if self.chance(0.7) else []:
            key = self.expression(kind, scope, [], 1)
            if any(name in key for name, _ in scope):  # A number would be a place in the list.
                keys.append((f"({key})", kind))
        items = []
        for kind in kinds:
            fitting = [key for key, its in keys if its == kind]
            items.append(self.random.choice(fitting) if fitting and self.chance(0.6)
                         else self.aggregate(kind, scope))
        text = "SELECT " + ", ".join(f"{item} AS o{i}" for i, item in enumerate(items))
        text += f" FROM {source}"
        text += f" GROUP BY {', '.join(key for key, _ in keys)}" if keys else ""
        if self.chance(0.25):
            text += (f" HAVING {self.aggregate('big', scope)} "
                     f"{self.one_of('>', '<', '=')} {self.one_of('0', '1', '2')}")
        return text

    def query(self, outer, depth, kinds):
        text = self.select(outer, depth, kinds)
        if self.budget > 10 and self.chance(0.14):
            sides = []
            for side in (text, self.select(outer, depth, kinds)):
                listed = ", ".join(f"CAST(o{i} AS {SQL_TYPES[kind]}) AS o{i}"
                                   for i, kind in enumerate(kinds))
                sides.append(f"(SELECT {listed} FROM ({side}) AS {self.alias()})")
            text = f" {self.one_of(*SET_OPERATIONS)} ".join(sides)
        return text

    def statement(self):
        begun = ""
        if self.chance(0.2):
            parts = []
            for _ in range(self.random.randint(1, 3)):
                kinds = self.any_types(2)
                inner = self.query([], 1, kinds)
                name, columns = self.alias(), [f"c{i}" for i in range(len(kinds))]
                word = self.one_of("", "", "MATERIALIZED ", "NOT MATERIALIZED ")
                parts.append(f"{name}({', '.join(columns)}) AS {word}({inner})")
                self.named.append((name, list(zip(columns, kinds))))
            begun = f"WITH {', '.join(parts)} "
        self.budget = self.random.choice([30, 60, 90])
        return begun + self.query([], self.random.choice([1, 2, 3]), self.any_types(3))
