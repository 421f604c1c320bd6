"""`violations` sees each thing that must never be."""

import shutil
from datetime import datetime

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.store import open_store
from crm_quality.store.invariants import violations

ANN = {
    "source": "crm",
    "source_key": "1",
    "first_name": "Ann",
    "last_name": "Leclerc",
    "email": "ann.leclerc@nordlicht-optik.example",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A store with a merged customer, one of one record, and a record that waits."""
    project = Project.create(tmp_path_factory.mktemp("sound") / "project")
    others = [
        {**ANN, "source": "shop"},
        {**ANN, "source_key": "2", "first_name": "Bob", "email": "bob@quayside.example"},
        {"source": "crm", "source_key": "3", "job_title": "Manager"},
    ]
    project.run(pl.DataFrame([ANN, *others], schema=dict.fromkeys([*ANN, "job_title"], pl.String)))
    project.review.decide("crm:1", "crm:2", "different", reason="asked")
    return project.store_path


def failing(path):
    with open_store(path) as store:
        found = violations(store)
    return set(found.filter(pl.col("violations") > 0)["check"])


def test_a_sound_store_passes(sound):
    assert failing(sound) == set()


WRONG = {
    "record.key": "INSERT INTO landing.record SELECT * REPLACE (9 AS record_id, NULL AS"
    " current_version, NULL AS accepted_no) FROM landing.record WHERE record_id = 1",
    "record.id": "INSERT INTO landing.record SELECT * REPLACE ('9' AS source_key) FROM"
    " landing.record WHERE record_id = 4",
    "record.accepted": "UPDATE landing.record SET accepted_no = 1 WHERE record_id = 2",
    "crosswalk.membership": "INSERT INTO matching.membership VALUES (1, 1, 1)",
    "crosswalk.record": "INSERT INTO matching.membership VALUES (9, 9, 1)",
    "crosswalk.complete": "DELETE FROM matching.membership WHERE record_id = 3",
    "crosswalk.anchor": "UPDATE matching.membership SET entity_id = 2 WHERE entity_id = 1",
    "pair.order": "INSERT INTO matching.pair VALUES ('contact', 3, 1, 1, NULL, 1, NULL)",
    "pair.record": "INSERT INTO matching.pair VALUES ('contact', 1, 9, 1, NULL, 1, NULL)",
    "decision.record": "UPDATE matching.decision SET source_key_r = 'gone'",
    "decision.applied": "UPDATE matching.decision SET verdict = 'same'",
    "quarantine.explained": "UPDATE quality.quarantine SET status = 'lapsed'",
    "quarantine.step": "DELETE FROM quality.quarantine_step",
    "contact.version.id": "INSERT INTO landing.contact_version FROM landing.contact_version"
    " WHERE version_id = 1",
    "contact.version.record": "UPDATE landing.contact_version SET record_id = 9"
    " WHERE version_id = 4",
    "contact.version.current": "UPDATE landing.contact_version SET status = 'quarantined'"
    " WHERE version_id = 1",
    "contact.version.batch": "DELETE FROM landing.batch",
    "contact.quarantine.version": "UPDATE landing.contact_version SET status = 'accepted'"
    " WHERE version_id = 4",
    "contact.issue.version": "DELETE FROM landing.contact_version WHERE version_id = 4",
    "contact.golden.id": "INSERT INTO crm.contact FROM crm.contact WHERE entity_id = 1",
    "contact.golden.live": "DELETE FROM crm.contact WHERE entity_id = 3",
    "contact.golden.origin": "UPDATE crm.value_origin SET record_id = 3 WHERE entity_id = 1",
    "change.record": "INSERT INTO audit.change VALUES (1, 'contact', 'merged', 1, 9)",
    "state.token": "INSERT INTO matching.state VALUES ('contact', 'x'), ('contact', 'y')",
    "audit.trail": "UPDATE audit.event SET actor = 'nobody' WHERE event_id = 2",
}


@pytest.mark.capability(3)
@pytest.mark.parametrize("name", WRONG)
def test_what_must_never_be_is_seen(sound, tmp_path, name):
    path = tmp_path / "store.duckdb"
    shutil.copyfile(sound, path)
    with open_store(path) as store:
        store.execute(WRONG[name])
    assert name in failing(path)


def test_examples_are_few_however_much_is_wrong(sound, tmp_path):
    path = tmp_path / "store.duckdb"
    shutil.copyfile(sound, path)
    with open_store(path) as store:
        store.execute(
            "INSERT INTO matching.membership SELECT range, range, 1 FROM range(100, 1100)"
        )
        (row,) = violations(store).filter(pl.col("check") == "crosswalk.record").to_dicts()
    assert row["violations"] == 1000
    assert row["examples"] == ["100", "101", "102", "103", "104"]


def test_an_event_before_its_time_is_seen(sound, tmp_path):
    path = tmp_path / "store.duckdb"
    shutil.copyfile(sound, path)
    with open_store(path) as store:
        store.execute("UPDATE audit.event SET occurred_at = ?", [datetime(2020, 1, 1)])
    assert failing(path) == {"audit.trail"}
