"""Erasure and subject access, over real files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError, UsageError

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

CONTACTS = pl.DataFrame(
    {
        "source_key": ["zwick-01", "zwick-02", "k3"],
        "first_name": ["Zenobia", "Zenobia", "Bob"],
        "last_name": ["Zwickerhut", "Zwickerhut", "Berg"],
        "email": ["zenobia@zwickerhut.org", "zenobia@zwickerhut.org", "bob@berg.net"],
        "phone": ["+14155550111", None, None],
        "shoe": ["size 39q", None, None],
    }
)
DEALS = pl.DataFrame(
    {
        "source_key": ["d1", "d2"],
        "name": ["Zwickerhut roof", "Berg roof"],
        "contact_key": ["zwick-01", "k3"],
        "stage": ["won", "won"],
        "amount": ["100.50", "200"],
        "currency": ["EUR", "EUR"],
    }
)
TICKETS = pl.DataFrame(
    {
        "source_key": ["t1"],
        "contact_email": ["zenobia@zwickerhut.org"],
        "subject": ["Zenobia asks"],
        "ticket_status": ["open"],
    }
)
TELLING = (b"wick", b"enobia", b"4155550111", b"39q")


@pytest.fixture(scope="module")
def grown(tmp_path_factory) -> Path:
    made = Project.create(tmp_path_factory.mktemp("privacy") / "project")
    made.run(CONTACTS, source="crm")
    made.run(DEALS, source="crm", entity="deal")
    made.run(TICKETS, source="crm", entity="ticket")
    made.review.decide(1, 3, "different", "Zwickerhut is not Berg", apply=False)
    return made.folder


@pytest.fixture
def project(grown, tmp_path) -> Project:
    shutil.copytree(grown, tmp_path / "project")
    return Project.open(tmp_path / "project")


def left_in_files(project: Project) -> list[tuple[str, bytes]]:
    return [
        (file.name, word)
        for file in project.folder.rglob("*")
        if file.is_file()
        for word in TELLING
        if word.lower() in file.read_bytes().lower()
    ]


def total(project: Project) -> Decimal:
    with project.store() as store:
        return store.value("SELECT sum(amount) FROM crm.deal")


def test_nothing_of_an_erased_person_is_left_in_any_file_and_sums_hold(project):
    before = total(project)
    assert left_in_files(project)
    done = project.privacy.erase("crm:zwick-02", reason="request 7")
    assert (done.entity_id, done.rows) == (1, {"deal": 1, "ticket": 1})
    assert left_in_files(project) == []
    assert total(project) == before
    assert project.upkeep.verify().is_whole
    with project.store() as store:
        assert store.rows("SELECT source_key, contact_id FROM crm.deal ORDER BY 1") == [
            ("d1", 1),
            ("d2", 3),
        ]
        told = store.rows("SELECT status, entity_id FROM crm.crosswalk WHERE record_id < 3")
    assert told == [("erased", 1), ("erased", 1)]
    assert project.golden()["entity_id"].to_list() == [3]
    changes = project.export("changes").filter(pl.col("kind") == "erased")
    assert changes["entity_id"].to_list() == [1]


def test_an_import_brings_an_erased_person_back_neither_as_record_nor_in_a_row(project):
    project.privacy.erase(1, reason="request 7")
    again = project.run(CONTACTS, source="crm").summary.records
    assert (again.received, again.suppressed, again.unchanged) == (3, 2, 1)
    project.run(DEALS.with_columns(name=pl.lit("Zwickerhut roof, new")).head(1), source="crm",
                entity="deal")  # fmt: skip
    assert left_in_files(project) == []
    with project.store() as store:
        assert store.rows("SELECT contact_id, name FROM crm.deal WHERE source_key = 'd1'") == [
            (1, None)
        ]
    # under a key of another source the person is a new customer
    assert project.run(CONTACTS.head(1), source="shop").summary.records.accepted == 1


def test_a_dry_run_says_the_same_and_writes_nothing(project):
    with project.store() as store:
        events = store.value("SELECT count(*) FROM audit.event")
    foretold = project.privacy.erase(1, reason="", dry_run=True)
    with project.store() as store:
        assert store.value("SELECT count(*) FROM audit.event") == events
    assert foretold.run_id is None
    done = project.privacy.erase(1, reason="request 7", compact=False)
    assert (foretold.rows, foretold.records.rows()) == (done.rows, done.records.rows())
    with pytest.raises(RefusedError, match="erased already"):
        project.privacy.erase(1, reason="again")


def test_backups_that_still_hold_the_person_are_listed(project):
    backup = project.upkeep.backup()
    done = project.privacy.erase(1, reason="request 7", compact=False)
    assert done.backups == (backup.file,)


def test_a_person_may_be_named_by_an_address_that_nobody_shares(project):
    foretold = project.privacy.erase(" Zenobia@Zwickerhut.org ", reason="", dry_run=True)
    assert foretold.entity_id == 1
    with pytest.raises(NotFoundError, match="no customer has this e-mail address"):
        project.privacy.erase("nobody@example.org", reason="x")


def test_what_an_undone_run_had_brought_keeps_no_key_and_can_be_erased_too(project):
    other = CONTACTS.head(1).with_columns(pl.lit("zwick-77").alias("source_key"))
    brought = project.run(other, source="crm").summary.run_id
    project.undo(brought, reason="wrong file")
    project.privacy.erase(1, reason="request 7")
    with project.store() as store:
        kept = store.rows("SELECT source_key FROM landing.withdrawn_record")
        number = store.value("SELECT record_id FROM landing.withdrawn_record")
    assert [key.startswith("erased:") for (key,) in kept] == [True]
    assert b"zwick-77" not in project.store_path.read_bytes()
    assert project.upkeep.verify().is_whole
    # it still has its number back, unless it is erased as well
    again = project.run(other, source="crm").summary
    assert again.records.accepted == 1
    assert project.crosswalk()["record_id"].max() == number
    project.undo(again.run_id, reason="wrong file")
    done = project.privacy.erase("crm:zwick-77", reason="request 7")
    assert done.entity_id == number
    assert project.run(other, source="crm").summary.records.suppressed == 1
    assert project.upkeep.verify().is_whole


def test_who_is_not_there_or_without_a_reason_nothing_is_erased(project):
    with pytest.raises(NotFoundError):
        project.privacy.erase("crm:nobody", reason="x")
    with pytest.raises(UsageError, match="reason"):
        project.privacy.erase(1, reason=" ")


def test_subject_access_tells_all_that_is_known_and_nothing_of_others(project):
    told = project.privacy.subject_access("crm:zwick-01")
    assert {"golden", "records", "versions", "addresses", "deal", "ticket", "decisions",
            "history"} <= set(told.tables)  # fmt: skip
    text = json.dumps(told.to_dict(), default=str)
    assert "zenobia@zwickerhut.org" in text
    assert "size 39q" in text
    assert "bob@berg.net" not in text
    assert told.tables["deal"]["source_key"].to_list() == ["d1"]
