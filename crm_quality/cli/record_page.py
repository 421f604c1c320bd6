"""One record on the terminal, and without what is personal about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.masking import mask_of, masked_issues, masked_key, screened
from crm_quality.cli.options import Format
from crm_quality.cli.output import console, print_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from crm_quality.definitions import RuleSet
    from crm_quality.engine.quarantine import RecordPage


def masked_page(page: RecordPage, rules: RuleSet) -> RecordPage:
    """The page with personal values hidden, those of columns that no field reads included."""

    def hide(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
        rows = []
        for row in frame.iter_rows(named=True):
            mask = mask_of(rules, page.entity, row["field"])
            rows.append({n: _safe(v, mask) if n in columns else v for n, v in row.items()})
        return pl.DataFrame(rows, schema=frame.schema)

    def without(frame: pl.DataFrame) -> pl.DataFrame:
        shown = [None if text is None else screened(text) for text in frame["reason"]]
        return frame.with_columns(pl.Series("reason", shown, pl.String))

    issues = page.issues.with_columns(pl.lit(page.entity).alias("entity"))
    return replace(
        page,
        source_key=masked_key(page.source_key),
        values=hide(page.values, ("given", "corrected", "value")),
        row={
            column: _safe(value, mask_of(rules, page.entity, page.columns.get(column)))
            for column, value in page.row.items()
        },
        issues=masked_issues(issues, rules).drop("entity"),
        history=without(page.history),
        corrections=without(hide(page.corrections, ("old_value", "new_value"))),
        waivers=without(page.waivers),
    )


def _safe(value: object, mask: Callable[[str], str]) -> object:
    if isinstance(value, list):
        return [_safe(item, mask) for item in value]
    return None if value is None else mask(str(value))


def print_page(page: RecordPage) -> None:
    """The page for the terminal."""
    out = console()
    state = {
        "waiting": "waits in quarantine",
        "accepted": "is accepted",
        "ended": "was deleted by its source",
    }[page.status]
    meanwhile = "; an earlier version is used meanwhile" if _is_held(page) else ""
    out.print(
        f"{page.entity} {page.record_id} ({page.source}:{page.source_key}) {state}{meanwhile}",
        markup=False,
    )
    sections = (
        ("What is wrong", page.issues.drop("value", "owner"), page.issues),
        ("Values", page.values, page.values),
        ("The row as it came", _as_frame(page), pl.Series(list(page.row))),
        ("What was done", page.history.drop("version_id"), page.history),
        ("Corrections", page.corrections.drop("run_id"), page.corrections),
        ("Waivers", page.waivers, page.waivers),
    )
    for title, frame, whole in sections:
        if len(whole):
            out.print()
            print_frame(_plain_times(frame), Format.TABLE, title=title, most=200)


def _is_held(page: RecordPage) -> bool:
    return page.status == "waiting" and page.in_force


def _as_frame(page: RecordPage) -> pl.DataFrame:
    rows = [
        (column, page.columns.get(column), None if value is None else str(value))
        for column, value in page.row.items()
    ]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("column", "read as", "text"), pl.String), orient="row"
    )


def _plain_times(frame: pl.DataFrame) -> pl.DataFrame:
    times = [name for name, dtype in frame.schema.items() if dtype == pl.Datetime]
    return frame.with_columns(pl.col(name).dt.strftime("%Y-%m-%d %H:%M") for name in times)
