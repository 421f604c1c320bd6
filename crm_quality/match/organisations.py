"""Company names made comparable: legal form apart, words weighed by how rare they are."""

from __future__ import annotations

import polars as pl

from crm_quality.match.text import joined, numbered, skeleton, words

#: Legal forms and words that name no company; the standardise stage knows many more.
LEGAL = (
    "inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "plc", "corp", "corporation", "co",
    "company", "gmbh", "mbh", "ag", "aktiengesellschaft", "se", "kg", "kgaa", "ohg", "ug", "ev",
    "eg", "gbr", "sa", "sas", "sarl", "sl", "slu", "srl", "spa", "sro", "as", "asa", "ab", "oy",
    "oyj", "aps", "bv", "nv", "vof", "cv", "bvba", "sprl", "kft", "zrt", "nyrt", "sp", "zoo", "doo",
    "dd", "ad", "ood", "eood", "oao", "ooo", "zao", "pao", "pty", "pvt", "pte", "sdn", "bhd", "kk",
    "the", "and", "und", "et", "y", "of", "for", "the",
)  # fmt: skip


def company_features(names: pl.DataFrame) -> pl.DataFrame:
    """Columns of the name of an organisation.

    Args:
        names: ``core`` (legal form taken off) and ``legal_form``, null = none.

    Returns:
        ``company`` (core as one word), ``company_t`` (its words), ``company_a`` (initials of two or
        more words), ``company_s`` (sound) and ``legal_form`` (folded).
    """
    text = numbered(words(pl.col("core")))
    dotted = text.str.replace_all(r"\b(\p{L}) (\p{L}) (\p{L})\b", "$1$2$3")
    form = rf"\b({'|'.join(sorted(set(LEGAL), key=len, reverse=True))})\b"
    bare = dotted.str.replace_all(form, " ").str.replace_all(r"\s+", " ").str.strip_chars()
    kept = pl.when(bare.str.len_chars() > 1).then(bare).otherwise(dotted)
    tokens = pl.col("text").str.split(" ")
    legal_form = joined(words(pl.col("legal_form"))).alias("legal_form")
    return names.select(kept.alias("text"), legal_form).select(
        "legal_form",
        joined(pl.col("text")).alias("company"),
        tokens.alias("company_t"),
        pl.when(tokens.list.len() >= 2)
        .then(tokens.list.eval(pl.element().str.slice(0, 1)).list.join(""))
        .alias("company_a"),
        skeleton(pl.col("text")).alias("company_s"),
    )
