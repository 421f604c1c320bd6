"""Contacts and companies meet: where contacts work, found anew where either side has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.match.workplaces import WORKPLACE, Companies
from crm_quality.store.golden import membership
from crm_quality.store.landing import current_records
from crm_quality.store.workplaces import knows_workplaces, with_workplaces, write_workplaces

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.store import Store

CONTACT, COMPANY = "contact", "company"


def find_workplaces(
    store: Store, rules: RuleSet, *, run_id: int, among: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Find the company of contacts, where exactly one fits, and keep it.

    Where a contact works depends on itself and on all companies: when these are as they were, only
    changed contacts are looked at.

    Args:
        store: Inside its transaction, companies derived.
        rules: The project's.
        run_id: This run.
        among: ``record_id`` of the contacts to look at; null = all.

    Returns:
        ``record_id`` of contacts whose evidence has changed with it.
    """
    nobody = pl.DataFrame(schema={"record_id": pl.Int64})
    if CONTACT not in rules.entities or COMPANY not in rules.entities:
        return nobody
    companies = current_records(store, COMPANY)
    if companies.is_empty() and not knows_workplaces(store):
        return nobody
    contacts = current_records(store, CONTACT, records=among)
    found = pl.DataFrame(schema=WORKPLACE)
    if not companies.is_empty() and not contacts.is_empty():
        homes = membership(store, COMPANY)
        known = Companies.of(
            companies.join(homes, on="record_id", maintain_order="left"), rules.entity(COMPANY)
        )
        found = known.workplaces(contacts, rules.entity(CONTACT))
    return write_workplaces(store, found, among=among, run_id=run_id)


def evidence_of(store: Store, definition: EntityDefinition, records: pl.DataFrame) -> pl.DataFrame:
    """Standardised records as matching compares them: contacts at the company they work at."""
    fields = definition.fields_of_role(MatchRole.COMPANY_NAME)
    if definition.entity != CONTACT or not fields:
        return records
    return with_workplaces(store, records, fields[0])
