"""CSV and its kin: DuckDB reads what is well formed, `careful` reads the rest."""

from __future__ import annotations

import codecs
import re
import tempfile
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import duckdb
import polars as pl

from crm_quality.duck import connect
from crm_quality.intake.careful import records
from crm_quality.intake.layout import Layout, text_layout
from crm_quality.intake.table import PROBLEMS, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.intake.careful import Row
    from crm_quality.intake.survey import Survey

_HEAD_LINES = 200
_CHUNK = 50_000
_BLOCK = 1024 * 1024
#: What stands for bytes that are no character.
_REPLACED = "\ufffd"

_STRICT = """
    SELECT * FROM read_csv(
        $file, auto_detect = false, header = false, skip = $skip, columns = $columns,
        delim = $delimiter, quote = '"', escape = '"', strict_mode = true, null_padding = false,
        max_line_size = 2097152, encoding = 'utf-8'
    )
"""


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
        layout = text_layout(_head(file), delimiter, path.name)
        frame = None if found.encoding == "mixed" else _strictly(file, layout)
        problems = pl.DataFrame(schema=PROBLEMS)
        if frame is None:
            parts = list(_carefully(file, layout, _CHUNK))
            frame = pl.concat([_no_rows(layout), *(rows for rows, _ in parts)])
            starts = [part * _CHUNK for part in range(len(parts))]
            problems = pl.concat(
                [problems]
                + [
                    odd.with_columns(pl.col("row") + start)
                    for start, (_, odd) in zip(starts, parts, strict=True)
                ]
            )
    problems = _with_replaced(frame, problems, found, layout)
    return Table(frame, path.name, found.sha256, problems, _told(found, layout))


def read_delimited_batches(
    path: Path, found: Survey, delimiter: str | None, rows: int
) -> Iterator[Table]:
    """The same table in parts of at most ``rows`` rows, for files larger than memory."""
    with _as_utf8(path, found) as file:
        layout = text_layout(_head(file), delimiter, path.name)
        warnings = _told(found, layout)
        first = 1
        for frame, odd in _in_batches(file, layout, rows, found):
            problems = _with_replaced(frame, odd, found, layout)
            yield Table(frame, path.name, found.sha256, problems, warnings, first)
            first += frame.height
            warnings = ()
        if first == 1:
            yield Table(_no_rows(layout), path.name, found.sha256, warnings=warnings)


def _told(found: Survey, layout: Layout) -> tuple[str, ...]:
    told = list(layout.warnings)
    if found.encoding == "mixed":
        told.append("lines in UTF-8 and in another encoding stand side by side; rows are marked")
    elif found.guessed:
        told.append(
            f"not UTF-8: read as {found.encoding}, a guess; if accents look wrong, name the "
            "encoding or export as UTF-8"
        )
    return tuple(told)


def _no_rows(layout: Layout) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(layout.headers, pl.String))


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
            while block := source.read(_BLOCK):
                target.write(block.replace("\r", "\n") if found.only_returns else block)
        yield copy


def _with_replaced(
    frame: pl.DataFrame, problems: pl.DataFrame, found: Survey, layout: Layout
) -> pl.DataFrame:
    """The problems, and the rows in which bytes had to be replaced since they are no characters."""
    if found.encoding in ("utf-8", "mixed"):
        return problems  # lines of other encodings are marked as they are read
    marks = pl.any_horizontal(pl.all().str.contains(_REPLACED, literal=True))
    text = pl.concat_str(pl.all().fill_null(""), separator=layout.delimiter)
    replaced = (
        frame.select(marks.alias("marks"), text.alias("text"))
        .with_row_index("row")
        .filter("marks")
        .select(pl.col("row").cast(pl.Int64), pl.lit("encoding").alias("problem"), "text")
    )
    fresh = replaced.join(problems, on="row", how="anti")
    return pl.concat([problems, fresh]).sort("row")


def _past_mark(file: BinaryIO) -> BinaryIO:
    if file.read(3) != codecs.BOM_UTF8:
        file.seek(0)
    return file


def _lines(file: BinaryIO) -> Iterator[tuple[str, bool]]:
    """Lines with their ends; bad bytes are read as cp1252, which they are most often."""
    for line in file:
        try:
            yield line.decode("utf-8"), False
        except UnicodeDecodeError:
            yield line.decode("cp1252", errors="replace"), True


def _head(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [line for line, _ in islice(_lines(_past_mark(file)), _HEAD_LINES)]


def _relation(
    connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout
) -> duckdb.DuckDBPyRelation:
    parameters = {
        "file": str(path),
        "skip": layout.lines_before,
        "columns": {f"c{number}": "VARCHAR" for number in range(len(layout.headers))},
        "delimiter": layout.delimiter,
    }
    return connection.sql(_STRICT, params=parameters)


def _is_pattern(path: Path) -> bool:
    """True when DuckDB would take the file's name for a pattern of names."""
    return re.search(r"[*?\[]", str(path)) is not None


def _named(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    named = frame.rename(dict(zip(frame.columns, layout.headers, strict=True)))
    # DuckDB takes a blank line for a row where there is one column; elsewhere it passes over it.
    return named.drop_nulls() if named.width == 1 else named


def _strictly(path: Path, layout: Layout) -> pl.DataFrame | None:
    """The whole file by DuckDB; null when it is not well formed."""
    if _is_pattern(path):
        return None
    with connect() as connection:
        try:
            rows = _relation(connection, path, layout).to_arrow_table()
            return _named(pl.DataFrame(rows), layout)
        except duckdb.Error:
            return None


def _in_batches(
    path: Path, layout: Layout, rows: int, found: Survey
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """By DuckDB as far as the file is well formed, and carefully from there on."""
    done = 0
    if found.encoding != "mixed" and not _is_pattern(path):
        with connect() as connection:
            try:
                for batch in _relation(connection, path, layout).to_arrow_reader(rows):
                    frame = _named(pl.DataFrame(batch), layout)
                    done += frame.height
                    if frame.height:
                        yield frame, pl.DataFrame(schema=PROBLEMS)
            except (duckdb.Error, OSError):
                pass
            else:
                return
    yield from _carefully(path, layout, rows, skip=done)


def _carefully(
    path: Path, layout: Layout, rows: int, *, skip: int = 0
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    with path.open("rb") as file:
        lines = _lines(_past_mark(file))
        read = records(islice(lines, layout.lines_before, None), layout.delimiter)
        read = islice(read, skip, None)
        while batch := list(islice(read, rows)):
            yield _frame(batch, layout)


def _frame(batch: list[Row], layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
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
