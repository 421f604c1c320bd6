"""What others say of customers: proposals, and what a steward makes of them."""

import shutil

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import InputError, NotFoundError, RefusedError, UsageError
from crm_quality.store import verify_trail

PEOPLE = pl.DataFrame(
    {
        "source": ["crm", "shop", "crm", "crm"],
        "source_key": ["1", "c9", "2", "3"],
        "first_name": ["Ann", "Ann", "Bob", "Cleo"],
        "last_name": ["Leclerc", "Leclerc", "Okafor", "Tan"],
        "email": [
            "ann@nordlicht.example", "ann@nordlicht.example", "bob@quay.example", "hi@quay.example",
        ],
        "city": ["Oslo", "Bergen", "Lagos", None],
        "job_title": [None, None, "Buyer", "Buyer"],
        "company_name": [None, None, "Quay Ltd", "Quay Ltd"],
        "updated_at": ["2025-01-01", "2025-01-01", "2025-01-01", "2025-01-01"],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory):
    """The folder of a project that has taken them in."""
    project = Project.create(tmp_path_factory.mktemp("people") / "project")
    project.run(PEOPLE)
    return project.folder


@pytest.fixture
def people(taken_in, tmp_path):
    return Project.open(shutil.copytree(taken_in, tmp_path / "project"))


def said(**columns):
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def golden(project, entity_id):
    rows = project.golden().filter(pl.col("entity_id") == entity_id)
    return rows.to_dicts()[0]


def outcomes(done):
    return [
        (n, f, o) for n, f, o in done.lines.select("row_number", "field", "outcome").iter_rows()
    ]


def test_a_row_names_its_customer_by_key_id_or_address(people):
    done = people.enrichment.propose(
        said(
            source=["shop", None, None],
            source_key=["c9", None, None],
            entity_id=[None, "3", None],
            email=["ann@new.example", None, "HI@quay.example"],
            job_title=["Head of buying", "Chief", "Clerk"],
        ),
        source="clearview",
    )
    told = people.enrichment.proposals()
    assert told.select("entity_id", "field", "old_value", "new_value").rows() == [
        (1, "email", "ann@nordlicht.example", "ann@new.example"),
        (1, "job_title", None, "Head of buying"),
        (3, "job_title", "Buyer", "Chief"),
        (4, "job_title", "Buyer", "Clerk"),
    ]
    assert done.proposal_ids == (1, 2, 3, 4)
    assert set(told["source"]) == {"clearview"}
    assert golden(people, 3)["job_title"] == "Buyer"


def test_every_row_that_names_nobody_is_told_with_the_reason(people):
    people.run(PEOPLE.filter(pl.col("source_key") == "3").with_columns(
        source_key=pl.lit("4"), first_name=pl.lit("Dora"), last_name=pl.lit("Ho"),
        email=pl.lit("bob@quay.example"),
    ))  # fmt: skip
    people.review.decide("crm:2", "crm:4", "different", "a family's mailbox")
    done = people.enrichment.propose(
        said(
            source=["crm", None, None, None, None, None, None],
            source_key=["77", None, None, None, None, None, None],
            entity_id=[None, "99", "seven", None, None, None, None],
            email=[None, None, None, "bob@quay.example", "who@x.example", None, "who?"],
            job_title=["Chief"] * 7,
        )
    )
    assert set(done.lines["outcome"]) == {"nobody"}
    assert done.lines["reason"].to_list() == [
        "there is no accepted record crm:77",
        "there is no customer 99",
        "there is no customer seven",
        "2 customers have this e-mail address",
        "nobody has this e-mail address",
        "the row names nobody: it has no source key, no entity_id and no e-mail",
        "its e-mail address cannot be read, or stands for nothing",
    ]
    assert done.rows == 7


def test_the_same_file_twice_makes_no_second_proposals(people):
    file = said(entity_id=["3", "3"], job_title=["Chief", None], city=[None, "Abuja"])
    first = people.enrichment.propose(file, source="x")
    assert len(first.proposal_ids) == 2
    people.enrichment.reject([first.proposal_ids[0]], reason="no")
    again = people.enrichment.propose(file, source="x")
    assert again.proposal_ids == ()
    assert set(again.lines["outcome"]) == {"known"}
    assert "proposal 1 (rejected) says so" in again.lines["reason"].to_list()


@pytest.mark.capability(68)
def test_what_is_known_faulty_newer_or_pinned_is_not_proposed(people):
    people.overrides.pin(3, {"city": "Abuja"}, reason="x")
    done = people.enrichment.propose(
        said(
            entity_id=["3", "3", "4"],
            city=["Kano", None, None],
            job_title=["Buyer", "Old hat", "Buyer 2"],
            email=[None, "not an address", None],
            other_emails=["x@x.example", None, None],
            updated_at=["2026-01-01", "2020-01-01", None],
        )
    )
    assert outcomes(done) == [
        (1, "city", "pinned"),
        (1, "job_title", "known"),
        (1, "other_emails", "refused"),
        (2, "email", "refused"),
        (2, "job_title", "newer"),
        (3, "job_title", "proposed"),
    ]


def test_the_latest_of_several_rows_counts_and_a_later_file_takes_its_place(people):
    done = people.enrichment.propose(
        said(
            entity_id=["3", "3"],
            job_title=["Chief", "Head"],
            updated_at=["2026-03-01", "2026-02-01"],
        ),
        source="x",
    )
    assert outcomes(done) == [(1, "job_title", "proposed"), (2, "job_title", "outdone")]
    people.enrichment.propose(said(entity_id=["3"], job_title=["Boss"]), source="x")
    assert dict(people.enrichment.proposals(None).select("new_value", "status").iter_rows()) == {
        "Chief": "superseded",
        "Boss": "open",
    }


@pytest.mark.capability(68)
def test_an_accepted_value_has_provenance_and_outlives_runs(people):
    people.enrichment.propose(said(entity_id=["3"], job_title=["Chief"]), source="clearview")
    done = people.enrichment.accept([1], reason="checked on their site")
    assert done.summary.golden.changed == 1
    people.run(PEOPLE)
    people.rulebook.apply(everything=True)
    assert golden(people, 3)["job_title"] == "Chief"
    (told,) = (
        people.export("provenance")
        .filter(pl.col("entity_id") == 3, pl.col("field") == "job_title")
        .to_dicts()
    )
    assert (told["rule"], told["source"], told["reason"], told["losing"]) == (
        "enriched", "clearview", "checked on their site", ["Buyer"],
    )  # fmt: skip
    again = people.enrichment.propose(said(entity_id=["3"], job_title=["Chief"]), source="other")
    assert set(again.lines["outcome"]) == {"known"}
    people.enrichment.reject([1], reason="was wrong")
    assert golden(people, 3)["job_title"] == "Buyer"
    with people.store() as store:
        assert verify_trail(store) == []
        kinds = store.rows("SELECT kind FROM audit.event WHERE kind LIKE 'enrich%' ORDER BY 1")
    assert [kind for (kind,) in kinds] == [
        "enrichment.accepted",
        "enrichment.proposed",
        "enrichment.rejected",
    ]


def test_a_value_of_the_customer_s_own_that_arrives_later_goes_first(people):
    people.enrichment.propose(
        said(entity_id=["3"], job_title=["Chief"], email=["bob@new.example"]), source="x"
    )
    people.enrichment.accept(reason="y")
    changed = PEOPLE.with_columns(
        job_title=pl.when(pl.col("source_key") == "2").then(pl.lit("Head")).otherwise("job_title")
    )
    people.run(changed)
    bob = golden(people, 3)
    assert bob["job_title"] == "Head"
    # what the record said of the address it had said before
    assert bob["email"] == "bob@new.example"
    assert bob["other_emails"] == ["bob@quay.example"]


def test_pins_go_before_what_was_accepted_and_stop_what_was_not(people):
    people.enrichment.propose(said(entity_id=["3"], job_title=["Chief"], city=["Kano"]), source="x")
    people.enrichment.accept(reason="y", field="city")
    people.overrides.pin(3, {"job_title": "Owner", "city": "Abuja"}, reason="z")
    assert golden(people, 3)["city"] == "Abuja"
    with pytest.raises(RefusedError, match="proposal 2: a steward has pinned the value"):
        people.enrichment.accept([2], reason="y")
    left = people.enrichment.accept(reason="y").left
    assert left["proposal_id"].to_list() == [2]
    people.overrides.unpin(3, reason="z")
    assert golden(people, 3)["city"] == "Kano"
    assert people.enrichment.accept(reason="y").decided == (2,)


def test_a_proposal_overtaken_by_a_newer_value_is_not_accepted(people):
    people.enrichment.propose(said(entity_id=["3"], job_title=["Chief"]), source="x")
    people.run(PEOPLE.with_columns(job_title=pl.lit("Head"), updated_at=pl.lit("2025-02-01")))
    with pytest.raises(RefusedError, match="own has said something of it since"):
        people.enrichment.accept([1], reason="y")


def test_an_opt_out_is_never_taken_back_by_enrichment(people):
    people.run(PEOPLE.with_columns(email_opt_out=pl.lit("true")))
    done = people.enrichment.propose(said(entity_id=["3"], email_opt_out=["false"]))
    assert outcomes(done) == [(1, "email_opt_out", "refused")]


def test_wrong_files_and_decisions_are_told(people):
    enrichment = people.enrichment
    with pytest.raises(InputError, match="does not say whom it is about"):
        enrichment.propose(said(job_title=["Chief"]))
    with pytest.raises(InputError, match="none of its columns"):
        enrichment.propose(said(entity_id=["3"], zodiac=["Leo"]))
    with pytest.raises(NotFoundError, match="no proposal 7"):
        enrichment.accept([7], reason="x")
    with pytest.raises(UsageError, match="say why"):
        enrichment.accept(reason="")
    with pytest.raises(UsageError, match="no status 'done'"):
        enrichment.proposals("done")
    enrichment.propose(said(entity_id=["3"], job_title=["Chief"]))
    enrichment.reject([1], reason="x")
    with pytest.raises(RefusedError, match="proposal 1 is rejected already"):
        enrichment.accept([1], reason="x")
