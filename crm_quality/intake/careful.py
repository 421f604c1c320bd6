"""Reading delimited text with mistakes in it: every line is kept, odd ones are marked."""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.intake.survey import LONGEST_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A quoted cell over more lines than this was never meant: its quote is not closed.
MOST_LINES = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file.

    Attributes:
        cells: Its cells; fewer or more than the header has where ``problem`` says so.
        problem: Null = read well.
        text: The row as it stood in the file, without its line end.
        lines: How many lines of the file it took.
    """

    cells: list[str]
    problem: str | None
    text: str
    lines: int


class _NeverClosedError(Exception):
    """A record took more lines than any record does."""


class _Lines:
    """Lines that can be handed back: the ones after a quote that was never closed."""

    def __init__(self, lines: Iterator[tuple[str, bool]]) -> None:
        self._lines = lines
        self._ahead: deque[tuple[str, bool]] = deque()
        self.taken: list[tuple[str, bool]] = []
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES or self._length > LONGEST_LINE:
            raise _NeverClosedError
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.taken.append(line)
        self._length += len(line[0])
        return line[0]

    def begin_record(self) -> None:
        self.taken = []
        self._length = 0

    def keep_first(self) -> None:
        """Hand back all lines of this record but its first."""
        self._ahead.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def records(lines: Iterator[tuple[str, bool]], delimiter: str) -> Iterator[Row]:
    """Read records as RFC 4180 says, and go on where a file does not.

    Args:
        lines: Lines with their ends, each with whether its bytes were bad.
        delimiter: One character.

    Yields:
        Every record; blank lines are left out. ``problem`` is ``unclosed_quote`` (only the line
        with the quote is taken, the next record begins on the next line) or ``encoding``.
    """
    csv.field_size_limit(2 * LONGEST_LINE)
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.begin_record()
        problem = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _NeverClosedError) as error:
            if not source.taken:
                return
            on_one_line = len(source.taken) == 1 and "expected after" in str(error)
            source.keep_first()
            line = source.taken[0][0]
            if on_one_line and (lenient := _lenient(line, delimiter)):
                cells = lenient
            else:
                cells, problem = line.rstrip("\r\n").split(delimiter), "unclosed_quote"
            reader = csv.reader(source, delimiter=delimiter, strict=True)
        if not cells or cells == [""]:
            continue
        if problem is None and any(bad for _, bad in source.taken):
            problem = "encoding"
        text = "".join(line for line, _ in source.taken).rstrip("\r\n")
        yield Row(cells, problem, text, len(source.taken))


def _lenient(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line with text after a closing quote: ``4,"x" y,6``; null if it stays open."""
    try:
        return next(csv.reader([line.replace("\r", "").rstrip("\n")], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return None
