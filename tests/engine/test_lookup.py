"""Who is this? Lookups in a store, as a pipeline asks them."""

import shutil

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.engine.lookup import Matcher
from crm_quality.errors import MatchError, NotFoundError, UsageError

PEOPLE = pl.DataFrame(
    {
        "source": ["crm", "shop", "crm", "crm"],
        "source_key": ["1", "c-9", "2", "3"],
        "first_name": ["Ann", "ANN", "Bob", "Berta"],
        "last_name": ["Leclerc", "Leclerc", "Okafor", "Leclerc"],
        "email": ["ann@nordlicht.example", "ann@nordlicht.example", "b.okafor@quay.example", None],
        "mobile": ["+47 406 12 345", None, None, "+47 406 99 888"],
    }
)


@pytest.fixture(scope="module")
def people(new_project, tmp_path_factory):
    """A project of four people; for reading only."""
    project = Project.open(shutil.copytree(new_project, tmp_path_factory.mktemp("p") / "project"))
    project.run(PEOPLE)
    return project


def test_a_half_typed_record_finds_its_customer_before_any_model_was_trained(people):
    found = people.lookup(first_name=" ann ", email="Ann@Nordlicht.example")
    assert found.model == "prior"
    best = found.candidates[0]
    assert best.entity_id == 1
    assert best.records == 2
    assert best.joins
    assert best.evidence.relation == "same_person"
    assert best.evidence.probability > 0.99
    assert best.golden["last_name"] == "Leclerc"
    assert found.values == {"first_name": "Ann", "email": "ann@nordlicht.example"}


def test_in_a_store_of_one_record_nobody_is_joined_without_evidence(new_project, tmp_path):
    project = Project.open(shutil.copytree(new_project, tmp_path / "project"))
    project.run(PEOPLE.head(1))
    found = project.lookup(last_name="Leclerc")
    assert found.model == "none"
    assert [(one.entity_id, one.joins) for one in found.candidates] == [(1, False)]


def test_a_relative_is_no_match(people):
    found = people.lookup(first_name="Berta", last_name="Leclerc", mobile="+47 406 99 888")
    weights = {one.entity_id: one.evidence.weight for one in found.candidates}
    assert weights[4] > 0 > weights[1]


def test_lookups_see_what_a_run_has_changed(people, tmp_path):
    people = Project.open(shutil.copytree(people.folder, tmp_path / "project"))
    assert people.lookup(last_name="Zyzzyva", first_name="Zed").candidates[0].evidence.weight < 0
    people.run(
        pl.DataFrame(
            {
                "source": ["crm"],
                "source_key": ["9"],
                "first_name": ["Zed"],
                "last_name": ["Zyzzyva"],
                "email": ["zed@zyzzyva.example"],
            }
        )
    )
    found = people.lookup(last_name="Zyzzyva", first_name="Zed", email="zed@zyzzyva.example")
    assert found.candidates[0].golden["last_name"] == "Zyzzyva"
    assert found.candidates[0].joins


def test_lookups_between_writes_leave_the_store_to_others(people):
    people.lookup(last_name="Leclerc")
    with Project.open(people.folder).store() as store:
        assert store.value("SELECT count(*) FROM landing.record") == 4
    with people.matcher() as matcher, Project.open(people.folder).store():
        assert matcher.lookup({"last_name": "Leclerc"}).candidates


def test_what_cannot_be_read_is_told_and_half_an_address_still_helps(people):
    found = people.lookup(email="b.okafor", lead_source="pidgeon post")
    assert any(note.startswith("email: cannot be read") for note in found.notes)
    assert any(note.startswith("lead_source") for note in found.notes)
    assert found.candidates[0].golden["last_name"] == "Okafor"


def test_a_field_that_is_none_is_told_with_the_one_that_was_meant(people):
    with pytest.raises(UsageError, match="did you mean 'last_name'"):
        people.lookup(lastname="Leclerc")
    with pytest.raises(UsageError, match="at least one value"):
        people.lookup(last_name="  ")
    with pytest.raises(NotFoundError):
        people.lookup(entity="contcat", last_name="x")


def test_an_empty_store_knows_nobody(project):
    assert project.lookup(last_name="Leclerc").candidates == ()
    assert project.lookup(entity="company", name="Acme").candidates == ()


def test_an_entity_without_matching_cannot_be_looked_up(project):
    (project.folder / "rules" / "matching" / "company.yml").unlink()
    with pytest.raises(MatchError, match="not matched"):
        Project.open(project.folder).lookup(entity="company", name="Acme")


def _values(row):
    return {n: v for n, v in row.items() if v is not None}


def test_a_lookup_of_what_is_stored_weighs_as_in_the_batch(stocked):
    with stocked.store() as store:
        pairs = store.frame("SELECT record_id_l, record_id_r, match_weight FROM matching.pair")
        rows = store.frame(
            "SELECT r.record_id, v.first_name, v.last_name, v.email, v.phone, v.mobile,"
            " v.company_name, v.street, v.postcode, v.city, v.country, v.date_of_birth,"
            " v.middle_name, v.name_suffix, v.job_title, v.other_emails, v.other_phones"
            " FROM landing.record r"
            " JOIN landing.contact_version v ON v.version_id = r.current_version"
        )
    stored = {(left, right): weight for left, right, weight in pairs.iter_rows()}
    later = pairs["record_id_r"].unique().sort()
    checked = 0
    with stocked.matcher() as matcher:
        for record_id in later[:40]:
            values = rows.row(by_predicate=pl.col("record_id") == record_id, named=True)
            del values["record_id"]
            for one in matcher.lookup(_values(values)).candidates:
                if (one.record_id, record_id) in stored:
                    known = stored[one.record_id, record_id]
                    assert one.evidence.weight == pytest.approx(known, abs=1e-9)
                    checked += 1
    assert checked > 10


def test_reading_only_what_is_near_finds_the_same_customer_with_the_same_weight(stocked):
    golden = stocked.golden().filter(pl.col("email").is_not_null(), pl.col("records") > 1)
    with stocked.matcher() as whole:
        for row in golden.head(12).iter_rows(named=True):
            asked = _values({n: row[n] for n in ("first_name", "last_name", "email", "postcode")})
            wanted = whole.lookup(asked).candidates[0]
            with stocked.store() as store:
                near = Matcher(store, stocked.rules, "contact", near=asked, read_wholly=0)
            with near:
                assert len(near.ids) < len(whole.ids) / 5
                found = near.lookup(asked).candidates[0]
            assert found.entity_id == wanted.entity_id
            assert found.evidence.weight == pytest.approx(wanted.evidence.weight, abs=1e-9)


def test_features_that_a_run_has_left_beside_the_store_are_used_and_say_the_same(own_stock):
    matching = own_stock.folder / "rules" / "matching" / "contact.yml"
    matching.write_text(matching.read_text() + "\nincremental_from: 100\n")
    project = Project.open(own_stock.folder)
    project.review.apply(again=["contact"])
    assert list((project.folder / "cache").glob("contact-*"))
    asked = {"first_name": "Ann", "last_name": "Smith", "city": "London"}
    with project.matcher() as matcher:
        kept = matcher.lookup(asked)
    shutil.rmtree(project.folder / "cache")
    with project.matcher() as matcher:
        assert matcher.lookup(asked) == kept
