"""A lead becomes a contact at a company, and a deal where one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.acting import customer_named
from crm_quality.errors import RefusedError
from crm_quality.standardise.company_name import standardise_company_names

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from crm_quality.engine.project import Project
    from crm_quality.store import Store

#: The source of rows that are made in the CRM itself.
OWN_SOURCE = "crmq"
#: The stage of a lead that was converted.
CONVERTED = "opportunity"

_DEAL = """
SELECT entity_id FROM crm.deal
WHERE source = ? AND source_key LIKE 'lead-%' AND contact_id = ? ORDER BY entity_id
"""
_WORKS_AT = "SELECT company_id FROM crm.contact_company WHERE contact_id = ? ORDER BY company_id"
_KEY = "SELECT source, source_key FROM landing.record WHERE record_id = ?"
_LEAD = "SELECT owner, company_name, country FROM crm.contact WHERE entity_id = ?"
#: So many companies are named where several may be meant.
_SHOWN = 5
_COMPANIES = "SELECT entity_id, name FROM crm.company WHERE name IS NOT NULL ORDER BY entity_id"


@dataclass(frozen=True)
class Converted:
    """A lead that was converted.

    Attributes:
        contact_id: The contact.
        deal_id: Its deal; null = none was asked for.
        is_new: False = it had been converted before, and nothing was done.
        company_id: Where it works; null = nothing is known of that.
        company_is_new: The company was made of what the lead says.
    """

    contact_id: int
    deal_id: int | None
    is_new: bool
    company_id: int | None = None
    company_is_new: bool = False


@dataclass(frozen=True)
class Wanted:
    """What a lead is to become.

    Attributes:
        name: What its deal is called; null = no deal.
        amount: What the deal would bring.
        currency: Of the amount.
        stage: Where the deal begins.
        company: A company by ``source:key``; null = the one that the lead names.
    """

    name: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    stage: str = "qualification"
    company: str | None = None


def converted(
    project: Project, name: str, wanted: Wanted, *, moment: datetime, store_as: str
) -> Converted:
    """Find or make the company of a lead, and make its deal; what is there already is left alone.

    Company and deal are taken in like any other, from the source ``crmq``, so they are checked by
    the rules and hang on records. The contact is tied to the company by what it says of where it
    works, in the role that it says, see ``crm.contact_at_company``.

    Args:
        project: Of the lead.
        name: The contact, by any of its records.
        wanted: What it is to become.
        moment: When, UTC.
        store_as: How the runs are recorded.

    Raises:
        NotFoundError: There is no such contact.
        RefusedError: Several companies are called as the lead says, or the rules quarantine the
            company or the deal.
    """
    with project.store() as store:
        contact = customer_named(store, name, "contact").entity_id
        deal = _first(store, _DEAL, [OWN_SOURCE, contact])
        company, to_make = _company(store, contact, wanted)
        owner, _, country = store.rows(_LEAD, [contact])[0]
    if to_make is not None:
        _take(project, "company", store_as, moment, source_key=f"lead-{contact}", name=to_make,
              owner=owner, country=country)  # fmt: skip
        with project.store() as store:
            company = _first(store, _WORKS_AT, [contact])
    is_new = to_make is not None
    if wanted.name is not None and deal is None:
        with project.store() as store:
            source, key = store.rows(_KEY, [contact])[0]
            at, its_key = store.rows(_KEY, [company])[0] if company is not None else (None, None)
        _take(project, "deal", store_as, moment, source_key=f"lead-{contact}", contact_key=key,
              contact_source=source, owner=owner, name=wanted.name, stage=wanted.stage,
              amount=None if wanted.amount is None else str(wanted.amount),
              currency=wanted.currency, company_key=its_key, company_source=at)  # fmt: skip
        is_new = True
        with project.store() as store:
            deal = _first(store, _DEAL, [OWN_SOURCE, contact])
    return Converted(contact, deal, is_new, company, to_make is not None)


def _company(store: Store, contact: int, wanted: Wanted) -> tuple[int | None, str | None]:
    """The company of a lead, or the name of one to be made."""
    if wanted.company is not None:
        return customer_named(store, wanted.company, "company").entity_id, None
    works_at = [row[0] for row in store.rows(_WORKS_AT, [contact])]
    if works_at:
        return works_at[0], None
    named = store.rows(_LEAD, [contact])[0][1]
    if named is None:
        return None, None
    known = store.frame(_COMPANIES)
    core = standardise_company_names(pl.Series([named]))["core"][0]
    like = known.filter(standardise_company_names(known["name"])["core"] == core)
    if not like.is_empty():
        listed = ", ".join(f"company {number}" for number in like["entity_id"].head(_SHOWN))
        raise RefusedError(
            f"contact {contact} may work at {listed}, and nothing tells at which; say it with "
            "--company SOURCE:KEY"
        )
    return None, named


def _take(
    project: Project, entity: str, store_as: str, moment: datetime, **row: str | None
) -> None:
    """Take one row the way of all rows."""
    told: dict[str, Any] = {
        **row,
        "created_at": f"{moment.isoformat()}Z",
        "updated_at": f"{moment.isoformat()}Z",
    }
    frame = pl.DataFrame([told], schema=dict.fromkeys(told, pl.String))
    run = project.run(frame, source=OWN_SOURCE, entity=entity, command=store_as)
    if run.summary.records.quarantined:
        reasons = "; ".join(dict.fromkeys(run.issues["message"]))
        raise RefusedError(f"the {entity} waits in quarantine: {reasons}")


def _first(store: Store, query: str, values: list[Any]) -> int | None:
    rows = store.rows(query, values)
    return int(rows[0][0]) if rows else None
