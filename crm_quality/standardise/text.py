"""Any text: one Unicode form, no invisible characters, single blanks, mojibake undone."""

from __future__ import annotations

import re

import polars as pl

from crm_quality.standardise.column import on_distinct, on_rows

#: Anything that cleaning could change; most values have none of it.
_SUSPECT = r"[^ -~]|  |^ | $"

#: Soft hyphen, zero-width blank, word joiner, BOM and marks of writing direction.
_INVISIBLE = "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"

_BLANKS = r"[\s\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+"

#: Zero-width joiners, which Arabic and Indic scripts need and others do not.
_JOINERS = "[\u200c\u200d]"
_NEEDS_JOINERS = (
    r"[\p{Arabic}\p{Devanagari}\p{Bengali}\p{Gujarati}\p{Gurmukhi}\p{Kannada}\p{Malayalam}"
    r"\p{Oriya}\p{Sinhala}\p{Tamil}\p{Telugu}\p{Khmer}\p{Mongolian}]"
)

#: UTF-8 read as Windows-1252 or Latin-1: a lead byte's letter, then a continuation byte's.
_CONTINUATION = "\x80-\xbf" + "".join(
    char for byte in range(0x80, 0xA0) if (char := bytes([byte]).decode("cp1252", "ignore"))
)
_MOJIBAKE = f"[Â-ô][{_CONTINUATION}]"


def clean_text(texts: pl.Series) -> pl.DataFrame:
    """Text without what nobody meant to type.

    Args:
        texts: String values.

    Returns:
        ``text``: NFC, control characters and every kind of blank as one single blank, invisible
        characters removed, trimmed, null where nothing is left; and ``repaired``, true where
        UTF-8 that had been read as Windows-1252 (``MÃ¼ller``) was read again. That is done only
        where every byte of the text makes sense as UTF-8, so the repair is certain.
    """
    frame = texts.alias("text").to_frame().with_columns(repaired=pl.lit(value=False))
    suspects = frame["text"].str.contains(_SUSPECT)
    if suspects.any():
        frame = on_rows(frame, suspects, lambda rows: on_distinct(rows.select("text"), _cleaned))
    return frame.select(
        pl.when(pl.col("text").str.len_bytes() > 0).then("text"),
        pl.col("repaired").fill_null(value=False),
    )


def _cleaned(frame: pl.DataFrame) -> pl.DataFrame:
    texts = frame["text"]
    repaired = pl.repeat(value=False, n=len(texts), dtype=pl.Boolean, eager=True)
    fixed = _all_undone(texts)
    while True:
        repaired |= (fixed != texts).fill_null(value=False)
        # bytes of garbled letters look like blanks and soft hyphens: undone first, then tidied
        texts = _tidy(fixed)
        fixed = _all_undone(texts)
        if fixed.equals(texts):
            return pl.DataFrame({"text": texts, "repaired": repaired})


def _all_undone(texts: pl.Series) -> pl.Series:
    garbled = texts.str.contains(_MOJIBAKE)
    if not garbled.any():
        return texts
    bad = texts.filter(garbled).unique()
    return texts.replace(bad, pl.Series([_undone(text) for text in bad], dtype=pl.String))


def _tidy(texts: pl.Series) -> pl.Series:
    text = pl.col("text").str.replace_all(_INVISIBLE, "").str.replace_all(_BLANKS, " ")
    cleaned = (
        pl.when(text.str.contains(_NEEDS_JOINERS))
        .then(text)
        .otherwise(text.str.replace_all(_JOINERS, ""))
        .str.normalize("NFC")
        .str.replace_all("\u0149", "\u02bcn")  # deprecated: has no capital of its own
        .str.strip_chars()
    )
    return texts.alias("text").to_frame().select(cleaned.alias("text")).to_series()


def _undone(text: str) -> str:
    # again and again: some texts went wrong twice
    while re.search(_MOJIBAKE, text):
        try:
            text = b"".join(map(_byte, text)).decode("utf-8")
        except UnicodeError:
            break
    return text


def _byte(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")  # five bytes have no letter in Windows-1252
