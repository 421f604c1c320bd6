"""A table as it came: every cell as text, every odd row marked."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

#: Rows that could not be read as they should: index of the row, what is wrong, its text.
PROBLEMS = pl.Schema({"row": pl.Int64, "problem": pl.String, "text": pl.String})


@dataclass(frozen=True)
class Table:
    """One file or frame, before anything is known about its meaning.

    Attributes:
        frame: One column per header. Text as it came, lists as ``List(String)``; an empty cell
            is null or blank text.
        name: What people call it: the file's name, or what was given.
        file_hash: SHA-256 of the file's bytes, in hex; empty for frames.
        problems: One row per row of ``frame`` that was not read well: ``row`` (index in ``frame``,
            from 0), ``problem`` (``ragged_row``, ``unclosed_quote``, ``encoding``), ``text`` (the
            row as it stood in the file).
        warnings: What people should know about how it was read.
        first_row: Number of the first row among the file's data rows, from 1.
    """

    frame: pl.DataFrame
    name: str = "frame"
    file_hash: str = ""
    problems: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROBLEMS))
    warnings: tuple[str, ...] = ()
    first_row: int = 1

    @property
    def headers(self) -> list[str]:
        """Names of the columns, unique, in the order of the file."""
        return self.frame.columns


def repaired_headers(cells: list[str]) -> tuple[list[str], list[str]]:
    """Unique, non-blank names for the columns of a header row.

    Args:
        cells: The header as it came.

    Returns:
        The names: outer blanks and a byte order mark are taken off, the second ``Email`` becomes
        ``Email (2)``, a blank name ``column 5``; and what to tell people about it.
    """
    names: list[str] = []
    taken: set[str] = set()
    repeated: list[str] = []
    blank: list[str] = []
    for position, cell in enumerate(cells, start=1):
        stripped = cell.replace("\ufeff", "").replace("\0", "").strip()
        if stripped == "*" or (stripped.startswith("^") and stripped.endswith("$")):
            stripped = ""  # Polars takes such a name for a pattern of names
        name = stripped or f"column {position}"
        if not stripped:
            blank.append(name)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{stripped or f'column {position}'} ({number})"
        if number > 1:
            repeated.append(name)
        taken.add(name.casefold())
        names.append(name)
    warnings = []
    if repeated:
        warnings.append(f"column names that stand twice were numbered: {', '.join(repeated)}")
    if blank:
        warnings.append(f"columns without a name: {', '.join(blank)}")
    return names, warnings
