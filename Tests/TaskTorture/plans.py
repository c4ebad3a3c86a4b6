"""Versions of one topology: views come, change and go, while the others stay as they are."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from pathlib import Path

import yaml

PREFIX = "extra"
WINDOWS = ("1h", "2h", "6h", "12h", "24h")
OPERATIONS = ("add", "change", "add", "remove")


@dataclass(frozen=True)
class Version:
    file: Path
    # What is different from the version before it.
    change: str
    # Some view of it is built from the log.
    builds: bool


class Series:
    """Each call of `next` writes the topology as it is to be from now on."""

    def __init__(self, topology: Path, folder: Path, seed: int):
        self.document = yaml.safe_load(topology.read_text())
        self.folder = folder
        self.chance = random.Random(f"{seed}/plans")
        self.number = 0
        self.removed: list[tuple[str, dict]] = []
        # What is repartitioned cannot be added to a topology that has read on without it.
        self.models = [name for name, view in self.document["views"].items() if self._is_local(view)]
        self.kept = list(self.models)

    def next(self, operation: str | None = None) -> Version:
        extras = [name for name in self.document["views"] if name.startswith(PREFIX)]
        operation = operation or OPERATIONS[self.number % len(OPERATIONS)]
        if not extras or operation == "add":
            operation, name = "add", self._add()
        else:
            name = self.chance.choice(extras)
            if operation == "remove":
                self.removed.append((name, self.document["views"].pop(name)))
            else:
                self._reword(self.document["views"][name])
        self.number += 1
        file = self.folder / f"plan-{self.number}.yaml"
        file.write_text(yaml.safe_dump(self.document, sort_keys=False))
        return Version(file, f"{operation} {name}", operation != "remove")

    def _add(self) -> str:
        # Now and then one that was there before, as it was: of its former rows nothing may be left.
        if self.removed and self.chance.random() < 0.5:
            name, view = self.removed.pop()
        else:
            name, view = f"{PREFIX}_{self.number}", copy.deepcopy(
                self.document["views"][self.chance.choice(self.models)])
            view.pop("history", None)
            # A copy of another view, to the letter, has rows of its own.
            if self.chance.random() < 0.7:
                self._reword(view)
        self.document["views"][name] = view
        return name

    def _reword(self, view: dict) -> None:
        """Other windows; what is computed from other features by their names goes."""
        features = {name: text for name, text in view["features"].items() if " over " in str(text)}
        for name, text in features.items():
            head, _, tail = text.rpartition(" over ")
            if "(" not in tail:
                some = self.chance.sample(WINDOWS, self.chance.randint(1, 2))
                features[name] = f"{head} over {', '.join(sorted(some, key=WINDOWS.index))}"
        view["features"] = features

    def _is_local(self, view: dict) -> bool:
        keys = self.document["entities"][view["entity"]]
        keys = [keys] if isinstance(keys, str) else keys
        return keys == [self.document["sources"][view["source"]].get("key")]
