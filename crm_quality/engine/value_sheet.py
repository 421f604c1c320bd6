"""Unknown values as a sheet that a steward fills in: what does each of them mean?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from crm_quality.errors import InputError, UsageError
from crm_quality.intake import read

if TYPE_CHECKING:
    from crm_quality.definitions import Vocabulary

_KINDS = (".xlsx", ".csv")
#: The column that the steward fills, and what it is for.
DECISION = "decision"
_ACCEPTED = "accepted values"
_WIDTHS = {"field": 22, "value": 34, "sources": 30, "suggestion": 18, DECISION: 18}


def write_sheet(found: pl.DataFrame, place: str, vocabulary: Vocabulary, out: Path) -> None:
    """Write what `Values.unknown` found, with a column for the decisions.

    Args:
        found: Unknown values, see `Values.unknown`.
        place: ``<entity>.<field>``; stands in each row, so that a sheet is not read for another.
        vocabulary: The accepted values; a workbook lists them and offers them to choose from.
        out: A file that ends in .xlsx or .csv.

    Raises:
        UsageError: It ends otherwise.
        InputError: It cannot be written.
    """
    if out.suffix.lower() not in _KINDS:
        raise UsageError(f"{out}: a sheet ends in {' or '.join(_KINDS)}")
    sheet = found.filter(~pl.col("is_accepted")).select(
        pl.lit(place).alias("field"),
        "value",
        "records",
        pl.col("sources").list.join(", "),
        pl.col("first_seen", "last_seen").dt.strftime("%Y-%m-%d"),
        *("cluster", "suggestion", "method", "score"),
        pl.lit(None, pl.String).alias(DECISION),
    )
    try:
        if out.suffix.lower() == ".csv":
            sheet.write_csv(out)
        else:
            _write_workbook(sheet, vocabulary, out)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise InputError(f"{out} cannot be written: {error}") from error


def _write_workbook(sheet: pl.DataFrame, vocabulary: Vocabulary, out: Path) -> None:
    accepted = pl.DataFrame(
        {
            "value": list(vocabulary.values),
            "label": [details.label for details in vocabulary.values.values()],
            "meaning": [details.meaning for details in vocabulary.values.values()],
            "synonyms": [", ".join(details.synonyms) for details in vocabulary.values.values()],
        }
    )
    # what people typed is text, also where it looks like a formula or a link
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(out), options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        asked = book.add_format({"bg_color": "#FFF6D6"})
        for name, frame in (("values", sheet), (_ACCEPTED, accepted)):
            page = book.add_worksheet(name)
            page.freeze_panes(1, 0)
            for at, column in enumerate(frame.columns):
                page.set_column(at, at, _WIDTHS.get(column, 12))
                page.write_string(0, at, column, head)
                for row, cell in enumerate(frame[column], start=1):
                    if cell is not None:
                        page.write(row, at, cell)
        last = sheet.width - 1
        page = book.get_worksheet_by_name("values")
        page.set_column(last, last, _WIDTHS[DECISION], asked)
        page.data_validation(
            1,
            last,
            max(sheet.height, 1),
            last,
            {
                "validate": "list",
                "source": f"='{_ACCEPTED}'!$A$2:$A${len(vocabulary.values) + 1}",
                "error_type": "warning",
            },
        )


def read_sheet(path: Path | str, place: str) -> dict[str, str]:
    """The decisions of a sheet that `write_sheet` wrote and a steward filled in.

    Args:
        path: The sheet; any table with the columns ``value`` and ``decision``.
        place: ``<entity>.<field>`` that it must be about.

    Returns:
        Value → what it means, of the rows with a decision.

    Raises:
        InputError: It cannot be read, lacks a column, is about another field, or decides about
            one value twice.
    """
    frame = read(Path(path)).frame
    names = {name.strip().lower(): name for name in frame.columns}
    if missing := {"value", DECISION} - names.keys():
        raise InputError(
            f"{path} has no column {' and no column '.join(sorted(missing))}; fill in the column "
            f"{DECISION!r} of the sheet that --out wrote"
        )
    if "field" in names:
        others = set(frame[names["field"]].drop_nulls().str.strip_chars()) - {place, ""}
        if others:
            raise InputError(f"{path} is about {', '.join(sorted(others))}, not about {place}")
    decided = frame.select(
        pl.col(names["value"]).alias("value"),
        pl.col(names[DECISION]).str.strip_chars().alias(DECISION),
    ).filter(pl.col("value").is_not_null() & (pl.col(DECISION) != ""))
    twice = decided.unique().filter(pl.col("value").is_duplicated())["value"].unique().sort()
    if len(twice):
        raise InputError(f"{path} decides twice about {', '.join(map(repr, twice))}")
    return dict(decided.iter_rows())
