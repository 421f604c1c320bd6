"""A workbook per owner: what waits, why, and a column for what it should be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.exceptions import XlsxWriterException  # type: ignore[import-untyped]
from xlsxwriter.utility import xl_col_to_name  # type: ignore[import-untyped]

from crm_quality.definitions import FieldType
from crm_quality.errors import InputError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.workbook_rows import Line

SHEET = "Corrections"
#: What is written to say that a field is to be empty.
EMPTY = "(empty)"
#: Column → width in characters; the reader finds them by name.
COLUMNS = {
    "record": 9,
    "entity": 9,
    "source": 16,
    "key": 18,
    "known by": 34,
    "field": 16,
    "value": 28,
    "what is wrong": 46,
    "must": 7,
    "suggestion": 22,
    "correction": 28,
    "why": 34,
    "seal": 10,
}
_TO_FILL = ("correction", "why")
_WRAPPED = ("known by", "value", "what is wrong")
#: A workbook has so many records at most, those that have waited longest: more than people mend
#: at once, and less than Excel has room for.
MOST_RECORDS = 2_000
#: Excel holds no longer text in a cell.
_LONGEST = 32_000

_HOW_TO = f"""\
How to correct these records

Each line is one value that is wrong or missing. Write what it should be under 'correction' and \
the reason under 'why'; leave the line empty where you do not know.
To empty a field, write {EMPTY}.
Lines with 'yes' under 'must' hold their record in quarantine; the others are warnings. Where \
several lines of one record say the same, one of them may be enough.
Cells with an arrow have a list of accepted values.
The other cells are locked, without a password. The last column, hidden, tells whether a record \
has changed since this workbook was written.
Then: crmq quarantine fix FILE.xlsx. It says of each line what became of it.
The workbook holds personal data: keep it where such data may be kept.
"""


@dataclass(frozen=True)
class Workbook:
    """One workbook that was written.

    Attributes:
        path: The file.
        owner: Who is to fill it in.
        records: Records in it.
        waiting: Records that wait for this owner; more than ``records`` if there are too many for
            one workbook.
        lines: Values to look at.
    """

    path: Path
    owner: str
    records: int
    waiting: int
    lines: int


def write_workbooks(
    lines: Mapping[str, Sequence[Line]],
    rules: RuleSet,
    folder: Path,
    waiting: Mapping[str, int],
) -> list[Workbook]:
    """Write one workbook for each owner.

    Args:
        lines: Owner → what is to be mended, in order.
        rules: The project's rules, for the lists of accepted values.
        folder: Where to; made if missing.
        waiting: Owner → how many records wait for them.

    Raises:
        RefusedError: A workbook stands there already: somebody may have filled it in.
        InputError: The folder cannot be written to.
    """
    files = _file_names(lines)
    for name in files.values():
        if (folder / name).exists():
            raise RefusedError(
                f"{folder / name} is there already and may hold corrections; apply it with "
                "`crmq quarantine fix`, remove it, or name another folder"
            )
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for owner, own in lines.items():
            path = folder / files[owner]
            _write(path, own, rules)
            records = len({(line.entity, line.record_id) for line in own})
            written.append(Workbook(path, owner, records, waiting[owner], len(own)))
    except (OSError, XlsxWriterException) as error:
        raise InputError(f"{folder} cannot be written to: {error}") from error
    return written


def _file_names(owners: Iterable[str]) -> dict[str, str]:
    """Owner → a name that every file system takes, no two alike."""
    names: dict[str, str] = {}
    for owner in owners:
        plain = re.sub(r"[^\w.@+-]+", "-", owner).strip(".-")[:80] or "nobody"
        name, number = f"{plain}.xlsx", 1
        while name.casefold() in {other.casefold() for other in names.values()}:
            number += 1
            name = f"{plain}-{number}.xlsx"
        names[owner] = name
    return names


def _write(path: Path, lines: Sequence[Line], rules: RuleSet) -> None:
    # what customers typed is text, whatever it begins with
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet(SHEET)
        how_to = book.add_worksheet("How to")
        how_to.set_column(0, 0, 100, book.add_format({"text_wrap": True, "valign": "top"}))
        for number, text in enumerate(_HOW_TO.splitlines()):
            how_to.write_string(number, 0, text)
        lists = _Lists(book, rules)
        names = list(COLUMNS)
        head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EDF3"})
        text = book.add_format({"valign": "top", "num_format": "@"})
        wrapped = book.add_format({"valign": "top", "num_format": "@", "text_wrap": True})
        to_fill = book.add_format(
            {
                "valign": "top",
                "num_format": "@",
                "text_wrap": True,
                "locked": False,
                "bg_color": "#FFFBE6",
                "border": 1,
                "border_color": "#D8D2B0",
            }
        )
        for column, (name, width) in enumerate(COLUMNS.items()):
            kind = to_fill if name in _TO_FILL else wrapped if name in _WRAPPED else text
            sheet.set_column(column, column, width, kind, {"hidden": name == "seal"})
            sheet.write_string(0, column, name, head)
        for row, line in enumerate(lines, start=1):
            for column, name in enumerate(names):
                if name in _TO_FILL:
                    sheet.write_blank(row, column, None, to_fill)
                else:
                    kind = wrapped if name in _WRAPPED else text
                    sheet.write_string(row, column, _cell(line, name), kind)
            choice = lists.choice(line)
            if choice is not None:
                place = (row, names.index("correction"))
                sheet.data_validation(*place, *place, choice)
        sheet.freeze_panes(1, names.index("source"))
        sheet.autofilter(0, 0, max(len(lines), 1), len(names) - 1)
        sheet.protect(
            options={
                "autofilter": True,
                "format_columns": True,
                "format_rows": True,
            }
        )


def _cell(line: Line, name: str) -> str:
    cells = {
        "record": str(line.record_id),
        "entity": line.entity,
        "source": line.source,
        "key": line.source_key,
        "known by": line.known_by,
        "field": line.field,
        "value": line.value or "",
        "what is wrong": "\n".join(line.reasons),
        "must": "yes" if line.must else "",
        "suggestion": line.suggestion or "",
        "seal": line.seal,
    }
    return cells[name][:_LONGEST]


class _Lists:
    """Accepted values on a hidden sheet, one column for each field that has some."""

    def __init__(self, book: Any, rules: RuleSet) -> None:  # noqa: ANN401 - xlsxwriter is untyped
        self._sheet = book.add_worksheet("Lists")
        self._sheet.hide()
        self._rules = rules
        self._known: dict[tuple[str, ...], dict[str, Any]] = {}

    def choice(self, line: Line) -> dict[str, Any] | None:
        """The validation of a cell; null where anything may be written."""
        values = _accepted(self._rules.entity(line.entity), line.field)
        if not values:
            return None
        if values not in self._known:
            column = len(self._known)
            letter = xl_col_to_name(column)
            for row, value in enumerate(values):
                self._sheet.write_string(row, column, value)
            self._known[values] = {
                "validate": "list",
                "source": f"=Lists!${letter}$1:${letter}${len(values)}",
                # synonyms may be written too: the check says whether they are known
                "error_type": "information",
                "error_title": "Not in the list",
                "error_message": "This is no accepted value; it is checked when it is read back.",
            }
        return self._known[values]


def _accepted(definition: EntityDefinition, field: str) -> tuple[str, ...]:
    stated = definition.fields[field]
    if stated.type is FieldType.BOOLEAN:
        return ("true", "false")
    vocabulary = definition.vocabularies.get(stated.vocabulary or "")
    if vocabulary is None:
        return ()
    return tuple(name for name, value in vocabulary.values.items() if value.replaced_by is None)
