"""``crmq store``: what it prints, and how it ends when the disk or a right is missing."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from crm_quality import Project

DISK_FULL = (
    "import resource, sys; most = int(sys.argv.pop(1));"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (most, most));"
    "from crm_quality.cli import main; main()"
)


def full_disk(room, *arguments):
    """A command that can write no file of more than ``room`` bytes."""
    return subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(room), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_backup_is_made_listed_verified_and_restored(crmq, project, contacts):
    crmq("run", contacts, "--project", project.folder)
    made = json.loads(crmq("store", "backup", "-p", project.folder, "-f", "json").out)
    assert made["run_id"] == 1
    listed = crmq("store", "list", "-p", project.folder, "-f", "json")
    assert [one["file"] for one in json.loads(listed.out)] == [made["file"]]
    verified = crmq("store", "verify", "-p", project.folder, "-f", "json")
    assert verified.code == 0
    assert json.loads(verified.out)["is_whole"]
    refused = crmq("store", "restore", made["file"], "-p", project.folder)
    assert (refused.code, "--reason" in refused.err) == (2, True)
    done = crmq("store", "restore", made["file"], "-p", project.folder, "--reason", "test")
    assert done.code == 0
    assert "before-restore" in done.err
    shown = crmq("store", "list", "-p", project.folder)
    assert Path(made["file"]).name in shown.out


def test_a_store_that_is_not_whole_ends_with_1_and_names_the_cases(crmq, project, contacts):
    crmq("run", contacts, "--project", project.folder)
    with project.store() as store:
        store.execute("DELETE FROM matching.membership WHERE record_id = 3")
    verified = crmq("store", "verify", "-p", project.folder)
    assert verified.code == 1
    assert "crosswalk.complete" in verified.out
    assert "1 case: 3" in verified.out
    assert "crmq store restore" in verified.err


def test_what_the_store_holds_is_told(crmq, project, contacts):
    crmq("run", contacts, "--project", project.folder)
    crmq("store", "publish", "-p", project.folder)
    told = json.loads(crmq("store", "info", "-p", project.folder, "-f", "json").out)
    assert told["rows"]["landing.record"] == 4
    assert told["last_run"]["run_id"] == 1
    assert told["published"].endswith("store.published.duckdb")
    compacted = json.loads(crmq("store", "compact", "-p", project.folder, "-f", "json").out)
    assert compacted["bytes_after"] == project.store_path.stat().st_size
    assert "landing.record" in crmq("store", "info", "-p", project.folder).out


def test_rules_that_are_wrong_are_told_to_the_operator(crmq, project, contacts):
    (project.folder / "crmq.yml").write_text("name: [")
    assert crmq("run", contacts, "-p", project.folder).code == 2
    told = json.loads((project.folder / "last_run.json").read_text())
    assert (told["status"], told["error"]["kind"]) == ("failed", "DefinitionError")


def test_a_run_key_is_taken_once(crmq, project, contacts):
    for _ in range(2):
        ran = crmq("run", contacts, "-p", project.folder, "--run-key", "mon", "-f", "json")
        assert json.loads(ran.out)["run_id"] == 1
    assert "nothing was done" in ran.err


@pytest.mark.parametrize(
    "command",
    [
        ("backup",),
        *(
            pytest.param((name,), marks=pytest.mark.slow)
            for name in ("compact", "publish", "restore")
        ),
    ],
)
def test_a_disk_that_is_full_is_told_and_changes_nothing(project, contacts, command):
    project.run(contacts)
    arguments = list(command)
    if command == ("restore",):
        arguments += [str(project.upkeep.backup().file), "--reason", "test"]
    before = project.store_path.read_bytes()
    ran = full_disk(1_000_000, "store", *arguments, "-p", project.folder)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("error: ")
    assert project.store_path.read_bytes() == before
    assert project.upkeep.verify().is_whole
    assert project.export("crosswalk").height == 4
    assert [file.name for file in project.folder.rglob("*.partial*")] == []
    assert not project.upkeep.published_path.exists()


@contextmanager
def nobody():
    """Not root, who may write everything."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such rights")
@pytest.mark.parametrize("command", [("run", "in.csv"), ("store", "compact"), ("store", "backup")])
def test_a_folder_that_takes_nothing_is_told(crmq, command, contacts):
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        project = Project.create(Path(name) / "project")
        arguments = [str(contacts) if part == "in.csv" else part for part in command]
        file = Path(name) / "in.csv"
        file.write_text(contacts.read_text())
        arguments = [str(file) if part == str(contacts) else part for part in arguments]
        before = project.store_path.read_bytes()
        for path in (project.folder, *project.folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with nobody():
            ran = crmq(*arguments, "--project", project.folder)
        for path in (project.folder, *project.folder.rglob("*")):
            path.chmod(0o755)
        assert ran.code == 2
        assert ran.err.count("error: ") == 1
        assert "Traceback" not in ran.err
        assert project.store_path.read_bytes() == before
