"""What matching knows of the records it has seen, so that it need not look at all of them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.blocking import finer, name_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.match.blocking import Blocked

#: The column of a state's features by which blocks that are too large are cut.
NAME = "block_name"


@dataclass(frozen=True)
class MatchState:
    """Records as they were when they were last matched, under one model.

    Attributes:
        features: One row per record, ordered by ``id``: the features with frequencies, and `NAME`.
        blocks: Key that makes pairs → ``id`` and ``hash`` of the blocks that each record is in.
    """

    features: pl.DataFrame
    blocks: Mapping[str, pl.DataFrame]

    def of(self, ids: pl.Series) -> pl.DataFrame:
        """The features of some records, ordered by ``id``; unknown ids are left out."""
        known = self.features["id"]
        place = known.search_sorted(ids.unique().sort())
        found = self.features[place.filter(place < known.len())]
        return found.filter(pl.col("id").is_in(ids.implode()))


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
