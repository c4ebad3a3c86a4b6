"""What `headrace dataset` says of places where there is nothing."""


def test_reading_makes_no_folder(cli, tmp_path):
    missing = tmp_path / "nowhere"
    for command in (["list"], ["show", "a"], ["verify", "a"]):
        result = cli("dataset", *command, "--data", str(missing), code=1)
        assert "there are no tables" in result.err and "TABLES_MISSING" in result.err
    assert not missing.exists()
