"""What decisions imply: "same" goes on from record to record, "different" parts whole groups."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.clusters import components

if TYPE_CHECKING:
    from collections.abc import Iterable

SAME, DIFFERENT = "same", "different"


@dataclass(frozen=True)
class Decision:
    """What somebody decided on two records.

    Attributes:
        decision_id: Its number.
        left: One record.
        right: The other.
        verdict: `SAME` or `DIFFERENT`.
    """

    decision_id: int
    left: int
    right: int
    verdict: str


class Decided:
    """Decisions put together, so that each further one can be held against all before it."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._same: dict[int, dict[int, Decision]] = defaultdict(dict)
        self._different: dict[int, dict[int, Decision]] = defaultdict(dict)
        for decision in decisions:
            self.add(decision)

    def add(self, decision: Decision) -> None:
        """Take one more; a later decision on the same two records replaces the earlier."""
        for one, other in (
            (decision.left, decision.right),
            (decision.right, decision.left),
        ):
            kept, dropped = self._same, self._different
            if decision.verdict != SAME:
                kept, dropped = dropped, kept
            dropped[one].pop(other, None)
            kept[one][other] = decision

    def group(self, record: int) -> set[int]:
        """The records that decisions say are the same as ``record``, itself among them."""
        return set(self._reached(record))

    def verdict(self, left: int, right: int) -> str | None:
        """What decisions say of two records, directly or by implication; null = nothing."""
        if left == right:
            return SAME
        ours, theirs = self.group(left), self.group(right)
        if right in ours:
            return SAME
        apart = any(theirs.intersection(self._different[one]) for one in ours)
        return DIFFERENT if apart else None

    def chain(self, left: int, right: int) -> list[Decision]:
        """The decisions that imply what `verdict` says, as one way from left to right; or none.

        Where the verdict is "different", exactly one decision of the chain says so.
        """
        ours = self._reached(left)
        if right in ours:
            return self._way(ours, right)
        theirs = self._reached(right)
        for one in ours:
            for other, decision in self._different[one].items():
                if other in theirs:
                    there = self._way(theirs, other)
                    return [*self._way(ours, one), decision, *reversed(there)]
        return []

    def contradiction(self, left: int, right: int, verdict: str) -> list[Decision]:
        """The chain that a new decision would contradict; empty where it fits."""
        said = self.verdict(left, right)
        return [] if said is None or said == verdict else self.chain(left, right)

    def _reached(self, record: int) -> dict[int, tuple[int, Decision] | None]:
        """Each record of the group and by what it was reached first."""
        came: dict[int, tuple[int, Decision] | None] = {record: None}
        waiting = deque([record])
        while waiting:
            one = waiting.popleft()
            for other, decision in self._same[one].items():
                if other not in came:
                    came[other] = (one, decision)
                    waiting.append(other)
        return came

    @staticmethod
    def _way(came: dict[int, tuple[int, Decision] | None], goal: int) -> list[Decision]:
        way: list[Decision] = []
        at = came[goal]
        while at is not None:
            way.append(at[1])
            at = came[at[0]]
        return way[::-1]


def decided_clusters(record_ids: pl.Series, decisions: pl.DataFrame) -> pl.DataFrame:
    """Clusters of what was decided to be the same, and of nothing else.

    Args:
        record_ids: Every record, increasing.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict``.

    Returns:
        ``record_id``, ``cluster_id`` (the least record of the cluster).
    """
    ids = record_ids.to_numpy()
    place = pl.DataFrame({"id": record_ids, "place": np.arange(len(ids), dtype=np.int64)})
    tied = (
        decisions.filter(pl.col("verdict") == SAME)
        .join(place.rename({"place": "a"}), left_on="record_id_l", right_on="id")
        .join(place.rename({"place": "b"}), left_on="record_id_r", right_on="id")
    )
    label = components(len(ids), tied["a"].to_numpy(), tied["b"].to_numpy())
    return pl.DataFrame({"record_id": ids, "cluster_id": ids[label]})


def among_live(decisions: pl.DataFrame, live: pl.Series) -> pl.DataFrame:
    """Decisions, and what they imply of live records by way of records that have ended.

    A record that its source has deleted gives no evidence, but who was decided to be the same as
    it, or not, stays so.

    Args:
        decisions: ``record_id_l`` < ``record_id_r``, ``verdict`` (same, different, others are left
            as they are).
        live: ``record_id`` of live records, increasing.

    Returns:
        ``decisions``, with further ones where a record of them is not live.
    """
    ties = decisions.filter(pl.col("verdict").is_in([SAME, DIFFERENT]))
    ids = pl.concat([ties["record_id_l"], ties["record_id_r"]]).unique().sort()
    gone = ids.filter(~ids.is_in(live.implode()))
    if gone.is_empty():
        return decisions
    same = ties.filter(pl.col("verdict") == SAME)
    label = components(
        ids.len(),
        ids.search_sorted(same["record_id_l"]).cast(pl.Int64).to_numpy(),
        ids.search_sorted(same["record_id_r"]).cast(pl.Int64).to_numpy(),
    )
    group = pl.DataFrame({"record_id": ids, "group": label})
    # one live record stands for its group
    heads = group.filter(~pl.col("record_id").is_in(gone.implode())).with_columns(
        pl.col("record_id").min().over("group").alias("head")
    )
    torn = group.filter(pl.col("record_id").is_in(gone.implode())).select("group").unique()
    held = heads.join(torn, on="group", how="semi").filter(pl.col("record_id") != pl.col("head"))
    head = heads.select("group", "head").unique()
    apart = (
        ties.filter(pl.col("verdict") == DIFFERENT)
        .filter(
            pl.col("record_id_l").is_in(gone.implode())
            | pl.col("record_id_r").is_in(gone.implode())
        )
        .join(group.rename({"group": "g_l"}), left_on="record_id_l", right_on="record_id")
        .join(group.rename({"group": "g_r"}), left_on="record_id_r", right_on="record_id")
        .join(head.rename({"head": "a"}), left_on="g_l", right_on="group")
        .join(head.rename({"head": "b"}), left_on="g_r", right_on="group")
        .filter(pl.col("a") != pl.col("b"))
    )
    order = (
        pl.min_horizontal("a", "b").alias("record_id_l"),
        pl.max_horizontal("a", "b").alias("record_id_r"),
    )
    implied = pl.concat(
        [
            held.select(
                pl.col("head").alias("a"),
                pl.col("record_id").alias("b"),
                pl.lit(SAME).alias("verdict"),
            ),
            apart.select("a", "b", pl.lit(DIFFERENT).alias("verdict")),
        ]
    ).select(*order, "verdict")
    fresh = implied.join(decisions, on=["record_id_l", "record_id_r"], how="anti").unique(
        maintain_order=True
    )
    return pl.concat([decisions, fresh.select(decisions.columns).cast(decisions.schema)])
