"""Expressions of a topology, evaluated by DuckDB over the raw events."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import duckdb

from plan import Source
from rules import Contract
from streams import Event

# Our functions that DuckDB does not have under the same name; times are epoch milliseconds.
MACROS = """
CREATE MACRO local_time(t, zone) AS timezone(zone, make_timestamptz(CAST(t AS BIGINT) * 1000));
CREATE MACRO hour_of(t, zone := 'UTC') AS hour(local_time(t, zone));
CREATE MACRO day_of_week(t, zone := 'UTC') AS isodow(local_time(t, zone));
"""


def to_sql(text: str) -> str:
    """Our expressions are SQL's but for quotes and casts: text in either quotes, names plain."""
    text = re.sub(r'"([^"\\]*)"', r"'\1'", text)
    return re.sub(r"\bnull\b", "NULL", text)


class Table:
    """The events of one source that hold to their contract."""

    def __init__(self, source: Source, contract: Contract):
        self.source = source
        self.connection = duckdb.connect()
        self.connection.execute("SET ieee_floating_point_ops = false; SET TimeZone = 'UTC'; SET threads = 1")
        for statement in filter(None, map(str.strip, MACROS.split(";"))):
            self.connection.execute(statement)
        self.fields = contract.columns()

    def evaluate(self, events: list[Event], documents: list[dict], expressions: list[str]) -> list[tuple]:
        """A row for each event, in their order: the value of each expression."""
        if not expressions or not events:
            return [()] * len(events)
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            for number, document in enumerate(documents):
                known = {name: self._plain(document.get(name)) for name in self.fields}
                file.write(json.dumps({"__n": number, "__e": known}) + "\n")
            file.flush()
            struct = ", ".join(f'"{name}" {kind}' for name, kind in self.fields.items())
            columns = f"{{'__n': 'BIGINT', '__e': 'STRUCT({struct})'}}"
            path = Path(file.name).as_posix()
            inner = f"SELECT __n, __e.* FROM read_json('{path}', columns = {columns}, format = 'newline_delimited')"
            derived = "".join(f', ({to_sql(text)}) AS "{name}"' for name, text in self.source.derive.items())
            outer = ", ".join(f"({to_sql(text)})" for text in expressions)
            query = f"SELECT {outer} FROM (SELECT *{derived} FROM ({inner})) ORDER BY __n"
            return self.connection.execute(query).fetchall()

    def scalar(self, text: str, names: dict[str, object]) -> object:
        """One expression over a row of values."""
        columns = ", ".join(f'? AS "{name}"' for name in names)
        return self.connection.execute(f"SELECT ({to_sql(text)}) FROM (SELECT {columns})", [*names.values()]).fetchone()[0]

    @staticmethod
    def _plain(value: object) -> object:
        return json.dumps(value, separators=(",", ":"), sort_keys=True) if isinstance(value, (dict, list)) else value
