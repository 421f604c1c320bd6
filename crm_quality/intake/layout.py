"""Where the table begins in a text or a sheet, what parts its cells and names its columns."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.errors import InputError
from crm_quality.intake.careful import records
from crm_quality.intake.table import repaired_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.intake.careful import Row

_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)
_DATA = re.compile(r"^[^@\s]+@[^@\s]+\.\w{2,}$|^\+?\d[\d\s().-]{6,}$|^\d{4}-\d\d-\d\d")
_LEAST_COLUMNS_UNDER_TITLE = 3
_MOST_TITLE_ROWS = 20


@dataclass(frozen=True)
class Layout:
    """How a text of columns is laid out.

    Attributes:
        headers: Names of the columns, unique.
        delimiter: What parts the cells.
        lines_before: Lines before the first row of data.
        warnings: What people should know.
    """

    headers: list[str]
    delimiter: str
    lines_before: int
    warnings: tuple[str, ...]


def text_layout(head: list[str], delimiter: str | None, name: str) -> Layout:
    """Find the header of a text.

    Args:
        head: Its first lines, with their ends.
        delimiter: One character; null = by evidence.
        name: Of the file, for messages.

    Raises:
        InputError: There is no header.
    """
    before = 0
    while head and not head[0].strip(" \t\r\n\ufeff"):
        head = head[1:]
        before += 1
    if head and (told := _SEPARATOR_LINE.match(head[0].strip())):
        delimiter = delimiter or told.group(1)
        head = head[1:]
        before += 1
    delimiter = delimiter or _delimiter(head)
    rows = _records(head, delimiter)
    first = header_index([row.cells for row in rows])
    warnings = [f"lines above the column names, left out: {first}"] if first else []
    header = rows[first] if rows else None
    cells = _without_loose_end(header.cells, rows[first + 1 :]) if header else []
    headers, told_of_names = header_of(cells, name)
    taken = sum(row.lines for row in rows[: first + 1])
    before += taken + _blank_lines(head, rows[: first + 1])
    return Layout(headers, delimiter, before, (*warnings, *told_of_names))


def header_of(cells: Sequence[str], name: str) -> tuple[list[str], list[str]]:
    """Unique names of the columns, and what to tell of them.

    Raises:
        InputError: The cells are blank, or are data.
    """
    if not any(cell.strip() for cell in cells):
        raise InputError(f"{name}: the first line holds no column names; is it a table?")
    data = next((cell for cell in cells if _DATA.match(cell.strip())), None)
    if data is not None:
        raise InputError(
            f"{name}: the first line holds data, not column names (a cell like "
            f"{_veiled(data.strip())}); put a line with the names of the columns above it"
        )
    return repaired_headers(list(cells))


def _veiled(cell: str) -> str:
    """The shape of a cell: a message must not show anyone's address."""
    return repr(re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", cell))[:40])


def header_index(rows: Sequence[Sequence[str]]) -> int:
    """Which row names the columns: the first that is as wide as the table, below any titles.

    A title is a row with one filled cell above a table of at least three columns.
    """
    widths = Counter(_filled(cells) for cells in rows)
    if not widths:
        return 0
    widest = max(widths)
    if widest < _LEAST_COLUMNS_UNDER_TITLE:
        return 0
    for index, cells in enumerate(rows[:_MOST_TITLE_ROWS]):
        if _filled(cells) > 1:
            return index
    return 0


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _without_loose_end(cells: list[str], rows: Sequence[Row]) -> list[str]:
    """The header without blank names at its end that no row has a cell for."""
    named = len(cells)
    while named and not cells[named - 1].strip():
        named -= 1
    widest = max((len(row.cells) for row in rows), default=len(cells))
    return cells[: max(named, min(widest, len(cells)))]


def _records(head: list[str], delimiter: str) -> list[Row]:
    return list(records(iter([(line, False) for line in head]), delimiter))


def _blank_lines(head: list[str], rows: Sequence[Row]) -> int:
    """Blank lines among and before ``rows``, which `records` passes over."""
    taken, blank = sum(row.lines for row in rows), 0
    for line in head:
        if taken == 0:
            break
        if line.strip("\r\n"):
            taken -= 1
        else:
            blank += 1
    return blank


def _delimiter(head: list[str]) -> str:
    """The character that cuts most lines into as many cells, and into most."""

    def fit(delimiter: str) -> tuple[float, int]:
        rows = _records(head, delimiter)
        widths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
        if not widths:
            return (0.0, 0)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return (round(count / len(rows), 1), width)

    return max(_DELIMITERS, key=fit)
