"""Parts of values that rules speak of, as expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def domain(column: pl.Expr) -> pl.Expr:
    """The host of an e-mail address, URL or domain: lower case, without ``www.`` and port.

    Null stays null.
    """
    host = column.str.replace(r"^[A-Za-z][A-Za-z0-9+.-]*://", "").str.replace(r"^[^@/]*@", "")
    return host.str.replace(r"[/?#:].*$", "").str.to_lowercase().str.replace(r"^www\.", "")


def local_part(column: pl.Expr) -> pl.Expr:
    """What stands before the ``@`` of an e-mail address, lower case and without ``+tag``."""
    return column.str.extract(r"^([^@+]+)").str.to_lowercase()
