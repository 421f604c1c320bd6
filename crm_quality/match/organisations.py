"""Company names made comparable: legal form apart, words weighed by how rare they are."""

from __future__ import annotations

import polars as pl

from crm_quality.match.text import joined, numbered, skeleton, words
from crm_quality.standardise.company_name import standardise_company_names

#: Legal forms and words that name no company; the standardise stage knows many more.
LEGAL = (
    "inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "plc", "corp", "corporation", "co",
    "company", "gmbh", "mbh", "ag", "aktiengesellschaft", "se", "kg", "kgaa", "ohg", "ug", "ev",
    "eg", "gbr", "sa", "sas", "sarl", "sl", "slu", "srl", "spa", "sro", "as", "asa", "ab", "oy",
    "oyj", "aps", "bv", "nv", "vof", "cv", "bvba", "sprl", "kft", "zrt", "nyrt", "sp", "zoo", "doo",
    "dd", "ad", "ood", "eood", "oao", "ooo", "zao", "pao", "pty", "pvt", "pte", "sdn", "bhd", "kk",
    "the", "and", "und", "et", "y", "of", "for", "the",
)  # fmt: skip


def company_features(frame: pl.DataFrame, field: str) -> pl.DataFrame:
    """Columns of the name of an organisation.

    Args:
        frame: Records; ``<field>_core`` (legal form stripped, folded) and ``<field>_legal_form``
            are used when they are there, else read from the name.
        field: The name's column.

    Returns:
        ``company`` (core as one word), ``company_t`` (its words), ``company_a`` (initials of two or
        more words), ``company_s`` (sound) and ``legal_form`` (folded).
    """
    core, form_of = f"{field}_core", f"{field}_legal_form"
    if core in frame.columns:
        legal = frame[form_of] if form_of in frame.columns else pl.Series([None] * frame.height)
        frame = frame.select(pl.col(core), legal.cast(pl.String).alias(form_of))
    else:
        read = standardise_company_names(frame[field])
        frame = read.select(pl.col("core").alias(core), pl.col("legal_form").alias(form_of))
    text = numbered(words(pl.col(core)))
    dotted = text.str.replace_all(r"\b(\p{L}) (\p{L}) (\p{L})\b", "$1$2$3")
    form = rf"\b({'|'.join(sorted(set(LEGAL), key=len, reverse=True))})\b"
    bare = dotted.str.replace_all(form, " ").str.replace_all(r"\s+", " ").str.strip_chars()
    kept = pl.when(bare.str.len_chars() > 1).then(bare).otherwise(dotted)
    tokens = pl.col("text").str.split(" ")
    legal_form = joined(words(pl.col(form_of))).alias("legal_form")
    return frame.select(kept.alias("text"), legal_form).select(
        "legal_form",
        joined(pl.col("text")).alias("company"),
        tokens.alias("company_t"),
        pl.when(tokens.list.len() >= 2)
        .then(tokens.list.eval(pl.element().str.slice(0, 1)).list.join(""))
        .alias("company_a"),
        skeleton(pl.col("text")).alias("company_s"),
    )
