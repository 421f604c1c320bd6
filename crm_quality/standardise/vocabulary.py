"""Accepted values: a text is one of them, a synonym of one, or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from rapidfuzz import fuzz, process

from crm_quality.definitions import fold, folded
from crm_quality.standardise.column import NO_NOTE, note, on_distinct

if TYPE_CHECKING:
    from crm_quality.definitions import Vocabulary


def standardise_vocabulary(texts: pl.Series, vocabulary: Vocabulary) -> pl.DataFrame:
    """Texts as accepted values.

    Args:
        texts: Cleaned text.
        vocabulary: The accepted values and their synonyms.

    Returns:
        ``value`` String: the accepted value that the text is or means, without regard to case,
        accents, punctuation and blanks, a deprecated one being followed to what replaces it;
        null for what is not known. ``note``: ``synonym`` where the text is another word than
        value and label, ``unknown`` where it is none.
    """
    meanings = _meanings(vocabulary)
    return on_distinct(texts.to_frame("text"), lambda rows: _matched(rows, meanings))


def _meanings(vocabulary: Vocabulary) -> pl.DataFrame:
    """Folded text → accepted value, and whether it is a synonym."""
    seen: dict[str, tuple[str, bool]] = {}
    for value, details in vocabulary.values.items():
        target = replacement(vocabulary, value)
        for text in (value, details.label):
            if text:
                seen.setdefault(fold(text), (target, target != value))
    for value, details in vocabulary.values.items():
        for text in details.synonyms:
            seen.setdefault(fold(text), (replacement(vocabulary, value), True))
    return pl.DataFrame(
        [(key, value, synonym) for key, (value, synonym) in seen.items() if key],
        schema={"key": pl.String, "value": pl.String, "synonym": pl.Boolean},
        orient="row",
    )


def replacement(vocabulary: Vocabulary, value: str) -> str:
    """The accepted value that stands for ``value`` now: itself, unless it is deprecated."""
    seen = {value}
    while (target := vocabulary.values[value].replaced_by) and target not in seen:
        seen.add(target)
        value = target
    return value


def _matched(frame: pl.DataFrame, meanings: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.with_columns(key=folded(pl.col("text")))
        .join(meanings, on="key", how="left", maintain_order="left")
        .select(
            "value",
            note=pl.when("synonym")
            .then(note("synonym"))
            .when(pl.col("value").is_null() & pl.col("text").is_not_null())
            .then(note("unknown"))
            .otherwise(NO_NOTE),
        )
    )


def nearest(vocabulary: Vocabulary, texts: pl.Series, *, at_least: float = 70) -> pl.Series:
    """The accepted value nearest to each text, for suggestions.

    Args:
        vocabulary: The accepted values and their synonyms.
        texts: Any text; distinct values are compared once.
        at_least: Similarity from 0 to 100 (rapidfuzz ``WRatio``) that a suggestion needs.

    Returns:
        Accepted values; null where nothing is near enough, and for null.
    """
    meanings = dict(_meanings(vocabulary).select("key", "value").iter_rows())
    keys = list(meanings)
    distinct = texts.drop_nulls().unique()
    found = []
    for text in distinct:
        best = process.extractOne(fold(text), keys, scorer=fuzz.WRatio, score_cutoff=at_least)
        found.append(meanings[best[0]] if best else None)
    return texts.replace_strict(distinct, pl.Series(found, dtype=pl.String), default=None)
