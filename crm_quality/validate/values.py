"""Values that are not in a vocabulary: which belong together, and what they probably mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from crm_quality.definitions import fold
from crm_quality.validate.spelling_keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crm_quality.definitions import Vocabulary

#: Distinct values that are compared with each other at most, the most frequent first.
MOST_COMPARED = 5_000
#: Likeness of folded spellings, 0 to 100, from which one probably means the other.
LEAST_LIKENESS = 75.0
#: A key that sounds alike counts only for words that also look alike to this degree.
_ALIKE = 60.0
_SHORTEST_SOUND = 3
#: A spelling of this many letters that stands in a longer text, all but a letter, is meant there.
_LONG = 5
_HELD = 95.0


def cluster_values(
    values: pl.DataFrame, *, method: str = "fingerprint", at_least: float = 85
) -> pl.DataFrame:
    """Spellings that probably mean one thing, as OpenRefine's clustering.

    Args:
        values: ``value`` String, distinct; ``count`` of records that have it. Nulls are left out.
        method: ``fingerprint``, ``ngram``, ``metaphone``, ``cologne`` (values with one key are a
            cluster) or ``nearest`` (values at least ``at_least`` alike are linked; only the
            `MOST_COMPARED` most frequent ones are compared: the time grows with their square).
        at_least: Likeness for ``nearest``, 0 to 100 (rapidfuzz ``ratio`` of the folded texts).

    Returns:
        ``cluster`` Int64 from 1, the one with most records first; ``value``; ``count``;
        ``suggestion``: the cluster's most frequent value. Values alone in their cluster are
        left out.
    """
    values = values.select("value", pl.col("count").cast(pl.Int64)).drop_nulls("value")
    values = values.sort("count", "value", descending=[True, False])
    if method == "nearest":
        values = values.head(MOST_COMPARED)
        keys = _linked([fold(text) for text in values["value"]], at_least)
    else:
        make = KEYS[method]
        keys = pl.Series([make(text) or None for text in values["value"]], dtype=pl.String)
    return (
        values.with_columns(keys.alias("key"))
        .drop_nulls("key")
        .with_columns(
            pl.len().over("key").alias("size"),
            pl.col("count").sum().over("key").alias("total"),
            pl.col("value").first().over("key").alias("suggestion"),
        )
        .filter(pl.col("size") > 1)
        .sort("total", "suggestion", descending=[True, False], maintain_order=True)
        .with_columns(pl.col("suggestion").rle_id().cast(pl.Int64).alias("cluster") + 1)
        .select("cluster", "value", "count", "suggestion")
    )


def suggest_targets(
    values: pl.DataFrame, vocabulary: Vocabulary, *, at_least: float = LEAST_LIKENESS
) -> pl.DataFrame:
    """What values outside a vocabulary probably mean.

    A value is compared with every accepted value, label and synonym by each key in turn, the
    strictest first, then by likeness. Unknown values of one n-gram fingerprint are one cluster
    and get one suggestion, that of their most frequent member that has one.

    Args:
        values: ``value`` String, distinct; ``count`` of records that have it.
        vocabulary: The accepted values.
        at_least: Likeness that ``nearest`` needs, 0 to 100 (rapidfuzz ``ratio`` of folded texts).

    Returns:
        ``value``, ``count``, ``cluster`` Int64 from 1, ``suggestion`` (an accepted value, null
        when nothing is near), ``method`` (``fold``, a key of `KEYS`, ``nearest`` or ``cluster``),
        ``score`` 0 to 100; the cluster with most records first. Values of the vocabulary itself
        are left out.
    """
    known = _Known(vocabulary)
    listed = values.select("value", pl.col("count").cast(pl.Int64)).drop_nulls("value")
    listed = listed.filter(~pl.col("value").is_in(list(vocabulary.values)))
    found = [known.meaning(text, at_least) for text in listed["value"]]
    clusters = [KEYS["ngram"](text) or fold(text) or text for text in listed["value"]]
    schema = {"suggestion": pl.String, "method": pl.String, "score": pl.Float64}
    result = (
        listed.hstack(pl.DataFrame(found, schema=schema, orient="row"))
        .with_columns(pl.Series("key", clusters, dtype=pl.String))
        .with_columns(pl.col("count").sum().over("key").alias("total"))
        .sort("total", "key", "count", "value", descending=[True, False, True, False])
    )
    lead = pl.col("suggestion").drop_nulls().first().over("key")
    borrowed = pl.col("suggestion").is_null() & lead.is_not_null()
    return result.with_columns(
        lead.alias("suggestion"),
        pl.when(borrowed).then(pl.lit("cluster")).otherwise("method").alias("method"),
        (pl.col("key").rle_id().cast(pl.Int64) + 1).alias("cluster"),
    ).select("value", "count", "cluster", "suggestion", "method", "score")


#: So few letters are near to too many words.
_TOO_SHORT = 2


def probable_values(texts: pl.Series, vocabulary: Vocabulary) -> pl.Series:
    """The accepted value that each text probably means, for suggestions beside an issue.

    Args:
        texts: Any text; each distinct one is compared once.
        vocabulary: The accepted values.

    Returns:
        Accepted values; null where nothing is near enough, and for null.
    """
    distinct = texts.drop_nulls().unique()
    if distinct.is_empty():
        return pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    known = _Known(vocabulary)
    meant = [known.meaning(text, LEAST_LIKENESS)[0] for text in distinct]
    return texts.replace_strict(distinct, pl.Series(meant, dtype=pl.String), default=None)


class _Known:
    """The spellings of a vocabulary by each of their keys."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.targets: dict[str, str] = {}
        for value, details in vocabulary.values.items():
            for text in (value, details.label, *details.synonyms):
                if folded := fold(text):
                    self.targets.setdefault(folded, details.replaced_by or value)
        self.folded = list(self.targets)
        self.long = [folded for folded in self.folded if len(folded) >= _LONG]
        self.by_key: dict[str, dict[str, list[str]]] = {name: {} for name in KEYS}
        for value, details in vocabulary.values.items():
            for text in (value, details.label, *details.synonyms):
                for name, make in KEYS.items():
                    if (key := make(text)) and (folded := fold(text)):
                        self.by_key[name].setdefault(key, []).append(folded)

    def meaning(self, text: str, at_least: float) -> tuple[str | None, str | None, float | None]:
        """The accepted value, the method that found it, and how alike the spellings are."""
        folded = fold(text)
        if folded in self.targets:
            return self.targets[folded], "fold", 100.0
        for name, make in KEYS.items():
            sounds = name in {"metaphone", "cologne"}
            key = make(text)
            if sounds and len(key) < _SHORTEST_SOUND:
                continue
            alike = self.by_key[name].get(key, [])
            least = _ALIKE if sounds else 0
            best = process.extractOne(folded, alike, scorer=fuzz.ratio, score_cutoff=least)
            if best is not None:
                return self.targets[best[0]], name, round(best[1], 1)
        if len(folded) <= _TOO_SHORT:
            return None, None, None
        best = process.extractOne(folded, self.folded, scorer=fuzz.ratio, score_cutoff=at_least)
        if best is None:
            # "Messestand Hannover" holds "Messe"; what is shorter is held by chance ("ig")
            best = process.extractOne(
                folded, self.long, scorer=fuzz.partial_ratio, score_cutoff=_HELD
            )
        if best is None:
            return None, None, None
        return self.targets[best[0]], "nearest", round(best[1], 1)


def _linked(texts: Sequence[str], at_least: float) -> pl.Series:
    """One key per group of texts that are linked, directly or through others."""
    parent = list(range(len(texts)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, two in _pairs(texts, at_least):
        parent[max(root(one), root(two))] = min(root(one), root(two))
    return pl.Series([str(root(node)) for node in range(len(texts))], dtype=pl.String)


def _pairs(texts: Sequence[str], at_least: float, rows: int = 500) -> Iterable[tuple[int, int]]:
    for start in range(0, len(texts), rows):
        scores = process.cdist(
            texts[start : start + rows],
            texts[start:],
            scorer=fuzz.ratio,
            score_cutoff=at_least,
            dtype=np.uint8,
        )
        for one, two in np.argwhere(scores > 0):
            if one < two:
                yield start + int(one), start + int(two)
