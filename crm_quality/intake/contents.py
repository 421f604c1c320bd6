"""What a record says, as JSON and as a hash that is the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.duck import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

# ASCII's own separators, which no file holds as text: a hash tells any two contents apart.
_FIELD, _VALUE, _ITEM = "\x1e", "\x1f", "\x1d"
#: Up to here Python is faster than connecting to DuckDB.
_FEW = 5_000
_NULL_MEMBERS = r'"(?:[^"\\]|\\.)*":null,?'


def filled(frame: pl.DataFrame, column: str) -> pl.Expr:
    """A column of text or lists with null in place of blanks and empty lists."""
    cells = pl.col(column)
    if isinstance(frame.schema[column], pl.List):
        return pl.when(cells.list.len() > 0).then(cells).alias(column)
    return pl.when(cells.str.strip_chars().str.len_bytes() > 0).then(cells).alias(column)


def json_objects(
    frame: pl.DataFrame, columns: Sequence[str], *, only_filled: bool = False
) -> pl.Series:
    """Each row as a JSON object: column name → text, list or null.

    Args:
        frame: The rows.
        columns: Columns of text or lists of text that become members, in this order.
        only_filled: Leave out members that are null or blank; a row without any gives null.
    """
    if not columns:
        return pl.Series([None] * frame.height, dtype=pl.String)
    members = [filled(frame, name) if only_filled else pl.col(name) for name in columns]
    encoded = pl.struct(members).struct.json_encode()
    if only_filled:
        encoded = encoded.str.replace_all(_NULL_MEMBERS, "").str.replace(",}$", "}")
        encoded = pl.when(encoded != "{}").then(encoded)
    return frame.select(encoded.alias("json")).to_series()


def content_hashes(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """MD5 in hex over the names and texts of ``columns`` that are not null.

    A column of nulls changes nothing, so a field that a file begins or ceases to name without
    filling it leaves every hash as it was.

    Args:
        frame: The rows.
        columns: What is hashed, in this order; text, Boolean or lists of text.
    """
    parts = []
    for name in columns:
        text = pl.col(name)
        if isinstance(frame.schema[name], pl.List):
            text = text.list.join(_ITEM, ignore_nulls=True)
        elif frame.schema[name] != pl.String:
            text = text.cast(pl.String)
        parts += [pl.when(text.is_not_null()).then(pl.lit(f"{_FIELD}{name}{_VALUE}")), text]
    whole = pl.concat_str(parts or [pl.lit("")], ignore_nulls=True).alias("text")
    texts = frame.select(whole if columns else pl.repeat("", pl.len()).alias("text"))
    if texts.height < _FEW:
        return pl.Series("hash", [_md5(text) for text in texts["text"]], dtype=pl.String)
    with connect() as connection:
        # The newest layout of text is handed over without a copy.
        connection.register("texts", texts.to_arrow(compat_level=pl.CompatLevel.newest()))
        hashes = connection.sql("SELECT md5(text) AS hash FROM texts").to_arrow_table()
    return pl.DataFrame(hashes).to_series().cast(pl.String)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
