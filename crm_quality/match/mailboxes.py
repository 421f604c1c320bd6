"""What a mailbox tells of its holder where the record itself is silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.names import formal_names
from crm_quality.match.text import skeleton

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_given_name_of_mailbox(
    features: pl.DataFrame, extra: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """``K Engqvist, klaraengqvist@telia.com`` → given name ``klara``.

    Only where the given name is missing or an initial that fits, and the letters of the mailbox
    are a name of at least three letters and the whole surname.

    Args:
        features: With ``letters`` and the columns of names.
        extra: Formal name → pet forms.
    """
    letters, surname, given = pl.col("letters"), pl.col("surname"), pl.col("given")
    ends = letters.str.ends_with(surname)
    starts = letters.str.starts_with(surname)
    size = surname.str.len_chars()
    rest = (
        pl.when(ends & (size > 2))
        .then(letters.str.head(letters.str.len_chars().cast(pl.Int64) - size.cast(pl.Int64)))
        .when(starts & (size > 2))
        .then(letters.str.slice(size))
    )
    silent = given.is_null() | ((given.str.len_chars() == 1) & (rest.str.slice(0, 1) == given))
    told = pl.when(silent & (rest.str.len_chars() > 2)).then(rest)
    found = features.select(told.alias("given"))["given"]
    if found.null_count() == found.len():
        return features
    fits = pl.col("told").is_not_null()
    formal = formal_names(found, extra).rename({"given_1": "told", "given_n": "told_n"})
    wide = features.with_columns(found.alias("told")).join(
        formal, on="told", how="left", maintain_order="left"
    )
    named = [
        pl.when(fits).then(pl.col("told")).otherwise(pl.col(name)).alias(name)
        for name in ("given", "given_1", "given_w")
    ]
    return wide.with_columns(
        *named,
        pl.when(fits).then(pl.concat_list("told")).otherwise("given_t").alias("given_t"),
        pl.when(fits).then("told_n").otherwise("given_n").alias("given_n"),
        pl.when(fits).then(skeleton(pl.col("told"))).otherwise("given_s").alias("given_s"),
    ).drop("told", "told_n")


def with_company_of_mailbox(features: pl.DataFrame) -> pl.DataFrame:
    """``ann@nordonova-capital.fr`` without a company → company ``nordonovacapital``."""
    label = pl.col("mail_domains").list.first().str.extract(r"^([^.]+)")
    label = label.str.replace_all(r"[^\p{L}\p{N}]", "")
    silent = pl.col("company").is_null() & (label.str.len_chars() > 3)
    return features.with_columns(
        pl.when(silent).then(label).otherwise("company").alias("company"),
        pl.when(silent).then(pl.concat_list(label)).otherwise("company_t").alias("company_t"),
        pl.when(silent).then(skeleton(label)).otherwise("company_s").alias("company_s"),
    )
