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


@pytest.fixture(scope="session")
def card(tmp_path_factory):
    """The scorecard after three runs of contacts and one of companies, with all it can show."""
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
    made = project.audit(as_of=date(2024, 6, 30))
    contacts, *others = made.entities
    # it takes a dozen runs for a rate to have a history that it can leave
    fallen = Drift("email", "webform", "filled", 0.41, 0.93, 0.85, 1.0, 14)
    return replace(made, entities=(replace(contacts, drift=(fallen,)), *others))


@pytest.fixture(scope="session")
def report(card, tmp_path_factory):
    """The page of the card, as a file."""
    file = tmp_path_factory.mktemp("browser") / "audit.html"
    file.write_text(render_html(card), encoding="utf-8")
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
