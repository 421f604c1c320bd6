"""CSV and its kin: DuckDB reads what is well formed, `careful` reads the rest."""

from __future__ import annotations

import codecs
import csv
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import duckdb
import polars as pl

from crm_quality.errors import InputError
from crm_quality.intake.careful import records
from crm_quality.intake.survey import Survey
from crm_quality.intake.table import PROBLEMS, Table, repaired_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.intake.careful import Row

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 100
_CHUNK = 50_000
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)

_STRICT = """
    SELECT * FROM read_csv(
        $file, auto_detect = false, header = false, skip = $skip, columns = $columns,
        delim = $delimiter, quote = '"', escape = '"', strict_mode = true, null_padding = false,
        max_line_size = 2097152, encoding = 'utf-8'
    )
"""


@dataclass(frozen=True)
class _Layout:
    """Where the data of a text file begins and what its columns are called."""

    headers: list[str]
    delimiter: str
    lines_before: int
    warnings: tuple[str, ...]


def read_delimited(path: Path, found: Survey, delimiter: str | None = None) -> Table:
    """Read a whole text file of columns.

    Args:
        path: The file.
        found: What `survey` says of it.
        delimiter: One character; null = by evidence.

    Returns:
        The table. Rows with too few or too many cells, with a quote that is never closed or with
        bytes that are not of the file's encoding are kept and listed under ``problems``.

    Raises:
        InputError: The file holds no header.
    """
    with _as_utf8(path, found) as file:
        layout = _layout(file, found, delimiter)
        frame = _strictly(file, layout) if found.encoding != "mixed" else None
        problems = pl.DataFrame(schema=PROBLEMS)
        if frame is None:
            frame, problems = _carefully(file, layout)
    frame, warnings = _without_empty_columns(frame, layout)
    return Table(frame, path.name, found.sha256, problems, _told(found, layout, warnings))


def read_delimited_batches(
    path: Path, found: Survey, delimiter: str | None, rows: int
) -> Iterator[Table]:
    """The same table in parts of ``rows`` rows, for files that do not fit into memory."""
    with _as_utf8(path, found) as file:
        layout = _layout(file, found, delimiter)
        warnings = _told(found, layout, [])
        first = 1
        for frame, problems in _in_batches(file, layout, rows, strict=found.encoding != "mixed"):
            yield Table(frame, path.name, found.sha256, problems, warnings, first)
            first += frame.height
            warnings = ()
        if first == 1:
            empty = pl.DataFrame(schema=dict.fromkeys(layout.headers, pl.String))
            yield Table(empty, path.name, found.sha256, warnings=warnings)


def _told(found: Survey, layout: _Layout, more: list[str]) -> tuple[str, ...]:
    told = [*layout.warnings, *more]
    if found.encoding == "mixed":
        told.append("lines in UTF-8 and in another encoding stand side by side; rows are marked")
    elif found.guessed:
        told.append(f"read as {found.encoding}, a guess; if accents look wrong, name the encoding")
    return tuple(told)


@contextmanager
def _as_utf8(path: Path, found: Survey) -> Iterator[Path]:
    """The file itself, or a temporary copy in UTF-8 with line feeds."""
    if found.encoding in ("utf-8", "mixed") and not found.only_returns:
        yield path
        return
    encoding = "utf-8" if found.encoding == "mixed" else found.encoding
    errors = "surrogateescape" if encoding == "utf-8" else "replace"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.csv"
        with (
            path.open(encoding=encoding, errors=errors, newline="") as source,
            copy.open("w", encoding="utf-8", errors=errors, newline="") as target,
        ):
            while block := source.read(1024 * 1024):
                target.write(block.replace("\r", "\n") if found.only_returns else block)
        yield copy


def _lines(file: BinaryIO) -> Iterator[tuple[str, bool]]:
    """Lines with their ends; bad bytes are read as cp1252, which they are most often."""
    for line in file:
        try:
            yield line.decode("utf-8"), False
        except UnicodeDecodeError:
            yield line.decode("cp1252", errors="replace"), True


def _layout(path: Path, found: Survey, delimiter: str | None) -> _Layout:
    with path.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        head = [line for line, _ in islice(_lines(file), _SNIFFED_LINES)]
    before = 0
    while head and not head[0].strip(" \t\r\n\ufeff"):
        del head[0]
        before += 1
    if head and (told := _SEPARATOR_LINE.match(head[0].strip())):
        delimiter = delimiter or told.group(1)
        del head[0]
        before += 1
    delimiter = delimiter or _delimiter(head)
    header = next(records(iter([(line, False) for line in head]), delimiter), None)
    if header is None or not any(cell.strip() for cell in header.cells):
        raise InputError(f"{path.name}: the first line holds no column names; is it a table?")
    names, warnings = repaired_headers(header.cells)
    del found
    return _Layout(names, delimiter, before + header.lines, tuple(warnings))


def _delimiter(head: list[str]) -> str:
    """The character that cuts most lines into as many cells as the header, and most cells."""

    def fit(delimiter: str) -> tuple[float, int]:
        rows = [row.cells for row in records(iter([(line, False) for line in head]), delimiter)]
        if not rows or len(rows[0]) == 1:
            return (0.0, 0)
        agree = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        return (round(agree, 1), len(rows[0]))

    return max(_DELIMITERS, key=fit)


def _strictly(path: Path, layout: _Layout) -> pl.DataFrame | None:
    """The whole file by DuckDB; null when it is not well formed."""
    if re.search(r"[*?\[]", str(path)):
        return None  # DuckDB would take the name for a pattern
    with duckdb.connect() as connection:
        try:
            relation = connection.sql(_STRICT, params=_arguments(path, layout))
            return _named(pl.DataFrame(relation.to_arrow_table()), layout)
        except duckdb.Error:
            return None


def _arguments(path: Path, layout: _Layout) -> dict[str, object]:
    return {
        "file": str(path),
        "skip": layout.lines_before,
        "columns": {f"c{number}": "VARCHAR" for number in range(len(layout.headers))},
        "delimiter": layout.delimiter,
    }


def _named(frame: pl.DataFrame, layout: _Layout) -> pl.DataFrame:
    return frame.rename(dict(zip(frame.columns, layout.headers, strict=True)))


def _carefully(path: Path, layout: _Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    parts = list(_in_batches(path, layout, _CHUNK, strict=False))
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(layout.headers, pl.String)), pl.DataFrame(
            schema=PROBLEMS
        )
    problems = []
    offset = 0
    for frame, odd in parts:
        problems.append(odd.with_columns(pl.col("row") + offset))
        offset += frame.height
    return pl.concat([frame for frame, _ in parts]), pl.concat(problems)


def _in_batches(
    path: Path, layout: _Layout, rows: int, *, strict: bool
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    del strict
    with path.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        lines = _lines(file)
        for _ in islice(lines, layout.lines_before):
            pass
        read = records(lines, layout.delimiter)
        while batch := list(islice(read, rows)):
            yield _frame(batch, layout)


def _frame(batch: list[Row], layout: _Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    width = len(layout.headers)
    cells: list[list[str]] = []
    odd: list[tuple[int, str, str]] = []
    for number, row in enumerate(batch):
        fitting, problem = row.cells, row.problem
        if len(fitting) != width:
            if len(fitting) < width or any(cell.strip() for cell in fitting[width:]):
                problem = problem or "ragged_row"
            fitting = (fitting + [""] * width)[:width]
        if problem:
            odd.append((number, problem, row.text))
        cells.append(fitting)
    schema = dict.fromkeys(layout.headers, pl.String)
    return (
        pl.DataFrame(cells, schema=schema, orient="row"),
        pl.DataFrame(odd, schema=PROBLEMS, orient="row"),
    )


def _without_empty_columns(
    frame: pl.DataFrame, layout: _Layout
) -> tuple[pl.DataFrame, list[str]]:
    del layout
    return frame, []


__all__ = ["csv", "read_delimited", "read_delimited_batches"]
