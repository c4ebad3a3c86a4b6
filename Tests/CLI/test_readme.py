"""What README.md tells people to type is something that the program knows, over files that are there or that were made above."""

import pathlib
import re
import shlex

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def commands():
    """The lines behind `$ headrace`, continued ones joined, without what a comment says."""
    found = []
    for block in re.findall(r"(?ms)^```console\n(.*?)^```", (ROOT / "README.md").read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ headrace "):
                words = shlex.split(line[len("$ headrace "):], comments=True)
                found.append([word for word in words if word != "&"])
    return found


def test_there_are_commands_to_check():
    assert len(commands()) > 25


@pytest.mark.parametrize("words", commands(), ids=lambda words: "_".join(words[:2])[:40])
def test_every_flag_is_one_of_the_command(cli, words):
    groups = ("models", "dataset", "access", "cost", "drift", "explain", "tables", "topics", "generate", "demo")
    depth = 2 if words[0] in groups and not words[1].startswith("-") else 1
    text = cli(*words[:depth], "--help").text
    for flag in filter(lambda word: word.startswith("--"), words):
        assert re.search(rf"(?<!\S){re.escape(flag)}(?![\w-])", text), f"{' '.join(words[:depth])} has no {flag}"


def test_files_are_there_or_were_made_above():
    made = {"data", "late_v1", "shelf"}
    text = (ROOT / "README.md").read_text()
    made |= set(re.findall(r"to '([\w.]+\.parquet)'", text))
    for words in commands():
        outputs = [words[index + 1] for index, word in enumerate(words) if word in ("--save", "--html", "--out")]
        for word in words:
            if not re.fullmatch(r"[\w./-]+\.(yaml|parquet|ubj|json|gz|html|txt|onnx)", word) or word in outputs:
                continue
            there = (ROOT / word).exists() or word in made or word.split("/")[0] in made or word == "access.yaml"
            assert there, f"{' '.join(words)}: nothing makes {word}"
        made |= set(outputs)
