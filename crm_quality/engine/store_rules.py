"""Rules about many records, over what a run leaves behind: after the merge, never a quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.store.store_issues import (
    append_checks,
    golden_columns,
    record_columns,
    replace_store_issues,
    stored_entities,
    with_records,
)
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


def store_findings(store: Store, rules: RuleSet, *, as_of: date) -> StoreFindings:
    """Check every entity that has golden records against its rules of scope ``store``.

    Reads the columns that the rules name, and no others. An entity without golden records is
    left out; rules that compare with it are skipped, and say so.

    Args:
        store: The open store; nothing is written.
        rules: The rules.
        as_of: The day that ``today`` stands for.
    """
    names = stored_entities(store, rules.entities)
    read_golden, read_records = store_columns({name: rules.entities[name] for name in names})
    golden = {
        name: _zoned(golden_columns(store, name, sorted(columns)), rules.entity(name))
        for name, columns in read_golden.items()
        if name in names
    }
    records = {
        name: _zoned(record_columns(store, name, sorted(columns)), rules.entity(name))
        for name, columns in read_records.items()
        if name in names
    }
    parts = [
        check_store(golden, rules.entity(name), as_of=as_of, records=records) for name in names
    ]
    issues = pl.concat([STORE_ISSUES.to_frame(), *(part.issues for part in parts)])
    return StoreFindings(
        issues=with_records(store, issues) if issues.height else issues,
        checks=pl.concat([CHECKS.to_frame(), *(part.checks for part in parts)]),
    )


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
