"""Which records share a blocking key with a new one: every block of a store, ready to look into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crm_quality.match.keys import Key

    Hashes = NDArray[np.uint32]
    Positions = NDArray[np.uint32]

#: Records of larger blocks are found by the key and their name only.
LARGEST_BLOCK = 1_000

#: Of no more records than this, every one is a candidate, as every pair is in a batch of them.
EVERY_RECORD = 1_000

#: Columns of the features that cut a block which is too large.
_FINER = ("given_s", "surname_s", "company_s")


@dataclass(frozen=True)
class KeyValue:
    """One block that a record is in.

    Attributes:
        key: Name of the key.
        value: What the records of the block share.
    """

    key: str
    value: str


@dataclass(frozen=True)
class _Blocks:
    """The blocks of one key: hashes of values in order, and the record of each."""

    hashes: Hashes
    positions: Positions

    def of(self, value: np.uint32) -> Positions:
        # of the same type as the hashes, which would else be converted, all of them
        first = np.searchsorted(self.hashes, value, side="left")
        last = np.searchsorted(self.hashes, value, side="right")
        return self.positions[first:last]


class BlockIndex:
    """The blocks of all keys.

    A value is kept as 32 bits of its hash, so a block may hold a few records that do not share the
    value; they are scored like others and come to nothing. 8 bytes for each record and key.
    """

    def __init__(self, features: pl.DataFrame, keys: Sequence[Key]) -> None:
        self.keys = tuple(keys)
        self.records = features.height
        finer = _finer(features)
        self._blocks: dict[str, _Blocks] = {}
        self._finer_blocks: dict[str, _Blocks] = {}
        for key in self.keys:
            values = key.values(features)
            sized = values.with_columns(pl.len().over("value").alias("size"))
            small = sized.filter(pl.col("size") <= LARGEST_BLOCK)
            self._blocks[key.name] = _blocks(small)
            large = sized.filter(pl.col("size") > LARGEST_BLOCK)
            if large.height:
                named = large.join(finer, on="position").select(
                    "position", pl.concat_str("value", "more", separator="|").alias("value")
                )
                kept = named.filter(pl.len().over("value") <= LARGEST_BLOCK)
                self._finer_blocks[key.name] = _blocks(kept)

    def candidates(self, record: pl.DataFrame, most: int) -> Positions:
        """Positions of the records that share most with ``record``.

        A shared key counts for log2 of the number of records over the size of its block.

        Args:
            record: Features of one record.
            most: So many at most; of `EVERY_RECORD` or fewer all are candidates.

        Returns:
            Positions of features, in order.
        """
        if self.records <= max(most, EVERY_RECORD):
            return np.arange(self.records, dtype=np.uint32)
        shared = key_values(record, self.keys)
        more = _finer(record)["more"].to_list()
        asked = [(key, value) for key, values in shared.items() for value in values]
        texts = [value for _, value in asked]
        if more:
            texts += [f"{value}|{more[0]}" for value in texts]
        hashes = _hashes(pl.Series(texts, dtype=pl.String))
        found: list[Positions] = []
        for number, (key, _) in enumerate(asked):
            block = self._blocks[key].of(hashes[number])
            if not len(block) and more and key in self._finer_blocks:
                block = self._finer_blocks[key].of(hashes[number + len(asked)])
            if len(block):
                found.append(block)
        if not found:
            return np.empty(0, dtype=np.uint32)
        positions, place = np.unique(np.concatenate(found), return_inverse=True)
        if len(positions) <= most:
            return positions
        bits = [np.log2(max(self.records / len(block), 2.0)) for block in found]
        shares = np.repeat(bits, [len(block) for block in found])
        weight = np.bincount(place, weights=shares)
        chosen = np.argsort(-weight, kind="stable")[:most]
        return np.sort(positions[chosen])


def key_values(record: pl.DataFrame, keys: Sequence[Key]) -> dict[str, list[str]]:
    """Key → its values for one record, as `Key.values` gives them, all in one pass.

    Args:
        record: Features of one record.
        keys: Whose values; those without a value are left out.
    """
    filled = {name for name in record.columns if record[name].null_count() == 0}
    usable = [key for key in keys if not filled.isdisjoint(key.needs)]
    if not usable:
        return {}
    made = record.select(
        part.alias(f"{number}|{place}")
        for number, key in enumerate(usable)
        for place, part in enumerate(key.parts)
    ).row(0)
    values: dict[str, list[str]] = {}
    at = 0
    for key in usable:
        first, *rest = made[at : at + len(key.parts)]
        at += len(key.parts)
        if first is None or None in rest:
            continue
        listed = first if key.each else [first]
        found = ["|".join(map(str, (one, *rest))) for one in listed if one is not None]
        if found:
            values[key.name] = found
    return values


def shared_blocks(
    left: Mapping[str, Sequence[str]], right: Mapping[str, Sequence[str]]
) -> list[KeyValue]:
    """The blocks that two records are both in, of what `key_values` gave of each."""
    return [
        KeyValue(key, value)
        for key, values in left.items()
        for value in dict.fromkeys(values)
        if value in right.get(key, ())
    ]


def _finer(features: pl.DataFrame) -> pl.DataFrame:
    columns = [name for name in _FINER if name in features.columns][:2]
    more = pl.concat_str(columns, separator="|") if columns else pl.lit(None, dtype=pl.String)
    return features.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("position"), more.alias("more")
    ).drop_nulls()


def _hashes(values: pl.Series) -> Hashes:
    return (values.hash(0).to_numpy() >> np.uint64(32)).astype(np.uint32)


def _blocks(values: pl.DataFrame) -> _Blocks:
    hashes = _hashes(values["value"])
    order = np.argsort(hashes, kind="stable")
    return _Blocks(hashes[order], values["position"].to_numpy()[order])
