"""Candidate pairs under a budget: every count is known before any pair is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.keys import Key, usable_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition

    Positions = NDArray[np.int64]

#: With no more pairs than this in all, every pair is compared.
EVERY_PAIR = 500_000

#: Sizes that the largest block of a key may be cut to.
_LADDER = (1000, 700, 500, 300, 200, 150, 100, 70, 50, 40, 30, 20, 15, 10, 7, 5)

#: What the caps of a model call the blocks of a key that are cut by the name as well.
_FINER = " + name"

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
        finer_cap: The same for larger blocks cut by the name as well.
        over: Values of blocks above the cap with their sizes, the greatest first.
        over_records: Records in blocks above the cap.
        poor: Dropped, because it brought next to nothing that other keys did not.
    """

    key: str
    blocks: int
    pairs: int
    cap: int
    finer_cap: int = 0
    over: tuple[tuple[str, int], ...] = ()
    over_records: int = 0
    poor: bool = False


@dataclass(frozen=True)
class Blocked:
    """Candidate pairs and how they came about.

    Attributes:
        pairs: ``left`` and ``right`` (positions of records, left < right) and ``met``, a bit for
            each key of ``keys`` under which they met.
        keys: Names of the keys, bit 0 first.
        report: One entry for each key.
        caps: Key → caps, so that later runs cut at the same sizes; see `finer`.
        blocks: Key → ``position`` and ``hash`` of the blocks that each record is in; empty unless
            asked for.
    """

    pairs: pl.DataFrame
    keys: tuple[str, ...]
    report: tuple[KeyReport, ...] = ()
    caps: Mapping[str, int] = field(default_factory=dict)
    blocks: Mapping[str, pl.DataFrame] = field(default_factory=dict)


def finer(key: str) -> str:
    """What the caps of a model call the blocks of ``key`` that are cut by the name as well."""
    return key + _FINER


def block(
    features: pl.DataFrame,
    definition: MatchingDefinition,
    caps: Mapping[str, int] | None = None,
    *,
    keep_blocks: bool = False,
) -> Blocked:
    """Pairs of records that share a key, within the budget of each key.

    A key gets the largest cap at which its blocks together make no more pairs than its budget.
    Records of larger blocks are blocked again by the key and their name; what is still too large
    is skipped and named.

    Args:
        features: As made by `features`, ordered by id.
        definition: The matching, with its budget.
        caps: Of a model; null = chosen for these records. A key without a cap makes no pairs.
        keep_blocks: Return the blocks too.

    Returns:
        The pairs, each once, ordered by left and right.
    """
    count = features.height
    if count * (count - 1) // 2 <= EVERY_PAIR:
        return _every_pair(count)
    budget = definition.budget
    most = max(budget.floor, round(budget.pairs_per_record * count))
    keys = usable_keys(definition.matching, features.columns)
    names = name_hashes(features)
    made: list[pl.DataFrame] = []
    reports: list[KeyReport] = []
    kept: dict[str, pl.DataFrame] = {}
    for bit, key in enumerate(keys):
        members = key.hashes(features)
        if keep_blocks:
            kept[key.name] = members
        whole = _Blocks.of(members["position"], members["hash"])
        cap = (
            caps.get(key.name, 0)
            if caps is not None
            else _cap(whole.sizes, most, budget.largest_block, budget.smallest_cap)
        )
        over = whole.larger(cap)
        cut = over.cut_by(names)
        finer_cap = (
            caps.get(finer(key.name), 0)
            if caps is not None
            else _cap(cut.sizes, most, max(cap, _LADDER[-1]), _LADDER[-1])
        )
        left, right = map(
            np.concatenate, zip(whole.pairs_up_to(cap), cut.pairs_up_to(finer_cap), strict=True)
        )
        reports.append(
            KeyReport(
                key.name,
                int((whole.sizes > 1).sum()),
                len(left),
                cap,
                finer_cap,
                _named(key, features, over),
                len(np.unique(over.position)),
            )
        )
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
    chosen = {r.key: r.cap for r in reports} | {finer(r.key): r.finer_cap for r in reports}
    return Blocked(pairs, tuple(k.name for k in keys), tuple(reports), chosen, kept)


def without_keys(blocked: Blocked, dropped: Iterable[str]) -> Blocked:
    """The same without the pairs that only ``dropped`` keys brought."""
    gone = set(dropped)
    mask = sum(1 << bit for bit, key in enumerate(blocked.keys) if key not in gone)
    met = pl.col("met") & mask
    return replace(
        blocked,
        pairs=blocked.pairs.with_columns(met).filter(pl.col("met") != 0),
        report=tuple(
            replace(r, pairs=0, cap=0, finer_cap=0, poor=True) if r.key in gone else r
            for r in blocked.report
        ),
        caps={
            name: 0 if name.removesuffix(_FINER) in gone else cap
            for name, cap in blocked.caps.items()
        },
    )


def name_hashes(features: pl.DataFrame) -> pl.Series:
    """A number for the name of each record, by which a block that is too large is cut; or null."""
    columns = [c for c in ("given_s", "surname_s", "company_s") if c in features.columns][:2]
    if not columns:
        return pl.Series("name", [None], dtype=pl.UInt64).new_from_index(0, features.height)
    text = pl.concat_str(columns, separator="|")
    hashed = pl.when(text.is_not_null()).then(text.hash(seed=1))
    return features.select(hashed.alias("name")).to_series()


def _every_pair(count: int) -> Blocked:
    left, right = np.triu_indices(count, 1)
    pairs = pl.DataFrame(
        {"left": left.astype(np.uint32), "right": right.astype(np.uint32)}
    ).with_columns(pl.lit(1, dtype=pl.Int64).alias("met"))
    report = KeyReport("every pair", int(count > 1), pairs.height, count)
    return Blocked(pairs, ("every pair",), (report,), {})


def _cap(sizes: Positions, most: int, largest: int, smallest: int) -> int:
    """The largest size at which all blocks up to it make at most ``most`` pairs; 0 = none."""
    pairs = sizes * (sizes - 1) // 2
    for cap in _LADDER:
        if smallest <= cap <= largest and int(pairs[sizes <= cap].sum()) <= most:
            return cap
    return 0


@dataclass(frozen=True)
class _Blocks:
    """The records of one key, block by block.

    Attributes:
        position: Positions of records.
        hash: The block of each.
        starts: Where in ``position`` each block begins.
        sizes: How many records each has.
    """

    position: Positions
    hash: NDArray[np.uint64]
    starts: Positions
    sizes: Positions

    @classmethod
    def of(cls, position: pl.Series, hashes: pl.Series) -> _Blocks:
        """Sort records into blocks."""
        order = hashes.arg_sort()
        hashed = hashes.gather(order).to_numpy()
        place = position.cast(pl.Int64).gather(order).to_numpy()
        edges = np.flatnonzero(hashed[1:] != hashed[:-1]) + 1
        starts = np.concatenate([[0], edges]) if len(hashed) else edges
        sizes = np.diff(np.append(starts, len(hashed)))
        return cls(place, hashed, starts, sizes)

    def larger(self, cap: int) -> _Blocks:
        """The blocks of more than ``cap`` records, and of two at least."""
        chosen = self.sizes > max(cap, 1)
        rows = np.repeat(chosen, self.sizes)
        sizes = self.sizes[chosen]
        return _Blocks(self.position[rows], self.hash[rows], np.cumsum(sizes) - sizes, sizes)

    def cut_by(self, names: pl.Series) -> _Blocks:
        """The blocks that are left where the name counts too."""
        position = pl.Series(self.position)
        name = names.gather(position)
        cut = pl.DataFrame({"position": position, "hash": pl.Series(self.hash) ^ name}).drop_nulls()
        return _Blocks.of(cut["position"], cut["hash"])

    def pairs_up_to(self, cap: int) -> tuple[Positions, Positions]:
        """All pairs inside the blocks of no more than ``cap`` records; lesser position first."""
        chosen = (self.sizes > 1) & (self.sizes <= cap)
        rows = np.repeat(chosen, self.sizes)
        position, sizes = self.position[rows], self.sizes[chosen]
        ends = np.repeat(np.cumsum(sizes), sizes)
        following = ends - np.arange(len(position)) - 1
        first = np.repeat(np.arange(len(position)), following)
        step = np.arange(len(first)) - np.repeat(np.cumsum(following) - following, following)
        one, other = position[first], position[first + 1 + step]
        apart = one != other
        return np.minimum(one, other)[apart], np.maximum(one, other)[apart]


def _named(key: Key, features: pl.DataFrame, over: _Blocks) -> tuple[tuple[str, int], ...]:
    """The texts and sizes of the largest blocks above the cap."""
    if not len(over.sizes):
        return ()
    largest = np.lexsort((over.hash[over.starts], -over.sizes))[:_NAMED]
    holders = features[over.position[over.starts[largest]]]
    texts = key.values(holders).select("value", pl.col("value").hash(seed=0).alias("hash")).unique()
    named = pl.DataFrame(
        {"hash": over.hash[over.starts[largest]], "size": over.sizes[largest]}
    ).join(texts, on="hash")
    named = named.sort("size", "value", descending=[True, False])
    return tuple(named.select("value", "size").iter_rows())
