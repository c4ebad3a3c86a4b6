"""Interchange: files of pyarrow, DuckDB and polars are read by Headrace, and Headrace's are read by them.

    python Tests/Parquet/interchange.py PATH_OF_headrace-parquet [--seed N] [--files N]

Headrace's helper copies a file: it reads with our reader and writes with our writer. The copy is read by all three
peers and must hold exactly what the original held, so each file proves both directions. Then come the statistics, page
indexes and bloom filters of our files, nested columns, and files that must be refused by name.
"""
import argparse
import datetime
import decimal
import os
import random
import subprocess
import sys
import tempfile
import time

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pageindex  # noqa: E402
from tables import integers, column, random_table  # noqa: E402

UTC = datetime.timezone.utc
CODECS = ("none", "snappy", "gzip", "zstd", "lz4Raw")
PYARROW_CODEC = {"none": "none", "snappy": "snappy", "gzip": "gzip", "zstd": "zstd", "lz4": "lz4"}


class Suite:
    def __init__(self, helper, seed):
        self.helper = helper
        self.seed = seed
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="headrace-interchange-")
        self.checks = 0
        self.failures = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, fails=False):
        done = subprocess.run([self.helper, *map(str, words)], capture_output=True, text=True)
        if not fails and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}")
        return done

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            self.failures.append(what)
            print("FAILED:", what, flush=True)

    def attempt(self, what, body):
        try:
            body()
        except Exception as error:  # one broken file must not hide the others
            self.checks += 1
            self.failures.append(f"{what}: {type(error).__name__}: {str(error)[-600:]}")
            print("FAILED:", self.failures[-1], flush=True)


# Random values


def expected(table):
    """What Headrace makes of the types: 64 bits for all numbers without a 32-bit type of their own, microseconds in UTC."""
    columns = []
    for name in table.column_names:
        values = table.column(name).combine_chunks()
        kind = values.type
        if pyarrow.types.is_timestamp(kind) and kind.unit != "us":
            values = values.cast(pyarrow.timestamp("us", kind.tz), safe=False)
        elif kind == pyarrow.uint64():
            values = values.cast(pyarrow.decimal128(20, 0))
        columns.append(values)
    return pyarrow.table(columns, names=table.column_names)


def same(found, wanted):
    """Equal values, NaN to NaN and the sign of zeros included; types as far as they matter."""
    if isinstance(found, pyarrow.ChunkedArray):
        found = found.combine_chunks()
    if isinstance(wanted, pyarrow.ChunkedArray):
        wanted = wanted.combine_chunks()
    if found.type != wanted.type:
        found = found.cast(wanted.type)
    if not pyarrow.types.is_floating(wanted.type):
        return found.equals(wanted)
    if not found.is_null().equals(wanted.is_null()):
        return False
    bits = numpy.uint64 if wanted.type == pyarrow.float64() else numpy.uint32
    left = found.fill_null(0).to_numpy(zero_copy_only=False)
    right = wanted.fill_null(0).to_numpy(zero_copy_only=False)
    nan = numpy.isnan(left) & numpy.isnan(right)
    return bool(numpy.all((left.view(bits) == right.view(bits)) | nan))


def compare(suite, what, path, wanted):
    """All three peers read `path` as `wanted`."""
    found = pyarrow.parquet.read_table(path, page_checksum_verification=True)
    suite.check(found.num_rows == wanted.num_rows, f"{what}: pyarrow reads {found.num_rows} of {wanted.num_rows} rows")
    for name in wanted.column_names:
        suite.check(same(found.column(name), wanted.column(name)), f"{what}: pyarrow, column {name} {wanted.column(name).type}")
    table = polars.read_parquet(path).to_arrow()
    for name in wanted.column_names:
        suite.check(same(table.column(name), wanted.column(name)), f"{what}: polars, column {name} {wanted.column(name).type}")
    connection = duckdb.connect()
    connection.execute("set timezone='UTC'")
    table = connection.execute(f"select * from read_parquet('{path}')").to_arrow_table()
    for name in wanted.column_names:
        suite.check(same(table.column(name), wanted.column(name)), f"{what}: duckdb, column {name} {wanted.column(name).type}")


def our_options(source):
    options = ["--codec", source.choice(CODECS), "--page-version", source.choice([1, 2])]
    options += ["--row-group-rows", source.choice([300, 7_000, 1 << 20]), "--page-rows", source.choice([50, 1_000, 1 << 17])]
    options += ["--page-bytes", source.choice([100, 4_096, 1 << 20]), "--dictionary-bytes", source.choice([0, 200, 1 << 22])]
    options += ["--batch-rows", source.choice([1_000, 65_536])]
    return options + (["--plain"] if source.random() < 0.2 else [])


def pyarrow_options(source, table):
    options = {
        "compression": PYARROW_CODEC[source.choice(list(PYARROW_CODEC))],
        "data_page_version": source.choice(["1.0", "2.0"]),
        "row_group_size": source.choice([100, 3_000, 1 << 20]),
        "data_page_size": source.choice([100, 5_000, 1 << 20]),
        "write_statistics": source.choice([True, False]),
        "write_page_checksum": source.choice([True, False]),
        "version": source.choice(["1.0", "2.4", "2.6"]),
        "use_dictionary": source.random() < 0.4,
    }
    if options["use_dictionary"]:
        options["dictionary_pagesize_limit"] = source.choice([100, 1 << 20])
        return options
    encodings = {}
    for name in table.column_names:
        kind = table.column(name).type
        choices = ["PLAIN"]
        if pyarrow.types.is_integer(kind) or pyarrow.types.is_timestamp(kind) or pyarrow.types.is_date(kind):
            choices += ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
        if pyarrow.types.is_floating(kind) or pyarrow.types.is_fixed_size_binary(kind):
            choices.append("BYTE_STREAM_SPLIT")
        if kind in (pyarrow.string(), pyarrow.binary()):
            choices += ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]
        if kind == pyarrow.bool_():
            choices.append("RLE")
        encodings[name] = source.choice(choices)
    options["column_encoding"] = encodings
    return options


# Suites


def random_files(suite, count):
    """Random tables, written by pyarrow with every encoding, codec and page version, and copied."""
    for number in range(count):
        source = random.Random(f"{suite.seed}-{number}")
        table = random_table(source)
        options = pyarrow_options(source, table)
        original, copy = suite.path("original.parquet"), suite.path("copy.parquet")

        def body():
            try:
                pyarrow.parquet.write_table(table, original, **options)
            except (OSError, pyarrow.ArrowException, NotImplementedError):
                options.pop("column_encoding", None)
                pyarrow.parquet.write_table(table, original, **options)
            ours = our_options(source)
            suite.run("copy", original, copy, *ours)
            stored = pyarrow.parquet.read_table(original)
            compare(suite, f"file {number} {options} {ours}", copy, expected(stored))

        suite.attempt(f"file {number} of seed {suite.seed}", body)


def as_written(path, by_duckdb):
    """What a peer wrote. DuckDB's own differences of 32-bit numbers take 33 bits: pyarrow refuses them, or reads another
    number without a word, so that DuckDB is asked about these columns."""
    if not by_duckdb:
        return pyarrow.parquet.read_table(path)
    connection = duckdb.connect()
    connection.execute("set timezone='UTC'")
    own = connection.sql(f"select * from read_parquet('{path}')").to_arrow_table()
    try:
        table = pyarrow.parquet.read_table(path)
    except OSError as error:
        if "delta bit width" not in str(error):
            raise
        return own
    for index, field in enumerate(table.schema):
        if field.type in (pyarrow.int32(), pyarrow.uint32()):
            table = table.set_column(index, field, own.column(index).cast(field.type))
    return table


def peers_files(suite):
    """The same tables as DuckDB and polars write them."""
    for number in range(24):
        source = random.Random(f"{suite.seed}-peers-{number}")
        table = random_table(source)
        original, copy = suite.path("original.parquet"), suite.path("copy.parquet")

        def body():
            if number % 2:
                codec = source.choice(["uncompressed", "snappy", "gzip", "zstd", "lz4"])
                polars.from_arrow(table).write_parquet(
                    original, compression=codec, row_group_size=source.choice([500, None]), data_page_size=source.choice([400, None]))
            else:
                codec = source.choice(["uncompressed", "snappy", "gzip", "zstd", "lz4_raw"])
                version = source.choice(["v1", "v2"])
                connection = duckdb.connect()
                connection.execute("set timezone='UTC'")
                connection.register("t", table)
                connection.execute(
                    f"copy (select * from t) to '{original}' (format parquet, compression {codec}, parquet_version {version},"
                    f" row_group_size {source.choice([2048, 122880])})")
            suite.run("copy", original, copy)
            name = f"{'polars' if number % 2 else 'duckdb'} file {number} ({codec})"
            compare(suite, name, copy, expected(as_written(original, number % 2 == 0)))

        suite.attempt(f"peers' file {number}", body)


def nested(suite):
    """Structures, lists and maps: written by pyarrow, copied row by row, read by pyarrow and DuckDB."""
    word = pyarrow.string()
    action = pyarrow.struct([
        ("path", pyarrow.field("path", word, nullable=False).type), ("partitionValues", pyarrow.map_(word, word)),
        ("size", pyarrow.int64()), ("dataChange", pyarrow.bool_()), ("tags", pyarrow.list_(word)),
        ("deep", pyarrow.list_(pyarrow.list_(pyarrow.struct([("a", pyarrow.float64()), ("b", pyarrow.list_(pyarrow.int32()))])))),
    ])
    for number in range(30):
        source = random.Random(f"{suite.seed}-nested-{number}")
        maybe = lambda make: None if source.random() < 0.25 else make()
        few = lambda make: [make() for _ in range(source.choice([0, 1, 1, 2, 5, 40]))]
        text = lambda: source.choice(["", "a", "part=1/file.parquet", "é" * 9])
        row = lambda: {
            "path": text(), "partitionValues": maybe(lambda: [(text() + str(k), maybe(text)) for k in range(source.randrange(4))]),
            "size": maybe(lambda: source.randint(-(2**63), 2**63 - 1)), "dataChange": maybe(lambda: source.random() < 0.5),
            "tags": maybe(lambda: few(lambda: maybe(text))),
            "deep": maybe(lambda: few(lambda: maybe(lambda: [
                maybe(lambda: {"a": maybe(lambda: source.gauss(0, 1)), "b": maybe(lambda: few(lambda: maybe(lambda: 7)))})
                for _ in range(source.randrange(3))]))),
        }
        count = source.choice([0, 1, 50, 3_000])
        table = pyarrow.table({
            "add": pyarrow.array([maybe(row) for _ in range(count)], action),
            "version": pyarrow.array([maybe(lambda: index) for index in range(count)], pyarrow.int64()),
        })
        original, copy = suite.path("original.parquet"), suite.path("copy.parquet")

        def body():
            pyarrow.parquet.write_table(
                table, original, data_page_version=source.choice(["1.0", "2.0"]), data_page_size=source.choice([64, 1 << 20]),
                row_group_size=source.choice([7, 1 << 20]), use_dictionary=source.random() < 0.5,
                use_compliant_nested_type=source.random() < 0.8)
            suite.run("copy-rows", original, copy, *our_options(source))
            found = pyarrow.parquet.read_table(copy, page_checksum_verification=True)
            for name in table.column_names:
                suite.check(
                    found.column(name).to_pylist() == table.column(name).to_pylist(), f"nested file {number}: pyarrow, {name}")
            if count:
                rows = duckdb.connect().execute(f"select add.path, add.size, len(add.tags), version from '{copy}'").fetchall()
                wanted = [
                    ((add or {}).get("path"), (add or {}).get("size"),
                     None if (add or {}).get("tags") is None else len(add["tags"]), version)
                    for add, version in zip(table.column("add").to_pylist(), table.column("version").to_pylist())]
                suite.check(rows == wanted, f"nested file {number}: duckdb")
            # Leaves inside of structures are flat columns, too.
            suite.run("copy", original, copy, "--columns", "add.path,add.size,version")
            flat = pyarrow.parquet.read_table(copy)
            wanted = [(add or {}).get("size") for add in table.column("add").to_pylist()]
            suite.check(flat.column("add.size").to_pylist() == wanted, f"nested file {number}: add.size as a flat column")

        suite.attempt(f"nested file {number}", body)


def statistics_files(suite):
    """Bounds, null counts, page indexes and bloom filters of our files, held against the values."""
    source = random.Random(f"{suite.seed}-statistics")
    count = 20_000
    long = ["€" * 40 + str(index) for index in range(count)]
    table = pyarrow.table({
        "i": pyarrow.array([None if index % 10 == 0 else index for index in range(count)], pyarrow.int64()),
        "d": pyarrow.array([float("nan") if index % 3 == 0 else 0.0 for index in range(count)]),
        "nan": pyarrow.array([float("nan")] * count),
        "s": pyarrow.array(long),
        "top": pyarrow.array(["\U0010ffff" * 40] * count),
        "b": pyarrow.array([b"\xff" * 100] * count),
        "none": pyarrow.array([None] * count, pyarrow.string()),
        "key": pyarrow.array([f"key-{source.randrange(10**6)}" for _ in range(count)]),
    })
    original, copy = suite.path("original.parquet"), suite.path("copy.parquet")
    pyarrow.parquet.write_table(table, original)
    suite.run("copy", original, copy, "--row-group-rows", 6_000, "--page-rows", 1_000, "--bloom", "key,i")
    metadata = pyarrow.parquet.ParquetFile(copy).metadata
    suite.check(metadata.created_by.startswith("headrace version "), f"created by {metadata.created_by}")
    suite.check(metadata.metadata.get(b"copied") == b"yes", "key-value metadata")
    for group in range(metadata.num_row_groups):
        columns = {metadata.row_group(group).column(index).path_in_schema: metadata.row_group(group).column(index)
                   for index in range(metadata.num_columns)}
        first, last = 6_000 * group, min(6_000 * group + 6_000, count)
        part = table.slice(first, last - first)
        wanted = [value for value in part.column("i").to_pylist() if value is not None]
        bounds = columns["i"].statistics
        found = (bounds.min, bounds.max, bounds.null_count)
        suite.check(found == (min(wanted), max(wanted), (last - first) // 10), f"bounds of i: {found}")
        bounds = columns["d"].statistics
        suite.check(str((bounds.min, bounds.max)) == "(-0.0, 0.0)", f"bounds of zeros and NaN: {bounds.min}, {bounds.max}")
        suite.check(not columns["nan"].statistics.has_min_max, "NaN has no bounds")
        suite.check(columns["none"].statistics.null_count == last - first, "nulls are counted")
        suite.check(not columns["none"].statistics.has_min_max, "nulls have no bounds")
        bounds = pageindex.column_statistics(copy, group, "s")
        low, high = min(part.column("s").to_pylist()).encode(), max(part.column("s").to_pylist()).encode()
        suite.check(bounds.minimum <= low and high <= bounds.maximum and len(bounds.maximum) <= 67, f"bounds of long strings: {bounds}")
        suite.check(not bounds.minimum_exact and not bounds.maximum_exact, "cut bounds are not exact")
        bounds.minimum.decode(), bounds.maximum.decode()
        suite.check(pageindex.column_statistics(copy, group, "top").maximum is None, "nothing is above the last character")
        suite.check(pageindex.column_statistics(copy, group, "b").maximum is None, "nothing is above bytes of 255")
    for problem in pageindex.problems(copy, table):
        suite.check(False, problem)
    suite.check(True, "page indexes")
    bloom(suite, copy, table)


def bloom(suite, path, table):
    connection = duckdb.connect()
    keys = table.column("key").to_pylist()
    for group, first in enumerate(range(0, len(keys), 6_000)):
        present = set(keys[first:first + 6_000])
        for key in list(present)[:200]:
            excluded = connection.execute(
                f"select bloom_filter_excludes from parquet_bloom_probe('{path}', 'key', '{key}') where row_group_id = {group}").fetchall()
            suite.check(excluded == [(False,)], f"bloom filter excludes {key}, which is there")
    absent = [f"absent-{index}" for index in range(300)]
    said = [row for key in absent for row in connection.execute(
        f"select bloom_filter_excludes from parquet_bloom_probe('{path}', 'key', '{key}')").fetchall()]
    wrong = sum(not row[0] for row in said) / len(said)
    suite.check(wrong < 0.03, f"bloom filter: {wrong:.1%} false answers")
    lines = suite.run("bloom", path, "key", *absent[:50], *keys[:50]).stdout.splitlines()
    suite.check(sum("maybe" in line for line in lines[:50]) <= 8, "our reading of the filter: absent keys")
    suite.check(all("maybe" in line.split(" ", 1)[1].split()[0] for line in lines[50:]), "our reading of the filter: keys that are there")
    # Filters that a peer wrote.
    other = suite.path("duckdb-bloom.parquet")
    connection.register("t", table.select(["key"]))
    connection.execute(f"copy (select 'k' || (i % 500) as key from range(20000) r(i)) to '{other}' (format parquet)")
    lines = suite.run("bloom", other, "key", *[f"k{index}" for index in range(0, 500, 7)], *absent[:50]).stdout.splitlines()
    suite.check(all("no" not in line.split(" ", 1)[1] for line in lines[:-50]), "DuckDB's filter: keys that are there")
    suite.check(sum("no" in line.split(" ", 1)[1] for line in lines[-50:]) > 40, "DuckDB's filter: absent keys")


def special(suite):
    """INT96, UUIDs, nanoseconds, DuckDB's own types, and what must be refused by name."""
    original, copy = suite.path("original.parquet"), suite.path("copy.parquet")
    stamps = [0, 1, -1, 1_700_000_000_123_456, -62_135_596_800_000_000, None]
    table = pyarrow.table({"t": pyarrow.array(stamps, pyarrow.timestamp("us"))})
    pyarrow.parquet.write_table(table, original, use_deprecated_int96_timestamps=True)
    suite.run("copy", original, copy)
    found = pyarrow.parquet.read_table(copy).column("t").cast(pyarrow.int64()).to_pylist()
    suite.check(found == stamps, f"INT96: {found}")
    nanoseconds = pyarrow.table({"t": pyarrow.array([1_999, -1, -1_000, None, 2**62], pyarrow.timestamp("ns", "UTC"))})
    pyarrow.parquet.write_table(nanoseconds, original)
    suite.run("copy", original, copy)
    found = pyarrow.parquet.read_table(copy).column("t").cast(pyarrow.int64()).to_pylist()
    suite.check(found == [1, -1, -1, None, 2**62 // 1000], f"nanoseconds: {found}")
    duckdb.connect().execute(
        f"copy (select uuid '00112233-4455-6677-8899-aabbccddeeff' as u, 'x'::blob as b, 1.25::decimal(4,2) as d,"
        f" '{{\"a\":1}}'::json as j) to '{original}' (format parquet)")
    suite.run("copy", original, copy)
    row = pyarrow.parquet.read_table(copy).to_pylist()[0]
    wanted = {"u": "00112233-4455-6677-8899-aabbccddeeff", "b": b"x", "d": decimal.Decimal("1.25"), "j": '{"a":1}'}
    suite.check(row == wanted, f"UUID, blob, decimal, JSON: {row}")
    pyarrow.parquet.write_table(pyarrow.table({"h": pyarrow.array(numpy.array([1.5], numpy.float16))}), original)
    done = suite.run("copy", original, copy, fails=True)
    suite.check(done.returncode == 1 and "FLOAT16" in done.stdout, f"FLOAT16 is refused: {done.stdout}")
    pyarrow.parquet.write_table(pyarrow.table({"a": ["x"]}), original, compression="brotli")
    done = suite.run("copy", original, copy, fails=True)
    suite.check(done.returncode == 1 and "BROTLI" in done.stdout, f"BROTLI is refused: {done.stdout}")
    with open(original, "r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"PARE")
    done = suite.run("copy", original, copy, fails=True)
    suite.check(done.returncode == 1 and "encrypted" in done.stdout, f"an encrypted footer is refused: {done.stdout}")


def big(suite):
    """A file of a million rows through every page and row-group boundary."""
    rows = 1_000_000
    generator = numpy.random.default_rng(suite.seed)
    table = pyarrow.table({
        "key": pyarrow.array([f"user_{value:08d}" for value in generator.integers(0, 50_000, rows).tolist()]),
        "ts": pyarrow.array(numpy.sort(generator.integers(0, 10**12, rows)), pyarrow.timestamp("us", "UTC")),
        "x": pyarrow.array(generator.standard_normal(rows), mask=generator.random(rows) < 0.1),
        "y": pyarrow.array(generator.poisson(5, rows).astype(numpy.float64)),
    })
    original, copy = suite.path("original.parquet"), suite.path("copy.parquet")
    pyarrow.parquet.write_table(table, original, row_group_size=300_000)
    suite.run("copy", original, copy)
    compare(suite, "a million rows", copy, table)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("helper")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=1_000)
    arguments = parser.parse_args()
    suite = Suite(arguments.helper, arguments.seed)
    print(f"seed {arguments.seed}, pyarrow {pyarrow.__version__}, polars {polars.__version__}, duckdb {duckdb.__version__}")
    for name, body in [
        ("special types", special), ("statistics", statistics_files), ("nested", nested), ("files of peers", peers_files),
        ("big", big), (f"{arguments.files} random files", lambda suite: random_files(suite, arguments.files)),
    ]:
        begun = time.monotonic()
        suite.attempt(name, lambda: body(suite))
        print(f"{name}: {suite.checks} checks so far, {len(suite.failures)} failed, {time.monotonic() - begun:.1f} s", flush=True)
    sys.exit(1 if suite.failures else 0)


if __name__ == "__main__":
    main()
