"""Pairs as a workbook or table that people decide in, and that is read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from crm_quality.errors import InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

#: Where people look first.
_FIRST = ("decision", "reason", "question")


def write_questions(pairs: pl.DataFrame, out: Path) -> None:
    """Write ``pairs`` with empty columns ``decision`` and ``reason`` in front.

    Args:
        pairs: As the queue or a sample gives them.
        out: .xlsx, where a cell offers the two verdicts, or .csv.

    Raises:
        UsageError: It ends in neither.
        InputError: It cannot be written.
    """
    nothing = pl.lit(None, dtype=pl.String)
    empty = [nothing.alias(name) for name in ("decision", "reason")]
    rest = [name for name in pairs.columns if name not in _FIRST]
    known = [name for name in _FIRST if name in pairs.columns]
    frame = pairs.select(*empty, *known, *rest)
    try:
        if out.suffix.lower() == ".xlsx":
            _write_workbook(frame, out)
        elif out.suffix.lower() == ".csv":
            frame.write_csv(out)
        else:
            raise UsageError(f"{out} ends in neither .xlsx nor .csv; name the kind of file so")
    except (OSError, xlsxwriter.exceptions.XlsxWriterException) as error:
        raise InputError(f"{out} cannot be written: {error}") from error


def _write_workbook(frame: pl.DataFrame, out: Path) -> None:
    # a value such as "=1+1" stays the text that somebody typed
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(out), options) as book:
        sheet = book.add_worksheet("pairs")
        head = book.add_format({"bold": True, "bottom": 1})
        sheet.write_row(0, 0, frame.columns, head)
        for number, row in enumerate(frame.iter_rows(), start=1):
            sheet.write_row(number, 0, row)
        choice = {"validate": "list", "source": ["same", "different"], "ignore_blank": True}
        sheet.data_validation(1, 0, max(frame.height, 1), 0, choice)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(frame.height, 1), frame.width - 1)
        sheet.autofit(300)
