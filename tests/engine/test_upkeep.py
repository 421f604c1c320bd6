"""Backup, restore, compaction, the published copy, and what a nightly job relies on."""

import json
import logging
import shutil
from datetime import datetime
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest

from crm_quality import Project
from crm_quality.engine.match_cache import MatchCache
from crm_quality.errors import InputError, LimitError, NotFoundError, StoreError, UsageError
from crm_quality.match import MatchState

PEOPLE = [
    {
        "source": "crm",
        "source_key": str(number),
        "first_name": "Ann",
        "last_name": f"Lee{number}",
        "email": f"ann{number}@lee.example",
    }
    for number in range(30)
]


def settings(project, text):
    with (project.folder / "crmq.yml").open("a") as file:
        file.write(f"\n{text}\n")
    return Project.open(project.folder)


def last_run(project):
    return json.loads((project.folder / "last_run.json").read_text())


def names(project):
    return project.golden()["last_name"].sort().to_list()


# backup and restore ------------------------------------------------------------------------------


def test_a_backup_is_restored_and_the_store_of_now_is_kept(unmatched, rows):
    unmatched.run(rows(PEOPLE[0]))
    backup = unmatched.upkeep.backup()
    assert backup.file.parent == unmatched.folder / "backups"
    assert backup.run_id == 1
    unmatched.run(rows(*PEOPLE))
    done = unmatched.upkeep.restore(backup.file, reason="a wrong file came in")
    assert names(unmatched) == ["Lee0"]
    assert done.run_id == 1
    with duckdb.connect(str(done.kept), read_only=True) as kept:
        assert kept.execute("SELECT count(*) FROM crm.contact").fetchall() == [(30,)]
    assert [one.why for one in unmatched.upkeep.backups()] == ["before-restore", ""]
    assert unmatched.upkeep.verify().is_whole
    with unmatched.store() as store:
        event = store.rows("SELECT kind, payload FROM audit.event ORDER BY event_id")[-1]
    assert event[0] == "store.restored"
    assert json.loads(event[1])["reason"] == "a wrong file came in"


def test_what_was_restored_can_be_taken_back(unmatched, rows):
    unmatched.run(rows(PEOPLE[0]))
    backup = unmatched.upkeep.backup()
    unmatched.run(rows(*PEOPLE))
    kept = unmatched.upkeep.restore(backup.file, reason="too early").kept
    unmatched.upkeep.restore(kept, reason="no, it was right")
    assert len(names(unmatched)) == 30


def test_a_backup_goes_where_it_is_asked_to(unmatched, tmp_path):
    made = unmatched.upkeep.backup(tmp_path / "elsewhere" / "deep")
    assert unmatched.upkeep.backups(tmp_path / "elsewhere" / "deep") == [made]
    assert unmatched.upkeep.backups() == []


def test_backups_of_the_same_second_have_names_of_their_own(unmatched):
    made = {unmatched.upkeep.backup().file for _ in range(3)}
    assert len(made) == 3
    assert len(unmatched.upkeep.backups()) == 3


def broken_backup(project, tmp_path):
    file = project.upkeep.backup(tmp_path).file
    with duckdb.connect(str(file)) as connection:
        connection.execute("DELETE FROM landing.contact_version").fetchall()
    return file


def test_a_backup_that_is_not_whole_is_refused(unmatched, rows, tmp_path):
    unmatched.run(rows(PEOPLE[0]))
    before = unmatched.store_path.read_bytes()
    with pytest.raises(StoreError, match=r"nothing was changed.*contact\.version\.current"):
        unmatched.upkeep.restore(broken_backup(unmatched, tmp_path), reason="try")
    text = tmp_path / "text.duckdb"
    text.write_text("not a store")
    with pytest.raises(StoreError, match=r"text\.duckdb cannot be restored"):
        unmatched.upkeep.restore(text, reason="try")
    with pytest.raises(NotFoundError, match="crmq store list"):
        unmatched.upkeep.restore(tmp_path / "gone.duckdb", reason="try")
    with pytest.raises(UsageError, match="--reason"):
        unmatched.upkeep.restore(text, reason=" ")
    with pytest.raises(UsageError, match="the store itself"):
        unmatched.upkeep.restore(unmatched.store_path, reason="try")
    assert unmatched.store_path.read_bytes() == before
    assert [file.name for file in unmatched.folder.glob(".*")] == []


def test_a_store_that_is_broken_is_no_hindrance(unmatched, rows):
    unmatched.run(rows(PEOPLE[0]))
    backup = unmatched.upkeep.backup()
    unmatched.store_path.write_bytes(b"a disk that has gone bad" * 100)
    unmatched.store_path.with_name("store.duckdb.wal").write_bytes(b"and its log")
    unmatched.upkeep.restore(backup.file, reason="the disk is broken")
    assert names(unmatched) == ["Lee0"]
    assert not unmatched.store_path.with_name("store.duckdb.wal").exists()


def test_a_store_that_is_missing_is_made_of_a_backup(unmatched, rows):
    unmatched.run(rows(PEOPLE[0]))
    backup = unmatched.upkeep.backup()
    unmatched.store_path.unlink()
    assert unmatched.upkeep.restore(backup.file, reason="somebody deleted it").kept is None
    assert names(unmatched) == ["Lee0"]


def test_what_matching_knows_of_another_state_is_forgotten(unmatched):
    cache = unmatched.folder / "cache"
    with unmatched.store() as store:
        store.execute("INSERT INTO matching.state VALUES ('contact', 'then')")
    backup = unmatched.upkeep.backup()
    with unmatched.store() as store:
        store.execute("UPDATE matching.state SET token = 'now'")
    MatchCache(cache).save("contact", "then", MatchState(pl.DataFrame({"id": [1]}), {}))
    (cache / "contact-now").mkdir(parents=True)
    unmatched.upkeep.restore(backup.file, reason="an earlier state")
    assert [folder.name for folder in cache.iterdir()] == ["contact-then"]


# compaction --------------------------------------------------------------------------------------


def everything(project):
    with project.store() as store:
        return {
            table: sorted(map(repr, store.rows(f'FROM "{table[0]}"."{table[1]}"')))
            for table in store.rows("SELECT schema_name, table_name FROM duckdb_tables()")
            if table != ("audit", "event")
        }


def test_compaction_gives_room_back_and_changes_nothing(unmatched, rows):
    with unmatched.store() as store:
        ballast = "SELECT md5(random()::VARCHAR) AS x FROM range(200000)"
        store.execute(f"CREATE TABLE main.ballast AS {ballast}")
    unmatched.run(rows(*PEOPLE))
    with unmatched.store() as store:
        store.execute("DROP TABLE main.ballast")
    before = everything(unmatched)
    done = unmatched.upkeep.compact()
    assert done.size_after < 0.8 * done.size_before
    assert unmatched.store_path.stat().st_size == done.size_after
    assert everything(unmatched) == before
    assert unmatched.upkeep.verify().is_whole


def test_compaction_lets_go_of_old_rows_that_count_no_more(unmatched, rows):
    nobody = {"source": "crm", "source_key": "n", "job_title": "Manager"}
    project = settings(unmatched, "retention: {superseded_versions: 30 days}")
    project.run(rows(PEOPLE[0], PEOPLE[1], nobody))
    project.run(rows({**PEOPLE[0], "last_name": "Moe"}))
    assert project.upkeep.compact().raw_rows_dropped == 0
    with project.store() as store:
        store.execute("UPDATE landing.batch SET received_at = ?", [datetime(2020, 1, 1)])
    assert project.upkeep.compact().raw_rows_dropped == 1
    with project.store() as store:
        gone = store.rows("SELECT version_id, first_name FROM landing.contact_version"
                          " WHERE raw IS NULL")  # fmt: skip
    assert gone == [(1, "Ann")]
    assert project.upkeep.verify().is_whole
    assert project.rulebook.apply(everything=True).summary.records.received == 3


def test_without_retention_every_row_is_kept(unmatched, rows):
    unmatched.run(rows(PEOPLE[0]))
    unmatched.run(rows({**PEOPLE[0], "last_name": "Moe"}))
    with unmatched.store() as store:
        store.execute("UPDATE landing.batch SET received_at = ?", [datetime(2020, 1, 1)])
    assert unmatched.upkeep.compact().raw_rows_dropped == 0


# the published copy ------------------------------------------------------------------------------


def test_a_copy_is_published_after_each_change_and_only_then(unmatched, rows):
    project = settings(unmatched, "publish: true")
    project.run(rows(*PEOPLE))
    copy = project.upkeep.published_path
    with duckdb.connect(str(copy), read_only=True) as reader:
        # a reader neither holds up a run nor sees it
        project.run(rows({**PEOPLE[0], "last_name": "Moe"}))
        assert reader.execute("SELECT count(*) FROM crm.contact WHERE last_name = 'Moe'"
                              ).fetchall() == [(0,)]  # fmt: skip
    with duckdb.connect(str(copy), read_only=True) as reader:
        found = reader.execute("SELECT count(*) FROM crm.contact WHERE last_name = 'Moe'")
        assert found.fetchall() == [(1,)]
    stamp = copy.stat().st_mtime_ns
    project.run(rows({**PEOPLE[0], "last_name": "Moe"}))
    project.golden()
    assert copy.stat().st_mtime_ns == stamp


def test_a_copy_that_cannot_be_published_fails_no_run(unmatched, rows, caplog):
    project = settings(unmatched, "publish: true")
    project.upkeep.published_path.mkdir()
    with caplog.at_level(logging.WARNING):
        assert project.run(rows(*PEOPLE)).summary.records.accepted == 30
    assert "crmq store publish" in caplog.text


# a job that runs every night ---------------------------------------------------------------------


def test_backups_before_runs_are_rotated_and_others_are_not(unmatched, rows):
    project = settings(unmatched, "backups: {before_runs: true, keep: 2, folder: kept}")
    by_hand = project.upkeep.backup()
    for number in range(4):
        project.run(rows(PEOPLE[number]))
    kept = project.upkeep.backups()
    assert [(one.run_id, one.why) for one in kept if one.why] == [
        (3, "before-run"),
        (2, "before-run"),
    ]
    assert by_hand in kept
    project.upkeep.restore(kept[0].file, reason="the last run was wrong")
    assert len(names(project)) == 3


def test_a_run_that_cannot_be_backed_up_does_not_begin(unmatched, rows):
    project = settings(unmatched, "backups: {before_runs: true}")
    (project.folder / "backups").write_text("a file in the way")
    with pytest.raises(StoreError, match="backups"):
        project.run(rows(PEOPLE[0]))
    assert names(project) == []


def test_the_same_key_again_does_nothing_but_tell(unmatched, rows):
    first = unmatched.run(rows(PEOPLE[0]), run_key="2026-05-01")
    again = unmatched.run(rows(*PEOPLE), run_key="2026-05-01")
    assert again.summary.run_id == first.summary.run_id == 1
    assert again.summary.records == first.summary.records
    assert "nothing was done" in again.summary.notes[-1]
    assert names(unmatched) == ["Lee0"]
    assert unmatched.export("runs").height == 1
    assert unmatched.run(rows(*PEOPLE), run_key="2026-05-02").summary.run_id == 2


def test_a_key_whose_run_failed_is_free(unmatched, rows, tmp_path):
    with pytest.raises(InputError):
        unmatched.run(tmp_path / "missing.csv", run_key="k")
    assert unmatched.run(rows(*PEOPLE), run_key="k").summary.records.accepted == 30


def test_the_last_run_is_told_to_its_operator(unmatched, rows, tmp_path):
    unmatched.run(rows(*PEOPLE), run_key="k")
    told = last_run(unmatched)
    assert told["status"] == "ok"
    assert (told["run_id"], told["run_key"]) == (1, "k")
    assert told["summary"]["records"]["accepted"] == 30
    assert told["started_at"] <= told["finished_at"]
    with pytest.raises(InputError):
        unmatched.run(tmp_path / "missing.csv")
    told = last_run(unmatched)
    assert (told["status"], told["run_id"], told["error"]["kind"]) == ("failed", None, "InputError")
    assert "missing.csv" in told["error"]["message"]
    unmatched.rulebook.apply(command="crmq rules apply")
    assert last_run(unmatched)["command"] == "crmq rules apply"


def test_a_run_that_a_limit_stopped_is_told_as_such(unmatched, rows):
    file = unmatched.folder / "rules" / "sources" / "crm.yml"
    file.write_text("source: crm\ntitle: Crm\nentity: contact\nmode: snapshot\nkey: [source_key]\n")
    project = Project.open(unmatched.folder)
    project.run(rows(*PEOPLE), source="crm")
    with pytest.raises(LimitError):
        project.run(rows(*PEOPLE[:3]), source="crm")
    assert last_run(project)["status"] == "stopped"


def test_a_run_without_room_does_not_begin(unmatched, rows, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(StoreError, match="has 0 MB free, and this run"):
        unmatched.run(rows(*PEOPLE))
    for work in (unmatched.upkeep.backup, unmatched.upkeep.compact, unmatched.upkeep.publish):
        with pytest.raises(StoreError, match="MB free"):
            work()
    monkeypatch.undo()
    assert names(unmatched) == []
    assert unmatched.upkeep.verify().is_whole
