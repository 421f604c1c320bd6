"""One customer as text, as plain data, and with personal values masked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.audit.masking import mask_of, masked, masked_keys
from crm_quality.cli.output import as_table, console, counted

if TYPE_CHECKING:
    from crm_quality.crm.customer_page import CustomerPage
    from crm_quality.definitions import RuleSet

_LATEST = 15
#: Entities whose titles (products, campaigns, contracts) are not words about a person.
_NOT_OF_PEOPLE = ["transaction", "touchpoint", "contract"]
_OF_A_RECORD = ("version", "records", "sources")


def masked_page(page: CustomerPage, rules: RuleSet) -> CustomerPage:
    """The page with personal values masked: golden values, addresses, and words of people."""
    fields = rules.entity("contact").fields
    values = {
        name: masked(str(value), fields[name].type)
        if value is not None and name in fields and fields[name].personal
        else value
        for name, value in page.values.items()
    }
    companies = page.companies.with_columns(
        _hidden("company_name", mask_of(rules, "contact", "company_name")),
        _hidden("role", mask_of(rules, "contact", "job_title")),
    )
    address = pl.col("address").map_elements(
        lambda text: masked(text, "email" if "@" in text else "phone"), return_dtype=pl.String
    )
    return replace(
        page,
        values=values,
        records=masked_keys(page.records),
        companies=companies,
        permissions=page.permissions.with_columns(address),
        concerns=page.concerns.with_columns(_hidden("concern", lambda text: masked(text, "text"))),
        timeline=masked_keys(page.timeline).with_columns(
            pl.when(pl.col("entity").is_in(_NOT_OF_PEOPLE))
            .then("title")
            .otherwise(_hidden("title", lambda text: masked(text, "text")))
        ),
    )


def _hidden(column: str, mask: Any) -> pl.Expr:  # noqa: ANN401 - a function of one text
    return pl.col(column).map_elements(mask, return_dtype=pl.String)


def page_to_dict(page: CustomerPage) -> dict[str, Any]:
    """The page as plain data, ``schema_version`` 1."""
    return {
        "schema_version": 1,
        "contact_id": page.contact_id,
        "values": page.values,
        "first_seen_at": page.first_seen_at,
        "last_seen_at": page.last_seen_at,
        "counts": page.counts,
        **{
            name: getattr(page, name).to_dicts()
            for name in ("records", "companies", "permissions", "money", "concerns", "timeline")
        },
    }


def print_customer(page: CustomerPage) -> None:
    """The page as tables, with the latest events."""
    out = console()
    seen = f"seen {_day(page.first_seen_at)} to {_day(page.last_seen_at)}"
    out.print(f"Contact {page.contact_id}, {counted(page.records.height, 'record')}, {seen}\n")
    known = [(n, str(v)) for n, v in page.values.items()
             if v not in (None, []) and n not in _OF_A_RECORD]  # fmt: skip
    frames = {
        "Values": pl.DataFrame(known, schema=["field", "value"], orient="row"),
        "Records": page.records.with_columns(pl.col("record_id").cast(pl.String)),
        "Works for": page.companies,
        "May be sent to": page.permissions,
        "Money": page.money,
        "Worried about": page.concerns,
        "Open deals": page.still_open("deal").select(
            "entity_id", "what", "title", "amount", "currency"
        ),
        "Open tickets": page.still_open("ticket").select(
            "entity_id", "what", "title", "occurred_at"
        ),
        "Open tasks": page.still_open("task").select("entity_id", "title", "owner"),
        "Rows": pl.DataFrame(
            list(page.counts.items()), schema={"entity": pl.String, "rows": pl.Int64}, orient="row"
        ),
        f"Latest of {counted(page.timeline.height, 'event')}": page.timeline.head(_LATEST).select(
            "occurred_at", "entity", "what", "title", "amount", "currency"
        ),
    }
    for title, frame in frames.items():
        if frame.height:
            out.print(as_table(frame, title=title))
            out.print()


def _day(moment: Any) -> str:  # noqa: ANN401 - a time or null
    return "?" if moment is None else str(moment.date())
