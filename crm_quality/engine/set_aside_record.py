"""One record as a steward needs to see it: what it says, what is wrong, what was done about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.fixing import texts_in_force
from crm_quality.engine.waiting import owned
from crm_quality.store.quarantine import last_versions
from crm_quality.store.record_history import (
    column_of_field,
    corrections_of,
    issues_of_version,
    steps_of,
    waivers_of,
)

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store


@dataclass(frozen=True)
class RecordPage:
    """A record and its last version.

    Attributes:
        entity: Its entity.
        record_id: Its number.
        source: Its source.
        source_key: Its key there.
        status: ``waiting``, ``accepted`` or ``ended``.
        in_force: An accepted version of it is in use, be it an earlier one.
        values: One row per field that says something: ``field``, ``given`` (by its source),
            ``corrected`` (null = not corrected), ``value`` (as it was read, as text; null = it
            could not be).
        row: The row as it came: column → text.
        columns: Column → the field that it was read as.
        issues: ``field``, ``rule``, ``severity``, ``owner``, ``value``, ``message``,
            ``suggestion``; errors first.
        history: Every step: ``occurred_at`` (UTC), ``status``, ``actor``, ``reason``, ``run_id``,
            ``version_id``.
        corrections: ``corrected_at``, ``field``, ``old_value``, ``new_value``, ``actor``,
            ``reason``, ``run_id``, ``in_force``.
        waivers: ``rule``, ``expires_on``, ``actor``, ``reason``, ``decided_at``,
            ``withdrawn_at``.
    """

    entity: str
    record_id: int
    source: str
    source_key: str
    status: str
    in_force: bool
    values: pl.DataFrame
    row: dict[str, Any]
    columns: dict[str, str]
    issues: pl.DataFrame
    history: pl.DataFrame
    corrections: pl.DataFrame
    waivers: pl.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """The page as plain values, for JSON."""
        frames = ("values", "issues", "history", "corrections", "waivers")
        plain = {
            name: getattr(self, name)
            for name in ("entity", "record_id", "source", "source_key", "status", "in_force", "row")
        }
        return {
            "schema_version": 1,
            **plain,
            **{name: getattr(self, name).to_dicts() for name in frames},
        }


def record_page(store: Store, rules: RuleSet, entity: str, record: int) -> RecordPage:
    """The page of one record.

    Args:
        store: The open store.
        rules: The project's rules.
        entity: The record's entity.
        record: Its id.

    Raises:
        NotFoundError: The rules know no such entity.
    """
    definition = rules.entity(entity)
    (last,) = last_versions(store, entity, [record]).to_dicts()
    given = json.loads(last["given"] or "{}")
    (texts,) = texts_in_force(store, definition, [record]).to_dicts()
    corrections = corrections_of(store, entity, record)
    corrected = set(corrections.filter("in_force")["field"])
    values = [
        (
            name,
            _text(given.get(name)) if last["given"] else texts[name],
            texts[name] if name in corrected else None,
            _text(last.get(name)),
        )
        for name in definition.fields
        if name != "source_key"
    ]
    state = "ended" if last["ended"] else None
    waits = last["status"] == "quarantined" and last["quarantine_status"] == "open"
    issues = issues_of_version(store, entity, last["version_id"])
    return RecordPage(
        entity=entity,
        record_id=record,
        source=last["source"],
        source_key=last["source_key"],
        status=state or ("waiting" if waits else "accepted"),
        in_force=last["current_version"] is not None and not last["ended"],
        values=pl.DataFrame(
            [row for row in values if any(row[1:])],
            schema=dict.fromkeys(("field", "given", "corrected", "value"), pl.String),
            orient="row",
        ),
        row=json.loads(last["raw"] or "{}"),
        columns=column_of_field(store, last["batch_id"]),
        issues=owned(issues, rules).select(
            "field", "rule", "severity", "owner", "value", "message", "suggestion"
        ),
        history=steps_of(store, entity, record),
        corrections=corrections,
        waivers=waivers_of(store, entity, record),
    )


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or None
    return None if value is None else str(value)
