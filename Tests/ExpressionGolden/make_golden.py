"""Makes the golden files of Tests/ExpressionsTests/GoldenTests.swift from two independent implementations.

    python make_golden.py        with duckdb and tzdata installed (a virtual environment outside of the repository)

duckdb.tsv: our text, DuckDB's text where it differs, then the result of each row of ROWS.
zones.tsv: zone, epoch second, offset in seconds, epoch second at which the local day begins (Python's zoneinfo).
"""
import datetime
import math
import pathlib
import random
import zoneinfo

import duckdb

HERE = pathlib.Path(__file__).parent
ROWS = [
    "(7, 3, 2.5, -0.75, true, NULL, 'Grüße, Welt', 'ab', TIMESTAMP '2023-11-14 22:13:20.123456')",
    "(-9, 4, -1e10, 0.5, false, true, '', 'b%c', TIMESTAMP '1969-12-31 23:59:59')",
    "(NULL, 0, NULL, 1e-3, NULL, false, NULL, '', NULL)",
    "(0, -5, 0.0, 123.456, NULL, NULL, 'a,b,,c', ',', TIMESTAMP '2024-02-29 00:00:00')",
    "(9223372036854775806, 1, 1e300, -1e300, true, true, 'ÀÉ日本', 'É', TIMESTAMP '2000-01-01 12:30:00')",
]
COLUMNS = ["i BIGINT", "j BIGINT", "x DOUBLE", "y DOUBLE", "b BOOLEAN", "c BOOLEAN", "s VARCHAR", "u VARCHAR", "t TIMESTAMP"]
# Not upper(s): DuckDB's mapping is of one character to one, ß to ẞ; ours is Unicode's full one, ß to SS.
# Ours, and DuckDB's where the two write it differently.
TEXTS = [
    "i - j", "i % j", "i // j", "i / j", "x + y", "x * 2", "x / y", "x / 0", "-x", "i * 2.5", "abs(x)",
    ("sign(x)", "CAST(sign(x) AS BIGINT)"), "floor(y)", "ceil(y)", "round(y)", "round(y, 2)", "sqrt(abs(y))", "exp(y / 200)",
    "ln(abs(y))", "log10(abs(y))", "log2(abs(y))", "power(y, 2)", "sin(y)", "cos(y)", "tan(y)", "atan(y)", "atan2(y, 3)",
    "i < j", "x >= y", "i = j", "s < u", "s <> u", "i < x", "b and c", "b or c", "not b", "b is null", "c is not null",
    "b and not c or c", "i between -9 and j", "i not between 0 and 5", "i in (7, 0)", "i in (7, null)", "i not in (7, null)",
    "s in ('', 'a,b,,c')", "coalesce(i, j)", "coalesce(x, y, 0)", "nullif(j, 3)", "nullif(s, '')",
    "case when x < 0 then 'low' when x < 3 then 'middle' else 'high' end", "case when b then i end",
    "case j when 3 then 'three' when 4 then 'four' end", ("if(b, i, j)", "CASE WHEN b THEN i ELSE j END"),
    ("s || u", "s || u"), "lower(s)", "upper(u)", "length(s)", ("byte_length(s)", "strlen(s)"), "substring(s, 2, 3)",
    "substring(s, 4)", "replace(s, 'b', 'xy')", "split_part(s, ',', 2)", "split_part('a--b--c', '--', 3)",
    "starts_with(s, 'Gr')", ("ends_with(s, 'c')", "suffix(s, 'c')"), "contains(s, u)", "s like '%e%'", "s like '_,%'",
    "u like '%!%%' escape '!'", "s not like 'G%'", "trim('  a ')", "greatest(j, 2)", "least(y, 0.5)",
    "cast(j as double)", ("cast(y as integer)", "CAST(trunc(y) AS BIGINT)"), "cast(j as string)", "cast(b as integer)",
    ("cast(u as double)", "TRY_CAST(u AS DOUBLE)"), ("cast('1' || cast(j as string) as integer)", "TRY_CAST('1' || j AS BIGINT)"),
    ("hour_of(t)", "hour(t)"), ("minute_of(t)", "minute(t)"), ("day_of_week(t)", "isodow(t)"), ("day_of_year(t)", "dayofyear(t)"),
    ("day_of_month(t)", "day(t)"), ("month_of(t)", "month(t)"), ("year_of(t)", "year(t)"), ("epoch_ms(t)", "epoch_ms(t)"),
    ("epoch_ms(date_trunc('hour', t))", "epoch_ms(date_trunc('hour', t))"),
    ("epoch_ms(date_trunc('week', t))", "epoch_ms(date_trunc('week', t)::TIMESTAMP)"),
    ("epoch_ms(date_trunc('month', t))", "epoch_ms(date_trunc('month', t)::TIMESTAMP)"),
    ("epoch_ms(date_trunc('quarter', t))", "epoch_ms(date_trunc('quarter', t)::TIMESTAMP)"),
    ("epoch_ms(date_trunc('year', t))", "epoch_ms(date_trunc('year', t)::TIMESTAMP)"),
]
# Rules for three zones that changed their ways, one with half hours, one south of the equator, one that begins summer at
# midnight, one without summer.
ZONES = [
    "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Asia/Beirut", "Africa/Casablanca",
]


def shown(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Our language has no infinite results.
        return value.hex() if math.isfinite(value) else "null"
    return str(value)


def duckdb_golden():
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows({', '.join(COLUMNS)})")
    for row in ROWS:
        connection.execute(f"INSERT INTO rows VALUES {row}")
    lines = []
    for text in TEXTS:
        ours, theirs = text if isinstance(text, tuple) else (text, text)
        values = [row[0] for row in connection.execute(f"SELECT TRY({theirs}) FROM rows ORDER BY rowid").fetchall()]
        lines.append("\t".join([ours, *map(shown, values)]))
    return lines


def zone_golden():
    generator = random.Random(3)
    lines = []
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        seconds = [generator.randrange(-2_000_000_000, 5_000_000_000) for _ in range(60)]
        # Around changes of the clocks.
        previous = None
        for hour in range(1_577_836_800, 1_640_995_200, 3_600):
            offset = datetime.datetime.fromtimestamp(hour, zone).utcoffset()
            if previous is not None and offset != previous:
                seconds += [hour - 3_601, hour - 1_801, hour - 1, hour, hour + 1_799, hour + 3_600]
            previous = offset
        for second in sorted(seconds):
            local = datetime.datetime.fromtimestamp(second, zone)
            midnight = first_instant(local.date(), zone)
            lines.append(f"{name}\t{second}\t{int(local.utcoffset().total_seconds())}\t{midnight}")
    return lines


def first_instant(day, zone):
    """The first second whose local date is this day."""
    low = int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.timezone.utc).timestamp()) - 26 * 3_600
    high = low + 52 * 3_600
    while low + 1 < high:
        middle = (low + high) // 2
        if datetime.datetime.fromtimestamp(middle, zone).date() < day:
            low = middle
        else:
            high = middle
    return high


for name, lines in [("duckdb.tsv", duckdb_golden()), ("zones.tsv", zone_golden())]:
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
