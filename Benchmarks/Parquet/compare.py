"""Parquet: Headrace beside pyarrow, polars and DuckDB, one thread each, in one run.

    python Benchmarks/Parquet/compare.py PATH_OF_headrace-parquet [--rows N] [--repeats N] [--codec zstd|snappy]

5 M rows: a string key, a timestamp, 10 doubles (counts, amounts, full precision), a string of 20 values. Rows are in
memory before writing starts; files lie in the page cache. Prints medians, ratios to pyarrow, and file sizes.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

PEERS = ("pyarrow", "polars", "duckdb")


def generate(path, rows):
    import numpy
    import pyarrow
    import pyarrow.parquet

    random = numpy.random.default_rng(7)
    span = 30 * 86400 * 1000
    users = random.integers(0, 100_000, rows)
    columns = {
        "user_id": pyarrow.array([f"user_{user:08d}" for user in users.tolist()]),
        "ts": pyarrow.array(numpy.sort(random.integers(0, span, rows)) + 1_790_000_000_000, pyarrow.int64()),
    }
    for index in range(3):
        columns[f"f{index}"] = random.poisson(5 * (index + 1), rows).astype(numpy.float64)
    for index in range(3, 7):
        columns[f"f{index}"] = numpy.round(random.lognormal(3, 1, rows), 2)
    for index in range(7, 10):
        columns[f"f{index}"] = random.standard_normal(rows)
    countries = numpy.array([f"C{index:02d}" for index in range(20)])
    columns["country"] = pyarrow.array(countries[random.integers(0, 20, rows)])
    pyarrow.parquet.write_table(pyarrow.table(columns), path, compression="zstd", row_group_size=500_000)


def peer(name, source, target, codec, repeats):
    """Runs inside of a process of its own; prints `what seconds cpu rows bytes` as the Swift helper does."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    if name == "pyarrow":
        import pyarrow
        import pyarrow.parquet

        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)
        table = pyarrow.parquet.read_table(source, use_threads=False)
        rows = table.num_rows
        write = lambda: pyarrow.parquet.write_table(table, target, compression=codec)
        read = lambda: pyarrow.parquet.read_table(target, use_threads=False).num_rows
        two = lambda: pyarrow.parquet.read_table(target, columns=["ts", "f3"], use_threads=False).num_rows
    elif name == "polars":
        import polars

        table = polars.read_parquet(source)
        rows = table.height
        write = lambda: table.write_parquet(target, compression=codec)
        read = lambda: polars.read_parquet(target).height
        two = lambda: polars.read_parquet(target, columns=["ts", "f3"]).height
    else:
        import duckdb

        connection = duckdb.connect()
        connection.execute("set threads=1")
        connection.execute(f"create table t as from '{source}'")
        rows = connection.execute("select count(*) from t").fetchone()[0]
        write = lambda: connection.execute(f"copy t to '{target}' (format parquet, compression {codec})")
        read = lambda: connection.execute(f"select * from '{target}'").to_arrow_table().num_rows
        two = lambda: connection.execute(f"select ts, f3 from '{target}'").to_arrow_table().num_rows
    for what, run in (("write", write), ("read", read), ("two", two)):
        for _ in range(repeats + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            print(what, time.perf_counter() - wall, time.process_time() - cpu, rows, os.path.getsize(target), flush=True)


def measured(command, peaks, name):
    """What a process prints; its peak memory goes to `peaks`, in megabytes."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    peaks[name] = max(peaks.get(name, 0), usage.ru_maxrss / 1024)
    return output


def ours(helper, source, target, codec, repeats, peaks):
    lines = []
    for words in (
        ["bench-write", source, target, str(repeats), "--codec", codec],
        ["bench-read", target, str(repeats)],
        ["bench-read", target, str(repeats), "--columns", "ts,f3"],
    ):
        output = measured([helper, *words], peaks, "headrace")
        lines += [line.replace("read", "two") if "--columns" in words else line for line in output.splitlines()]
    return lines


def medians(lines, by_processor):
    """Of each measurement without its warm-up: seconds, rows, bytes."""
    found = {}
    for line in lines:
        what, wall, processor, rows, size = line.split()
        found.setdefault(what, []).append((float(processor if by_processor else wall), int(rows), int(size)))
    return {
        what: (statistics.median(run[0] for run in runs[1:]), runs[0][1], runs[0][2]) for what, runs in found.items()
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("helper")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--codec", default="zstd")
    parser.add_argument("--folder", default=None)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--processor", action="store_true", help="processor time instead of the wall's: on a busy machine")
    parser.add_argument("--peer", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        name, source, target = arguments.peer
        return peer(name, source, target, arguments.codec, arguments.repeats)
    folder = arguments.folder or tempfile.mkdtemp(prefix="headrace-parquet-")
    source = os.path.join(folder, f"wide-{arguments.rows}.parquet")
    if not os.path.exists(source):
        generate(source, arguments.rows)
    results, peaks = {}, {}
    for name in arguments.peers.split(","):
        target = os.path.join(folder, f"{name}.parquet")
        command = [sys.executable, __file__, arguments.helper, "--codec", arguments.codec, "--repeats"]
        command += [str(arguments.repeats), "--peer", name, source, target]
        output = measured(command, peaks, name)
        results[name] = medians(output.splitlines(), arguments.processor)
    target = os.path.join(folder, "headrace.parquet")
    results["headrace"] = medians(
        ours(arguments.helper, source, target, arguments.codec, arguments.repeats, peaks), arguments.processor)
    base = results.get("pyarrow", results["headrace"])
    print(f"{arguments.rows} rows, {arguments.codec}, one thread; in brackets: times pyarrow's")
    for name, found in results.items():
        cells = []
        for what in ("write", "read", "two"):
            wall, rows, size = found[what]
            speed = rows / wall / 1e6
            cells.append(f"{what} {speed:6.2f} M rows/s ({base[what][0] / wall:4.2f})")
        size = found["write"][2]
        print(f"{name:9}", "  ".join(cells), f" {size / 1e6:6.1f} MB ({size / base['write'][2]:4.2f})  peak {peaks[name]:5.0f} MB")


if __name__ == "__main__":
    main()
