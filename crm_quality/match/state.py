"""What matching knows of the records it has seen, so that it need not look at all of them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.blocking import finer, name_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.match.blocking import Blocked

#: The column of a state's features by which blocks that are too large are cut.
NAME = "block_name"


@dataclass(frozen=True)
class StateChange:
    """What a change did to a state.

    Attributes:
        touched: Ids of records that came, changed or went.
        features: Of those that came or changed, as in a state.
        blocks: Key → ``id`` and ``hash`` of the blocks that these are in.
    """

    touched: pl.Series
    features: pl.DataFrame
    blocks: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class MatchState:
    """Records as they were when they were last matched, under one model.

    Attributes:
        features: One row per record, ordered by ``id``: the features with frequencies, and `NAME`.
        blocks: Key that makes pairs → ``id`` and ``hash`` of the blocks that each record is in.
    """

    features: pl.DataFrame
    blocks: Mapping[str, pl.DataFrame]

    def changed(self, change: StateChange) -> MatchState:
        """The state after some records came, changed or went."""
        kept = self.features.filter(~are_in(self.features["id"], change.touched))
        made = change.features
        features = pl.concat([kept, made])
        if kept.height and made.height and int(made["id"][0]) < int(kept["id"][-1]):
            features = features.sort("id")
        blocks = {
            key: pl.concat(
                [self.blocks[key].filter(~are_in(self.blocks[key]["id"], change.touched)), came]
            )
            for key, came in change.blocks.items()
        }
        return MatchState(features, blocks)

    def of(self, ids: pl.Series) -> pl.DataFrame:
        """The features of some records, ordered by ``id``; unknown ids are left out."""
        known = self.features["id"]
        place = known.search_sorted(ids.unique().sort())
        found = self.features[place.filter(place < known.len())]
        return found.filter(pl.col("id").is_in(ids.implode()))


def are_in(ids: pl.Series, some: pl.Series) -> pl.Series:
    """Whether each id is one of ``some``; by a table over all ids, which are small numbers."""
    if ids.is_empty() or some.is_empty():
        return pl.Series([], dtype=pl.Boolean).extend_constant(value=False, n=len(ids))
    table = np.zeros(max(int(ids.max()), int(some.max())) + 1, dtype=np.bool_)  # type: ignore[arg-type]
    table[some.to_numpy()] = True
    return pl.Series(table[ids.to_numpy()])


def state_of(features: pl.DataFrame, blocked: Blocked) -> MatchState:
    """The state after all records were blocked.

    Args:
        features: With frequencies, ordered by ``id``.
        blocked: Of these, with its blocks kept.
    """
    used = [key for key in blocked.keys if blocked.caps.get(key) or blocked.caps.get(finer(key))]
    blocks = {
        key: blocked.blocks[key].select(
            features["id"].gather(blocked.blocks[key]["position"]).alias("id"), "hash"
        )
        for key in used
        if key in blocked.blocks
    }
    return MatchState(features.with_columns(name_hashes(features).alias(NAME)), blocks)
