"""What `headrace verify` says of wrong usage and of places where nothing was served; the rest is in live_parity.py."""

from pathlib import Path

TOPOLOGY = Path(__file__).resolve().parents[2] / "topologies" / "flights.yaml"


def test_nothing_was_served(cli, tmp_path):
    missing = tmp_path / "nowhere"
    result = cli("verify", "--topology", str(TOPOLOGY), "--data", str(missing), code=1)
    assert "TABLES_MISSING" in result.err
    assert not missing.exists()
    (tmp_path / "tables").mkdir()
    result = cli("verify", "--topology", str(TOPOLOGY), "--data", str(tmp_path), code=1)
    assert "SERVED_MISSING" in result.err and "--parity-sample" in result.err
    result = cli("verify", "--topology", str(TOPOLOGY), "--data", str(tmp_path), "--service", "nobody", code=1)
    assert "`nobody`" in result.err


def test_wrong_usage(cli, tmp_path):
    place = ["--topology", str(TOPOLOGY), "--data", str(tmp_path)]
    for flags, word in ((["--from", "yesterday"], "--from"), (["--sample", "0"], "--sample"),
                        (["--service", "a", "--view", "b"], "one of both")):
        result = cli("verify", *place, *flags, code=2)
        assert word in result.err
    assert "--parity-sample" in cli("run", str(TOPOLOGY), "--data", str(tmp_path), "--parity-sample", "-1", code=2).err
