"""Contacts and companies inform each other."""

import shutil

import polars as pl
import pytest

from crm_quality import Project

COMPANIES = pl.DataFrame(
    {
        "source": ["crm"] * 4,
        "source_key": ["c1", "c2", "c3", "c4"],
        "name": ["Acme Ltd", "ACME Limited", "Beta GmbH", "Gamma"],
        "domain": ["acme.com", None, "beta-werke.de", None],
        "phone": ["+44 20 7946 0111", "+44 20 7946 0111", None, None],
        "street": ["1 High Street", "1 High Street", None, None],
        "city": ["London", "London", "Berlin", "Paris"],
        "country": ["GB", "GB", "DE", "FR"],
    }
)
CONTACTS = pl.DataFrame(
    {
        "source": ["shop"] * 6,
        "source_key": ["1", "2", "3", "4", "5", "6"],
        "first_name": ["Ann", "Ann", "Bob", "Cleo", "Dora", "Elin"],
        "last_name": ["Leclerc", "Leclerc", "Okafor", "Tan", "Silva", "Berg"],
        "email": [
            "ann@acme.com", None, "bob@mailing.acme.com", "cleo@gmail.com", "dora@other.net", None,
        ],
        "company_name": [None, "ACME Limited, London", None, "Beta", "Gamma", "Nowhere & Sons"],
        "country": ["GB", "GB", None, "DE", "US", None],
    }
)  # fmt: skip


def works_at(project):
    with project.store() as store:
        rows = store.rows(
            "SELECT r.source_key, c.source_key, w.found_by FROM matching.workplace w"
            " JOIN landing.record r ON r.record_id = w.record_id"
            " JOIN landing.record c ON c.record_id = w.company_id ORDER BY ALL"
        )
    return {contact: (company, how) for contact, company, how in rows}


def _company(evidence):
    return next(part.level for part in evidence.parts if part.comparison == "company")


FOUND = {"1": ("c1", "domain"), "3": ("c1", "domain"), "4": ("c3", "name")}


@pytest.fixture(scope="module")
def known(new_project, tmp_path_factory):
    """A project of companies and, after them, of their contacts; for reading only."""
    project = Project.open(shutil.copytree(new_project, tmp_path_factory.mktemp("p") / "project"))
    project.run(COMPANIES, entity="company")
    project.run(CONTACTS, entity="contact")
    return project


def partition(project):
    contacts = project.crosswalk().filter(pl.col("entity") == "contact")
    return {
        frozenset(keys) for keys in contacts.group_by("entity_id").agg("record_id")["record_id"]
    }


def test_a_contact_finds_the_one_company_that_fits(known):
    found = works_at(known)
    assert {key: found[key] for key in FOUND} == FOUND
    # Gamma is in France, and nobody knows Nowhere & Sons
    assert not {"5", "6"} & set(found)
    with known.store() as store:
        assert store.value("SELECT count(*) FROM crm.contact_company") >= 3


def test_contacts_of_one_company_are_at_one_workplace_however_they_name_it(known, project):
    project.run(CONTACTS, entity="contact")
    apart = project.explain("shop:1", "shop:3")
    assert not _company(apart.evidence).startswith("same")
    assert apart.workplaces == (None, None)
    project.run(COMPANIES, entity="company")
    told = project.explain("shop:1", "shop:3")
    assert _company(told.evidence).startswith("same")
    assert told.workplaces[0]["company_id"] == told.workplaces[1]["company_id"]
    # a golden record says what its records say
    golden = project.golden().filter(pl.col("last_name") == "Okafor")
    assert golden["company_name"].to_list() == [None]
    # and it makes no difference who came first
    assert works_at(project) == works_at(known)
    assert len(partition(project)) == len(partition(known))


def test_a_domain_that_a_second_company_has_decides_nothing(known, tmp_path):
    project = Project.open(shutil.copytree(known.folder, tmp_path / "project"))
    second = pl.DataFrame(
        {
            "source": ["crm"], "source_key": ["c9"], "name": ["Quandetec"], "domain": ["acme.com"],
            "city": ["Oslo"], "country": ["NO"],
        }
    )  # fmt: skip
    project.run(second, entity="company")
    assert "1" not in works_at(project)
    project.run(second.with_columns(domain=pl.lit("quandetec.no")), entity="company")
    assert works_at(project) == works_at(known)


def test_companies_that_come_later_end_as_if_they_had_been_known(own_stock):
    matching = own_stock.folder / "rules" / "matching" / "contact.yml"
    matching.write_text(matching.read_text() + "\nincremental_from: 100\n")
    project = Project.open(own_stock.folder)
    project.review.apply(again=["contact"])
    employers = (
        project.golden()
        .select(
            name="company_name",
            domain=pl.col("email").str.extract("@(.+)$"),
            country="country",
        )
        .drop_nulls(["name", "domain"])
        .unique("name", keep="first", maintain_order=True)
        .unique("domain", keep="none", maintain_order=True)
        .head(60)
        .with_row_index("source_key")
        .select(
            pl.lit("crm").alias("source"),
            pl.col("source_key").cast(pl.String),
            pl.all().exclude("source_key"),
        )
    )
    outcome = project.run(employers, entity="company")
    with project.store() as store:
        assert store.value("SELECT count(*) FROM matching.workplace") > 20
    assert outcome.summary.match.scored_pairs < 5_000
    incremental = partition(project)
    project.review.apply(again=["contact"])
    assert partition(project) == incremental
