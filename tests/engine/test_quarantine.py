"""Records that wait: seen, corrected, checked again, released or waived."""

import json
from datetime import date, timedelta

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store import verify_trail

DAY = date(2026, 3, 1)
#: A change by which rows are read again, and which accuses nobody.
OTHER = ('max: "150", message: a job title', 'max: "140", message: a job title')
LATER = DAY + timedelta(days=30)
IDENTIFIABLE = "contact.identifiable"


def outcomes(decided):
    return dict(decided.verdicts.select("source_key", "outcome").iter_rows())


def statuses(project):
    return dict(project.crosswalk().select("source_key", "status").iter_rows())


def steps(project, record="crm:3"):
    return project.quarantine.show(record).history["status"].to_list()


def everything(project):
    """All tables but what every run leaves: its row, metrics and event."""
    with project.store() as store:
        own = {("audit", "run"), ("audit", "event"), ("quality", "metric")}
        return {
            table: sorted(map(repr, store.rows(f'FROM "{table[0]}"."{table[1]}"')))
            for table in store.rows("SELECT schema_name, table_name FROM duckdb_tables()")
            if table not in own
        }


def with_rule(project, old, new):
    """The project after one change of the definition of contacts."""
    file = project.folder / "rules" / "entities" / "contact.yml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return Project.open(project.folder)


@pytest.fixture
def held(unmatched, rows, nobody, bob):
    """A project with a good record, crm:2, and one that waits, crm:3."""
    unmatched.run(rows(bob, nobody), as_of=DAY)
    return unmatched


# what waits ---------------------------------------------------------------------------------------


def test_what_waits_says_since_when_why_and_for_whom(unmatched, rows, nobody, bob):
    unmatched.run(rows(bob, nobody), as_of=DAY)
    (waiting,) = unmatched.quarantine.waiting().to_dicts()
    assert (waiting["source"], waiting["source_key"], waiting["in_force"]) == ("crm", "3", False)
    assert waiting["rules"] == [IDENTIFIABLE]
    assert waiting["owners"] == ["data-steward"]
    assert "nothing to identify this person" in waiting["reasons"][0]
    opened = waiting["opened_at"].date()
    (later,) = unmatched.quarantine.waiting(as_of=opened + timedelta(days=9)).to_dicts()
    assert later["days"] == 9


def test_what_waits_can_be_narrowed(unmatched, rows, nobody):
    unmatched.run(rows(nobody, {**nobody, "source": "shop", "source_key": "9"}))

    def keys(**among):
        return unmatched.quarantine.waiting(**among)["source_key"].to_list()

    assert keys(source="shop") == ["9"]
    assert keys(source="nowhere") == []
    assert keys(rule=IDENTIFIABLE) == keys(owner="data-steward") == ["3", "9"]
    assert keys(rule="contact.email.invalid") == keys(owner="sales-ops") == []
    assert keys(days=5) == keys(entity="company") == []
    assert keys(entity="contact", source="crm", days=0) == ["3"]


@pytest.mark.parametrize(
    ("among", "hint"),
    [
        ({"rule": "contact.identifable"}, "did you mean 'contact.identifiable'"),
        ({"owner": "nobody at all"}, "data-steward"),
        ({"entity": "contcat"}, "contact"),
    ],
)
def test_a_name_that_there_is_not_is_told(unmatched, among, hint):
    with pytest.raises(NotFoundError, match=hint):
        unmatched.quarantine.waiting(**among)


def test_the_page_of_a_record_has_its_values_its_row_its_issues_and_its_history(
    unmatched, rows, nobody
):
    unmatched.run(rows({**nobody, "Shoe size": "39"}))
    page = unmatched.quarantine.show("crm:3")
    assert (page.status, page.in_force, page.record_id) == ("waiting", False, 1)
    assert page.row["Shoe size"] == "39"
    values = {row["field"]: row for row in page.values.to_dicts()}
    assert values["email"]["given"] == "mia at harbour"
    assert values["email"]["value"] is None
    assert values["job_title"]["value"] == "Manager"
    assert page.issues["rule"][0] == IDENTIFIABLE
    assert page.issues["owner"][0] == "data-steward"
    assert page.history["status"].to_list() == ["open"]
    assert json.loads(json.dumps(page.to_dict(), default=str))["schema_version"] == 1


def test_a_record_can_be_named_by_a_key_with_colons(unmatched, rows, nobody):
    unmatched.run(rows({**nobody, "source": "a:b", "source_key": "c:d"}))
    assert unmatched.quarantine.show("a:b:c:d").source_key == "c:d"


def test_a_name_of_two_records_is_refused_with_both(unmatched, rows, nobody):
    first = {**nobody, "source": "a:b", "source_key": "c"}
    unmatched.run(rows(first, {**first, "source": "a", "source_key": "b:c"}))
    with pytest.raises(UsageError, match="contact 1, contact 2"):
        unmatched.quarantine.show("a:b:c")


# fix ----------------------------------------------------------------------------------------------


def test_a_corrected_record_goes_the_whole_way_in_one_transaction(project, rows, nobody, bob):
    project.run(rows(bob, {**nobody, "source": "shop", "source_key": "s"}))
    done = project.quarantine.fix(
        "shop:s",
        {"last_name": "Okafor", "email": bob["email"], "first_name": "Bob"},
        reason="asked",
    )
    assert outcomes(done) == {"s": "released"}
    golden = project.golden("contact").to_dicts()
    assert [(g["records"], g["sources"]) for g in golden] == [(2, ["crm", "shop"])]
    assert golden[0]["job_title"] == "Manager"
    assert statuses(project) == {"2": "accepted", "s": "accepted"}
    assert steps(project, "shop:s") == ["open", "fixed", "released"]
    assert project.quarantine.waiting().is_empty()


def test_who_corrected_what_and_why_is_found_from_the_golden_value(project, rows, nobody, bob):
    project.run(rows(bob, {**nobody, "source": "shop", "source_key": "s"}))
    right = {"email": bob["email"], "last_name": "Okafor", "first_name": "Robert"}
    project.quarantine.fix("shop:s", right, reason="it stood on the invoice")
    origins = project.export("provenance").filter(pl.col("source") == "shop")
    by_field = {row["field"]: row for row in origins.to_dicts()}
    assert by_field["job_title"]["corrected_by"] is None
    kept = project.export("corrections")
    email = kept.filter(pl.col("field") == "email").to_dicts()[0]
    assert (email["old_value"], email["new_value"]) == ("mia at harbour", bob["email"])
    assert email["actor"] == project.actor
    assert email["reason"] == "it stood on the invoice"
    assert email["current"]
    corrected = origins.drop_nulls("corrected_by")
    assert set(corrected["corrected_because"]) <= {"it stood on the invoice"}
    assert set(corrected["field"]) <= set(right)


def test_the_row_stays_as_it_came_when_a_record_is_corrected(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"email": "mia@harbour.example"}, reason="asked")
    page = unmatched.quarantine.show("crm:3")
    assert page.row["email"] == "mia at harbour"
    (email,) = page.values.filter(pl.col("field") == "email").to_dicts()
    assert email == {
        "field": "email",
        "given": "mia at harbour",
        "corrected": "mia@harbour.example",
        "value": "mia@harbour.example",
    }
    assert page.corrections["in_force"].to_list() == [True]


def test_a_correction_that_is_not_enough_is_kept_and_says_what_is_wrong(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    done = unmatched.quarantine.fix("crm:3", {"email": "mia@"}, reason="guess")
    (verdict,) = done.verdicts.to_dicts()
    assert verdict["outcome"] == "waiting"
    assert verdict["rules"] == [IDENTIFIABLE, "contact.email.invalid"]
    assert steps(unmatched) == ["open", "fixed", "open"]
    assert unmatched.quarantine.waiting().height == 1
    done = unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked")
    assert outcomes(done) == {"3": "released"}
    assert unmatched.golden("contact")["last_name"].to_list() == ["Tran"]


def test_the_wait_began_when_the_row_came_however_often_it_is_corrected(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    before = unmatched.quarantine.waiting()["opened_at"].to_list()
    unmatched.quarantine.fix("crm:3", {"email": "mia@"}, reason="guess")
    assert unmatched.quarantine.waiting()["opened_at"].to_list() == before


def test_a_correction_that_says_what_stands_there_already_writes_nothing(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    before = everything(unmatched)
    runs = unmatched.export("runs").height
    done = unmatched.quarantine.fix("crm:3", {"job_title": " Manager "}, reason="so it is")
    assert outcomes(done) == {"3": "unchanged"}
    assert done.summary is None
    assert everything(unmatched) == before
    assert unmatched.export("runs").height == runs


def test_a_field_can_be_emptied(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"email": None, "last_name": "Tran"}, reason="no address")
    issues = unmatched.quarantine.show("crm:3").issues
    assert "contact.email.invalid" not in set(issues["rule"])


def test_the_same_bad_row_again_is_unchanged_and_the_correction_stays(unmatched, rows, nobody, bob):
    data = rows(bob, nobody)
    unmatched.run(data, as_of=DAY)
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked", as_of=DAY)
    before = everything(unmatched)
    counts = unmatched.run(data, as_of=DAY).summary.records
    assert (counts.received, counts.accepted, counts.unchanged, counts.quarantined) == (2, 2, 2, 0)
    assert everything(unmatched) == before


def test_a_correction_stays_when_rules_change_and_the_same_row_is_read_again(
    unmatched, rows, nobody
):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"last_name": "tran"}, reason="asked")
    changed = with_rule(unmatched, *OTHER)
    assert changed.run(rows(nobody)).summary.records.accepted == 1
    assert changed.golden("contact")["last_name"].to_list() == ["Tran"]
    assert changed.export("corrections")["current"].to_list() == [True]


def test_a_changed_row_of_the_source_counts_as_it_came(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked")
    changed = {**nobody, "job_title": "Director"}
    counts = unmatched.run(rows(changed)).summary.records
    assert counts.quarantined == 1
    page = unmatched.quarantine.show("crm:3")
    assert page.corrections["in_force"].to_list() == [False]
    assert unmatched.quarantine.waiting()["in_force"].to_list() == [True]
    assert unmatched.golden("contact").select("last_name", "job_title").rows() == [
        ("Tran", "Manager")
    ]


def test_the_corrected_row_that_comes_back_later_is_corrected_again(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked")
    unmatched.run(rows({**nobody, "job_title": "Director"}))
    assert unmatched.run(rows(nobody)).summary.records.accepted == 1
    assert unmatched.quarantine.waiting().is_empty()


def test_a_better_row_of_the_source_ends_the_wait_by_itself(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.run(rows({**nobody, "last_name": "Tran"}))
    assert steps(unmatched) == ["open", "superseded"]
    assert unmatched.quarantine.waiting().is_empty()


def test_a_released_record_can_be_corrected_once_more(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"last_name": "Tram"}, reason="asked")
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="a slip of mine")
    assert unmatched.golden("contact")["last_name"].to_list() == ["Tran"]
    kept = unmatched.quarantine.show("crm:3").corrections
    assert kept.select("old_value", "new_value", "in_force").rows() == [
        (None, "Tram", False),
        ("Tram", "Tran", True),
    ]


def test_a_second_correction_that_fails_leaves_the_first_in_force(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked")
    done = unmatched.quarantine.fix("crm:3", {"last_name": None}, reason="not sure")
    assert outcomes(done) == {"3": "waiting"}
    assert unmatched.golden("contact")["last_name"].to_list() == ["Tran"]
    assert unmatched.quarantine.waiting()["in_force"].to_list() == [True]


def test_a_row_that_could_not_be_read_is_read_once_somebody_has_corrected_it(unmatched, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(
        "source_key,first_name,last_name,email\n1,Ann,Lee,ann@lee.example\n"
        "2,Bob,Okafor,Esq,bob@okafor.example,more\n"
    )
    unmatched.run(file, source="crm")
    assert unmatched.quarantine.waiting()["rules"].to_list() == [["contact.row.ragged_row"]]
    assert outcomes(unmatched.quarantine.release()) == {"2": "waiting"}
    done = unmatched.quarantine.fix("crm:2", {"email": "bob@okafor.example"}, reason="a comma")
    assert outcomes(done) == {"2": "released"}
    assert unmatched.golden("contact")["email"].to_list() == [
        "ann@lee.example",
        "bob@okafor.example",
    ]


def test_dates_are_read_as_the_file_they_came_in_showed(unmatched, rows, nobody, bob):
    clear = {**bob, "created_at": "25/12/2023"}
    unmatched.run(rows(clear, {**nobody, "created_at": "03/04/2024"}))
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked")
    golden = unmatched.golden("contact").filter(pl.col("last_name") == "Tran")
    assert golden["created_at"].dt.date().to_list() == [date(2024, 4, 3)]


def test_a_source_outside_of_the_project_is_read_as_its_mapping_said(unmatched, tmp_path):
    mapping = tmp_path / "club.yml"
    mapping.write_text(
        "source: club\nkey: [Number]\ncountry: 'NO'\n"
        "columns:\n  source_key: [Number]\n  last_name: [Name]\n  phone: [Tel]\n"
    )
    file = tmp_path / "club.csv"
    file.write_text("Number,Name,Tel\n7,,40612\n")
    unmatched.run(file, source=mapping)
    unmatched.quarantine.fix("club:7", {"phone": "406 12 345"}, reason="called")
    assert unmatched.golden("contact")["phone"].to_list() == ["+4740612345"]


@pytest.mark.parametrize(
    ("record", "corrections", "error", "says"),
    [
        ("crm:3", {"emial": "a@b.example"}, NotFoundError, "did you mean 'email'"),
        ("crm:3", {"source_key": "4"}, RefusedError, "which record"),
        ("crm:3", {}, UsageError, "field=value"),
        ("crm:2", {"last_name": "X"}, RefusedError, "correct it in its source"),
        ("crm:77", {"last_name": "X"}, NotFoundError, "no record 'crm:77'"),
        ("99999999999999999999999", {"last_name": "X"}, NotFoundError, "no record"),
    ],
)
def test_what_cannot_be_corrected_is_told_and_nothing_is_written(
    held, record, corrections, error, says
):
    before = everything(held)
    with pytest.raises(error, match=says):
        held.quarantine.fix(record, corrections, reason="try")
    assert everything(held) == before


def test_nothing_is_decided_without_a_reason(unmatched, rows, nobody):
    unmatched.run(rows(nobody))
    with pytest.raises(UsageError, match="--reason"):
        unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason=" ")
    with pytest.raises(UsageError, match="--reason"):
        unmatched.quarantine.waive("crm:3", until=LATER, reason="", as_of=DAY)


# release ------------------------------------------------------------------------------------------


def test_what_passes_by_new_rules_is_released_and_the_rest_says_why_not(unmatched, rows, nobody):
    titled = {**nobody, "source_key": "4", "city": "Bergen", "job_title": None}
    unmatched.run(rows(nobody, titled))
    assert set(outcomes(unmatched.quarantine.release()).values()) == {"waiting"}
    changed = with_rule(
        unmatched,
        "- {field: tax_id, present: true}",
        "- {field: tax_id, present: true}\n        - {field: city, present: true}",
    )
    done = changed.quarantine.release()
    assert outcomes(done) == {"3": "waiting", "4": "released"}
    assert done.waiting["rules"].to_list() == [[IDENTIFIABLE]]
    assert statuses(changed) == {"3": "quarantined", "4": "accepted"}
    assert steps(changed, "crm:4") == ["open", "released"]
    assert steps(changed) == ["open", "superseded", "open"]


def test_nothing_is_written_about_what_fails_for_the_same_reasons(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    before = everything(unmatched)
    assert outcomes(unmatched.quarantine.release(as_of=DAY)) == {"3": "waiting"}
    assert everything(unmatched) == before


def test_only_the_records_asked_for_are_checked(unmatched, rows, nobody):
    unmatched.run(rows(nobody, {**nobody, "source_key": "4"}))
    assert outcomes(unmatched.quarantine.release(["crm:4"])) == {"4": "waiting"}
    with pytest.raises(RefusedError, match="does not wait"):
        unmatched.quarantine.release(["crm:4"], source="shop")


def told(project, record):
    return set(project.quarantine.show(record).issues["rule"])


def test_a_column_without_a_value_is_still_missing_when_its_record_is_judged_again(
    unmatched, rows, nobody
):
    unmatched.run(rows({**nobody, "lead_source": None}), as_of=DAY)
    before = told(unmatched, "crm:3")
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked", as_of=DAY)
    assert "contact.lead_source.required" in before
    assert told(unmatched, "crm:3") == before - {IDENTIFIABLE}


def test_records_of_two_files_are_each_asked_for_the_columns_of_their_own(unmatched, rows, nobody):
    unmatched.run(rows({**nobody, "lead_source": None}), as_of=DAY)
    unmatched.run(rows({**nobody, "source_key": "4"}), as_of=DAY)
    before = {record: told(unmatched, record) for record in ("crm:3", "crm:4")}
    milder = with_rule(
        unmatched,
        "- {field: tax_id, present: true}",
        "- {field: tax_id, present: true}\n        - {field: job_title, present: true}",
    )
    assert outcomes(milder.quarantine.release(as_of=DAY)) == {"3": "released", "4": "released"}
    assert "contact.lead_source.required" in before["crm:3"]
    assert "contact.lead_source.required" not in before["crm:4"]
    for record, rules in before.items():
        assert told(milder, record) == rules - {IDENTIFIABLE}


def test_a_correction_of_a_column_that_the_file_lacks_accuses_no_other_row_of_it(
    unmatched, rows, nobody, bob
):
    data = rows({**nobody, "created_at": "04/03/2024"}, {**bob, "created_at": "25/12/2023"})
    unmatched.run(data, as_of=DAY)
    right = {"last_name": "Tran", "lead_source": "Google"}
    unmatched.quarantine.fix("crm:3", right, reason="asked", as_of=DAY)
    changed = with_rule(unmatched, *OTHER)
    changed.run(data, as_of=DAY)
    assert not any("lead_source" in rule for rule in changed.export("issues")["rule"])
    golden = changed.golden("contact").sort("last_name")
    assert golden["lead_source"].to_list() == [None, "paid_search"]
    assert golden["created_at"].dt.date().to_list() == [date(2023, 12, 25), date(2024, 3, 4)]


# other rules --------------------------------------------------------------------------------------

STRICTER = ("meaning: Position at the company.", "meaning: Position.\n    required: error")


def test_a_stricter_rule_throws_out_nobody_unless_asked_to(held, rows, bob):
    held.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    stricter = with_rule(held, *STRICTER)
    stricter.run(rows({**bob, "source_key": "9", "job_title": "CEO"}), as_of=DAY)
    assert statuses(stricter) == {"2": "accepted", "3": "accepted", "9": "accepted"}
    summary = stricter.rulebook.apply(as_of=DAY, requarantine=True).summary
    assert statuses(stricter) == {"2": "quarantined", "3": "accepted", "9": "accepted"}
    assert any("1 record in force was set aside" in note for note in summary.notes)
    assert stricter.golden("contact")["job_title"].to_list() == ["Manager", "CEO"]
    (waiting,) = stricter.quarantine.waiting().to_dicts()
    assert waiting["rules"] == ["contact.job_title.required"]
    before = everything(stricter)
    stricter.rulebook.apply(as_of=DAY, requarantine=True)
    assert everything(stricter) == before


def test_what_a_stricter_rule_set_aside_can_be_corrected(held):
    stricter = with_rule(held, *STRICTER)
    stricter.rulebook.apply(as_of=DAY, requarantine=True)
    done = stricter.quarantine.fix("crm:2", {"job_title": "CEO"}, reason="asked", as_of=DAY)
    assert outcomes(done) == {"2": "released"}
    (bob,) = stricter.golden("contact").to_dicts()
    assert (bob["first_name"], bob["email"]) == ("Bob", "b.okafor@quayside.example")


# waive --------------------------------------------------------------------------------------------


def test_a_waived_record_is_accepted_and_carries_a_warning_with_the_day(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    done = unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    assert outcomes(done) == {"3": "waived"}
    assert statuses(unmatched) == {"3": "accepted"}
    assert unmatched.golden("contact")["job_title"].to_list() == ["Manager"]
    page = unmatched.quarantine.show("crm:3")
    (issue,) = page.issues.filter(pl.col("rule") == IDENTIFIABLE).to_dicts()
    assert issue["severity"] == "warning"
    assert issue["message"].endswith(f"an error, waived until {LATER}")
    assert page.waivers.select("rule", "reason").rows() == [(IDENTIFIABLE, "a partner")]
    assert page.history["reason"][-1] == f"until {LATER}: a partner"


def test_a_waiver_outlives_runs_and_a_changed_row_of_its_record(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    assert unmatched.run(rows(nobody), as_of=LATER).summary.records.unchanged == 1
    changed = {**nobody, "job_title": "Director"}
    assert unmatched.run(rows(changed), as_of=LATER).summary.records.accepted == 1
    assert unmatched.golden("contact")["job_title"].to_list() == ["Director"]


def test_the_first_run_after_its_day_sets_the_record_aside_again(unmatched, rows, nobody, bob):
    unmatched.run(rows(nobody), as_of=DAY)
    unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    after = LATER + timedelta(days=1)
    run = unmatched.run(rows(bob), as_of=after)
    assert any("expired" in note for note in run.summary.notes)
    assert run.summary.records.model_dump() == {
        "received": 1, "accepted": 1, "quarantined": 0, "suppressed": 0, "unchanged": 0,
    }  # fmt: skip
    assert run.summary.waiting == 1
    assert statuses(unmatched) == {"3": "quarantined", "2": "accepted"}
    assert unmatched.golden("contact")["last_name"].to_list() == ["Okafor"]
    assert steps(unmatched) == ["open", "waived", "lapsed", "open"]
    again = unmatched.run(rows(bob, nobody), as_of=after).summary
    assert (again.records.accepted, again.records.quarantined) == (1, 1)
    assert again.golden.model_dump() == {
        "total": 1, "created": 0, "changed": 0, "merged": 0, "split": 0,
    }  # fmt: skip


def test_what_was_accepted_at_once_under_a_waiver_lapses_too(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    unmatched.run(rows({**nobody, "job_title": "Director"}), as_of=DAY)
    unmatched.run(as_of=LATER + timedelta(days=1))
    assert statuses(unmatched) == {"3": "quarantined"}
    assert unmatched.golden("contact").is_empty()


def test_when_a_waiver_lapses_an_earlier_good_version_is_in_force_again(unmatched, rows, bob):
    unmatched.run(rows(bob), as_of=DAY)
    worse = {"source": "crm", "source_key": "2", "job_title": "CEO"}
    unmatched.run(rows(worse), as_of=DAY)
    unmatched.quarantine.waive("crm:2", until=LATER, reason="to be merged", as_of=DAY)
    assert unmatched.golden("contact")["last_name"].to_list() == [None]
    unmatched.run(as_of=LATER + timedelta(days=1))
    assert unmatched.golden("contact")["last_name"].to_list() == ["Okafor"]
    assert unmatched.quarantine.waiting()["in_force"].to_list() == [True]


def test_a_waiver_holds_for_its_rules_alone(unmatched, rows):
    strict = with_rule(
        unmatched, "meaning: Position at the company.", "meaning: Position.\n    required: error"
    )
    strict.run(rows({"source": "crm", "source_key": "3", "city": "Bergen"}), as_of=DAY)
    done = strict.quarantine.waive(
        "crm:3", until=LATER, reason="a partner", rules=[IDENTIFIABLE], as_of=DAY
    )
    assert done.verdicts["rules"].to_list() == [["contact.job_title.required"]]
    assert outcomes(done) == {"3": "waiting"}
    done = strict.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    assert outcomes(done) == {"3": "waived"}


def test_a_later_waiver_takes_the_place_of_an_earlier_one(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    longer = LATER + timedelta(days=100)
    unmatched.quarantine.waive("crm:3", until=longer, reason="still a partner", as_of=DAY)
    assert unmatched.run(rows(nobody), as_of=longer).summary.waiting == 0
    shorter = DAY + timedelta(days=1)
    unmatched.quarantine.waive("crm:3", until=shorter, reason="not so long", as_of=DAY)
    assert unmatched.run(rows(nobody), as_of=LATER).summary.waiting == 1


def test_a_waiver_can_be_taken_back(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    done = unmatched.quarantine.withdraw_waiver("crm:3", reason="no partner any more", as_of=DAY)
    assert outcomes(done) == {"3": "waiting"}
    assert statuses(unmatched) == {"3": "quarantined"}
    assert unmatched.golden("contact").is_empty()
    with pytest.raises(NotFoundError, match="no such waiver"):
        unmatched.quarantine.withdraw_waiver("crm:3", reason="once more", as_of=DAY)


def test_a_corrected_record_needs_its_waiver_no_longer(unmatched, rows, nobody):
    unmatched.run(rows(nobody), as_of=DAY)
    unmatched.quarantine.waive("crm:3", until=LATER, reason="a partner", as_of=DAY)
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked", as_of=DAY)
    assert unmatched.run(as_of=LATER + timedelta(days=1)).summary.waiting == 0
    assert statuses(unmatched) == {"3": "accepted"}


@pytest.mark.parametrize(
    ("record", "options", "error", "says"),
    [
        ("crm:2", {}, RefusedError, "nothing to waive"),
        ("crm:3", {"rules": ["contact.email.invalid"]}, NotFoundError, IDENTIFIABLE),
        ("crm:3", {"until": DAY - timedelta(days=1)}, UsageError, "expired already"),
    ],
)
def test_what_cannot_be_waived_is_told_and_nothing_is_written(held, record, options, error, says):
    before = everything(held)
    with pytest.raises(error, match=says):
        held.quarantine.waive(record, **{"until": LATER, "reason": "try", "as_of": DAY, **options})
    assert everything(held) == before


# the store ----------------------------------------------------------------------------------------


@pytest.mark.capability(102)
def test_every_decision_is_a_sealed_event_with_its_author_and_reason(unmatched, rows, nobody):
    unmatched.run(rows(nobody, {**nobody, "source_key": "4"}), as_of=DAY)
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked", as_of=DAY)
    unmatched.quarantine.waive("crm:4", until=LATER, reason="a partner", as_of=DAY)
    unmatched.quarantine.withdraw_waiver("crm:4", reason="a mistake", as_of=DAY)
    unmatched.quarantine.release(reason="new rules", as_of=DAY)
    with unmatched.store() as store:
        events = store.rows(
            "SELECT kind, actor, payload FROM audit.event WHERE kind LIKE 'quarantine.%'"
            " ORDER BY event_id"
        )
        assert verify_trail(store) == []
    assert [kind for kind, _, _ in events] == [
        "quarantine.fixed",
        "quarantine.waived",
        "quarantine.waiver_withdrawn",
        "quarantine.checked",
    ]
    assert {actor for _, actor, _ in events} == {unmatched.actor}
    for payload, reason in zip(
        events, ["asked", "a partner", "a mistake", "new rules"], strict=True
    ):
        assert reason in payload[2]
    # corrected values stand in quality.correction, where they can be erased
    assert "Tran" not in events[0][2]


def test_a_correction_of_a_record_that_the_source_has_deleted_is_refused(unmatched, tmp_path):
    file = tmp_path / "contacts.csv"
    header = "Id,IsDeleted,MasterRecordId,LastName,FirstName,Email,Title,LastModifiedDate\n"
    file.write_text(header + "003A,false,,,,,CEO,2024-01-01T00:00:00Z\n")
    unmatched.run(file, source="salesforce_contacts")
    assert unmatched.quarantine.waiting().height == 1
    file.write_text(header + "003A,true,,,,,CEO,2024-02-01T00:00:00Z\n")
    unmatched.run(file, source="salesforce_contacts")
    assert unmatched.quarantine.waiting().is_empty()
    with pytest.raises(RefusedError, match="deleted by its source"):
        unmatched.quarantine.fix("salesforce_contacts:003A", {"last_name": "X"}, reason="try")
    with pytest.raises(RefusedError, match="deleted by its source"):
        unmatched.quarantine.waive("salesforce_contacts:003A", until=LATER, reason="x", as_of=DAY)


def test_what_was_set_aside_before_its_texts_were_kept_can_be_corrected(unmatched, rows, nobody):
    dated = {**nobody, "created_at": "2024-04-03T10:00:00+02:00", "email_opt_out": "yes"}
    unmatched.run(rows(dated))
    with unmatched.store() as store:
        store.execute("UPDATE quality.quarantine SET given = NULL")
    unmatched.quarantine.fix("crm:3", {"last_name": "Tran"}, reason="asked")
    (golden,) = unmatched.golden("contact").to_dicts()
    assert (golden["job_title"], golden["email_opt_out"]) == ("Manager", True)
    assert golden["created_at"].isoformat() == "2024-04-03T08:00:00"
    (issue,) = unmatched.quarantine.show("crm:3").issues.filter(field="email").to_dicts()
    assert issue["value"] == "mia at harbour"


def test_summary_audit_and_export_count_alike_after_odd_imports(unmatched, tmp_path):
    file = tmp_path / "contacts.csv"
    header = "Id,IsDeleted,MasterRecordId,LastName,FirstName,Email,Title,LastModifiedDate\n"
    good = "{},false,,Okafor,Bob,b@quayside.example,CEO,2024-0{}-01T00:00:00Z\n"
    bad = "{},{},,,,,CEO,2024-0{}-01T00:00:00Z\n"
    # A: bad twice in one file; B: good, then a bad one that is older; C: bad, then deleted;
    # D: good and bad in one file
    file.write_text(
        header
        + bad.format("A", "false", 1)
        + bad.format("A", "false", 2)
        + good.format("B", 5)
        + bad.format("C", "false", 1)
        + good.format("D", 1)
        + bad.format("D", "false", 2)
    )
    unmatched.run(file, source="salesforce_contacts")
    file.write_text(header + bad.format("B", "false", 3) + bad.format("C", "true", 4))
    summary = unmatched.run(file, source="salesforce_contacts").summary
    counts = unmatched.audit().entity("contact").counts
    assert (counts.received, counts.accepted, counts.quarantined, counts.ended) == (4, 2, 1, 1)
    assert counts.quarantined + counts.waiting == summary.waiting == 3
    exported = unmatched.export("quarantine")
    assert exported["source_key"].to_list() == ["A", "B", "D"]
    assert exported["in_force"].to_list() == [False, True, True]
    assert unmatched.quarantine.waiting()["source_key"].to_list() == ["A", "D", "B"]
    issues = unmatched.export("issues").filter(pl.col("rule") == IDENTIFIABLE)
    assert issues["source_key"].to_list() == ["A", "B", "D"]
