"""One way to compare words of people: without case, accents, punctuation and blanks."""

# ruff: noqa: RUF001 - letters that look alike are the point
from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: Letters that Unicode does not take apart, though people write them without their mark; and
#: the sigma at the end of a word, which has no capital of its own.
_PLAIN = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "ı": "i",
    "ŋ": "n",
    "ŧ": "t",
    "ς": "σ",
}
_TABLE = str.maketrans(_PLAIN)


def fold(text: str) -> str:
    """Lower case, without accents, punctuation and blanks: ``Paid-Search`` → ``paidsearch``.

    Equal to `folded` for every character that this Python's Unicode version knows.
    """
    # taken apart before lower case: the parts of "㎆" are capitals
    lower = text.lower()
    if not text.isascii():
        lower = unicodedata.normalize("NFKD", text).lower().translate(_TABLE)
    return "".join(char for char in lower if char.isalnum())


def folded(column: pl.Expr) -> pl.Expr:
    """The same folding as `fold`, as an expression over a column of text; null stays null."""
    return (
        column.str.normalize("NFKD")
        .str.to_lowercase()
        .str.replace_many(list(_PLAIN), list(_PLAIN.values()))
        .str.replace_all(r"[^\p{L}\p{N}]", "")
    )
