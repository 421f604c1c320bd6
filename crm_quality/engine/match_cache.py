"""What matching knows of a store's records, in files beside it: derived, and safe to delete.

A state belongs to one moment of the store, named by a token in ``matching.state``. A store that
was restored, undone or killed after its commit has another token, finds no file of it, and matches
all records again.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from crm_quality.match import MatchState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Version of the files; hashes of blocks are those of one version of Polars.
_FORM = f"1 polars {pl.__version__}"
_INDEX = "index.json"


class MatchCache:
    """The states of one store's entities.

    Attributes:
        folder: ``cache/`` beside the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, entity: str, token: str) -> MatchState | None:
        """The state named ``token``; null when there is none that this version can read."""
        folder = self._folder(entity, token)
        try:
            index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
            if index["form"] != _FORM:
                return None
            features = pl.read_ipc(folder / "features.arrow")
            blocks = {
                key: pl.read_ipc(folder / f"block{number}.arrow")
                for number, key in enumerate(index["keys"])
            }
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
            return None
        return MatchState(features, blocks)

    def holds(self, entity: str, token: str | None) -> bool:
        """Whether there is a state of that name: the store is as it was matched last."""
        return token is not None and (self._folder(entity, token) / _INDEX).is_file()

    def save(self, entity: str, token: str, state: MatchState) -> None:
        """Keep ``state`` in place of earlier ones; call it after the store has committed."""
        folder = self._folder(entity, token)
        made = self.folder / f".{folder.name}-{uuid4().hex}"
        try:
            made.mkdir(parents=True)
            state.features.write_ipc(made / "features.arrow")
            for number, frame in enumerate(state.blocks.values()):
                frame.write_ipc(made / f"block{number}.arrow")
            index = {"form": _FORM, "keys": list(state.blocks)}
            (made / _INDEX).write_text(json.dumps(index), encoding="utf-8")
            made.rename(folder)
        except OSError:
            # a full disk costs the next run some time, not this run its success
            shutil.rmtree(made, ignore_errors=True)
            return
        for other in self.folder.glob(f"*{entity}-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)

    def keep_only(self, tokens: Mapping[str, str]) -> None:
        """Delete the states of another moment of the store: all but entity → token."""
        kept = {self._folder(entity, token) for entity, token in tokens.items()}
        for folder in self.folder.glob("*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def forget(self) -> None:
        """Delete all states, which hold personal data as the store does."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _folder(self, entity: str, token: str) -> Path:
        return self.folder / f"{entity}-{token}"
