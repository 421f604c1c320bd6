"""One real store, its page in a file, and a browser without a network."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.audit import render_html
from crm_quality.audit.card import Drift

FIRST = ["Ann", "Ola", "Bruno", "Chidi", "Dana", "Eva", "Farid", "Greta", "Hugo", "Ines"]
LAST = ["Lee", "Berg", "Costa", "Okafor", "Ruiz", "Novák", "Haddad", "Lindqvist"]
CHANNELS = [
    "Google",
    "PPC",
    "AdWords",
    "Facebook",
    "Newsletter",
    "TV spot",
    "n/a",
    "",
    "Trade Show",
]
OWNERS = ("Nina Berg", "Tom de Wit", None)
LONG = "Donaudampfschifffahrtsgesellschaft" * 8
SETTINGS = """
targets: {contact.score: 70, contact.completeness: 99.5, contact.email.valid: 80, company.score: 95}
currency: EUR
unit_costs: {contact.double_sends: 0.03, contact.split: 1200}
teams:
  Sales North: [Nina Berg]
  Data office and everybody who helps it: [data-steward, marketing-ops, revenue-ops]
"""
SYSTEMS = ("hubspot_contacts", "webform", "shopify_customers")


def people(count, systems):
    """Every person once per system, each system with its own faults."""
    rows = []
    for number in range(count):
        first, last = FIRST[number % 10], LAST[number // 10]
        mailbox = f"{first}.{last}".lower()
        for place, system in enumerate(systems):
            odd = (number + place) % 7
            rows.append(
                {
                    "source": system,
                    "source_key": f"{system}-{number}",
                    "first_name": first if odd else first[0],
                    "last_name": last,
                    "email": f"{mailbox} at example.com" if odd == 3 else f"{mailbox}@example.com",
                    "phone": "0000000000" if odd == 4 else f"+4930{901820 + 7919 * number}",
                    "name_suffix": "Jr" if number == 5 else None,
                    "city": "Berlin" if odd != 5 else None,
                    "country": "DE" if odd else "Atlantis",
                    "lead_source": CHANNELS[(number + place) % len(CHANNELS)],
                    "lifecycle_stage": ["lead", "Customer", "opportunity", "VIP"][number % 4],
                    "email_opt_out": "true" if odd == 6 else None,
                    "owner": OWNERS[number % len(OWNERS)],
                    "updated_at": f"2024-0{1 + number % 6}-11T10:00:00Z",
                }
            )
    rows.append({"source": "webform", "source_key": f"nobody-{count}", "city": "Berlin"})
    rows.append(
        {"source": f"a_source_of_{LONG}", "source_key": LONG, "lead_source": LONG, "email": LONG}
    )
    return pl.DataFrame(rows)


def hanging(count):
    """Entity → rows that hang on people; some of nobody, in two currencies."""
    key = [f"hubspot_contacts-{number % 50}" for number in range(count)]
    key[7] = "nobody"
    many = {
        "source_key": [f"r{number}" for number in range(count)],
        "contact_key": key,
        "contact_source": ["hubspot_contacts"] * count,
    }
    month = [f"2024-0{1 + number % 6}-1{number % 9}" for number in range(count)]
    money = {
        "amount": [f"{250 + 137 * (number % 41)}.50" for number in range(count)],
        "currency": ["NOK" if number % 9 == 0 else "EUR" for number in range(count)],
    }
    stages = ["prospecting", "proposal", "negotiation", "won", "lost"]
    return {
        "campaign": pl.DataFrame(
            {"source_key": ["k1"], "name": [LONG], "cost": ["1200"], "currency": ["EUR"]}
        ),
        "deal": pl.DataFrame(
            {**many, **money, "stage": (stages * count)[:count], "close_date": month,
             "created_at": ["2024-01-02"] * count, "owner": ["Nina Berg"] * count}
        ),
        "transaction": pl.DataFrame(
            {**many, **money, "product": ["tea", LONG, "salt"] * (count // 3), "occurred_at": month}
        ),
        "ticket": pl.DataFrame(
            {**many, "priority": ["high", "low"] * (count // 2), "created_at": month,
             "ticket_status": ["open", "solved", "perhaps"] * (count // 3), "resolved_at": month}
        ),
        "campaign_member": pl.DataFrame(
            {**many, "campaign_key": ["k1"] * count, "responded_at": month,
             "member_status": ["responded", "sent"] * (count // 2)}
        ),
        "touchpoint": pl.DataFrame(
            {**many, "lead_source": ["Google Ads", "Newsletter"] * (count // 2),
             "occurred_at": month}
        ),
        "task": pl.DataFrame({**many, "subject": ["call"] * count, "due_at": month,
                              "owner": [LONG, "Nina Berg"] * (count // 2)}),
    }  # fmt: skip


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The scorecard and the business after seven runs, with all they can show."""
    folder = Project.create(tmp_path_factory.mktemp("browser") / "project").folder
    with (folder / "crmq.yml").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    project = Project.open(folder)
    for run, count in enumerate((40, 60, 80)):
        project.run(people(count, SYSTEMS[: run + 1]), as_of=date(2024, 6, 1 + run))
    companies = pl.DataFrame(
        {
            "source": ["crm", "billing", "crm"],
            "source_key": ["1", "2", "3"],
            "name": ["Acme Ltd", "ACME Limited", "Globex GmbH"],
            "domain": ["acme.example", "acme.example", "globex.example"],
            "industry": ["Software", "Steam", ""],
        }
    )
    project.run(companies, entity="company", as_of=date(2024, 6, 4))
    for entity, rows in hanging(60).items():
        project.run(rows, source="crm", entity=entity, as_of=date(2024, 6, 5))
    business = project.crm.business(as_of=date(2024, 6, 30))
    made = project.audit(as_of=date(2024, 6, 30))
    contacts, *others = made.entities
    # it takes a dozen runs for a rate to have a history that it can leave
    fallen = Drift("email", "webform", "filled", 0.41, 0.93, 0.85, 1.0, 14)
    return replace(made, entities=(replace(contacts, drift=(fallen,)), *others)), business


@pytest.fixture(scope="session")
def card(made):
    """The scorecard."""
    return made[0]


@pytest.fixture(scope="session")
def report(made, tmp_path_factory):
    """The page of both, as a file."""
    file = tmp_path_factory.mktemp("browser") / "audit.html"
    file.write_text(render_html(*made), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def browser():
    """Chromium as `scripts/find-chromium.sh` found it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only the browser tests need it

    program = os.environ.get("CRMQ_CHROMIUM")
    if not program:
        pytest.fail("CRMQ_CHROMIUM names no browser; run `make test-browser`")
    with sync_playwright() as playwright:
        # the sandbox of Chromium does not work for root, which is who tests run as in containers
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
