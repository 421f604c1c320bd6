"""Parts of values that rules speak of, as expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.definitions import FieldType

if TYPE_CHECKING:
    import polars as pl


def domain(column: pl.Expr, kind: FieldType) -> pl.Expr:
    """The host of a standardised e-mail address, URL or domain: without ``www.`` and port.

    Null stays null.
    """
    if kind is FieldType.EMAIL:
        # an address has one @ outside quotes, and quoted local parts are set aside before
        return column.str.splitn("@", 2).struct.field("field_1").str.to_lowercase()
    host = column.str.replace(r"^[A-Za-z][A-Za-z0-9+.-]*://", "").str.replace(r"[/?#:].*$", "")
    return host.str.to_lowercase().str.strip_prefix("www.")


def local_part(column: pl.Expr) -> pl.Expr:
    """What stands before the ``@`` of an e-mail address, lower case and without ``+tag``."""
    whole = column.str.splitn("@", 2).struct.field("field_0")
    return whole.str.splitn("+", 2).struct.field("field_0").str.to_lowercase()
