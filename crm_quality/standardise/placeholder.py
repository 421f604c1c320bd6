"""Texts that stand for "nothing": ``n/a``, ``-``, ``test`` and what else the definition lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import fold, folded

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILLER = r"[ -/:-@\[-`{-~]*"


def is_placeholder(texts: pl.Series, placeholders: Iterable[str]) -> pl.Series:
    """Which texts only stand for "nothing".

    Args:
        texts: Cleaned text.
        placeholders: Texts that people type for "nothing"; compared without case, accents,
            punctuation and blanks.

    Returns:
        Boolean, never null: true for a placeholder, and for punctuation alone.
    """
    words = sorted({fold(text) for text in placeholders} | {""})
    plain = [_FILLER.join(map(re.escape, word)) for word in words if word.isascii()]
    # folding is slow on a million distinct values; for ASCII this pattern says the same
    hits = texts.str.contains(f"(?i)^{_FILLER}(?:{'|'.join(plain)}){_FILLER}$")
    foreign = texts.str.contains("[^ -~]").fill_null(value=False)
    frame = pl.DataFrame({"text": texts, "hit": hits.fill_null(value=False), "foreign": foreign})
    if not foreign.any():
        return frame["hit"]
    others = frame.filter("foreign").select("text").unique()
    known = others.filter(folded(pl.col("text")).is_in(words))["text"]
    return frame.select(
        pl.when("foreign").then(pl.col("text").is_in(known.implode())).otherwise("hit").alias("hit")
    ).to_series()
