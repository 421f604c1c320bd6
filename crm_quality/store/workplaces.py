"""At which company contacts work: kept record by record, read as evidence of contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection

    from crm_quality.store.connection import Store


def write_workplaces(
    store: Store, found: pl.DataFrame, *, among: pl.DataFrame | None, run_id: int
) -> pl.DataFrame:
    """Keep where contacts work, and nothing of those who work nowhere that is known.

    Args:
        store: Inside its transaction.
        found: ``record_id``, ``company_id``, ``found_by``, ``name``, see
            `crm_quality.match.workplaces.Companies.workplaces`.
        among: ``record_id`` of the contacts that were looked at; null = all.
        run_id: This run.

    Returns:
        ``record_id`` of those of whom another company, or the same by another name, is known now.
    """
    looked_at = "TRUE" if among is None else "record_id IN (SELECT record_id FROM looked_at)"
    told = pl.DataFrame({"record_id": []}, schema={"record_id": pl.Int64})
    with (
        store.staged(found, "found"),
        store.staged(told if among is None else among.select("record_id"), "looked_at"),
    ):
        store.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE moved AS
            SELECT record_id, f.record_id IS NOT NULL AS known, f.company_id, f.found_by, f.name,
                   f.company_id IS DISTINCT FROM w.company_id
                       OR f.name IS DISTINCT FROM w.name AS is_evidence
            FROM (FROM matching.workplace WHERE {looked_at}) w FULL JOIN found f USING (record_id)
            WHERE is_evidence OR f.found_by IS DISTINCT FROM w.found_by
            """  # noqa: S608 - one of two constants
        )
    store.execute("DELETE FROM matching.workplace WHERE record_id IN (SELECT record_id FROM moved)")
    store.execute(
        "INSERT INTO matching.workplace"
        " SELECT record_id, company_id, found_by, name, ? FROM moved WHERE known",
        [run_id],
    )
    moved = store.frame("SELECT record_id FROM moved WHERE is_evidence ORDER BY record_id")
    store.execute("DROP TABLE moved")
    return moved


def knows_workplaces(store: Store) -> bool:
    """Whether any contact's company is known."""
    return bool(store.value("SELECT count(*) FROM (FROM matching.workplace LIMIT 1)"))


def workplaces_of(store: Store, record_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Record → ``company_id``, ``found_by``, ``name`` of its company; others are left out."""
    asked = pl.DataFrame({"record_id": list(record_ids)}, schema={"record_id": pl.Int64})
    with store.staged(asked, "asked"):
        rows = store.frame(
            "SELECT record_id, company_id, found_by, name FROM matching.workplace"
            " WHERE record_id IN (SELECT record_id FROM asked)"
        )
    return {row.pop("record_id"): row for row in rows.to_dicts()}


def with_workplaces(store: Store, records: pl.DataFrame, field: str) -> pl.DataFrame:
    """Contacts under the name of the company that they work at, where that is known.

    What a steward sees and what survives a merge stays what the record says; this is evidence.

    Args:
        store: The open store.
        records: Standardised contacts with ``record_id``.
        field: Of the company's name.
    """
    if not knows_workplaces(store):
        return records
    with store.staged(records.select("record_id"), "asked"):
        known = store.frame(
            "SELECT record_id, name AS workplace FROM matching.workplace"
            " WHERE record_id IN (SELECT record_id FROM asked) AND name IS NOT NULL"
        )
    if known.is_empty():
        return records
    wide = records.join(known, on="record_id", how="left", maintain_order="left")
    names = [name for name in (field, f"{field}_core") if name in records.columns]
    if not names:
        return wide.rename({"workplace": field})
    return wide.with_columns(pl.coalesce("workplace", name).alias(name) for name in names).drop(
        "workplace"
    )
