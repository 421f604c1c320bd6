"""Given names and surnames: their capitals, and the titles and suffixes that stand with them."""

from __future__ import annotations

import re

import polars as pl

from crm_quality.standardise.column import NO_NOTE, note, on_distinct, on_rows
from crm_quality.standardise.name_words import (
    CLEAR_TITLES,
    CREDENTIALS,
    DOTTED_TITLES,
    ELISIONS,
    INITIALS,
    LEADING_PARTICLES,
    MAC_NAMES,
    MARKED_CREDENTIALS,
    PARTICLES,
    PLAIN_SUFFIXES,
    SUFFIXES,
    TITLES,
)

_VOWELLESS = re.compile("[B-DF-HJ-NP-TV-XZ]{2,3}$")
_WORD = re.compile(r"[^\W\d_]+|\d+\w*")
#: Names in one case whose capitals need a closer look than one at the start of each word.
_SPECIAL_CASE = (
    rf"(?i)['’`.]|\bma?c|\b(?:{'|'.join(sorted(PARTICLES | LEADING_PARTICLES))})\b|^.{{2,3}}$|\d"
)
NOT_A_NAME = r"@|://|^\P{L}*$"
_EDGES = ' ,;:*"“”|\\/_'

_TITLE_START = rf"(?i)^(?:{'|'.join(sorted(TITLES))})(?:\.|\s|$)"
_SUFFIX_END = (
    r"(?i)[\s,](?:"
    + "|".join(sorted({*SUFFIXES, *CREDENTIALS, *MARKED_CREDENTIALS}))
    + r"|[a-z](?:\.[a-z]){1,2})\.?$|[\s,](?:ph\.?\s?d|m\.d)\.?$|,"
)


def standardise_given_names(texts: pl.Series) -> pl.DataFrame:
    """Given names.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String: capitals repaired where the text is in one case, as written otherwise;
        ``note``; and what was split off: ``title`` and ``suffix``, String, null if none.
    """
    return _standardised(texts, given=True)


def standardise_surnames(texts: pl.Series) -> pl.DataFrame:
    """Surnames; see `standardise_given_names`."""
    return _standardised(texts, given=False)


def standardise_suffixes(texts: pl.Series) -> pl.DataFrame:
    """Jr, Sr, II, III, IV and V from their many spellings; other text stays as written.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String and ``note``.
    """
    known = {**SUFFIXES, "2": "II", "3": "III", "4": "IV"}
    word = texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    return (
        texts.alias("text")
        .to_frame()
        .select(value=pl.coalesce(word.replace_strict(known, default=None), "text"), note=NO_NOTE)
    )


def _standardised(texts: pl.Series, *, given: bool) -> pl.DataFrame:
    def read(frame: pl.DataFrame) -> pl.DataFrame:
        parts = split_name(frame["text"], in_full=False)
        is_name = ~pl.col("name").str.contains(NOT_A_NAME)
        named = parts.with_columns(name=pl.when(is_name).then("name"))
        named = named.with_columns(name=with_capitals(named["name"], given=given))
        lost = named["name"].is_null() & named["title"].is_null() & named["suffix"].is_null()
        return named.select(
            value="name",
            note=pl.when(lost & frame["text"].is_not_null())
            .then(note("invalid"))
            .when("split")
            .then(note("repaired"))
            .otherwise(NO_NOTE),
            title="title",
            suffix="suffix",
        )

    return on_distinct(texts.alias("text").to_frame(), read)


def with_capitals(names: pl.Series, *, given: bool = False) -> pl.Series:
    """Names with capitals where they belong, if they were written in one case.

    ``JOHN`` → ``John``, ``o'brien`` → ``O'Brien``, ``MCDONALD`` → ``McDonald``, ``VAN DER BERG`` →
    ``van der Berg``, ``müller-lüdenscheidt`` → ``Müller-Lüdenscheidt``. What is in mixed case was
    written so by someone, and stays.

    Args:
        names: Names; null stays null.
        given: These are given names, in which particles are rare and ``JD`` is no word.

    Returns:
        The names.
    """
    frame = names.alias("name").to_frame()
    name = pl.col("name")
    one_case = (name == name.str.to_uppercase()) | (name == name.str.to_lowercase())
    frame = frame.with_columns(one_case=one_case)

    def repaired(rows: pl.DataFrame) -> pl.DataFrame:
        rows = rows.with_columns(
            title=name.str.to_lowercase().str.to_titlecase(),
            special=name.str.contains(_SPECIAL_CASE),
        )
        rows = on_rows(rows.select("name", "title", "special"), rows["special"], by_word)
        # some letters have no capital of their own (ŉ), or one of a later Unicode
        title = pl.col("title")
        same = title.str.to_lowercase() == name.str.to_lowercase()
        return rows.select(
            name=pl.when(same & ~title.str.contains(NOT_A_NAME)).then("title").otherwise("name")
        )

    def by_word(rows: pl.DataFrame) -> pl.DataFrame:
        return on_distinct(
            rows.select("name"),
            lambda some: pl.DataFrame(
                {"title": [_capitalised(text, given=given) for text in some["name"]]},
                schema={"title": pl.String},
            ),
        )

    return on_rows(frame, frame["one_case"], repaired)["name"]


def _capitalised(text: str, *, given: bool) -> str:
    words = list(_WORD.finditer(text.lower()))
    if given and text.isupper() and (text.lower() in INITIALS or _VOWELLESS.match(text)):
        return text
    out = text.lower()
    for index, match in enumerate(words):
        word = match[0]
        before = out[: match.start()]
        last = index == len(words) - 1
        after_apostrophe = before[-1:] in {"'", "’", "`"}
        spaced = out[match.end() : match.end() + 1] == " "
        particle = word in PARTICLES and not given
        article = word in LEADING_PARTICLES and index and words[index - 1][0] in PARTICLES
        lower = spaced and not last and (particle or article)
        if lower or (after_apostrophe and words[index - 1][0] not in ELISIONS):
            new = word
        elif word.startswith("mc") and len(word) > 3:  # noqa: PLR2004 - Mc and two letters
            new = "Mc" + word[2:].capitalize()
        elif word in MAC_NAMES:
            new = "Mac" + word[3:].capitalize()
        else:
            new = word[:1].upper() + word[1:]
        if len(new) == len(word):
            out = before + new + out[match.end() :]
    return out


def split_name(names: pl.Series, *, in_full: bool) -> pl.DataFrame:
    """Names without the titles before and the suffixes after them.

    Args:
        names: Cleaned text.
        in_full: These are whole names: a comma parts surname and given names.

    Returns:
        ``name`` String; ``title`` and ``suffix`` String, null if none; ``split`` Boolean, true
        where something was taken off.
    """
    frame = (
        names.alias("text")
        .to_frame()
        .with_columns(
            name=pl.col("text").str.strip_chars(_EDGES),
            title=pl.lit(None, dtype=pl.String),
            suffix=pl.lit(None, dtype=pl.String),
            split=pl.lit(value=False),
        )
    )
    name = pl.col("name")
    hits = name.str.contains(_TITLE_START) | name.str.contains(_SUFFIX_END)
    frame = on_rows(
        frame,
        frame.select(hits).to_series(),
        lambda rows: pl.DataFrame(
            [_split(text, in_full=in_full) for text in rows["name"]],
            schema={
                "name": pl.String,
                "title": pl.String,
                "suffix": pl.String,
                "split": pl.Boolean,
            },
            orient="row",
        ),
    )
    return frame.select(
        pl.when(name.str.len_bytes() > 0).then(name).alias("name"), "title", "suffix", "split"
    )


def _split(text: str, *, in_full: bool) -> tuple[str, str | None, str | None, bool]:
    words = text.split()
    titles: list[str] = []
    while words and _is_title(words[0], alone=len(words) == 1):
        titles += [
            TITLES[part] for part in re.split(r"[.\-]", words.pop(0).lower()) if part in TITLES
        ]
    name, suffix = " ".join(words), None
    while found := _ending(name, in_full=in_full):
        name, suffix = found[0], found[1] or suffix
    name = name.strip(_EDGES)
    if not name and not titles:
        return text, None, None, False
    title = " ".join(filter(None, titles)) or None
    return name, title, suffix, bool(titles) or suffix is not None or name != text


def _is_title(word: str, *, alone: bool) -> bool:
    parts = [part for part in re.split(r"[.\-]", word.lower()) if part]
    dotted = "." in word
    return (
        bool(parts)
        and all(part in TITLES for part in parts)
        and (dotted or not DOTTED_TITLES.intersection(parts))
        and (not alone or dotted or parts[0] in CLEAR_TITLES)
    )


def _ending(name: str, *, in_full: bool) -> tuple[str, str | None] | None:
    """The name without its last word, and the suffix that this is (null for a degree)."""
    head, mark, word = name.rpartition("," if re.search(r",\s*\S+$", name) else " ")
    head = head.strip(_EDGES)
    bare = re.sub(r"[^\w]", "", word.lower())
    if not head or not bare:
        return None
    marked = mark == "," or "." in word.strip()
    if bare in SUFFIXES:
        many = len(head.split()) > (1 if in_full else 0)
        if bare in PLAIN_SUFFIXES or marked or (many and bare != "v"):
            return head, SUFFIXES[bare]
    if bare in CREDENTIALS or (bare in MARKED_CREDENTIALS and marked and "." not in head):
        return head, None
    return None
