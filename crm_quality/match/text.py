"""Words of people made comparable: expressions over columns of text."""

from __future__ import annotations

import polars as pl

#: Letters that Unicode does not decompose into a base letter and a mark.
_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i",
}  # fmt: skip

#: Spellings of one sound → one letter, in this order; vowels go afterwards.
_SOUNDS = (
    (r"^(mac|mc)", "mk"), (r"^(kn|gn|pn)", "n"), (r"^wr", "r"), (r"ph|v|w", "f"), (r"gh", ""),
    (r"tch|sch|sh|ch|cz|sz", "s"), (r"ck|q", "k"), (r"c([^eiy]|$)", "k$1"), (r"[cz]", "s"),
    (r"x", "ks"), (r"th|d", "t"), (r"b", "p"), (r"[gj]", "k"), (r"m", "n"),
)  # fmt: skip


def words(column: pl.Expr) -> pl.Expr:
    """Lower-case words without accents, one blank between them; null where nothing is left."""
    plain = column.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}|['’`]", "")
    plain = plain.str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    plain = plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return pl.when(plain != "").then(plain)


def joined(column: pl.Expr) -> pl.Expr:
    """Words written as one."""
    return column.str.replace_all(" ", "", literal=True)


def numbered(text: pl.Expr) -> pl.Expr:
    """Words with the number at the end of one written three times.

    ``shop 12`` and ``shop 13`` are two, though only one sign differs: so no typo bridges it. A
    digit amid letters is a slip of the hand and stays.
    """
    return text.str.replace_all(r"(\d+)( |$)", "$1$1$1$2")


def digits(column: pl.Expr) -> pl.Expr:
    """Only the digits; null where there is none."""
    only = column.str.replace_all(r"\D", "")
    return pl.when(only != "").then(only)


def skeleton(column: pl.Expr) -> pl.Expr:
    """A key that spellings of one sound share: first letter class and the consonants after it.

    Coarser than Soundex's grouping of Odell and Russell (1918): made for blocking only.
    """
    sound = joined(column)
    for pattern, letter in _SOUNDS:
        sound = sound.str.replace_all(pattern, letter)
    first = sound.str.slice(0, 1).str.replace(r"[aeiouy]", "a")
    rest = sound.str.slice(1).str.replace_all(r"[aeiouyh]", "")
    return first + rest.str.slice(0, 5)
