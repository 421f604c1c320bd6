"""E-mail addresses: lower case, IDNA domain, one per field.

What a valid address is, is decided by email-validator (RFC 5321, 6531, IDNA 2008; syntax only). An
expression decides plain ASCII of up to 64 characters, which it does exactly as the library;
the library decides the rest, once per distinct text.
"""

from __future__ import annotations

import re

import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from crm_quality.standardise.column import NO_NOTE, note, on_distinct, on_rows
from crm_quality.standardise.email_words import (
    PLACEHOLDER,
    is_doubtful_domain,
    likely_domain,
    with_at,
)

_ATOM = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ADDRESS = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?:[a-z0-9][a-z0-9-]*)?[a-z]$"
_SPECIAL = rf"[@.](?:{'|'.join(SPECIAL_USE_DOMAIN_NAMES)})$"
_RESERVED_LABEL = r"@(?:.*\.)?[^.]{2}--"
#: Within this length no label and no local part can be too long.
_SHORT = 64

#: What stands around an address that is otherwise plain.
_BEFORE = r"(?i)^[\s\"'<>()\[\],;:.]*(?:(?:e-?mail|mail|mailto)\s*:\s*)?[\s\"'<>()\[\],;:.]*"
_AFTER = r"[\s\"'<>()\[\],;:.]*(?:\?(?:subject|body|cc|bcc)=.*)?$"
_DISPLAY_NAME = r"^[^<>@]*<\s*((?:mailto:)?[^<>\s@]+@[^<>\s@]+)\s*>[\s,;.]*$"

_HOPEFUL = r"(?i)[@\x{ff20}]|[(\[{<]at[)\]}>]"
_BRACKETED_AT = re.compile(r"\s*(?:\(at\)|\[at\]|\{at\}|<at>|\uff20)\s*")
_BRACKETED_DOT = re.compile(r"\s*(?:\((?:dot|punkt)\)|\[(?:dot|punkt)\]|\{(?:dot|punkt)\})\s*")
_COMMENT = re.compile(r"\s*\([^()@]*\)\s*$")
_BETWEEN = re.compile(r"[;,|\n]|\s+(?:/|or|and|und|et)\s+|/(?=[^/@\s]+@)")
_NAMED = re.compile(r"<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>")
_JUNK = " \"'<>()[],;:."

_SPELT_AT = re.compile(r"\s+(?:at|@)\s+|\s*@\s*", re.IGNORECASE)
_SPELT_DOT = re.compile(r"\s+dot\s+|\s+\.\s*|\.\s+", re.IGNORECASE)


def standardise_emails(texts: pl.Series) -> pl.DataFrame:
    """E-mail addresses in one form.

    Repairs are those with one possible reading: what stands around the address (``mailto:``,
    ``Ann <ann@x.com>``), blanks beside the ``@``, a comma for the dot of the domain
    (``ann@x,com``), doubled marks, ``(at)``.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String: lower case, the domain's labels in Unicode where they are IDNA; null
        where there is no valid address. ``note``: ``repaired``, ``invalid``, ``placeholder``
        (``test@test.com``; the value is null), ``doubtful`` (the domain looks like a slip for
        that of a great provider; the value is kept). ``others`` List(String): the further
        addresses of a cell that holds several, null if none.
    """
    return on_distinct(texts.alias("text").to_frame(), _read)


def valid_emails(texts: pl.Series) -> pl.Series:
    """What email-validator makes of the lower-cased texts, as they are.

    Args:
        texts: Any text.

    Returns:
        Lower-case normalised addresses; null where the text as a whole is not a valid one.
    """
    frame = texts.alias("text").to_frame().select(lower=pl.col("text").str.to_lowercase())
    lower = pl.col("lower")
    frame = frame.with_columns(
        decided=(lower.str.len_bytes() <= _SHORT) & ~lower.str.contains(r"[^!-~]|xn--"),
    ).with_columns(
        valid=pl.when(
            "decided",
            lower.str.contains(_ADDRESS),
            ~lower.str.contains(_SPECIAL),
            ~lower.str.contains(_RESERVED_LABEL),
        ).then("lower")
    )
    return on_rows(
        frame, ~frame["decided"], lambda rows: on_distinct(rows.select("lower"), _by_library)
    )["valid"]


def _by_library(frame: pl.DataFrame) -> pl.DataFrame:
    valid = [_validated(text) for text in frame["lower"]]
    return pl.DataFrame({"valid": valid}, schema={"valid": pl.String})


def _validated(text: str | None) -> str | None:
    if text is None or "@" not in text:
        return None  # no "@", no address: the library says so too, but takes its time
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(
        value=valid_emails(frame["text"]),
        note=NO_NOTE,
        others=pl.lit(None, dtype=pl.List(pl.String)),
    )
    frame = on_rows(frame, frame["value"].is_null() & frame["text"].is_not_null(), _tidied)
    value = pl.col("value")
    frame = frame.with_columns(dummy=value.str.contains(PLACEHOLDER))
    frame = on_rows(frame, frame["dummy"] & frame["others"].is_not_null(), _without_dummies)
    frame = frame.with_columns(doubtful=is_doubtful_domain(frame["value"]))
    return frame.select(
        value=pl.when(value.str.contains(PLACEHOLDER).not_()).then(value),
        note=pl.when(value.is_null() & pl.col("text").is_not_null())
        .then(note("invalid"))
        .when(value.str.contains(PLACEHOLDER))
        .then(note("placeholder"))
        .when("doubtful")
        .then(note("doubtful"))
        .otherwise("note"),
        others="others",
    )


def _without_dummies(frame: pl.DataFrame) -> pl.DataFrame:
    """The first address that is no placeholder, where a cell holds several."""
    every = pl.concat_list("value", "others")
    real = every.list.eval(pl.element().filter(~pl.element().str.contains(PLACEHOLDER)))
    rest = real.list.slice(1)
    return frame.select(
        value=pl.coalesce(real.list.first(), "value"),
        others=pl.when(rest.list.len() > 0).then(rest),
    )


def _tidied(frame: pl.DataFrame) -> pl.DataFrame:
    """Values of texts that are not plain addresses."""
    several = frame["text"].str.contains("[;,|]") & (frame["text"].str.count_matches("@") > 1)
    frame = on_rows(frame, ~several, _tidied_one)
    return on_rows(frame, several, _several).select("value", "note", "others")


def _several(frame: pl.DataFrame) -> pl.DataFrame:
    """The first address of each cell, and the others."""
    parts = (
        frame.select(part=pl.col("text").str.replace_all("[,|]", ";").str.split(";"))
        .with_row_index("row")
        .explode("part")
        .with_columns(pl.col("part").str.strip_chars())
        .filter(pl.col("part").str.contains("@", literal=True))
    )
    read = parts.select("row", "part", value=valid_emails(parts["part"]))
    rest = read["value"].is_null()
    read = read.with_columns(note=NO_NOTE, others=pl.lit(None, dtype=pl.List(pl.String)))
    read = on_rows(read, rest, lambda rows: _tidied_one(rows.rename({"part": "text"})))
    every = pl.concat_list("value", pl.col("others").fill_null([])).list.drop_nulls()
    found = (
        read.with_columns(every=every)
        .group_by("row")
        .agg(pl.col("every").explode().unique(maintain_order=True).drop_nulls())
    )
    joined = frame.with_row_index("row").join(found, on="row", how="left", maintain_order="left")
    rest_of = pl.col("every").list.slice(1)
    return joined.select(
        value=pl.col("every").list.first(),
        note=pl.when(pl.col("every").list.len() > 0).then(note("repaired")).otherwise(NO_NOTE),
        others=pl.when(rest_of.list.len() > 0).then(rest_of),
    )


def _tidied_one(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    frame = frame.select(
        "text",
        "others",
        bare=pl.coalesce(text.str.extract(_DISPLAY_NAME), text)
        .str.replace(_BEFORE, "")
        .str.replace(_AFTER, ""),
    )
    frame = frame.with_columns(value=valid_emails(frame["bare"])).with_columns(
        note=pl.when(pl.col("value").is_not_null()).then(note("repaired")).otherwise(NO_NOTE)
    )
    hopeful = frame["value"].is_null() & frame["text"].str.contains(_HOPEFUL)
    return on_rows(frame, hopeful, lambda rows: on_distinct(rows.select("text"), _mended)).select(
        "value", "note", "others"
    )


def _mended(frame: pl.DataFrame) -> pl.DataFrame:
    found = [_addresses(text) for text in frame["text"]]
    return frame.select(
        value=pl.Series(
            [addresses[0] if addresses else None for addresses in found], dtype=pl.String
        ),
        others=pl.Series([addresses[1:] or None for addresses in found], dtype=pl.List(pl.String)),
    ).with_columns(
        note=pl.when(pl.col("value").is_not_null()).then(note("repaired")).otherwise(NO_NOTE)
    )


def _addresses(text: str) -> list[str]:
    """The addresses that a text holds beyond doubt, in their order, each once."""
    text = _BRACKETED_DOT.sub(".", _BRACKETED_AT.sub("@", text.lower()))
    if (alone := _one_address(text)) is not None:
        return [alone]
    found: list[str] = []
    for part in _BETWEEN.split(text):
        words = part.split()
        every = words if words and all("@" in word.strip("@") for word in words) else [part]
        for candidate in every:
            address = _one_address(candidate)
            if address is not None and address not in found:
                found.append(address)
    return found


def _one_address(text: str) -> str | None:
    """The one address that ``text`` is, after certain repairs; null if it is none."""
    named = _NAMED.findall(text)
    if len(named) == 1 and text.count("@") == 1:
        text = named[0]
    text = _COMMENT.sub("", text).strip(_JUNK).removeprefix("mailto:").strip(_JUNK)
    text = re.sub(r"\s*@[\s@]*", "@", text)
    if text.count("@") != 1:
        return None
    local, domain = text.split("@")
    domain = re.sub(r"\s*\.[\s.]*", ".", domain)
    domain = re.sub(r"^([^,\s]*[^,\s.]),\s*([a-z]{2,6}|co\.uk)$", r"\1.\2", domain)
    return _validated(f"{local}@{domain}")


def suggested_emails(texts: pl.Series) -> pl.Series:
    """The address that was probably meant, for addresses set aside or doubted.

    Args:
        texts: Text as it came; distinct values are looked at once.

    Returns:
        A valid address, such as ``john@x.com`` for ``john at x.com`` and ``a@gmail.com`` for
        ``a@gmial.com``; null where there is no good guess.
    """

    def suggest(frame: pl.DataFrame) -> pl.DataFrame:
        guesses: list[str | None] = []
        for text in frame["text"]:
            if text is None:
                guesses.append(None)
                continue
            guess = _guess(text.strip())
            guesses.append(None if guess == text.strip().lower() else guess)
        return pl.DataFrame({"guess": guesses}, schema={"guess": pl.String})

    return on_distinct(texts.alias("text").to_frame(), suggest)["guess"]


def _guess(text: str) -> str | None:
    spelt = _SPELT_DOT.sub(".", _SPELT_AT.sub("@", text.lower()))
    if "@" not in spelt:
        spelt = with_at(spelt)
    local, _, domain = spelt.rpartition("@")
    spelt = re.sub(r"\.{2,}", ".", local).strip(".") + "@" + (likely_domain(domain) or domain)
    found = _addresses(spelt)
    return found[0] if found else None
