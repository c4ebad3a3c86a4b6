"""`headrace drift compare` on files and tables, against the figures of scipy, Evidently and NannyML."""

import os
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "Tests" / "DriftTests" / "Golden" / "reference.tsv"
SIZES = {"4000x3000": (4000, 3000), "800x600": (800, 600)}
MASK = (1 << 64) - 1


def uniforms(seed):
    """SplitMix64 as numbers from 0 up to 1."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        yield (z >> 11) * 2.0**-53


def bell(draws):
    total = 0.0
    for _ in range(12):
        total += next(draws)
    return total - 6.0


def pick(draws, names, shares):
    draw, total = next(draws), 0.0
    for name, share in zip(names, shares):
        total += share
        if draw < total:
            return name
    return names[-1]


REFERENCE = {
    "n0": bell,
    "n1": bell,
    "n2": bell,
    "n3": lambda g: bell(g) ** 2,
    "n4": lambda g: float(int(next(g) * 4.0)),
    "n5": lambda g: float(int(next(g) * 100.0)),
    "c0": lambda g: pick(g, "abcd", [0.4, 0.3, 0.2, 0.1]),
    "c1": lambda g: pick(g, "abcdef", [0.3, 0.3, 0.2, 0.15, 0.05, 0.0]),
    "c2": lambda g: pick(g, "ab", [0.5, 0.5]),
}


def squared(value):
    return value * value


CURRENT = {
    "n0": lambda g: bell(g) + 0.25,
    "n1": lambda g: bell(g) * 1.5,
    "n2": bell,
    "n3": lambda g: squared(bell(g) * 1.2),
    "n4": lambda g: float(int(squared(next(g)) * 4.0)),
    "n5": lambda g: float(int(next(g) * 100.0)),
    "c0": lambda g: pick(g, "abcd", [0.3, 0.3, 0.2, 0.2]),
    "c1": lambda g: pick(g, "abcdef", [0.3, 0.25, 0.2, 0.15, 0.0, 0.1]),
    "c2": lambda g: pick(g, "ab", [0.52, 0.48]),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The two sets that the figures were made from, as Parquet files of several row groups."""
    folder = tmp_path_factory.mktemp("drift")
    for rows, sizes in SIZES.items():
        for side, draws, seed, count in (("reference", REFERENCE, 1000, sizes[0]), ("current", CURRENT, 1001, sizes[1])):
            columns = {}
            for index, (name, draw) in enumerate(draws.items()):
                source = uniforms(seed + 10 * index)
                columns[name] = [draw(source) for _ in range(count)]
            pq.write_table(pa.table(columns), folder / f"{rows}.{side}.parquet", row_group_size=700)
    return folder


def golden(library, rows):
    for line in GOLDEN.read_text().splitlines():
        fields = line.split("\t")
        if fields[0] == library and fields[1] == rows:
            yield fields[2], fields[3], fields[4]


def compare(cli, *arguments, **options):
    return cli("drift", "compare", *arguments, "--output", "json", **options)


def scores(cli, data, rows, *arguments):
    report = compare(cli, data / f"{rows}.reference.parquet", data / f"{rows}.current.parquet", *arguments).json
    return {(entry["feature"], name): test for entry in report["features"] for name, test in entry["tests"].items()}


def near(found, expected, absolute=1e-9):
    return abs(found - expected) <= max(absolute, 1e-9 * abs(expected))


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("flags", [[], ["--exact"], ["--exact", "--threads", "1"]])
def test_scipy(cli, data, rows, flags):
    names = {
        "ks": "ks", "ks_p_auto": "ks_p", "wasserstein_over_std_ref": "wasserstein",
        "psi_10_ref_quantiles_eps1e_4": "psi", "chi2_p": "chi2", "js_distance_ln": "jensenshannon",
    }
    found = scores(cli, data, rows, "--tests", ",".join(names.values()), *flags)
    checked = 0
    for column, figure, value in golden("scipy", rows):
        if figure in names:
            score = found[column, names[figure]]["score"]
            assert near(score, float(value)), (column, figure, score, value)
            checked += 1
    assert checked == 6 * 4 + 3 * 2


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("library", ["evidently", "nannyml"])
def test_evidently_and_nannyml(cli, data, rows, library):
    figures = [f for f in golden(library, rows) if f[1] not in ("default_method", "TVD")]
    tests = sorted({name.split("[")[0] for _, name, _ in figures} - {"default"})
    found = scores(cli, data, rows, "--definition", library, "--tests", ",".join(tests), "--exact")
    default = scores(cli, data, rows, "--definition", library)
    checked = 0
    for column, name, value in figures:
        if name == "default":
            score = next(test["score"] for (feature, _), test in default.items() if feature == column)
        else:
            test = found[column, name.split("[")[0]]
            score = test["p_value"] if name.endswith("[1]") else test["score"]
        assert near(score, float(value)), (column, name, score, value)
        checked += 1
    assert checked > 30


def test_the_shape_and_the_verdicts(cli, data):
    report = compare(cli, data / "4000x3000.reference.parquet", data / "4000x3000.current.parquet", "--tests", "psi,ks").json
    assert [entry["feature"] for entry in report["features"]] == list(REFERENCE)
    first = report["features"][0]
    assert first["tests"]["ks"] == {"score": pytest.approx(0.126916666667, abs=1e-9), "threshold": 0.1, "drift": True}
    assert first["tests"]["psi"]["drift"] is False and first["tests"]["psi"]["threshold"] == 0.2
    # A category has no order.
    assert list(report["features"][6]["tests"]) == ["psi"]
    limits = scores(cli, data, "4000x3000", "--tests", "psi=0.05,ks=0.5", "--features", "n0")
    assert limits["n0", "psi"]["drift"] is True and limits["n0", "ks"]["drift"] is False
    text = cli("drift", "compare", data / "4000x3000.reference.parquet", data / "4000x3000.current.parquet").text
    assert "n0" in text and "4,000 and 3,000 rows" in text and "drift" in text


def test_tables_and_their_versions(cli, tmp_path):
    def rows(shift, seed):
        draws = uniforms(seed)
        return pa.table({"x": [next(draws) + shift for _ in range(2_000)], "day": pa.array([17] * 2_000, pa.int64())})

    path = tmp_path / "tables" / "features" / "view"
    path.mkdir(parents=True)
    write_deltalake(str(path), rows(0.0, 1))
    write_deltalake(str(path), rows(0.5, 2), mode="overwrite")
    same = compare(cli, f"{path}@0", f"{path}@0").json
    assert same["features"][0]["tests"]["ks"]["score"] == 0
    shifted = compare(cli, f"{path}@0", path).json
    assert shifted["features"][0]["tests"]["ks"]["drift"] is True
    named = compare(cli, "features/view@0", "features/view", "--data", tmp_path).json
    assert named["features"] == shifted["features"]
    # A version is of the time at which its entry was written.
    hour = 3_600
    os.utime(path / "_delta_log" / f"{0:020}.json", (1_700_000_000, 1_700_000_000))
    for moment in (f"{1_700_000_000 + hour}000", "2023-11-14T23:13:20Z"):
        assert compare(cli, f"{path}@{moment}", path).json["features"] == shifted["features"]
    assert "DELTA_NO_VERSION" in compare(cli, f"{path}@7", path, code=1).err


def test_missing_values_times_and_truths(cli, tmp_path):
    before = pa.table({
        "flag": [True, False] * 300 + [None] * 10,
        "at": pa.array([1_700_000_000_000_000 + i * 1_000_000 for i in range(610)], pa.timestamp("us", "UTC")),
        "x": [float(i % 7) for i in range(600)] + [float("nan")] * 10,
        "nothing": pa.array([None] * 610, pa.float64()),
    })
    now = pa.table({
        "flag": [True] * 500 + [None] * 110,
        "at": pa.array([1_700_000_000_000_000 + i * 2_000_000 for i in range(610)], pa.timestamp("us", "UTC")),
        "x": [float(i % 7) for i in range(500)] + [None] * 110,
        "nothing": pa.array([None] * 610, pa.float64()),
    })
    pq.write_table(before, tmp_path / "before.parquet")
    pq.write_table(now, tmp_path / "now.parquet")
    report = compare(cli, tmp_path / "before.parquet", tmp_path / "now.parquet").json
    tests = {entry["feature"]: entry["tests"] for entry in report["features"]}
    assert tests["flag"]["missing"]["score"] == pytest.approx(100 / 610) and tests["flag"]["psi"]["drift"] is True
    assert tests["x"]["missing"]["drift"] is True and tests["x"]["ks"]["score"] < 0.02
    assert tests["at"]["ks"]["drift"] is True
    assert list(tests["nothing"]) == ["missing"] and tests["nothing"]["missing"]["score"] == 0


def test_what_is_wrong_is_named(cli, tmp_path):
    pq.write_table(pa.table({"amount": [1.0, 2.0], "country": ["a", "b"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"amount": ["1", "2"], "land": ["a", "b"]}), tmp_path / "b.parquet")
    pq.write_table(pa.table({"amount": pa.array([], pa.float64())}), tmp_path / "empty.parquet")
    pq.write_table(pa.table({"other": [1.0]}), tmp_path / "other.parquet")

    def error(*arguments, code=1):
        return cli("drift", "compare", *arguments, code=code).err

    a = tmp_path / "a.parquet"
    text = error(a, tmp_path / "b.parquet")
    assert "DRIFT_TYPE" in text and "amount" in text and "string" in text and "double" in text
    text = error(a, a, "--features", "amuont")
    assert "DRIFT_COLUMN" in text and 'did you mean "amount"' in text
    assert "DRIFT_EMPTY" in error(a, tmp_path / "empty.parquet", "--features", "amount")
    assert "DRIFT_NO_COLUMNS" in error(a, tmp_path / "other.parquet")
    assert "DRIFT_INPUT" in error(a, tmp_path / "missing.parquet")
    assert "did you mean `wasserstein`" in error(a, a, "--tests", "waserstein", code=2)
    assert "did you mean evidently" in error(a, a, "--definition", "evidentl", code=2)
    assert "no such test" in error(a, a, "--definition", "nannyml", "--tests", "psi", code=2)
    assert "--threads 0" in error(a, a, "--threads", "0", code=2)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 is not enough")
    assert "PARQUET" in error(a, tmp_path / "broken.parquet")
