"""Reading a file of any kind into a `Table`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastexcel
import polars as pl

from crm_quality.errors import InputError
from crm_quality.intake.delimited import read_delimited, read_delimited_batches
from crm_quality.intake.documents import read_json
from crm_quality.intake.frames import as_table, read_frame
from crm_quality.intake.layout import header_index, header_of
from crm_quality.intake.survey import Survey, survey
from crm_quality.intake.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDIN = "standard input"
_MOST_TITLE_ROWS = 20


def read(
    source_of_rows: Any,  # noqa: ANN401 - a path or any frame
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Table:
    """Read a file or take a frame, every value as text exactly as it came.

    Args:
        source_of_rows: A path (CSV and the like, Parquet, XLSX, JSON array, JSON lines: told from
            the content), ``-`` for standard input, or a frame, see `read_frame`.
        encoding: Of a text file; null = by evidence (UTF-8, UTF-16, cp1252 ...).
        delimiter: Of a text file, one character; null = by evidence.
        sheet: Name of the sheet of a workbook; null = the first one that is not empty.

    Returns:
        The table. A header without rows gives a table without rows and a warning.

    Raises:
        InputError: It cannot be read; the message says what, where and what to do.
    """
    if not isinstance(source_of_rows, (str, Path)):
        table = read_frame(source_of_rows)
    else:
        with _seekable(source_of_rows) as path:
            table = _read_path(path, encoding, delimiter, sheet)
    if table.frame.height or not table.headers:
        return table
    return replace(table, warnings=(*table.warnings, "there is a header but no row"))


def read_batches(
    path: str | Path,
    *,
    rows: int = 500_000,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Iterator[Table]:
    """Read a CSV or Parquet file in parts, for files larger than memory.

    Args:
        path: The file; other kinds come as one part.
        rows: Rows per part, at most.
        encoding: As for `read`.
        delimiter: As for `read`.

    Yields:
        Tables in the order of the file, with ``first_row`` set; at least one.

    Raises:
        InputError: As for `read`.
    """
    with _seekable(path) as file:
        found = survey(file, encoding)
        if found.kind == "delimited":
            yield from read_delimited_batches(file, found, _one(delimiter), rows)
        elif found.kind == "parquet":
            yield from _parquet_batches(file, found, rows)
        else:
            yield _read_path(file, encoding, delimiter, None)


@contextmanager
def _seekable(path: str | Path) -> Iterator[Path]:
    """The file; of standard input or a pipe a temporary copy, since it is read more than once."""
    if str(path) != "-" and not Path(path).is_fifo():
        yield Path(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / _STDIN
        with copy.open("wb") as target:
            if str(path) == "-":
                shutil.copyfileobj(sys.stdin.buffer, target)
            else:
                with Path(path).open("rb") as source:
                    shutil.copyfileobj(source, target)
        try:
            yield copy
        except InputError as error:
            raise InputError(str(error).replace(str(copy), _STDIN)) from None


def _one(delimiter: str | None) -> str | None:
    if delimiter is not None and len(delimiter) != 1:
        raise InputError(f"the delimiter {delimiter!r} is not one character")
    return delimiter


def _read_path(path: Path, encoding: str | None, delimiter: str | None, sheet: str | None) -> Table:
    found = survey(path, encoding)
    match found.kind:
        case "parquet":
            return _read_parquet(path, found)
        case "xlsx":
            return _read_workbook(path, found, sheet)
        case "json":
            return read_json(path, found)
        case "delimited":
            return read_delimited(path, found, _one(delimiter))


def _read_parquet(path: Path, found: Survey) -> Table:
    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, "Parquet", error) from None
    return as_table(frame, path.name, found.sha256)


def _parquet_batches(path: Path, found: Survey, rows: int) -> Iterator[Table]:
    try:
        lazy = pl.scan_parquet(path, glob=False)
        total = lazy.select(pl.len()).collect().item()
        for start in range(0, max(total, 1), rows):
            part = as_table(lazy.slice(start, rows).collect(), path.name, found.sha256)
            yield replace(part, first_row=start + 1)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, "Parquet", error) from None


def _damaged(path: Path, kind: str, error: Exception) -> InputError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return InputError(f"{path}: a damaged {kind} file ({reason}); export it again")


def _read_workbook(path: Path, found: Survey, sheet: str | None) -> Table:
    cells, name, others = _sheet(path, sheet)
    rows = [[cell or "" for cell in row] for row in cells.head(_MOST_TITLE_ROWS).rows()]
    first = header_index(rows)
    headers, warnings = header_of(rows[first], path.name)
    if first:
        warnings.insert(0, f"rows above the column names, left out: {first}")
    if others and sheet is None:
        warnings.append(
            f"read the sheet {name!r}; others: {', '.join(map(repr, others))}; "
            "for another one, put it first or save it as CSV"
        )
    frame = cells.slice(first + 1).rename(dict(zip(cells.columns, headers, strict=True)))
    # A day without a time of day comes with midnight, as Excel keeps it.
    frame = frame.with_columns(pl.all().str.replace(r"^(\d{4}-\d\d-\d\d) 00:00:00$", "${1}"))
    frame = frame.filter(pl.any_horizontal(pl.all().str.strip_chars() != ""))
    nameless = [h for h, c in zip(headers, rows[first], strict=True) if not c.strip()]
    loose = [h for h in nameless if frame[h].null_count() == frame.height]
    warnings = [w for w in warnings if not (loose == nameless and "without a name" in w)]
    return Table(frame.drop(loose), path.name, found.sha256, warnings=tuple(warnings))


def _sheet(path: Path, sheet: str | None) -> tuple[pl.DataFrame, str, list[str]]:
    """The cells of a sheet as text, its name, and the names of the others."""
    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise InputError(f"{path}: there is no sheet {sheet!r}; there are: {', '.join(names)}")
        for name in names if sheet is None else [sheet]:
            cells = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
            if cells.height:
                return cells, name, [other for other in names if other != name]
    except fastexcel.FastExcelError as error:
        raise _damaged(path, "Excel", error) from None
    raise InputError(f"{path}: every sheet is empty; was the export finished?")
