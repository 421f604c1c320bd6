"""Reading a file of any kind into a `Table`."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastexcel
import polars as pl

from crm_quality.errors import InputError
from crm_quality.intake.delimited import read_delimited, read_delimited_batches
from crm_quality.intake.frames import as_table, read_frame
from crm_quality.intake.survey import Survey, survey
from crm_quality.intake.table import Table, repaired_headers

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        sheet: Name of the sheet of a workbook; null = the first one with a header.

    Returns:
        The table. A header without rows gives a table without rows and a warning.

    Raises:
        InputError: It cannot be read; the message says what, where and what to do.
    """
    if isinstance(source_of_rows, (str, Path)):
        if str(source_of_rows) == "-":
            return _read_stdin(encoding, delimiter, sheet)
        table = _read_path(Path(source_of_rows), encoding, delimiter, sheet)
    else:
        table = read_frame(source_of_rows)
    return _with_notice(table)


def read_batches(
    path: str | Path,
    *,
    rows: int = 500_000,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Iterator[Table]:
    """Read a CSV or Parquet file in parts, for files that do not fit into memory.

    Args:
        path: The file; other kinds come as one part.
        rows: Rows per part.
        encoding: As for `read`.
        delimiter: As for `read`.

    Yields:
        Tables in the order of the file, with ``first_row`` set; at least one.

    Raises:
        InputError: As for `read`.
    """
    path = Path(path)
    found = survey(path, encoding)
    if found.kind == "delimited":
        yield from read_delimited_batches(path, found, _one(delimiter), rows)
    elif found.kind == "parquet":
        yield from _parquet_batches(path, found, rows)
    else:
        yield _read_path(path, encoding, delimiter, None)


def _with_notice(table: Table) -> Table:
    if table.frame.height or not table.headers:
        return table
    notice = "there is a header but no row"
    return Table(
        table.frame, table.name, table.file_hash, table.problems, (*table.warnings, notice)
    )


def _one(delimiter: str | None) -> str | None:
    if delimiter is not None and len(delimiter) != 1:
        raise InputError(f"the delimiter {delimiter!r} is not one character")
    return delimiter


def _read_stdin(encoding: str | None, delimiter: str | None, sheet: str | None) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "standard input"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return _with_notice(_read_path(copy, encoding, delimiter, sheet))


def _read_path(path: Path, encoding: str | None, delimiter: str | None, sheet: str | None) -> Table:
    found = survey(path, encoding)
    match found.kind:
        case "parquet":
            return _read_parquet(path, found)
        case "xlsx":
            return _read_workbook(path, found, sheet)
        case "json":
            return _read_json(path, found)
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
        for first in range(0, max(total, 1), rows):
            part = as_table(lazy.slice(first, rows).collect(), path.name, found.sha256)
            yield Table(part.frame, part.name, part.file_hash, first_row=first + 1)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, "Parquet", error) from None


def _damaged(path: Path, kind: str, error: Exception) -> InputError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return InputError(f"{path}: a damaged {kind} file ({reason}); export it again")


def _read_workbook(path: Path, found: Survey, sheet: str | None) -> Table:
    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise InputError(f"{path}: there is no sheet {sheet!r}; there are: {', '.join(names)}")
        for name in [sheet] if sheet is not None else names:
            cells = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
            if cells.height:
                break
        else:
            raise InputError(f"{path}: every sheet is empty; was the export finished?")
    except fastexcel.FastExcelError as error:
        raise _damaged(path, "Excel", error) from None
    headers, warnings = repaired_headers([cell or "" for cell in cells.row(0)])
    frame = cells.slice(1).rename(dict(zip(cells.columns, headers, strict=True)))
    frame = frame.filter(pl.any_horizontal(pl.all().is_not_null()))
    frame = frame.with_columns(pl.all().str.replace(r"^(\d{4}-\d\d-\d\d) 00:00:00$", "${1}"))
    others = [other for other in names if other != name]
    if others and sheet is None:
        warnings.append(f"read the sheet {name!r}; others: {', '.join(map(repr, others))}")
    return Table(frame, path.name, found.sha256, warnings=tuple(warnings))


def _read_json(path: Path, found: Survey) -> Table:
    encoding = "cp1252" if found.encoding == "mixed" else found.encoding
    text = path.read_text(encoding=encoding, errors="replace").lstrip("\ufeff")
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else _json_lines(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: not well-formed JSON at line {error.lineno}, column {error.colno}: "
            f"{error.msg}; give an array of objects or one object a line"
        ) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: JSON must be an array of objects, or one object a line")
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [_json_text(row.get(name)) for row in rows] for name in names}
    frame = pl.DataFrame(
        {
            name: values if any(values) else pl.Series(values, dtype=pl.String)
            for name, values in columns.items()
        },
        strict=False,
    )
    return as_table(frame, path.name, found.sha256)


def _json_lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError:
        whole = json.loads(text)
        return [whole]


def _json_text(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(v, (str, int, float)) for v in value):
        return ";".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)
