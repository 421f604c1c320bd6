"""Patterns in rules: the syntax of Rust's regex crate, which Polars runs in linear time."""

from __future__ import annotations

import polars as pl
from polars.exceptions import ComputeError

_UNSUPPORTED = ("(?=", "(?!", "(?<=", "(?<!")


def checked_pattern(pattern: str) -> str:
    """``pattern``, if it can be run.

    Raises:
        ValueError: It is no pattern; the reason is the parser's.
    """
    if any(part in pattern for part in _UNSUPPORTED):
        raise ValueError(
            f"the pattern {pattern!r} looks around itself, which cannot be run in linear time; "
            "write two checks, pattern and excludes"
        )
    try:
        pl.Series([""]).str.contains(pattern, strict=True)
    except ComputeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"the pattern {pattern!r} cannot be read: {reason}") from None
    return pattern
