"""One way to compare words of people: without case, accents, punctuation and blanks."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def fold(text: str) -> str:
    """Lower case, without accents, punctuation and blanks: ``Paid-Search`` → ``paidsearch``."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if char.isalnum())


def folded(column: pl.Expr) -> pl.Expr:
    """The same folding as `fold`, as an expression over a column of text; null stays null."""
    return column.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"[^\p{L}\p{N}]", "")
