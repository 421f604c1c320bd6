"""A workbook that comes back: which corrections it holds, and which of them still fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.fixing import WISHES, refuse, texts_in_force
from crm_quality.engine.workbook import EMPTY, SHEET
from crm_quality.engine.workbook_rows import seal
from crm_quality.errors import InputError, UsageError
from crm_quality.intake import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.store import Store

_NEEDED = ("record", "entity", "source", "key", "field", "correction", "why", "seal")
RETURNED = pl.Schema(
    {
        "line": pl.Int64(),
        "entity": pl.String(),
        "record_id": pl.Int64(),
        "source": pl.String(),
        "source_key": pl.String(),
        "field": pl.String(),
        "outcome": pl.String(),
        "reasons": pl.String(),
    }
)


@dataclass(frozen=True)
class Filled:
    """One line of a workbook that came back.

    Attributes:
        line: Its place among the lines of the sheet, from 1.
        entity: The record's entity, as written there.
        record: Its id, as written there.
        source: Its source.
        source_key: Its key.
        field: The field.
        correction: What was written; null = nothing.
        why: The reason that was written; null = none.
        seal: See `crm_quality.engine.workbook_rows.seal`.
        outcome: ``applied``, ``still failing``, ``unchanged``, ``stale`` or ``refused``; empty =
            not decided yet.
        reasons: Why.
    """

    line: int
    entity: str
    record: int
    source: str
    source_key: str
    field: str
    correction: str | None
    why: str | None
    seal: str
    outcome: str = ""
    reasons: str = ""

    @property
    def wanted(self) -> str | None:
        """The text that the field is to have; null = none."""
        return None if self.correction == EMPTY else self.correction

    @property
    def owner_record(self) -> tuple[str, int]:
        """Entity and id of the record."""
        return self.entity, self.record

    def told(self, outcome: str, reasons: str) -> Filled:
        """The same line with what became of it."""
        return replace(self, outcome=outcome, reasons=reasons)


def read_workbook(path: Path, *, reason: str | None) -> list[Filled]:
    """The lines of a workbook.

    Args:
        path: The file.
        reason: Why, for corrections that give no reason themselves.

    Raises:
        InputError: It cannot be read, or is no workbook of corrections.
        UsageError: Corrections have no reason.
    """
    table = read(path, sheet=SHEET)
    missing = [name for name in _NEEDED if name not in table.headers]
    if missing:
        raise InputError(
            f"{path}: the sheet {SHEET!r} lacks the columns {', '.join(missing)}; `crmq quarantine "
            "workbook DIR` writes workbooks that can be read back"
        )
    lines = [
        _filled(number, row, reason)
        for number, row in enumerate(table.frame.iter_rows(named=True), start=1)
    ]
    silent = [str(line.line) for line in lines if line.correction and not line.why]
    if silent:
        shown = ", ".join(silent[:10]) + (" …" if len(silent) > 10 else "")  # noqa: PLR2004
        raise UsageError(
            f"{path}: corrections without a reason in line {shown}; fill in 'why', or give one "
            "reason for all of these with --reason"
        )
    return lines


def _filled(number: int, row: dict[str, str | None], reason: str | None) -> Filled:
    cells = {name: (row[name] or "").strip() for name in _NEEDED}
    record = cells["record"].removesuffix(".0")
    return Filled(
        line=number,
        entity=cells["entity"],
        record=int(record) if record.isdecimal() and len(record) < len(str(2**63)) else 0,
        source=cells["source"],
        source_key=cells["key"],
        field=cells["field"],
        correction=cells["correction"] or None,
        why=cells["why"] or (reason or "").strip() or None,
        seal=cells["seal"],
    )


def judged(store: Store, rules: RuleSet, lines: Sequence[Filled]) -> list[Filled]:
    """Which lines can be applied: those are left undecided, the others are told why not.

    The lines of one record are applied together or not at all.

    Args:
        store: The open store.
        rules: The project's rules.
        lines: The lines as they came back.

    Returns:
        The same lines in their order.
    """
    by_entity: dict[str, list[Filled]] = {}
    for line in lines:
        by_entity.setdefault(line.entity, []).append(line)
    found: dict[int, Filled] = {}
    for entity, own in by_entity.items():
        if entity in rules.entities:
            told = _of_entity(store, rules.entity(entity), own)
        else:
            told = (line.told("refused", f"there is no entity {entity!r}") for line in own)
        found |= {line.line: line for line in told}
    return _whole_records([found[line.line] for line in lines])


def _of_entity(
    store: Store, definition: EntityDefinition, lines: Sequence[Filled]
) -> Iterator[Filled]:
    asked = sorted({line.record for line in lines if line.correction})
    texts = {
        row["record_id"]: row
        for row in texts_in_force(store, definition, asked).iter_rows(named=True)
    }
    said: dict[tuple[int, str], str | None] = {}
    for line in lines:
        place = (line.record, line.field)
        if line.correction is None:
            yield line.told("unchanged", "no correction was written")
        elif place in said and said[place] != line.correction:
            yield line.told("refused", "another line says something else for the same field")
        else:
            said[place] = line.correction
            yield _of_line(definition, texts.get(line.record), line)


def _of_line(definition: EntityDefinition, text: dict[str, object] | None, line: Filled) -> Filled:
    if text is None or (text["source"], text["source_key"]) != (line.source, line.source_key):
        return line.told("refused", "this store has no such record")
    if line.field not in definition.fields or line.field == "source_key":
        return line.told("refused", f"the field {line.field!r} cannot be corrected")
    now = text[line.field]
    if line.wanted == (None if now is None else str(now).strip() or None):
        return line.told("unchanged", "the record says so already")
    why = refuse(text, definition.entity) or _changed_since(text, line)
    return line.told("stale", why) if why else line


def _changed_since(text: dict[str, object], line: Filled) -> str | None:
    now = text[line.field]
    if line.seal != seal(str(text["content_hash"]), line.field, None if now is None else str(now)):
        return "the record has changed since the workbook was written"
    return None if text["waits"] else "the record does not wait any more"


def _whole_records(lines: Sequence[Filled]) -> list[Filled]:
    """No line of a record is applied if one of them cannot be."""
    barred = {
        line.owner_record: line.outcome for line in lines if line.outcome in ("stale", "refused")
    }
    return [
        line.told(barred[line.owner_record], "another line of this record could not be applied")
        if not line.outcome and line.owner_record in barred
        else line
        for line in lines
    ]


def wishes_of(lines: Sequence[Filled]) -> dict[str, pl.DataFrame]:
    """Entity → frame of `WISHES` of the lines that are left to apply."""
    open_lines = [line for line in lines if not line.outcome]
    return {
        entity: pl.DataFrame(
            [
                (line.record, line.field, line.wanted, line.why)
                for line in open_lines
                if line.entity == entity
            ],
            schema=WISHES,
            orient="row",
        ).unique(["record_id", "field"], keep="first", maintain_order=True)
        for entity in dict.fromkeys(line.entity for line in open_lines)
    }


def with_verdicts(lines: Sequence[Filled], verdicts: pl.DataFrame) -> pl.DataFrame:
    """Every line with what became of it.

    Args:
        lines: The lines, those that were applied undecided still.
        verdicts: Frame of `crm_quality.engine.second_look.VERDICTS` of their records.

    Returns:
        Frame of `RETURNED`.
    """
    held = {
        (row["entity"], row["record_id"]): row["reasons"]
        for row in verdicts.iter_rows(named=True)
        if row["outcome"] == "waiting"
    }
    rows = []
    for line in lines:
        told = line
        if not line.outcome:
            reasons = held.get(line.owner_record)
            told = (
                line.told("applied", "")
                if reasons is None
                else line.told("still failing", "; ".join(reasons))
            )
        rows.append(
            (
                told.line,
                told.entity,
                told.record,
                told.source,
                told.source_key,
                told.field,
                told.outcome,
                told.reasons,
            )
        )
    return pl.DataFrame(rows, schema=RETURNED, orient="row")
