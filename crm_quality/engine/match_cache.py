"""What matching knows of a store's records, in files beside it: derived, and safe to delete.

A state belongs to one moment of the store, named by a token in ``matching.state``. A store that
was restored, undone or killed after its commit has another token, finds no file of it, and matches
all records again.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from crm_quality.match import MatchState, StateChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Version of the files; hashes of blocks are those of one version of Polars.
_FORM = f"2 polars {pl.__version__}"
_INDEX = "index.json"
_TOUCHED = "touched.arrow"

#: So many changes are read one after the other; then the state is written wholly again, as it is
#: when a greater share of its records has changed than this.
_LONGEST_CHAIN, _MOST_CHANGED = 8, 0.2


class MatchCache:
    """The states of one store's entities.

    Attributes:
        folder: ``cache/`` beside the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, entity: str, token: str) -> MatchState | None:
        """The state named ``token``; null when there is none that this version can read."""
        try:
            whole, *changes = self._chain(entity, token)
            state = MatchState(_features(whole), _blocks(whole, _index(whole)))
            for folder in changes:
                touched = pl.read_ipc(folder / _TOUCHED)["id"]
                change = StateChange(touched, _features(folder), _blocks(folder, _index(folder)))
                state = state.changed(change)
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
            return None
        return state

    def holds(self, entity: str, token: str | None) -> bool:
        """Whether there is a state of that name: the store is as it was matched last."""
        return token is not None and (self._folder(entity, token) / _INDEX).is_file()

    def save(self, entity: str, token: str, state: MatchState) -> None:
        """Keep ``state`` in place of earlier ones; call it after the store has committed."""
        self._write(entity, token, state.features, state.blocks, rows=state.features.height)

    def save_change(
        self, entity: str, token: str, before: str, change: StateChange, state: MatchState
    ) -> None:
        """Keep ``state``, of which only ``change`` is new since the state named ``before``.

        What has changed is written beside what is there, unless reading it all would take long.
        """
        try:
            chain = self._chain(entity, before)
            held = _index(chain[-1])
            changed = held["changed"] + len(change.touched)
            if len(chain) > _LONGEST_CHAIN or changed > _MOST_CHANGED * held["rows"]:
                chain = []
        except (OSError, ValueError, KeyError):
            chain = []
        if not chain:
            self.save(entity, token, state)
            return
        self._write(
            entity, token, change.features, change.blocks,
            rows=held["rows"], changed=changed, chain=chain, touched=change.touched,
        )  # fmt: skip

    def _write(
        self,
        entity: str,
        token: str,
        features: pl.DataFrame,
        blocks: Mapping[str, pl.DataFrame],
        *,
        rows: int,
        changed: int = 0,
        chain: Sequence[Path] = (),
        touched: pl.Series | None = None,
    ) -> None:
        """Write one folder, and delete all that it does not build on.

        Args:
            entity: Of what.
            token: Names the state.
            features: All of them, or those of records that came or changed.
            blocks: Likewise.
            rows: Records of the state that is kept whole.
            changed: Records that changed since.
            chain: What it builds on.
            touched: Ids of records that came, changed or went; null = the state is whole.
        """
        folder = self._folder(entity, token)
        made = self.folder / f".{folder.name}-{uuid4().hex}"
        index = {
            "form": _FORM,
            "keys": list(blocks),
            "chain": [one.name for one in chain],
            "rows": rows,
            "changed": changed,
        }
        try:
            made.mkdir(parents=True)
            features.write_ipc(made / "features.arrow")
            for number, frame in enumerate(blocks.values()):
                frame.write_ipc(made / f"block{number}.arrow")
            if touched is not None:
                touched.alias("id").to_frame().write_ipc(made / _TOUCHED)
            (made / _INDEX).write_text(json.dumps(index), encoding="utf-8")
            made.rename(folder)
        except OSError:
            # a full disk costs the next run some time, not this run its success
            shutil.rmtree(made, ignore_errors=True)
            return
        for other in self.folder.glob(f"*{entity}-*"):
            if other != folder and other not in chain:
                shutil.rmtree(other, ignore_errors=True)

    def _chain(self, entity: str, token: str) -> list[Path]:
        """The folders of a state: one that is whole, and the changes since."""
        folder = self._folder(entity, token)
        index = _index(folder)
        if index["form"] != _FORM:
            raise ValueError(index["form"])
        return [*(self.folder / name for name in index["chain"]), folder]

    def keep_only(self, tokens: Mapping[str, str]) -> None:
        """Delete the states of another moment of the store: all but entity → token."""
        kept: set[Path] = set()
        for entity, token in tokens.items():
            with suppress(OSError, ValueError, KeyError):
                kept.update(self._chain(entity, token))
        for folder in self.folder.glob("*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def forget(self) -> None:
        """Delete all states, which hold personal data as the store does."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _folder(self, entity: str, token: str) -> Path:
        return self.folder / f"{entity}-{token}"


def _index(folder: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    return index


def _features(folder: Path) -> pl.DataFrame:
    return pl.read_ipc(folder / "features.arrow")


def _blocks(folder: Path, index: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    return {
        key: pl.read_ipc(folder / f"block{number}.arrow")
        for number, key in enumerate(index["keys"])
    }
