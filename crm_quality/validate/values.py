"""Values that are not in a vocabulary: which belong together, and what they probably mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from crm_quality.definitions import fold
from crm_quality.validate.meanings import LEAST_LIKENESS, Meanings
from crm_quality.validate.spelling_keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crm_quality.definitions import Vocabulary

#: Distinct values that are compared with each other at most, the most frequent first.
MOST_COMPARED = 5_000


def cluster_values(
    values: pl.DataFrame, *, method: str = "fingerprint", at_least: float = 85
) -> pl.DataFrame:
    """Spellings that probably mean one thing, as OpenRefine's clustering.

    Args:
        values: ``value`` String, distinct; ``count`` of records that have it. Nulls are left out.
        method: One of `KEYS` (values with one key are a cluster) or ``nearest`` (values at least
            ``at_least`` alike are linked; only the `MOST_COMPARED` most frequent ones are
            compared: the time grows with their square).
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
    values: pl.DataFrame,
    vocabulary: Vocabulary,
    *,
    method: str = "all",
    at_least: float = LEAST_LIKENESS,
    shipped: Vocabulary | None = None,
) -> pl.DataFrame:
    """What values outside a vocabulary probably mean.

    Unknown values that are probably one thing are one cluster and get one suggestion, that of
    their most frequent member that has one.

    Args:
        values: ``value`` String, distinct; ``count`` of records that have it.
        vocabulary: The accepted values.
        method: One of `METHODS`, which then finds both clusters and meanings. ``all``: a value is
            compared with every accepted value, label and synonym in each way, the strictest
            first, and values of one n-gram fingerprint are a cluster.
        at_least: Likeness that ``nearest`` needs, 0 to 100 (rapidfuzz ``ratio`` of folded texts).
        shipped: The vocabulary of this name that comes with the package, which may know more.

    Returns:
        ``value``, ``count``, ``cluster`` Int64 from 1, ``suggestion`` (an accepted value, null
        when nothing is near), ``method`` (``fold``, one of `METHODS`, or ``cluster`` where a
        member of the cluster told), ``score`` 0 to 100, null where ``suggestion`` is; the cluster
        with most records first. Values of the vocabulary itself are left out.
    """
    known = Meanings(vocabulary, shipped)
    listed = values.select("value", pl.col("count").cast(pl.Int64)).drop_nulls("value")
    listed = listed.filter(~pl.col("value").is_in(list(vocabulary.values)))
    listed = listed.sort("count", "value", descending=[True, False])
    texts = listed["value"].to_list()
    found = [known.of(text, method=method, at_least=at_least) for text in texts]
    schema = {"suggestion": pl.String, "method": pl.String, "score": pl.Float64}
    result = (
        listed.hstack(pl.DataFrame(found, schema=schema, orient="row"))
        .with_columns(pl.Series("key", _cluster_keys(texts, method, at_least), dtype=pl.String))
        .with_columns(pl.col("count").sum().over("key").alias("total"))
        .sort("total", "key", "count", "value", descending=[True, False, True, False])
    )
    told = pl.col("suggestion").is_not_null()
    lead = pl.col("suggestion").filter(told).first().over("key")
    lead_score = pl.col("score").filter(told).first().over("key")
    borrowed = lead.is_not_null() & lead.ne_missing(pl.col("suggestion"))
    return result.with_columns(
        lead.alias("suggestion"),
        pl.when(borrowed).then(pl.lit("cluster")).otherwise("method").alias("method"),
        pl.when(borrowed).then(lead_score).otherwise("score").alias("score"),
        (pl.col("key").rle_id().cast(pl.Int64) + 1).alias("cluster"),
    ).select("value", "count", "cluster", "suggestion", "method", "score")


def _cluster_keys(texts: Sequence[str], method: str, at_least: float) -> list[str]:
    """One key per text; texts of one key are a cluster."""
    if method == "nearest" and len(texts) <= MOST_COMPARED:
        return _linked([fold(text) for text in texts], at_least).to_list()
    make = KEYS.get(method, KEYS["ngram"])
    return [make(text) or fold(text) or text for text in texts]


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
