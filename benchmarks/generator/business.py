"""Two years of business around the people of the demo, in the headers of real systems.

The same people, so that every figure can be told before and after deduplication: a person with two
customer numbers has their payments split, a deal that two people entered on two records of one
person counts twice in the pipeline, and a ticket comes from whatever address was at hand.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

#: The last day of the two years; the demo is run on the day after.
LAST = datetime(2025, 1, 31, tzinfo=UTC)
DAYS = 730
OWNERS = ("Kim Park", "Jo Reed", "Sam Ortiz", "Lee Moss")
PRODUCTS = ("Roof survey", "Solar panels", "Heat pump", "Insulation", "Maintenance", "Battery")
PRICES = (240, 9_800, 12_500, 4_300, 390, 6_900)
CAMPAIGNS = (
    ("Spring mailing", "Email", 1_800),
    ("Trade fair", "Event", 9_500),
    ("Search ads", "Advertisement", 6_200),
    ("Referral bonus", "Referral", 2_100),
)
_TIME = "%Y-%m-%d %H:%M"


def write_business(folder: Path, known: pl.DataFrame, seed: int) -> None:
    """Write deals, payments, tickets, campaigns with members, and usage into a folder.

    Args:
        folder: Made if missing.
        known: ``source``, ``source_key``, ``person_id``, ``email`` of every record of the demo.
        seed: The same seed gives the same files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    known = known.sort("source", "source_key")
    by_source = {name: frame for (name,), frame in known.group_by("source", maintain_order=True)}
    deals = _deals(rng, by_source["hubspot_contacts"])
    files = {
        "hubspot_deals.csv": deals,
        "stripe_payments.csv": _payments(rng, by_source["stripe_customers"]),
        "zendesk_tickets.csv": _tickets(rng, known),
        "salesforce_campaigns.csv": _campaigns(),
        "salesforce_campaign_members.csv": _members(rng, by_source["salesforce_contacts"]),
        "usage.csv": _usage(rng, known),
    }
    for name, frame in files.items():
        frame.write_csv(folder / name)


def _days(rng: np.random.Generator, count: int) -> list[datetime]:
    """Moments of the two years, in office hours."""
    back = rng.integers(0, DAYS, count)
    minutes = rng.integers(8 * 60, 18 * 60, count)
    return [
        LAST - timedelta(days=int(day)) + timedelta(minutes=int(minute))
        for day, minute in zip(back, minutes, strict=True)
    ]


def _deals(rng: np.random.Generator, contacts: pl.DataFrame) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    for (_,), records in contacts.group_by("person_id", maintain_order=True):
        keys = records["source_key"].to_list()
        if rng.random() > 0.35:
            continue
        for created in _days(rng, int(rng.integers(1, 4))):
            product = int(rng.integers(len(PRODUCTS)))
            amount = round(PRICES[product] * float(rng.uniform(0.8, 1.4)), 2)
            deal = _deal(rng, created, PRODUCTS[product], amount) | {
                "Associated Contact IDs": keys[int(rng.integers(len(keys)))]
            }
            rows.append(deal)
            if len(keys) > 1 and rng.random() < 0.25:
                again = {key for key in keys if key != deal["Associated Contact IDs"]}
                rows.append(
                    deal | {"Associated Contact IDs": min(again), "Deal owner": _owner(rng)}
                )
    numbered = [{"Record ID": str(8_000_000 + n), **row} for n, row in enumerate(rows)]
    return pl.DataFrame(numbered)


def _deal(
    rng: np.random.Generator, created: datetime, product: str, amount: float
) -> dict[str, object]:
    age = (LAST - created).days
    closes = created + timedelta(days=int(rng.integers(20, 120)))
    is_open = age < 120 and rng.random() < 0.8
    if is_open:
        stages = ["appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "contractsent"]
        stage = stages[min(3, int(age / 30) + int(rng.integers(0, 2)))]
    else:
        stage = "closedwon" if rng.random() < 0.42 else "closedlost"
        closes = min(closes, LAST)
    return {
        "Deal Name": product,
        "Deal Stage": stage,
        "Amount": f"{amount:.2f}",
        "Currency": "EUR",
        "Deal owner": _owner(rng),
        "Close Date": closes.strftime("%Y-%m-%d"),
        "Create Date": created.strftime(_TIME),
        "Last Modified Date": min(closes, LAST).strftime(_TIME),
    }


def _owner(rng: np.random.Generator) -> str:
    return OWNERS[int(rng.integers(len(OWNERS)))]


def _payments(rng: np.random.Generator, customers: pl.DataFrame) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    for key, mail in customers.select("source_key", "email").iter_rows():
        for moment in _days(rng, int(rng.geometric(0.25))):
            product = int(rng.integers(len(PRODUCTS)))
            amount = round(PRICES[product] * float(rng.uniform(0.05, 0.3)), 2)
            back = amount if rng.random() < 0.03 else 0.0
            rows.append(
                {
                    "id": f"ch_{len(rows):08d}",
                    "Description": PRODUCTS[product],
                    "Created (UTC)": moment.strftime(_TIME),
                    "Amount": f"{amount:.2f}",
                    "Amount Refunded": f"{back:.2f}",
                    "Currency": "eur",
                    "Fee": f"{amount * 0.015:.2f}",
                    "Status": "Refunded" if back else "Paid",
                    "Customer ID": key,
                    "Customer Email": mail or "",
                    "Captured": "true",
                }
            )
    return pl.DataFrame(rows)


def _tickets(rng: np.random.Generator, known: pl.DataFrame) -> pl.DataFrame:
    with_mail = known.filter(pl.col("email").str.contains("@").fill_null(value=False))
    some = with_mail.sample(fraction=0.12, seed=int(rng.integers(2**31)))
    created = sorted(_days(rng, some.height))
    priorities = ["Low", "Normal", "Normal", "High", "Urgent"]
    rows = []
    for number, (mail, moment) in enumerate(zip(some["email"], created, strict=True)):
        solved = moment + timedelta(hours=float(rng.exponential(40)))
        is_open = solved > LAST or rng.random() < 0.05
        first = moment + timedelta(hours=float(rng.exponential(6)))
        rows.append(
            {
                "Summation column": "1",
                "Id": str(30_000 + number),
                "Requester": "",
                "Requester email": mail,
                "Assignee": _owner(rng),
                "Subject": f"{PRODUCTS[int(rng.integers(len(PRODUCTS)))]}: question",
                "Status": "Open" if is_open else "Solved",
                "Priority": priorities[int(rng.integers(len(priorities)))],
                "Via": "Mail",
                "Ticket type": "Question",
                "Created at": moment.strftime(_TIME),
                "Updated at": (first if is_open else solved).strftime(_TIME),
                "Solved at": "" if is_open else solved.strftime(_TIME),
            }
        )
    return pl.DataFrame(rows)


def _campaigns() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "Id": f"7015f0000000{number:03d}AAA",
                "IsDeleted": "false",
                "Name": name,
                "Type": kind,
                "Status": "Completed",
                "StartDate": f"2024-{2 * number + 1:02d}-01",
                "EndDate": f"2024-{2 * number + 2:02d}-28",
                "BudgetedCost": f"{cost * 1.1:.2f}",
                "ActualCost": f"{cost:.2f}",
                "CurrencyIsoCode": "EUR",
                "NumberSent": "400",
            }
            for number, (name, kind, cost) in enumerate(CAMPAIGNS)
        ]
    )


def _members(rng: np.random.Generator, contacts: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for number in range(len(CAMPAIGNS)):
        some = contacts.sample(fraction=0.3, seed=int(rng.integers(2**31)))
        for key in some["source_key"]:
            responded = rng.random() < 0.15
            day = datetime(2024, 2 * number + 1, 1, tzinfo=UTC) + timedelta(
                days=int(rng.integers(0, 50))
            )
            rows.append(
                {
                    "Id": f"00v5f{len(rows):010d}AAA",
                    "IsDeleted": "false",
                    "CampaignId": f"7015f0000000{number:03d}AAA",
                    "LeadId": "",
                    "ContactId": key,
                    "Status": "Responded" if responded else "Sent",
                    "HasResponded": str(responded).lower(),
                    "FirstRespondedDate": day.strftime("%Y-%m-%d") if responded else "",
                    "CreatedDate": day.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                }
            )
    return pl.DataFrame(rows)


def _usage(rng: np.random.Generator, known: pl.DataFrame) -> pl.DataFrame:
    with_mail = known.filter(pl.col("email").str.contains("@").fill_null(value=False))
    some = with_mail.sample(fraction=0.2, seed=int(rng.integers(2**31)))["email"].to_list()
    kinds = ["login", "report", "export"]
    count = 4 * len(some)
    who = rng.integers(0, len(some), count)
    return pl.DataFrame(
        {
            "source": ["app"] * count,
            "source_key": [f"u{n}" for n in range(count)],
            "contact_email": [some[int(one)] for one in who],
            "kind": [kinds[int(one)] for one in rng.integers(0, 3, count)],
            "quantity": [str(int(one)) for one in rng.geometric(0.4, count)],
            "occurred_at": [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in _days(rng, count)],
        }
    )
