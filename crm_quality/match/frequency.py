"""How common values are: what exact agreement is split by, and how words are weighed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Columns of the features whose exact agreement is split by frequency, into ``<column>_f``.
CLASSED = ("given_w", "surname", "company", "address", "birth_place", "area", "dob")

#: Bits of rarity (−log2 of the share of filled records) at which the next rarer class begins:
#: 1 in 64, 250, 1,000, 4,000, 16,000.
STEPS = (6, 8, 10, 12, 14)

#: A value of fewer records than this is of the rarest class: its frequency cannot be told.
LEAST_CLASSED = 3

#: The rarity of a word is kept in tenths of a bit, in the low byte of its number.
_STEP, _BYTE = 10, 256


#: Columns whose classes are told by region: a name is common or rare where its holder lives.
LOCAL = frozenset({"given_w", "surname", "company"})

#: Columns of names of people, whose classes are much the same in all files.
NAMES = ("given_w", "surname")

#: Records that a region needs to have classes of its own.
LEAST_OF_REGION = 1_000


@dataclass(frozen=True)
class TermFrequencies:
    """Which values are common, as learnt from the records a model was trained on.

    Attributes:
        classes: Column → region → value → class, from 0 (more than one record in 64) upwards; every
            other value is of the rarest class. The region "" stands for all records.
        words: Word of company names → rarity in tenths of a bit.
        rarest: Rarity of every other word.
        regions: Region with classes of its own → its records.
    """

    classes: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)
    rarest: int = 100
    regions: Mapping[str, int] = field(default_factory=dict)


def with_regions_by_name(features: pl.DataFrame, terms: TermFrequencies) -> pl.DataFrame:
    """Add ``region_told`` and fill ``region`` where nothing tells it: where its names are at home.

    Of the regions with frequencies of their own, the one in which given name and surname together
    are most likely (naive Bayes over their classes). A name that is rare everywhere stays without.
    """
    if "region" not in features.columns:
        return features
    features = features.with_columns(pl.col("region").is_not_null().alias("region_told"))
    names = [name for name in NAMES if name in features.columns]
    places = sorted({place for name in names for place in terms.classes.get(name, {}) if place})
    if not places or not names:
        return features
    silent = features.filter(~pl.col("region_told")).select("id", *names)
    bits = pl.lit(0.0)
    scores = []
    for place in places:
        bits = pl.sum_horizontal(
            pl.when(pl.col(name).is_not_null())
            .then(_looked_up(pl.col(name), terms.classes[name][place], len(STEPS) + 1, pl.Int8))
            .otherwise(0)
            for name in names
        )
        scores.append((bits * 2.0 - math.log2(terms.regions[place])).alias(place))
    rare = 2.0 * len(names) * (len(STEPS) + 1)
    best = silent.select("id", *scores).with_columns(pl.min_horizontal(places).alias("least"))
    at_home = pl.coalesce(
        pl.when(pl.col(place) == pl.col("least")).then(pl.lit(place)) for place in places
    )
    likeliest = math.log2(max(terms.regions.values()))
    known = pl.col("least") < rare - likeliest
    found = best.select("id", pl.when(known).then(at_home).alias("at_home"))
    return (
        features.join(found, on="id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("region", "at_home").alias("region"))
        .drop("at_home")
    )


def learn_frequencies(
    features: pl.DataFrame, known: TermFrequencies | None = None
) -> TermFrequencies:
    """Term frequencies of the records at hand.

    Args:
        features: As made by `features`.
        known: Names of people elsewhere. Of a name that a few records bear, a small file cannot
            tell whether it is common: then it is as common as elsewhere, if the file allows that.
    """
    classes: dict[str, dict[str, dict[str, int]]] = {}
    for name in CLASSED:
        if name in features.columns:
            classes[name] = {"": _classes(features[name])}
            if known is not None and name in NAMES:
                filled = max(features.height - features[name].null_count(), 1)
                classes[name][""] = _told_elsewhere(known, name, filled) | classes[name][""]
    regions = _large_regions(features)
    for place in regions:
        there = features.filter(pl.col("region") == place)
        for name in LOCAL.intersection(classes):
            classes[name][place] = _classes(there[name])
    if "company_t" not in features.columns:
        return TermFrequencies(classes, regions=regions)
    rarest = min(_BYTE - 1, round(math.log2(max(features.height, 2)) * _STEP))
    counts = features["company_t"].explode().drop_nulls().value_counts(name="count")
    common = counts.filter(pl.col("count") > 1).sort("company_t").with_columns(
        (-(pl.col("count") / features.height).log(2) * _STEP)
        .round().clip(1, _BYTE - 1).cast(pl.Int64).alias("bits")
    )  # fmt: skip
    words = dict(zip(common["company_t"].to_list(), common["bits"].to_list(), strict=True))
    return TermFrequencies(classes, words, rarest, regions)


def _told_elsewhere(known: TermFrequencies, column: str, filled: int) -> dict[str, int]:
    """Classes of names that so few of ``filled`` values are that a file cannot tell."""
    least = rarity_class(LEAST_CLASSED, filled)
    listed = known.classes.get(column, {}).get("", {})
    held = {value: max(rarity, least) for value, rarity in listed.items()}
    return {value: rarity for value, rarity in held.items() if rarity < len(STEPS)}


def _large_regions(features: pl.DataFrame) -> dict[str, int]:
    if "region" not in features.columns:
        return {}
    sizes = features["region"].drop_nulls().value_counts(name="count").sort("region")
    return dict(sizes.filter(pl.col("count") >= LEAST_OF_REGION).iter_rows())


def rarity_class(count: int, filled: int) -> int:
    """Class of a value that ``count`` of ``filled`` values are."""
    return sum(math.log2(filled / count) >= step for step in STEPS)


def _classes(column: pl.Series) -> dict[str, int]:
    """Classes of the values that stand on more than two records and are not of the rarest class."""
    filled = max(column.len() - column.null_count(), 1)
    counts = column.drop_nulls().rename("value").value_counts(name="count")
    bits = -(pl.col("count") / filled).log(2)
    reached = pl.sum_horizontal((bits >= step).cast(pl.Int8) for step in STEPS)
    classes = (
        counts.filter(pl.col("count") >= LEAST_CLASSED)
        .with_columns(reached.alias("class"))
        .filter(pl.col("class") < len(STEPS))
        .sort("value")
    )
    return dict(zip(classes["value"].to_list(), classes["class"].to_list(), strict=True))


def with_frequencies(features: pl.DataFrame, terms: TermFrequencies) -> pl.DataFrame:
    """Add ``<column>_f`` (Int8, 0 common to 5 rare) and ``company_w``, words as weighed numbers.

    A number is a hash of the word above and its rarity in the low byte, so that the weight of what
    two names share is a sum over the intersection of two lists.
    """
    made = [
        _class_of(name, terms.classes.get(name, {}), "region" in features.columns)
        for name in CLASSED
        if name in features.columns
    ]
    if "company_t" in features.columns:
        bits = _looked_up(pl.element(), terms.words, terms.rarest, pl.Int64)
        numbers = pl.col("company_t").list.eval(weighed(pl.element(), bits))
        made.append(numbers.list.unique().alias("company_w"))
    return features.with_columns(made)


def weighed(word: pl.Expr, bits: pl.Expr) -> pl.Expr:
    """A word as a number: its hash above, its rarity in the low byte."""
    return (word.hash(seed=0) // (2 * _BYTE)).cast(pl.Int64) * _BYTE + bits


def _class_of(column: str, classes: Mapping[str, Mapping[str, int]], has_region: bool) -> pl.Expr:
    everywhere = _looked_up(pl.col(column), classes.get("", {}), len(STEPS), pl.Int8)
    regions = [place for place in classes if place] if has_region else []
    if not regions:
        return everywhere.alias(f"{column}_f")
    known = pl.col("region").is_in(regions)
    table = {f"{place}|{value}": c for place in regions for value, c in classes[place].items()}
    local = pl.concat_str("region", column, separator="|")
    there = _looked_up(local, table, len(STEPS), pl.Int8)
    return pl.when(known).then(there).otherwise(everywhere).alias(f"{column}_f")


def _looked_up(
    value: pl.Expr, table: Mapping[str, int], default: int, dtype: type[pl.DataType]
) -> pl.Expr:
    if not table:
        return pl.lit(default, dtype=dtype)
    return value.replace_strict(
        list(table), list(table.values()), default=default, return_dtype=dtype
    )
