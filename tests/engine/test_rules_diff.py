"""Impact before change: what other rules would do is foretold, and nothing is written."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date

import polars as pl
import pytest
from planted import people

from crm_quality import Project
from crm_quality.errors import NotFoundError

DAY = date(2026, 3, 1)
CONTACT, SOURCES = "entities/contact.yml", "vocabularies/lead_source.yml"
PEOPLE = [
    {"source": "crm", "source_key": "1", "first_name": "Ann", "last_name": "Leclerc",
     "email": "ann@nordlicht.example", "lead_source": "Blimp", "updated_at": "2023-06-01"},
    {"source": "shop", "source_key": "a", "first_name": "Ann", "last_name": "Leclerc",
     "email": "ann@nordlicht.example", "lead_source": "PPC", "updated_at": "2025-06-01",
     "job_title": "CEO"},
    {"source": "crm", "source_key": "2", "first_name": "Bob", "last_name": "Okafor",
     "phone": "+47 22 12 34 56", "lead_source": "PPC", "updated_at": "2025-06-01"},
    {"source": "crm", "source_key": "3", "job_title": "Manager", "country": "Norway"},
]  # fmt: skip


def rows(*records):
    names = dict.fromkeys(key for record in records for key in record)
    return pl.DataFrame(list(records), schema=dict.fromkeys(names, pl.String))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A project that took four records in, two of one person, one that waits."""
    project = Project.create(tmp_path_factory.mktemp("diff") / "project")
    project.run(rows(*PEOPLE), as_of=DAY)
    return project


@pytest.fixture
def diff(store, tmp_path):
    """The diff of the last run's rules and ones with some texts replaced."""

    def edited(*edits, rule=""):
        folder = tmp_path / "rules"
        shutil.copytree(store.folder / "rules", folder)
        for file, old, new in edits:
            text = (folder / file).read_text()
            assert old in text
            (folder / file).write_text(text.replace(old, new, 1))
        (folder / CONTACT).write_text((folder / CONTACT).read_text() + rule)
        return store.rulebook.diff("last", folder, as_of=DAY)

    return edited


@pytest.mark.capability(108)
def test_the_same_rules_change_nothing_and_judge_nothing(store):
    found = store.rulebook.diff("last", as_of=DAY)

    assert found.summary["records"] == 0
    assert found.definitions.is_empty()


def test_a_new_synonym_is_told_with_the_rows_and_golden_records_it_reaches(diff):
    found = diff((SOURCES, "synonyms: [Google,", "synonyms: [Blimp, Google,"))

    assert found.definitions.rows() == [
        ("value", "lead_source.paid_search", "changed", "synonyms new: Blimp")
    ]
    assert found.values.drop("entity").rows() == [
        (1, "crm", "1", "lead_source", None, "paid_search")
    ]
    assert found.issues.select("change", "record_id", "source_key", "rule", "value").rows() == [
        ("passes", 1, "1", "contact.lead_source.unknown", "Blimp")
    ]
    # the golden record has the value of the other record already
    assert found.golden.is_empty()


def test_a_removed_synonym_empties_golden_values(diff):
    found = diff((SOURCES, "AdWords, Ad Words, PPC,", "AdWords, Ad Words,"))

    assert found.golden.rows() == [
        ("contact", 1, "lead_source", "paid_search", None),
        ("contact", 3, "lead_source", "paid_search", None),
    ]
    assert found.summary["newly_failing"] == {"issues": 2, "records": 2}
    assert found.summary["rewritten"] == {"values": 2, "records": 2}


OWNED = """\
  - code: contact.titled
    title: A contact has a title
    message: no title
    severity: error
    expect: {field: job_title, present: true}
"""


def test_records_that_a_stricter_rule_would_set_aside_are_named(diff):
    found = diff(rule=OWNED)

    assert found.quarantine.drop("entity").rows() == [
        ("quarantined", 1, "crm", "1", ["contact.titled"]),
        ("quarantined", 3, "crm", "2", ["contact.titled"]),
    ]
    assert found.golden.is_empty()


def test_what_waits_and_would_pass_is_released(diff):
    first = "      any:\n        - {field: email"
    wider = "      any:\n        - {field: job_title, present: true}\n        - {field: email"

    found = diff((CONTACT, first, wider))

    assert found.quarantine.drop("entity").rows() == [
        ("released", 4, "crm", "3", ["contact.identifiable"])
    ]
    waiting = found.issues.filter(pl.col("rule") == "contact.identifiable")
    assert waiting.select("change", "waiting").rows() == [("passes", True)]


def test_a_rule_about_many_records_is_judged_on_the_golden_records(diff):
    found = diff((CONTACT, "at_least: today-2y", "at_least: today-6mo"))

    assert found.definitions["detail"].to_list() == ["expect.at_least: today-2y → today-6mo"]
    assert found.issues.select("change", "entity_id", "rule").rows() == [
        ("fails", 1, "contact.stale"),
        ("fails", 3, "contact.stale"),
    ]


def test_another_survivorship_shows_in_golden_records_alone(diff):
    found = diff((CONTACT, "    survivorship: {strategy: oldest}\n  lifecycle_stage",
                  "    survivorship: {strategy: longest}\n  lifecycle_stage"))  # fmt: skip

    assert found.definitions["detail"].to_list() == ["survivorship.strategy: oldest → longest"]
    assert found.values.is_empty()
    assert found.notes == ()


def test_what_matching_would_do_is_not_foreseen_and_said_so(diff):
    found = diff((CONTACT, "    match: job_title\n", ""))

    (note,) = found.notes
    assert "matching changes as well" in note


@pytest.mark.capability(7)
def test_a_field_that_is_new_is_filled_from_the_column_it_has(diff):
    field = "  updated_by_hand: {meaning: X., type: text}\n"
    found = diff((CONTACT, "\nrules:\n", "\n" + field + "\nrules:\n"))

    assert found.definitions.rows() == [("field", "contact.updated_by_hand", "added", None)]
    assert found.values.is_empty()


STUMBLING = """\
  - code: contact.stumbles
    title: T
    message: M
    sql: CAST(last_name AS INTEGER) > 0
"""


def test_a_rule_that_cannot_be_carried_out_is_told(diff):
    found = diff(rule=STUMBLING)

    (note,) = found.notes
    assert note.startswith("contact.stumbles could not be carried out: Conversion Error")
    assert "Leclerc" not in note


def test_rules_are_named_by_folder_pack_or_git_revision(store, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(store.folder, folder)
    git = ["git", "-C", folder, "-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "rules"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "rules"], check=True)
    file = folder / "rules" / SOURCES
    file.write_text(file.read_text().replace("Webinar, Seminar,", "Webinar,"))
    project = Project.open(folder)

    for old in ("HEAD", "default", "last", store.folder, store.folder / "rules", store.rules):
        found = project.rulebook.diff(old, as_of=DAY)
        assert found.definitions["detail"].to_list() == ["synonyms no longer: Seminar"]
    with pytest.raises(NotFoundError, match="no git revision"):
        project.rulebook.diff("--output=x", as_of=DAY)
    with pytest.raises(NotFoundError, match="no folder"):
        project.rulebook.diff("yesterday", as_of=DAY)


def test_a_store_without_a_run_does_not_know_its_last_rules(project):
    with pytest.raises(NotFoundError, match="name the old rules"):
        project.rulebook.diff(as_of=DAY)


def issues_in_force(project):
    found = project.export("issues").select("record_id", "entity_id", "rule", "field", "value")
    return set(found.rows())


def cells(golden):
    """(entity_id, field) → value."""
    return {
        (row["entity_id"], name): value
        for row in golden.drop("version", "records", "sources").to_dicts()
        for name, value in row.items()
    }


@pytest.mark.capability(108)
@pytest.mark.slow
def test_what_is_foretold_is_what_applying_the_rules_does(project):
    """The law of the diff, on rows with every fault of the planted ones."""
    messy = pl.DataFrame([row for row, _ in people(40)], infer_schema_length=None)
    project.run(messy.drop("problem", "row_number", strict=False), as_of=DAY)
    issues, golden = issues_in_force(project), project.golden()
    for file, old, new in (
        (CONTACT, 'max: "60"', 'max: "5"'),
        (CONTACT, "severity: warning\n    field: phone", "severity: error\n    field: phone"),
        (CONTACT, "at_least: today-2y", "at_least: today-9y"),
        (SOURCES, "    label: Website\n", "    label: Website\n    replaced_by: direct\n"),
    ):
        path = project.folder / "rules" / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
    project = Project.open(project.folder)

    found = project.rulebook.diff(as_of=DAY)
    project.rulebook.apply(as_of=DAY)
    after = issues_in_force(project)

    columns = ["record_id", "entity_id", "rule", "field", "value"]
    assert set(found.issues.filter(change="fails").select(columns).rows()) == after - issues
    assert set(found.issues.filter(change="passes").select(columns).rows()) == issues - after
    assert found.summary["newly_failing"]["issues"] > 0
    before, now = cells(golden), cells(project.golden())
    changed = {cell for cell in before if before[cell] != now[cell]}
    assert set(found.golden.select("entity_id", "field").rows()) == changed
    assert changed
    assert set(found.quarantine["change"]) == {"quarantined"}
    thrown_out = project.rulebook.apply(requarantine=True, as_of=DAY).summary.records.quarantined
    assert thrown_out == found.quarantine.height
