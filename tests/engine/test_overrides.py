"""Values that a steward pins."""

import shutil
from datetime import date

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store import verify_trail

PEOPLE = pl.DataFrame(
    {
        "source": ["crm", "shop", "crm"],
        "source_key": ["1", "c9", "2"],
        "first_name": ["Ann", "Ann", "Bob"],
        "last_name": ["Leclerc", "Leclerc", "Okafor"],
        "email": ["ann@nordlicht.example", "ann@nordlicht.example", "bob@quay.example"],
        "city": ["Oslo", "Bergen", "Lagos"],
        "country": ["NO", "NO", "NG"],
        "email_opt_out": ["false", "false", "true"],
    }
)
LATER = PEOPLE.with_columns(city=pl.lit("Stavanger"))


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory):
    """The folder of a project that has taken them in."""
    project = Project.create(tmp_path_factory.mktemp("people") / "project")
    project.run(PEOPLE)
    return project.folder


@pytest.fixture
def people(taken_in, tmp_path):
    return Project.open(shutil.copytree(taken_in, tmp_path / "project"))


def golden(project, entity_id=1):
    rows = project.golden().filter(pl.col("entity_id") == entity_id)
    return rows.to_dicts()[0] if rows.height else None


def origin(project, field, entity_id=1):
    return (
        project.export("provenance")
        .filter(pl.col("entity_id") == entity_id, pl.col("field") == field)
        .to_dicts()
    )


def test_a_pin_beats_what_records_say_and_outlives_what_arrives(people):
    done = people.overrides.pin("shop:c9", {"city": "trondheim "}, reason="she told us")
    assert done.changes == {"city": ("Bergen", "Trondheim")}
    assert golden(people)["version"] == done.before["version"] + 1
    people.run(LATER)
    people.rulebook.apply(everything=True)
    assert golden(people)["city"] == "Trondheim"
    (told,) = origin(people, "city")
    assert (told["rule"], told["source"], told["override_id"]) == ("pinned", "steward", 1)
    assert (told["reason"], told["losing"]) == ("she told us", ["Stavanger"])
    assert people.overrides.pins()["state"].to_list() == ["in force"]
    undone = people.overrides.unpin(1, ["city"], reason="it was a joke")
    assert undone.after["city"] == "Stavanger"
    assert people.overrides.pins().is_empty()
    assert people.overrides.pins(everything=True)["withdrawn_because"].to_list() == [
        "it was a joke"
    ]
    with people.store() as store:
        assert verify_trail(store) == []
        kinds = store.rows("SELECT kind FROM audit.event WHERE kind LIKE 'pin%' ORDER BY event_id")
    assert [kind for (kind,) in kinds] == ["pin.made", "pin.withdrawn"]


def test_a_displaced_address_is_kept_and_a_field_can_be_pinned_to_nothing(people):
    done = people.overrides.pin(3, {"email": "bob@new.example", "city": ""}, reason="moved")
    assert done.after["other_emails"] == ["bob@quay.example"]
    assert golden(people, 3)["city"] is None
    assert [one["value"] for one in origin(people, "city", 3)] == [None]
    back = people.overrides.unpin(3, reason="not after all")
    same = {name: back.after[name] for name in back.after if name != "version"}
    assert same == {name: done.before[name] for name in same}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"email": "ann at home"}, "email: .*cannot be read"),
        ({"gender": "xyz"}, "gender: .*not an accepted value"),
        ({"first_name": "Ann1"}, "first_name: a given name holds a digit"),
        ({"date_of_birth": "01/02/1970"}, "either way round"),
        ({"city": "n/a"}, "word for nothing"),
        ({"full_name": "Ann Lee"}, "parted into"),
        ({"source_key": "9"}, "which record"),
        ({"email_opt_out": "no"}, "restricts more stands"),
    ],
)
def test_a_value_that_no_entry_could_have_is_refused_with_the_reason(people, values, told):
    with pytest.raises(RefusedError, match=told):
        people.overrides.pin(3, values, reason="x")
    assert people.overrides.pins().is_empty()


def test_what_a_record_needs_cannot_be_pinned_to_nothing(people):
    values = {"email": "", "last_name": "", "first_name": ""}
    with pytest.raises(RefusedError, match="nothing to identify this person by"):
        people.overrides.pin(3, values, reason="x")


def test_wrong_pins_are_told(people):
    pin = people.overrides.pin
    with pytest.raises(NotFoundError, match="did you mean 'email'"):
        pin(1, {"emial": "a@x.com"}, reason="x")
    with pytest.raises(NotFoundError, match="no record '77'"):
        pin(77, {"city": "Oslo"}, reason="x")
    with pytest.raises(UsageError, match="say why"):
        pin(1, {"city": "Oslo"}, reason=" ")
    with pytest.raises(UsageError, match="FIELD=VALUE"):
        pin(1, {}, reason="x")
    with pytest.raises(UsageError, match="would have expired"):
        pin(1, {"city": "Oslo"}, reason="x", until=date(2020, 1, 1))
    with pytest.raises(NotFoundError, match="no pin of city in force"):
        people.overrides.unpin(1, ["city"], reason="x")
    with pytest.raises(NotFoundError, match="no pin in force"):
        people.overrides.unpin(1, reason="x")


def test_an_opt_out_that_arrives_goes_before_a_pin(people):
    people.overrides.pin(1, {"email_opt_out": "false"}, reason="asked")
    people.run(PEOPLE.with_columns(email_opt_out=pl.lit("true")))
    assert golden(people)["email_opt_out"] is True
    (told,) = origin(people, "email_opt_out")
    assert told["rule"] == "any_true"


@pytest.mark.capability(106)
def test_a_pin_seen_on_an_older_version_is_refused(people):
    version = golden(people)["version"]
    people.overrides.pin(1, {"city": "Oslo"}, reason="x", expect_version=version)
    with pytest.raises(RefusedError, match=f"at version {version + 1} by now, not {version}"):
        people.overrides.pin(1, {"city": "Bergen"}, reason="y", expect_version=version)
    again = people.overrides.pin(1, {"city": "Oslo"}, reason="z")
    assert (again.made, again.summary) == ((), None)


def test_a_dry_run_shows_what_would_change_and_writes_nothing(people):
    before = people.export("runs")
    tried = people.overrides.pin(1, {"city": "Oslo"}, reason="x", dry_run=True)
    assert tried.changes == {"city": ("Bergen", "Oslo")}
    assert tried.summary is None
    assert people.export("runs").equals(before)
    assert people.overrides.pins().is_empty()
    assert golden(people)["city"] == "Bergen"


def test_the_next_run_after_its_day_lets_go_of_a_pin(people):
    day = date(2031, 3, 1)
    people.overrides.pin(1, {"city": "Oslo"}, reason="x", until=day)
    people.run(PEOPLE, as_of=day)
    assert golden(people)["city"] == "Oslo"
    after = people.run(PEOPLE, as_of=date(2031, 3, 2))
    assert golden(people)["city"] == "Bergen"
    assert "pins whose day is past" in " ".join(after.summary.notes)
    assert people.overrides.pins(as_of=date(2031, 3, 2))["state"].to_list() == ["expired"]
    # the day that counts as today decides, whichever way it goes
    people.run(PEOPLE, as_of=day)
    assert golden(people)["city"] == "Oslo"


def test_a_pin_whose_day_is_past_is_let_go_of_though_another_was_made_meanwhile(people):
    people.overrides.pin(1, {"city": "Oslo"}, reason="x", until=date(2031, 3, 1))
    people.overrides.pin(3, {"city": "Abuja"}, reason="x", as_of=date(2031, 3, 2))
    people.run(PEOPLE, as_of=date(2031, 3, 2))
    assert (golden(people, 1)["city"], golden(people, 3)["city"]) == ("Bergen", "Abuja")


def test_a_pin_follows_its_record_and_the_newer_of_two_wins(people):
    people.overrides.pin(1, {"city": "Oslo"}, reason="a")
    people.overrides.pin(3, {"city": "Accra", "job_title": "Chief"}, reason="b")
    apart = {number: golden(people, number) for number in (1, 3)}
    joined = people.review.decide(1, 3, "same", "married")
    assert golden(people, 3) is None
    assert (golden(people)["city"], golden(people)["job_title"]) == ("Accra", "Chief")
    states = dict(people.overrides.pins().select("override_id", "state").iter_rows())
    assert states == {1: "outdone", 2: "in force", 3: "in force"}
    people.review.withdraw(joined.decision_ids, "not at all")
    for number, before in apart.items():
        after = golden(people, number)
        assert {**after, "version": 0} == {**before, "version": 0}
    assert set(people.overrides.pins()["state"]) == {"in force"}


def test_pinning_anew_takes_the_earlier_pin_s_place(people):
    people.overrides.pin(1, {"city": "Oslo"}, reason="a")
    done = people.overrides.pin(1, {"city": "Bodø"}, reason="b")
    assert (done.made, done.withdrawn) == ((2,), (1,))
    assert people.overrides.unpin(1, reason="c").after["city"] == "Bergen"


def test_the_same_file_again_writes_nothing_but_the_run(people):
    people.overrides.pin(1, {"city": "Oslo", "email": "ann@new.example"}, reason="a")
    with people.store() as store:
        before = store.rows("SELECT * FROM crm.value_origin ORDER BY ALL")
    again = people.run(PEOPLE)
    assert again.summary.golden.changed == 0
    with people.store() as store:
        assert store.rows("SELECT * FROM crm.value_origin ORDER BY ALL") == before
        assert store.value("SELECT changed FROM audit.run ORDER BY run_id DESC LIMIT 1") is False


def test_every_cell_of_every_customer_has_a_record_a_rule_and_a_run(people):
    cells = people.golden().drop("entity_id", "version", "records", "sources")
    filled = cells.select(pl.sum_horizontal(pl.all().is_not_null())).sum().item()
    told = people.export("provenance").unique(["entity_id", "field"])
    assert told.height == filled
    assert (
        told.select("record_id", "source", "rule", "run_id").null_count().sum_horizontal().item()
        == 0
    )
    assert set(told.filter(pl.col("entity_id") == 3)["rule"]) == {"only record"}


@pytest.mark.capability(77)
def test_conflicts_show_who_won_and_who_lost(people):
    (city,) = people.export("conflicts").to_dicts()
    assert (city["field"], city["value"], city["losing_value"]) == ("city", "Bergen", "Oslo")
    assert (city["source"], city["losing_source"], city["losing_record_id"]) == ("shop", "crm", 1)


def test_the_value_of_a_record_with_a_warning_gives_way(project):
    project.run(PEOPLE.with_columns(city=pl.Series(["Oslo", "B?rgen", "Lagos"])))
    assert golden(project)["city"] == "Oslo"
