"""Match what is new or changed against what is known, and nothing else.

Under one model the result is that of `match_records` over all current records: a pair, a block and
a cluster are functions of the records in them, so only those that a change reaches can differ.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.blocking import finer, name_hashes
from crm_quality.match.clusters import components
from crm_quality.match.comparisons import comparisons as comparisons_of
from crm_quality.match.features import features as features_of
from crm_quality.match.frequency import with_frequencies, with_regions_by_name
from crm_quality.match.keys import usable_keys
from crm_quality.match.scoring import (
    Scorer,
    clustered,
    pair_vectors,
    scored,
    with_names,
)
from crm_quality.match.splink_run import SplinkRun
from crm_quality.match.state import NAME, MatchState, StateChange, are_in

#: A change may bring so many pairs and still be compared without Splink's preparation.
FEW = 500_000

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, MatchingDefinition
    from crm_quality.match.keys import Key
    from crm_quality.match.levels import Comparison
    from crm_quality.match.model import MatchModel


@dataclass(frozen=True)
class ChangedMatch:
    """What a change did to pairs and clusters.

    Attributes:
        pairs: The new pairs, as in `crm_quality.match.MatchResult`; they take the place of all
            pairs of the records in ``redone``.
        redone: ``record_id`` of records whose pairs were made anew, or that are no more.
        clusters: ``record_id``, ``cluster_id`` of every record.
        state: The state after the change.
        delta: What the change did to the state.
        compared: How many pairs were compared.
    """

    pairs: pl.DataFrame
    redone: pl.DataFrame
    clusters: pl.DataFrame
    state: MatchState
    delta: StateChange
    compared: int


def match_changes(
    before: MatchState,
    changed: pl.DataFrame,
    gone: pl.DataFrame,
    pairs: pl.DataFrame,
    clusters: pl.DataFrame,
    definition: EntityDefinition,
    model: MatchModel,
    *,
    decisions: pl.DataFrame | None = None,
) -> ChangedMatch:
    """Match new and changed records against those that are known.

    Args:
        before: The state before, under the same model.
        changed: Standardised records with ``record_id``: those that are new or say something new.
        gone: ``record_id`` of known records that are no more.
        pairs: ``record_id_l``, ``record_id_r``, ``match_weight``: the pairs of before that reach
            the model's threshold.
        clusters: ``record_id``, ``cluster_id`` of every record of before.
        definition: The entity, with its matching.
        model: The model in use.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict``: all that are in force, and those
            taken back (``withdrawn``), whose records are clustered again too.

    Returns:
        The same clusters as `match_records` would find over all current records.
    """
    matching = definition.matching
    assert matching is not None  # noqa: S101 - there is a model of it
    made = features_of(changed.sort("record_id"), definition, model.fields)
    made = with_frequencies(with_regions_by_name(made, model.terms), model.terms)
    made = made.with_columns(name_hashes(made).alias(NAME)).select(before.features.columns)
    change = _Change.of(
        before, made, gone["record_id"], usable_keys(matching.matching, made.columns)
    )
    redo = change.reached(model)
    asked = change.pairs(redo, model)
    after = change.after
    compared = model.check(definition.entity, comparisons_of(definition, made.columns))
    found = _compared(after, asked, compared, model, matching)
    loose = pl.concat([redo, change.delta.touched]).unique().sort()
    fresh = with_names(found, model, tuple(after.blocks))
    torn = _touching(pairs, loose)
    columns = ["record_id_l", "record_id_r", "match_weight"]
    held = pl.concat(
        [
            pairs.join(torn, on=columns[:2], how="anti").select(columns),
            fresh.select(columns),
        ]
    ).filter(pl.col("match_weight") >= model.accept)
    bonds = torn.filter(pl.col("match_weight") >= model.accept)
    start = [redo, bonds["record_id_l"], bonds["record_id_r"]]
    if decisions is not None:
        start += [decisions["record_id_l"], decisions["record_id_r"]]
        decisions = decisions.filter(pl.col("verdict") != "withdrawn")
    live = after.features["id"]
    members = _components_of(pl.concat(start), live, held, decisions)
    again = _clusters(
        lambda: SplinkRun(after.of(members).drop(NAME), compared),
        members, held, model, matching, decisions,
    )  # fmt: skip
    rest = clusters.filter(
        pl.col("record_id").is_in(live.implode()), ~pl.col("record_id").is_in(members.implode())
    ).select("record_id", pl.col("record_id").min().over("cluster_id").alias("cluster_id"))
    return ChangedMatch(
        pairs=fresh,
        redone=loose.to_frame("record_id"),
        clusters=pl.concat([again, rest]).sort("record_id"),
        state=after,
        delta=change.delta,
        compared=asked.height,
    )


def cluster_again(
    members: pl.Series,
    evidence: Callable[[], pl.DataFrame],
    bonds: pl.DataFrame,
    definition: EntityDefinition,
    model: MatchModel,
    decisions: pl.DataFrame,
) -> pl.DataFrame:
    """Cluster whole components again, as decisions have changed and records have not.

    Args:
        members: Numbers of live records, ascending: every one that bonds or decisions tie to one
            of them is there too.
        evidence: Gives their standardised records with ``record_id``; called only where pairs have
            to be compared.
        bonds: ``record_id_l``, ``record_id_r``, ``match_weight`` of pairs that reach the model's
            threshold.
        definition: The entity, with its matching.
        model: The model in use.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict`` of those in force.

    Returns:
        ``record_id``, ``cluster_id``: as `match_records` would find over all records.
    """
    matching = definition.matching
    assert matching is not None  # noqa: S101 - there is a model of it

    def compared() -> SplinkRun:
        made = features_of(evidence().sort("record_id"), definition, model.fields)
        made = with_frequencies(with_regions_by_name(made, model.terms), model.terms)
        return SplinkRun(
            made, model.check(definition.entity, comparisons_of(definition, made.columns))
        )

    return _clusters(compared, members, bonds, model, matching, decisions)


@dataclass(frozen=True)
class _KeyChange:
    """The blocks of one key that a change reaches, as ``id`` and ``hash`` of records.

    Attributes:
        stay: Those that are as they were.
        left: Those that changed or went, with what they were.
        came: Those that changed or came, with what they are.
    """

    stay: pl.DataFrame
    left: pl.DataFrame
    came: pl.DataFrame


@dataclass(frozen=True)
class _Change:
    """The state before and after some records came, changed or went."""

    before: MatchState
    after: MatchState
    delta: StateChange
    keys: Mapping[str, _KeyChange]

    @classmethod
    def of(
        cls, before: MatchState, made: pl.DataFrame, gone: pl.Series, keys: Sequence[Key]
    ) -> _Change:
        """Take ``gone`` and former versions of ``made`` out, and put ``made`` in."""
        touched = pl.concat([made["id"], gone]).unique()
        blocks: dict[str, pl.DataFrame] = {}
        changes: dict[str, _KeyChange] = {}
        for key in keys:
            if key.name not in before.blocks:
                continue
            old = before.blocks[key.name]
            is_touched = are_in(old["id"], touched)
            hashed = key.hashes(made)
            came = hashed.select(made["id"].gather(hashed["position"]).alias("id"), "hash")
            left, stay = old.filter(is_touched), old.filter(~is_touched)
            blocks[key.name] = came
            hit = pl.concat([left["hash"], came["hash"]]).unique()
            reached = stay.filter(pl.col("hash").is_in(hit.implode()))
            changes[key.name] = _KeyChange(reached, left, came)
        delta = StateChange(touched, made, blocks)
        return cls(before, before.changed(delta), delta, changes)

    def reached(self, model: MatchModel) -> pl.Series:
        """Ids of records whose pairs must be made anew.

        Those that came or changed; and all records of a block that is compared wholly on one side
        of the change and cut or skipped on the other.
        """
        redo = [self.delta.features["id"]]
        for key, change in self.keys.items():
            cap, cut = model.caps.get(key, 0), model.caps.get(finer(key), 0)
            sizes = _sizes(change.stay, change.left, change.came)
            redo.append(_crossing(change.stay, sizes, cap))
            large = sizes.filter(pl.min_horizontal("before", "after") > cap)["hash"]
            if large.len() and cut:
                stay, left, came = (
                    _cut_by_name(part.filter(pl.col("hash").is_in(large.implode())), state)
                    for part, state in (
                        (change.stay, self.after),
                        (change.left, self.before),
                        (change.came, self.after),
                    )
                )
                redo.append(_crossing(stay, _sizes(stay, left, came), cut))
        return pl.concat(redo).unique().sort()

    def pairs(self, redo: pl.Series, model: MatchModel) -> pl.DataFrame:
        """Pairs of ``redo`` with each other and all others: ids and the keys they met under.

        Returns:
            ``left_id`` < ``right_id`` and ``met``, a bit for each key of the blocks in their order.
        """
        made = [pl.DataFrame(schema={"left_id": pl.Int64, "right_id": pl.Int64, "met": pl.Int64})]
        for bit, (key, every) in enumerate(self.after.blocks.items()):
            cap, cut = model.caps.get(key, 0), model.caps.get(finer(key), 0)
            mine = every.filter(are_in(every["id"], redo))["hash"].unique()
            members = every.filter(pl.col("hash").is_in(mine.implode()))
            size = pl.len().over("hash")
            whole = members.filter(size <= cap)
            parts = [whole]
            if cut:
                parts.append(
                    _cut_by_name(members.filter(size > cap), self.after).filter(size <= cut)
                )
            blocks = pl.concat(parts)
            made.append(
                blocks.filter(are_in(blocks["id"], redo))
                .join(blocks, on="hash", suffix="_r")
                .filter(pl.col("id") != pl.col("id_r"))
                .select(
                    pl.min_horizontal("id", "id_r").alias("left_id"),
                    pl.max_horizontal("id", "id_r").alias("right_id"),
                    pl.lit(1 << bit, dtype=pl.Int64).alias("met"),
                )
                .unique()
            )
        return (
            pl.concat(made)
            .group_by("left_id", "right_id")
            .agg(pl.col("met").bitwise_or())
            .sort("left_id", "right_id")
        )


def _sizes(stay: pl.DataFrame, left: pl.DataFrame, came: pl.DataFrame) -> pl.DataFrame:
    """``hash``, and the size of the block ``before`` and ``after``."""
    zero, one = pl.lit(0, dtype=pl.Int64), pl.lit(1, dtype=pl.Int64)
    counted = pl.concat(
        part.select("hash", before.alias("before"), after.alias("after"))
        for part, before, after in ((stay, one, one), (left, one, zero), (came, zero, one))
    )
    return counted.group_by("hash").sum()


def _crossing(stay: pl.DataFrame, sizes: pl.DataFrame, cap: int) -> pl.Series:
    """Ids of those who stay in blocks that are on the other side of the cap than before."""
    crossed = sizes.filter((pl.col("before") <= cap) != (pl.col("after") <= cap))["hash"]
    return stay.filter(pl.col("hash").is_in(crossed.implode()))["id"]


def _cut_by_name(members: pl.DataFrame, state: MatchState) -> pl.DataFrame:
    """``id`` and ``hash`` of blocks cut by the name as well; nobody without a name is in one."""
    place = state.features["id"].search_sorted(members["id"])
    names = state.features[NAME].gather(place)
    return members.with_columns((pl.col("hash") ^ names).alias("hash")).drop_nulls("hash")


def _touching(pairs: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return pairs.filter(are_in(pairs["record_id_l"], ids) | are_in(pairs["record_id_r"], ids))


def _compared(
    state: MatchState,
    asked: pl.DataFrame,
    compared: Sequence[Comparison],
    model: MatchModel,
    matching: MatchingDefinition,
) -> pl.DataFrame:
    """Scored pairs, as `crm_quality.match.scoring.scored` gives them."""
    features = state.of(pl.concat([asked["left_id"], asked["right_id"]])).drop(NAME)
    ids = features["id"]
    placed = asked.with_columns(
        ids.search_sorted(asked["left_id"]).alias("left"),
        ids.search_sorted(asked["right_id"]).alias("right"),
    ).drop("left_id", "right_id")
    splink = SplinkRun(features, compared)
    try:
        vectors = pair_vectors(splink, placed, ids.to_numpy(), model.random, model, few=FEW)
        return scored(vectors, compared, model, matching)
    finally:
        splink.close()


def _components_of(
    start: pl.Series, live: pl.Series, held: pl.DataFrame, decisions: pl.DataFrame | None
) -> pl.Series:
    """Ids of all records that bonds or decisions tie to one of ``start``, these included."""
    ties = [held.select("record_id_l", "record_id_r")]
    if decisions is not None:
        ties.append(decisions.select("record_id_l", "record_id_r"))
    tied = pl.concat(ties)
    tied = tied.filter(are_in(tied["record_id_l"], live), are_in(tied["record_id_r"], live))
    left, right = (
        live.search_sorted(tied[name]).cast(pl.Int64).to_numpy()
        for name in ("record_id_l", "record_id_r")
    )
    label = components(live.len(), left, right)
    begun = np.zeros(live.len(), dtype=bool)
    begun[label[are_in(live, start.unique()).to_numpy()]] = True
    return live.filter(pl.Series(begun[label]))


def _clusters(
    splink: Callable[[], SplinkRun],
    members: pl.Series,
    held: pl.DataFrame,
    model: MatchModel,
    matching: MatchingDefinition,
    decisions: pl.DataFrame | None,
) -> pl.DataFrame:
    """``record_id`` and ``cluster_id`` of whole components; ``splink`` gives their features."""
    inside = held.filter(are_in(held["record_id_l"], members), are_in(held["record_id_r"], members))
    placed = inside.select(
        members.search_sorted(inside["record_id_l"]).alias("left"),
        members.search_sorted(inside["record_id_r"]).alias("right"),
        "match_weight",
    )
    ids = members.to_numpy()
    with ExitStack() as opened:
        score = Scorer(lambda: opened.enter_context(closing(splink())), model, matching, ids)
        labels = clustered(placed, score, decisions)
    return pl.DataFrame({"record_id": ids, "cluster_id": ids[labels]})
