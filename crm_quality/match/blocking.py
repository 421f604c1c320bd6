"""Candidate pairs under a budget: every count is known before any pair is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.keys import Key, usable_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition

    Positions = NDArray[np.int64]

#: With no more pairs than this in all, every pair is compared.
EVERY_PAIR = 500_000

#: Sizes that the largest block of a key may be cut to.
_LADDER = (1000, 700, 500, 300, 200, 150, 100, 70, 50, 40, 30, 20, 15, 10, 7, 5)

#: Blocks over the cap that a report names.
_NAMED = 20


@dataclass(frozen=True)
class KeyReport:
    """What one key did.

    Attributes:
        key: Its name.
        blocks: Blocks of two and more records.
        pairs: Pairs that it made (others may make them too).
        cap: Size of the largest block that is compared wholly; 0 = the key is skipped.
        over: Values of blocks above the cap with their sizes, the greatest first.
        over_records: Records in blocks above the cap.
    """

    key: str
    blocks: int
    pairs: int
    cap: int
    over: tuple[tuple[str, int], ...] = ()
    over_records: int = 0


@dataclass(frozen=True)
class Blocked:
    """Candidate pairs and how they came about.

    Attributes:
        pairs: ``left`` and ``right`` (positions of records, left < right) and ``met``, a bit for
            each key of ``keys`` under which they met.
        keys: Names of the keys, bit 0 first.
        report: One entry for each key.
        caps: Key → cap, so that later runs cut at the same sizes.
    """

    pairs: pl.DataFrame
    keys: tuple[str, ...]
    report: tuple[KeyReport, ...] = ()
    caps: Mapping[str, int] = field(default_factory=dict)


def block(
    features: pl.DataFrame,
    definition: MatchingDefinition,
    caps: Mapping[str, int] | None = None,
) -> Blocked:
    """Pairs of records that share a key, within the budget of each key.

    A key gets the largest cap at which its blocks together make no more pairs than its budget.
    Records of larger blocks are blocked again by the key and their name; what is still too large
    is skipped and named.

    Args:
        features: As made by `features`, ordered by id.
        definition: The matching, with its budget.
        caps: Key → cap, from a model; null = chosen for these records.

    Returns:
        The pairs, each once, ordered by left and right.
    """
    count = features.height
    if count * (count - 1) // 2 <= EVERY_PAIR:
        return _every_pair(count)
    budget = definition.budget
    most = max(budget.floor, round(budget.pairs_per_record * count))
    keys = usable_keys(definition.matching, features.columns)
    refinement = _refinement(features)
    made: list[pl.DataFrame] = []
    reports: list[KeyReport] = []
    for bit, key in enumerate(keys):
        values = key.values(features)
        cap = (
            caps[key.name]
            if caps is not None and key.name in caps
            else _cap(_block_sizes(values), most, budget.largest_block, budget.smallest_cap)
        )
        left, right, report = _pairs_of_key(key, values, cap, refinement, most)
        reports.append(report)
        if len(left):
            code = left * count + right
            made.append(
                pl.DataFrame({"code": code}).with_columns(
                    pl.lit(1 << bit, dtype=pl.Int64).alias("met")
                )
            )
    empty = pl.DataFrame(schema={"code": pl.Int64, "met": pl.Int64})
    once = pl.concat([empty, *made]).group_by("code").agg(pl.col("met").bitwise_or()).sort("code")
    pairs = once.select(
        (pl.col("code") // count).cast(pl.UInt32).alias("left"),
        (pl.col("code") % count).cast(pl.UInt32).alias("right"),
        "met",
    )
    return Blocked(
        pairs, tuple(k.name for k in keys), tuple(reports), {r.key: r.cap for r in reports}
    )


def _every_pair(count: int) -> Blocked:
    left, right = np.triu_indices(count, 1)
    pairs = pl.DataFrame(
        {"left": left.astype(np.uint32), "right": right.astype(np.uint32)}
    ).with_columns(pl.lit(1, dtype=pl.Int64).alias("met"))
    report = KeyReport("every pair", int(count > 1), pairs.height, count)
    return Blocked(pairs, ("every pair",), (report,), {})


def _refinement(features: pl.DataFrame) -> pl.DataFrame:
    """``position`` and ``more``: what a block that is too large is cut by."""
    columns = [c for c in ("given_s", "surname_s", "company_s") if c in features.columns][:2]
    more = pl.concat_str(columns, separator="|") if columns else pl.lit(None, dtype=pl.String)
    return features.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("position"), more.alias("more")
    )


def _block_sizes(values: pl.DataFrame) -> Positions:
    sizes = values.group_by("value").len().filter(pl.col("len") > 1)["len"]
    return sizes.cast(pl.Int64).to_numpy()


def _cap(sizes: Positions, most: int, largest: int, smallest: int) -> int:
    """The largest size at which all blocks up to it make at most ``most`` pairs; 0 = none."""
    pairs = sizes * (sizes - 1) // 2
    for cap in _LADDER:
        if smallest <= cap <= largest and int(pairs[sizes <= cap].sum()) <= most:
            return cap
    return 0


def _pairs_of_key(
    key: Key, values: pl.DataFrame, cap: int, refinement: pl.DataFrame, most: int
) -> tuple[Positions, Positions, KeyReport]:
    sized = values.with_columns(pl.len().over("value").alias("size")).filter(pl.col("size") > 1)
    blocks = sized["value"].n_unique()
    over = sized.filter(pl.col("size") > cap)
    left, right = _within(sized.filter(pl.col("size") <= cap))
    named: tuple[tuple[str, int], ...] = ()
    if over.height:
        largest = (
            over.select("value", "size").unique().sort("size", "value", descending=[True, False])
        )
        named = tuple(largest.head(_NAMED).iter_rows())
        finer = (
            over.join(refinement, on="position", how="left")
            .drop_nulls("more")
            .select("position", pl.concat_str("value", "more", separator="|").alias("value"))
            .with_columns(pl.len().over("value").alias("size"))
            .filter(pl.col("size") > 1)
        )
        sizes = finer.group_by("value").agg(pl.col("size").first())["size"].cast(pl.Int64)
        finer_cap = _cap(sizes.to_numpy(), most, max(cap, _LADDER[-1]), _LADDER[-1])
        more_left, more_right = _within(finer.filter(pl.col("size") <= finer_cap))
        left, right = np.concatenate([left, more_left]), np.concatenate([right, more_right])
    report = KeyReport(
        key.name, blocks, len(left), cap, named, over["position"].n_unique() if over.height else 0
    )
    return left, right, report


def _within(members: pl.DataFrame) -> tuple[Positions, Positions]:
    """All pairs inside each block; ``members`` has ``position`` and ``value``."""
    if members.is_empty():
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing
    ordered = members.select("position", pl.col("value").rank("dense").alias("block")).sort(
        "block", "position"
    )
    position = ordered["position"].cast(pl.Int64).to_numpy()
    number = ordered["block"].cast(pl.Int64).to_numpy()
    ends = np.searchsorted(number, number, side="right")
    place = np.arange(len(number))
    following = ends - place - 1
    first = np.repeat(place, following)
    step = np.arange(len(first)) - np.repeat(np.cumsum(following) - following, following)
    left, right = position[first], position[first + 1 + step]
    apart = left != right
    return left[apart], right[apart]
