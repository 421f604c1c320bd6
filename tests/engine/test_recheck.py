"""Rules change after the data came: what the store holds is judged again, without its files."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from planted import people

from crm_quality import Project
from crm_quality.errors import RefusedError

DAY = date(2026, 3, 1)
ANN = {
    "source": "crm",
    "source_key": "1",
    "first_name": "Ann",
    "last_name": "Leclerc",
    "email": "ann@nordlicht.example",
    "lead_source": "Blimp",
    "born": "03/04/1985",
}


def rows(*records):
    names = dict.fromkeys(key for record in records for key in record)
    return pl.DataFrame(list(records), schema=dict.fromkeys(names, pl.String))


def everything(project):
    """All that a run may change, but its own row, metrics, event and the rules it went by."""
    own = {
        ("audit", "run"), ("audit", "event"), ("audit", "rule_set"), ("quality", "metric"),
        ("main", "fitted"), ("crm", "declared"),
    }  # fmt: skip
    with project.store() as store:
        tables = store.rows("SELECT schema_name, table_name FROM duckdb_tables()")
        return {
            table: sorted(map(repr, store.rows(f'FROM "{table[0]}"."{table[1]}"')))
            for table in tables
            if table not in own
        }


def edited(project, file, old, new):
    """The project with ``old`` replaced by ``new`` in one of its rule files."""
    path = project.folder / "rules" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return Project.open(project.folder)


def knowing_blimps(project):
    """The project with "Blimp" as a word for paid search."""
    return edited(
        project, "vocabularies/lead_source.yml", "synonyms: [Google,", "synonyms: [Blimp, Google,"
    )


def with_rule(project, rule):
    path = project.folder / "rules" / "entities" / "contact.yml"
    path.write_text(path.read_text() + rule)
    return Project.open(project.folder)


NO_BLIMPS = """\
  - code: contact.owned
    title: Somebody looks after a contact
    message: nobody looks after this contact
    severity: error
    expect: {field: owner, present: true}
"""


def test_where_the_rules_are_the_same_nothing_is_judged_and_nothing_written(project):
    project.run(rows(ANN), as_of=DAY)
    before = everything(project)

    again = project.rulebook.apply(as_of=DAY).summary

    assert again.records.received == 0
    assert everything(project) == before


@pytest.mark.slow
def test_messy_rows_read_again_by_the_same_rules_give_the_same(project):
    messy = pl.DataFrame([row for row, _ in people(60)], infer_schema_length=None)
    messy = messy.drop("problem", "row_number", strict=False)
    first = project.run(messy, as_of=DAY).summary
    before = everything(project)

    again = project.rulebook.apply(everything=True, as_of=DAY).summary

    assert again.records.received == first.records.received
    assert again.records.unchanged == again.records.accepted == first.records.accepted
    assert everything(project) == before


def test_a_new_synonym_reaches_the_golden_record_and_the_same_rows_stay_unchanged(project):
    project.run(rows(ANN), as_of=DAY)
    assert project.golden()["lead_source"].to_list() == [None]

    wiser = knowing_blimps(project)
    done = wiser.rulebook.apply(as_of=DAY)
    again = wiser.run(rows(ANN), as_of=DAY).summary

    assert wiser.golden().select("lead_source", "version").rows() == [("paid_search", 2)]
    assert (done.summary.records.received, done.summary.records.unchanged) == (1, 0)
    assert "contact.lead_source.unknown" not in set(wiser.export("issues")["rule"])
    assert again.records.unchanged == 1
    assert again.golden.changed == 0


def test_a_stricter_rule_accuses_and_throws_nothing_out_unless_asked(project):
    project.run(rows(ANN), as_of=DAY)
    stricter = with_rule(project, NO_BLIMPS)

    told = stricter.rulebook.apply(as_of=DAY)
    kept = stricter.golden().height
    thrown_out = stricter.rulebook.apply(requarantine=True, as_of=DAY)

    assert told.summary.issues.error == 1
    assert (told.summary.records.accepted, kept) == (1, 1)
    assert thrown_out.summary.records.quarantined == 1
    assert stricter.golden().is_empty()
    assert stricter.crosswalk()["status"].to_list() == ["quarantined"]
    assert stricter.export("quarantine")["rules"].to_list() == ["contact.owned"]


def test_what_was_thrown_out_or_set_aside_comes_back_when_the_rule_goes(project):
    stricter = with_rule(project, NO_BLIMPS)
    stricter.run(rows(ANN), as_of=DAY)
    waiting = stricter.golden().height

    file = project.folder / "rules" / "entities" / "contact.yml"
    file.write_text(file.read_text().replace(NO_BLIMPS, ""))
    milder = Project.open(project.folder)
    done = milder.rulebook.apply(as_of=DAY)

    assert waiting == 0
    assert milder.golden().height == 1
    assert milder.crosswalk()["status"].to_list() == ["accepted"]
    with milder.store() as store:
        assert store.rows("SELECT status FROM quality.quarantine") == [("released",)]
    assert any("pass now" in note for note in done.summary.notes)


def test_a_row_that_waits_behind_a_record_in_force_goes_on_waiting(project):
    bad = {"source": "crm", "source_key": "1", "job_title": "CEO"}
    project.run(rows(ANN), as_of=DAY)
    project.run(rows(bad), as_of=DAY)

    wiser = knowing_blimps(project)
    wiser.rulebook.apply(as_of=DAY)
    before = everything(wiser)
    again = wiser.run(rows(bad), as_of=DAY).summary

    assert wiser.golden()["lead_source"].to_list() == ["paid_search"]
    assert wiser.export("quarantine").filter(status="open").height == 1
    assert again.records.quarantined == 1
    assert everything(wiser) == before


@pytest.mark.capability(7)
def test_a_column_kept_as_a_custom_field_fills_the_field_that_is_defined_later(project):
    project.run(rows({**ANN, "loyalty_level": "4"}), as_of=DAY)

    field = "  loyalty_level: {meaning: Level of the card., type: integer}\n\nrules:\n"
    wider = edited(project, "entities/contact.yml", "\nrules:\n", "\n" + field)
    wider.rulebook.apply(as_of=DAY)

    assert wider.golden()["loyalty_level"].to_list() == [4]


def test_another_survivorship_is_applied_though_no_value_is_read_otherwise(project):
    older = {**ANN, "lead_source": "PPC", "created_at": "2020-01-01", "updated_at": "2020-01-01"}
    newer = {**ANN, "source": "shop", "lead_source": "Messe", "created_at": "2024-01-01",
             "updated_at": "2024-01-01"}  # fmt: skip
    project.run(rows(older, newer), as_of=DAY)
    first = project.golden()["lead_source"].to_list()

    other = edited(
        project,
        "entities/contact.yml",
        "    required: info\n    survivorship: {strategy: oldest}",
        "    required: info\n    survivorship: {strategy: most_recent}",
    )
    done = other.rulebook.apply(as_of=DAY).summary

    assert first == ["paid_search"]
    assert other.golden()["lead_source"].to_list() == ["event"]
    assert done.records.unchanged == done.records.received == 2


STRIPE = "id,Name,Email,Created (UTC)\ncus_1,Ann Leclerc,ann@nordlicht.example,03/04/2024 10:00\n"


def test_dates_are_read_again_when_the_rules_say_how_a_source_writes_them(project, tmp_path):
    file = tmp_path / "stripe.csv"
    file.write_text(STRIPE)
    project.run(file, as_of=DAY)
    unread = project.golden()["created_at"].to_list()

    told = edited(
        project, "sources/stripe_customers.yml", "time_zone: UTC", "date_order: dmy\ntime_zone: UTC"
    )
    told.rulebook.apply(as_of=DAY)
    again = told.run(file, as_of=DAY).summary

    assert unread == [None]
    assert [day.date() for day in told.golden()["created_at"]] == [date(2024, 4, 3)]
    assert again.records.unchanged == 1


MAPPING = """\
source: billing
key: [Number]
country: NO
columns:
  last_name: [Name]
  mobile: {any_of: [Tel], strip_prefix: ["t:"]}
constants: {lead_source: Blimp}
"""


def test_a_file_read_by_a_mapping_of_its_own_is_read_by_that_mapping_again(project, tmp_path):
    file, mapping = tmp_path / "bills.csv", tmp_path / "billing.yml"
    file.write_text("Number,Name,Tel\n7,Okafor,t:406 12 345\n")
    mapping.write_text(MAPPING)
    project.run(file, source=mapping, as_of=DAY)
    mapping.unlink()

    wiser = knowing_blimps(project)
    done = wiser.rulebook.apply(as_of=DAY).summary

    assert (done.records.received, done.records.unchanged) == (1, 0)
    (golden,) = wiser.golden().to_dicts()
    assert (golden["mobile"], golden["lead_source"]) == ("+4740612345", "paid_search")


def test_a_run_under_other_rules_keeps_both_rule_sets(project):
    project.run(rows(ANN), as_of=DAY)
    stricter = with_rule(project, NO_BLIMPS)
    stricter.rulebook.apply(as_of=DAY)

    with project.store() as store:
        kept = store.rows("SELECT fingerprint, first_run FROM audit.rule_set ORDER BY first_run")
    assert kept == [(project.rules.fingerprint, 1), (stricter.rules.fingerprint, 2)]


def test_a_record_whose_row_was_erased_stays_as_it_was_read(project):
    bob = {**ANN, "source_key": "2", "first_name": "Bob", "email": "bob@quayside.example"}
    project.run(rows(ANN, bob), as_of=DAY)
    with project.store() as store:
        store.execute("UPDATE landing.contact_version SET raw = NULL WHERE record_id = 1")

    wiser = knowing_blimps(project)
    foretold = wiser.rulebook.diff(as_of=DAY)
    done = wiser.rulebook.apply(as_of=DAY).summary

    assert wiser.golden()["lead_source"].to_list() == [None, "paid_search"]
    assert any("1 records stay as they were read" in note for note in done.notes)
    assert foretold.values["record_id"].to_list() == [2]
    assert any("1 rows were left out" in note for note in foretold.notes)


def test_words_for_people_can_be_changed_without_judging_anything_again(project):
    project.run(rows(ANN), as_of=DAY)
    said = edited(
        project, "entities/contact.yml", "meaning: Position at the", "meaning: Post at the"
    )
    said = edited(said, "vocabularies/lead_source.yml", "owner: ", "owner: new-")
    foretold = said.rulebook.diff(as_of=DAY)
    before = everything(said)

    again = said.run(rows(ANN), as_of=DAY).summary

    assert again.records.unchanged == 1
    assert said.rulebook.apply(as_of=DAY).summary.records.received == 0
    assert everything(said) == before
    assert foretold.definitions.height == 2


def test_a_field_of_another_type_asks_for_the_rules_to_be_applied_and_loses_nothing(project):
    field = "  loyalty_level: {meaning: Level of the card., type: TYPE}\n\nrules:\n"
    texts = edited(
        project, "entities/contact.yml", "\nrules:\n", "\n" + field.replace("TYPE", "text")
    )
    bob = {**ANN, "source_key": "2", "first_name": "Bob", "loyalty_level": "1.200"}
    texts.run(rows({**ANN, "loyalty_level": "04"}, bob), as_of=DAY)
    numbers = edited(texts, "entities/contact.yml", "card., type: text", "card., type: integer")
    before = everything(numbers)

    with pytest.raises(RefusedError, match="crmq rules apply"):
        numbers.run(rows({**ANN, "loyalty_level": "5"}), as_of=DAY)
    assert everything(numbers) == before
    numbers.rulebook.apply(as_of=DAY)

    assert sorted(numbers.golden()["loyalty_level"].to_list()) == [4, 1200]
    assert numbers.golden().schema["loyalty_level"] == pl.Int64
    back = edited(numbers, "entities/contact.yml", "card., type: integer", "card., type: text")
    back.rulebook.apply(as_of=DAY)
    assert sorted(back.golden()["loyalty_level"].to_list()) == ["04", "1.200"]
