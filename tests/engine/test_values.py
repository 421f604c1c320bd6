"""Unknown values: listed, accepted into the rules, applied to what the store holds."""

from __future__ import annotations

import json
import re
import shutil
import threading
from datetime import date

import openpyxl
import polars as pl
import pytest

from benchmarks.generator.exports import FILES, write_demo
from crm_quality import Project
from crm_quality.definitions import fold
from crm_quality.engine.value_sheet import read_sheet, write_sheet
from crm_quality.errors import InputError, NotFoundError, RefusedError, UsageError
from crm_quality.store import verify_trail
from crm_quality.validate import METHODS
from crm_quality.validate.spelling_keys import KEYS

PEOPLE = [
    # key, name, lead source, lifecycle stage
    ("1", "Abara", "Gogle Ads", "lead"),
    ("2", "Bianchi", "gogle ads", "lead"),
    ("3", "Castellano", "PPC", "Warmer Kontakt"),
    ("4", "Dubois", "carrier pigeon", "lead"),
    ("5", "Eriksen", None, "customer"),
]


def people(*records, **more):
    names = ["source_key", "last_name", "lead_source", "lifecycle_stage"]
    frame = pl.DataFrame(list(records), schema=dict.fromkeys(names, pl.String), orient="row")
    email = pl.concat_str("last_name", pl.lit("@club.example"))
    return frame.with_columns(
        pl.lit("crm").alias("source"),
        email.alias("email"),
        **{k: pl.lit(v) for k, v in more.items()},
    )


def vocabulary(project, name="lead_source"):
    return project.folder / "rules" / "vocabularies" / f"{name}.yml"


def told(project, field="lead_source", **options):
    return {row["value"]: row for row in project.values.unknown(field, **options).to_dicts()}


@pytest.fixture
def stocked(project):
    project.run(people(*PEOPLE))
    return project


@pytest.mark.capability(62)
def test_unknown_values_come_with_their_records_sources_times_and_meaning(stocked):
    stocked.run(
        people(("9", "Zimmermann", "Gogle Ads", "lead")).with_columns(source=pl.lit("shop"))
    )

    found = told(stocked)

    assert set(found) == {"Gogle Ads", "gogle ads", "carrier pigeon"}
    gogle = found["Gogle Ads"]
    assert (gogle["records"], gogle["sources"]) == (2, ["crm", "shop"])
    assert gogle["first_seen"] < gogle["last_seen"]
    assert (gogle["suggestion"], gogle["cluster"]) == ("paid_search", 1)
    assert found["gogle ads"]["cluster"] == gogle["cluster"]
    assert found["carrier pigeon"]["suggestion"] is None


def test_the_fields_are_listed_with_what_they_do_not_know(stocked):
    fields = stocked.values.fields()

    assert fields.select("entity", "field", "unknown", "records").rows()[:2] == [
        ("contact", "lead_source", 3, 3),
        ("contact", "lifecycle_stage", 1, 1),
    ]
    assert {"industry", "country", "salutation"} <= set(fields["field"])


def test_a_value_that_was_corrected_is_not_unknown_any_more(stocked):
    stocked.run(people(("4", "Dubois", "Friend", "lead")))

    assert set(told(stocked)) == {"Gogle Ads", "gogle ads"}


def test_a_value_of_a_record_that_waits_in_quarantine_is_told_too(project):
    nobody = people(("1", None, "carrier pigeon", None)).with_columns(email=pl.lit(None, pl.String))
    assert project.run(nobody).summary.records.quarantined == 1

    assert told(project)["carrier pigeon"]["records"] == 1


def test_an_accepted_synonym_is_one_more_word_in_the_file_and_nothing_else(stocked):
    before = vocabulary(stocked).read_text()

    done = stocked.values.accept("lead_source", {"carrier pigeon": "other"}, reason="they do")

    after = vocabulary(stocked).read_text()
    assert after == before.replace("Sonstiges, Autre]", "Sonstiges, Autre, carrier pigeon]")
    assert (done.written, done.records, done.synonyms) == (True, 1, {"other": ["carrier pigeon"]})
    assert "+    synonyms: [Others" in done.diff


def test_who_accepted_what_and_why_is_in_the_audit_trail(stocked):
    stocked.values.accept(
        "lead_source",
        {"carrier pigeon": "pigeon"},
        new_values={"pigeon": "Pigeons"},
        reason="they do",
    )

    with stocked.store() as store:
        kind, actor, payload = store.rows(
            "SELECT kind, actor, payload FROM audit.event ORDER BY event_id DESC LIMIT 1"
        )[0]
        assert verify_trail(store) == []
    said = json.loads(payload)
    assert (kind, actor) == ("vocabulary.accepted", stocked.actor)
    assert said["reason"] == "they do"
    assert said["synonyms"] == {"pigeon": ["carrier pigeon"]}
    assert said["new_values"] == {"pigeon": "Pigeons"}


def test_a_dry_run_writes_nothing(stocked):
    before = vocabulary(stocked).read_bytes()

    done = stocked.values.accept(
        "lead_source", {"carrier pigeon": "other"}, reason="", dry_run=True
    )

    assert not done.written
    assert "carrier pigeon" in done.diff
    assert vocabulary(stocked).read_bytes() == before
    with stocked.store() as store:
        assert store.value("SELECT count(*) FROM audit.event WHERE kind LIKE 'vocabulary%'") == 0


@pytest.mark.parametrize(
    ("meanings", "new_values", "complaint"),
    [
        (
            {"Facebook": "paid_search"},
            {},
            "'Facebook' cannot mean paid_search: it means organic_social",
        ),
        ({"facebook": "paid_search"}, {}, "it means organic_social"),
        ({"pigeon": "paid_serch"}, {}, "did you mean paid_search?"),
        ({"pigeon": "Paid search"}, {}, "did you mean paid_search?"),
        ({"pigeon": "other", "Pigeon!": "event"}, {}, "'Pigeon!' cannot mean event"),
        ({"--": "other"}, {}, "no letter or digit"),
        ({}, {"Facebook": ""}, "cannot be a new value"),
        ({"pigeon": "other"}, {"pigeon": ""}, "'pigeon' cannot mean other"),
    ],
)
def test_what_contradicts_is_refused_and_nothing_is_written(
    project, meanings, new_values, complaint
):
    before = vocabulary(project).read_bytes()

    with pytest.raises(RefusedError, match=re.escape(complaint)):
        project.values.accept("lead_source", meanings, new_values=new_values, reason="try")

    assert vocabulary(project).read_bytes() == before


def test_every_contradiction_is_told_at_once(project):
    with pytest.raises(RefusedError) as refused:
        project.values.accept("lead_source", {"Facebook": "other", "x": "nowhere"}, reason="try")

    assert len(str(refused.value).splitlines()) == 3


def test_a_deprecated_value_takes_no_synonyms(project):
    file = vocabulary(project)
    file.write_text(
        file.read_text().replace(
            "    label: Booking\n", "    label: Booking\n    replaced_by: event\n"
        )
    )

    with pytest.raises(RefusedError, match="booking is deprecated; accept it as event"):
        project.values.accept("lead_source", {"pigeon": "booking"}, reason="try")


def test_what_is_accepted_already_is_told_and_not_written_twice(project):
    done = project.values.accept("lead_source", {"PPC": "paid_search"}, reason="try")

    assert (done.already, done.written, done.diff) == (("PPC",), False, "")


def test_spellings_that_the_vocabulary_cannot_tell_apart_are_written_once(stocked):
    done = stocked.values.accept("lead_source", stocked.values.sure("lead_source"), reason="typos")

    assert done.synonyms == {"paid_search": ["Gogle Ads"]}
    assert done.records == 2


def test_a_reason_is_asked_for(project):
    with pytest.raises(UsageError, match="--reason"):
        project.values.accept("lead_source", {"pigeon": "other"}, reason=" ")


def test_rules_that_somebody_changed_meanwhile_are_the_ones_that_count(project):
    other = Project.open(project.folder)
    other.values.accept("lead_source", {"pigeon": "event"}, reason="mine")

    with pytest.raises(RefusedError, match="it means event"):
        project.values.accept("lead_source", {"Pigeon": "other"}, reason="no, mine")


def test_fields_that_are_none_are_told(project):
    with pytest.raises(NotFoundError, match=r"did you mean lead_source\?"):
        project.values.unknown("lead_sorce")
    with pytest.raises(NotFoundError, match="has no vocabulary"):
        project.values.unknown("email")
    with pytest.raises(NotFoundError, match="there is no entity"):
        project.values.unknown("country", entity="house")
    with pytest.raises(UsageError, match="metaphone"):
        project.values.unknown("country", method="telepathy")


def test_a_field_of_one_entity_needs_no_entity(project):
    assert project.values.place("industry") == "company.industry"
    assert project.values.place("country") == "contact.country"
    assert project.values.place("country", entity="company") == "company.country"


# The file, when something goes wrong


def test_readers_meet_the_old_file_or_the_new_one_and_never_a_part(project):
    file = vocabulary(project)
    old = file.read_text()
    seen, done = set(), threading.Event()

    def watch():
        while not done.is_set():
            seen.add(file.read_text())

    watcher = threading.Thread(target=watch)
    watcher.start()
    project.values.accept("lead_source", {"pigeon": "other"}, reason="they do")
    done.set()
    watcher.join()

    assert seen <= {old, file.read_text()}
    assert [other.name for other in file.parent.iterdir() if other.name.startswith(".")] == []


def test_a_file_that_is_a_link_stays_one_and_keeps_its_rights(project, tmp_path):
    file = vocabulary(project)
    real = tmp_path / "shared.yml"
    file.rename(real)
    file.symlink_to(real)
    real.chmod(0o640)

    project.values.accept("lead_source", {"pigeon": "other"}, reason="they do")

    assert file.is_symlink()
    assert "pigeon" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


def test_an_event_that_cannot_be_written_leaves_the_file_as_it_was(project):
    before = vocabulary(project).read_bytes()
    with project.store() as store:
        store.execute("ALTER TABLE audit.event ADD COLUMN more INTEGER")

    with pytest.raises(Exception, match="could not be written"):
        project.values.accept("lead_source", {"pigeon": "other"}, reason="they do")

    assert vocabulary(project).read_bytes() == before


# Applying


def sources_of(project):
    golden = project.golden()
    return dict(golden.select("last_name", "lead_source").iter_rows())


def judged_otherwise(summary):
    return summary.records.received - summary.records.unchanged


def test_accepted_words_change_the_records_when_their_file_comes_again(stocked):
    stocked.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")

    summary = stocked.run(people(*PEOPLE)).summary

    assert summary.records.unchanged == 0
    assert sources_of(stocked)["Abara"] == sources_of(stocked)["Bianchi"] == "paid_search"
    assert set(told(stocked)) == {"carrier pigeon"}


def test_accepted_words_are_applied_to_the_store_without_a_file(stocked):
    stocked.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")
    assert told(stocked)["Gogle Ads"]["is_accepted"]

    summary = stocked.values.apply().summary

    assert (judged_otherwise(summary), summary.golden.changed) == (2, 2)
    assert sources_of(stocked)["Abara"] == sources_of(stocked)["Bianchi"] == "paid_search"
    assert set(told(stocked)) == {"carrier pigeon"}
    assert stocked.values.apply().summary.records.received == 0


@pytest.mark.slow
def test_applying_and_running_the_files_again_give_the_same(tmp_path):
    golden = []
    for way in ("apply", "again"):
        project = Project.create(tmp_path / way)
        rows = people(*PEOPLE, city="Bergen")
        again = people(*[(key, name, None, None) for key, name, *_ in PEOPLE], city="Oslo")
        project.run(rows)
        project.run(again.with_columns(source=pl.lit("shop")))
        project.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")
        if way == "apply":
            project.values.apply()
        else:
            project.run(rows)
        golden.append(project.golden().drop("version"))

    assert golden[0].equals(golden[1])
    assert golden[0]["city"].unique().to_list() == ["Oslo"]


def test_what_was_applied_is_unchanged_when_the_file_comes_again(project):
    whole = people(*PEOPLE[:2])
    project.run(whole)
    project.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")
    project.values.apply()

    assert project.run(whole).summary.records.unchanged == 2


def test_dates_are_read_by_the_evidence_of_their_whole_file(project):
    rows = people(*PEOPLE[:2]).with_columns(date_of_birth=pl.Series(["03/04/1980", "25/04/1980"]))
    project.run(rows.with_columns(lead_source=pl.Series(["Gogle Ads", None])))
    project.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")

    assert judged_otherwise(project.values.apply().summary) == 1

    with project.store() as store:
        born = store.rows("SELECT date_of_birth FROM landing.contact_version ORDER BY version_id")
    assert born == [(date(1980, 4, 3),), (date(1980, 4, 25),), (date(1980, 4, 3),)]


def test_rows_that_came_by_a_mapping_file_are_read_by_it_again(project, tmp_path):
    mapping = tmp_path / "billing.yml"
    mapping.write_text(
        "source: billing\ncountry: NO\ndate_order: dmy\nkey: [No]\ncolumns:\n"
        "  source_key: {any_of: [No], strip_prefix: [K-]}\n  last_name: [Name]\n"
        "  street: {join: [Street, Number], separator: ' '}\n  phone: [Tel]\n"
        "  date_of_birth: [Born]\n  lead_source: {any_of: [How], blank: ['-']}\n"
    )
    file = tmp_path / "billing.csv"
    file.write_text(
        "No,Name,Street,Number,Tel,Born,How\n"
        "K-1,Abara,Storgata,5,406 12 345,03/04/1980,Gogle Ads\nK-2,Bianchi,,,,,-\n"
    )
    project.run(file, source=mapping)
    before = project.golden().drop("version", "lead_source")
    project.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")

    assert judged_otherwise(project.values.apply().summary) == 1

    assert project.golden().drop("version", "lead_source").equals(before)
    assert project.golden()["lead_source"].to_list() == ["paid_search", None]
    assert project.run(file, source=mapping).summary.golden.changed == 0


def test_a_record_whose_row_was_not_kept_is_told_and_left_as_it_is(stocked):
    with stocked.store() as store:
        store.execute(
            "UPDATE landing.contact_version SET raw = NULL"
            " WHERE record_id = (SELECT record_id FROM landing.record WHERE source_key = '1')"
        )
    stocked.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")

    summary = stocked.values.apply().summary

    assert judged_otherwise(summary) == 1
    assert any("no longer kept" in note for note in summary.notes)
    assert sources_of(stocked)["Abara"] is None
    assert sources_of(stocked)["Bianchi"] == "paid_search"


def test_a_version_that_waits_stays_the_later_one(project):
    project.run(people(("1", "Abara", "Gogle Ads", None)))
    worse = people(("1", None, "gogle ads", None)).with_columns(email=pl.lit(None, pl.String))
    project.run(worse)
    project.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")

    project.values.apply()

    assert sources_of(project) == {"Abara": "paid_search"}
    assert project.export("quarantine")["status"].to_list() == ["open"]
    assert told(project) == {}


def test_a_snapshot_source_loses_no_record_by_applying(project, tmp_path):
    mapping = tmp_path / "members.yml"
    mapping.write_text(
        "source: members\nmode: snapshot\nkey: [No]\n"
        "columns: {source_key: [No], last_name: [Name], lead_source: [How]}\n"
    )
    file = tmp_path / "members.csv"
    file.write_text("No,Name,How\n1,Abara,Gogle Ads\n2,Bianchi,Friend\n")
    project.run(file, source=mapping)
    project.values.accept("lead_source", {"Gogle Ads": "paid_search"}, reason="typo")

    project.values.apply()

    assert sources_of(project) == {"Abara": "paid_search", "Bianchi": "referral"}


# Sheets


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_a_sheet_that_is_filled_in_is_read_back(stocked, tmp_path, ending):
    sheet = tmp_path / f"values.{ending}"
    known = stocked.rules.vocabularies["lead_source"]
    write_sheet(stocked.values.unknown("lead_source"), "contact.lead_source", known, sheet)
    assert read_sheet(sheet, "contact.lead_source") == {}

    if ending == "xlsx":
        book = openpyxl.load_workbook(sheet)
        page = book["values"]
        columns = [cell.value for cell in page[1]]
        for row in page.iter_rows(min_row=2):
            if row[columns.index("value")].value == "carrier pigeon":
                row[columns.index("decision")].value = " other "
        book.save(sheet)
    else:
        lines = sheet.read_text().splitlines()
        sheet.write_text("\n".join(f"{x}other" if "carrier" in x else x for x in lines))

    assert read_sheet(sheet, "contact.lead_source") == {"carrier pigeon": "other"}


def test_a_workbook_offers_the_accepted_values_and_runs_no_formula(project, tmp_path):
    project.run(people(("1", "Abara", "=1+1 pigeons", "lead")))
    sheet = tmp_path / "values.xlsx"
    known = project.rules.vocabularies["lead_source"]
    write_sheet(project.values.unknown("lead_source"), "contact.lead_source", known, sheet)

    book = openpyxl.load_workbook(sheet)

    assert book["values"]["B2"].value == "=1+1 pigeons"
    assert book["values"]["B2"].data_type == "s"
    assert [cell.value for cell in book["accepted values"]["A"][1:]] == list(known.values)
    (choice,) = book["values"].data_validations.dataValidation
    assert choice.formula1 == f"'accepted values'!$A$2:$A${len(known.values) + 1}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("value,meaning\npigeon,other\n", "no column decision"),
        ("field,value,decision\ncontact.gender,pigeon,other\n", "is about contact.gender"),
        ("value,decision\npigeon,other\npigeon,event\n", "decides twice about 'pigeon'"),
    ],
)
def test_a_sheet_that_cannot_be_meant_is_told(tmp_path, text, complaint):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(text)

    with pytest.raises(InputError, match=complaint):
        read_sheet(sheet, "contact.lead_source")


# The demo


FORGOTTEN = {"Google", "google ads", "PPC", "Paid Search", "AdWords"}


def _without_forgotten(text):
    """The vocabulary as somebody would have it who never heard of these words."""
    forgotten = {fold(word) for word in FORGOTTEN}

    def kept(found):
        words = [word.strip() for word in found[1].replace("\n", " ").split(",")]
        return f"synonyms: [{', '.join(word for word in words if fold(word) not in forgotten)}]"

    start, end = text.index("  paid_search:"), text.index("  organic_search:")
    own = re.sub(r"synonyms: \[(.*?)\]", kept, text[start:end], flags=re.DOTALL)
    return text[:start] + own + text[end:]


def _totals(project):
    live = (
        "FROM landing.record r JOIN landing.contact_version v ON v.version_id = r.current_version"
        " WHERE r.entity = 'contact' AND r.ended_at IS NULL GROUP BY ALL ORDER BY ALL"
    )
    with project.store() as store:
        return {
            "records by lead source": store.rows(f"SELECT lead_source, count(*) {live}"),
            "records by source": store.rows(f"SELECT source, count(*) {live}"),
            "customers by lead source": store.rows(
                "SELECT lead_source, count(*) FROM crm.contact GROUP BY ALL ORDER BY ALL"
            ),
        }


DAY = date(2025, 2, 1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The files, a store under the shipped rules, and one whose rules forgot some words."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "exports", 500, 7)
    files = [folder / "exports" / name for name in FILES.values()]
    whole = Project.create(folder / "whole")
    whole.run(*files, as_of=DAY)
    forgetful = Project.create(folder / "forgetful")
    file = vocabulary(forgetful)
    file.write_text(_without_forgotten(file.read_text()))
    forgetful = Project.open(forgetful.folder)
    forgetful.run(*files, as_of=DAY)
    return files, whole, forgetful.folder


@pytest.mark.capability(36)
@pytest.mark.slow
@pytest.mark.parametrize("way", ["run", "apply"])
def test_the_demo_with_forgotten_synonyms_comes_to_the_same_totals(demo, tmp_path, way):
    files, whole, forgetful = demo
    shutil.copytree(forgetful, tmp_path / "project")
    project = Project.open(tmp_path / "project")
    before = _totals(project)
    assert before["records by source"] == _totals(whole)["records by source"]
    assert before["records by lead source"] != _totals(whole)["records by lead source"]

    suggested = project.values.sure("lead_source")
    assert {value for value in suggested if fold(value) in {fold(word) for word in FORGOTTEN}}
    project.values.accept("lead_source", suggested, reason="as shipped")
    if way == "run":
        assert project.run(*files, as_of=DAY).summary.records.unchanged == 0
    else:
        project.values.apply(as_of=DAY)

    assert _totals(project) == _totals(whole)


def test_each_of_openrefines_ways_brings_together_what_the_demo_spells_apart(demo):
    _, _, forgetful = demo
    project = Project.open(forgetful)

    found = {method: told(project, method=method) for method in ("all", *METHODS)}

    meant = {value: row["suggestion"] for value, row in found["all"].items()}
    for word in ("Google", "google ads", "PPC", "AdWords"):
        assert meant[word] == "paid_search"
    assert "Paid Search" not in meant  # it is the label, whatever was forgotten
    for method in KEYS:
        clusters = found[method]
        assert clusters["google ads"]["cluster"] == clusters["Google Ads"]["cluster"]
    # without the shipped rules: by likeness and by the words that other synonyms have
    assert found["nearest"]["google ads"]["suggestion"] == "paid_search"
    assert {found["words"][word]["suggestion"] for word in ("Google", "PPC", "AdWords")} == {
        "paid_search"
    }
