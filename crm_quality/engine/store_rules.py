"""Rules about many records, over what a run leaves behind: after the merge, never a quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.store.store_issues import (
    append_checks,
    golden_columns,
    has_rows,
    record_columns,
    replace_store_issues,
    stored_entities,
    with_records,
)
from crm_quality.store.tables import written_table
from crm_quality.validate import check_store
from crm_quality.validate.checks import CHECKS
from crm_quality.validate.store import STORE_ISSUES
from crm_quality.validate.store_columns import store_columns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.store import Store


@dataclass(frozen=True)
class StoreFindings:
    """What the rules about many records say of a store.

    Attributes:
        issues: Every issue in force: `STORE_ISSUES`. An issue of a golden record has its
            ``entity_id`` and the record it is listed by; one of a whole source has neither.
        checks: How each check ended: `CHECKS`.
    """

    issues: pl.DataFrame
    checks: pl.DataFrame


class StoreFrames:
    """Golden records and the records behind them, as store rules read them.

    Rows that hang on customers stand for themselves. Reads the columns that the rules name, and no
    others.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._golden: dict[str, pl.DataFrame] = {}
        self._records: dict[str, pl.DataFrame] = {}

    def replace(self, entity: str, golden: pl.DataFrame, records: pl.DataFrame) -> None:
        """Let some rows be other than the store has them.

        Args:
            entity: Name of the entity.
            golden: ``entity_id`` and fields of the golden records in question.
            records: ``record_id`` and fields of the records behind them.
        """
        self._golden[entity], self._records[entity] = golden, records

    def findings(self, rules: RuleSet, *, as_of: date) -> StoreFindings:
        """Check every entity that has golden records against its rules of scope ``store``.

        An entity without any in force is left out; rules that compare with it are skipped, and
        say so.

        Args:
            rules: The rules.
            as_of: The day that ``today`` stands for.
        """
        names = self._filled(rules)
        read_golden, read_records = store_columns({name: rules.entities[name] for name in names})
        golden = {
            name: self._golden_frame(rules.entity(name), columns)
            for name, columns in read_golden.items()
            if name in names
        }
        records = {
            name: self._record_frame(rules.entity(name), columns)
            for name, columns in read_records.items()
            if name in names
        }
        parts = [
            check_store(
                golden,
                rules.entity(name),
                as_of=as_of,
                records=records,
                entities=rules.entities,
            )
            for name in names
        ]
        issues = pl.concat([STORE_ISSUES.to_frame(), *(part.issues for part in parts)])
        return StoreFindings(
            issues=with_records(self._store, issues) if issues.height else issues,
            checks=pl.concat([CHECKS.to_frame(), *(part.checks for part in parts)]),
        )

    def _filled(self, rules: RuleSet) -> list[str]:
        """Entities with anything in force, in the order of the rules."""
        customers = [one.entity for one in rules.entities.values() if one.is_customer]
        filled = set(stored_entities(self._store, customers))
        filled |= {
            one.entity
            for one in rules.entities.values()
            if not one.is_customer and has_rows(self._store, one)
        }
        return [name for name in rules.entities if name in filled]

    def _golden_frame(self, definition: EntityDefinition, columns: set[str]) -> pl.DataFrame:
        stored = golden_columns(self._store, written_table(definition), sorted(columns))
        frame = _zoned(stored, definition)
        other = self._golden.get(definition.entity)
        return frame if other is None else _with(frame, other, "entity_id", columns)

    def _record_frame(self, definition: EntityDefinition, columns: set[str]) -> pl.DataFrame:
        stored = record_columns(self._store, definition.entity, sorted(columns))
        frame = _zoned(stored, definition)
        other = self._records.get(definition.entity)
        if other is None:
            return frame
        keys = frame.select("entity_id", "record_id", "source", "source_key")
        own = [n for n in other.columns if n in columns and n not in keys.columns]
        rows = keys.join(other.select("record_id", *own), on="record_id")
        return _with(frame, rows, "record_id", {*columns, *keys.columns})


def _with(
    frame: pl.DataFrame, other: pl.DataFrame, key: str, columns: Iterable[str]
) -> pl.DataFrame:
    """``frame`` with the rows of ``other`` in place of its own, in order of ``key``."""
    rows = other.select(key, *(n for n in other.columns if n in columns and n != key))
    kept = frame.join(rows, on=key, how="anti")
    return pl.concat([kept, rows], how="diagonal_relaxed").sort(key)


def store_findings(store: Store, rules: RuleSet, *, as_of: date) -> StoreFindings:
    """What the rules about many records say of a store as it is; nothing is written."""
    return StoreFrames(store).findings(rules, as_of=as_of)


def keep_store_findings(
    store: Store, rules: RuleSet, *, as_of: date, run_id: int
) -> tuple[StoreFindings, pl.DataFrame, bool]:
    """Check the store and keep the issues; what is as the last run left it is not written.

    Args:
        store: Inside its transaction, golden records written.
        rules: The rules.
        as_of: The day that ``today`` stands for.
        run_id: This run.

    Returns:
        What was found, the issues among it that are new, and whether anything was written.
    """
    found = store_findings(store, rules, as_of=as_of)
    new, cleared = replace_store_issues(store, found.issues, run_id=run_id)
    other = append_checks(store, found.checks, run_id=run_id)
    return found, new, bool(new.height or cleared or other)


def _zoned(frame: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """Times as standardised frames have them: the store keeps UTC without saying so."""
    times: Iterable[str] = definition.fields_of_type(FieldType.DATETIME)
    return frame.with_columns(
        pl.col(name).dt.replace_time_zone("UTC") for name in times if name in frame.columns
    )
