"""Merge, unmerge, split, history, undo and plans on the command line."""

import json
import re
import subprocess
import sys

import pytest

from crm_quality import Project

CONTACTS = """\
source,source_key,first_name,last_name,email,city
crm,1,Ann,Leclerc,ann@nordlicht.example,Oslo
crm,2,Bob,Okafor,bob@quay.example,Lagos
shop,ann@nordlicht.example,Anna,Berg,anna@nordlicht.example,
"""


@pytest.fixture
def people(crmq, project, tmp_path):
    (project.folder / "rules" / "matching" / "contact.yml").unlink()
    file = tmp_path / "people.csv"
    file.write_text(CONTACTS)
    assert crmq("run", file, "-p", project.folder).code == 0
    return project.folder


def test_a_merge_is_looked_at_done_followed_and_taken_back(crmq, people):
    looked = crmq("merge", "crm:1", 3, "--dry-run", "-p", people)
    assert looked.code == 0
    assert "customer 3 goes" in looked.out
    assert "letters that a mailing sends       2      1" in looked.out
    assert "first_name of 1 gives way: A••• → A•••" in looked.err
    assert re.search(r"first_name +A••• +A••• +A•••", looked.out)
    assert "Leclerc" not in looked.out + looked.err
    assert "nothing was written" in looked.err
    done = crmq("merge", 1, 3, "-r", "her married name", "-p", people, "--show-personal")
    assert done.code == 0
    assert "Leclerc" in done.out
    assert "take it back with: crmq unmerge act:1 --reason TEXT" in done.err
    told = crmq("history", 3, "-p", people)
    assert "Record 3 is of contact 1, version 2." in told.out
    assert "her married name" in told.out
    assert "ann@nordlicht" not in told.out
    stale = crmq("unmerge", 1, "-r", "x", "--expect-version", 1, "-p", people)
    assert "customer 1 is of version 2 now" in stale.err
    back = crmq("unmerge", "act:1", "-r", "two people", "-p", people, "--format", "json")
    assert back.code == 0
    assert json.loads(back.out)["ids"] == {"stay": [1], "go": [], "come": [3]}
    events = crmq("history", 1, "-p", people, "--format", "jsonl").out.splitlines()
    assert "unmerge by a steward" in [json.loads(line)["event"] for line in events]
    history = json.loads(crmq("history", 1, "-p", people, "--format", "json").out)
    assert history["version"] == 3


def test_a_split_needs_records_and_an_undo_takes_it_back(crmq, people):
    crmq("merge", 1, 2, "-r", "x", "-p", people)
    refused = crmq("split", 1, 2, "-r", "y", "-p", people)
    assert refused.code == 2
    assert "crmq unmerge act:1 --reason TEXT takes back the merge" in refused.err
    assert crmq("undo", 2, "-r", "not one", "-p", people).code == 0
    again = crmq("undo", 2, "-r", "not one", "-p", people)
    assert again.code == 2
    assert "undone already, in run 3" in again.err


def test_a_run_is_planned_undone_and_imported_again(crmq, people, tmp_path):
    file = tmp_path / "more.csv"
    file.write_text(CONTACTS.replace("Oslo", "Bergen") + "crm,9,Cleo,Tan,cleo@quay.example,Oslo\n")
    planned = crmq("run", file, "--plan", "-p", people, "--format", "json")
    assert planned.code == 0
    told = json.loads(planned.out)
    assert told["run_id"] is None
    assert told["golden"] == {"total": 4, "created": 1, "changed": 1, "merged": 0, "split": 0}
    assert told["plan"]["records"] == [
        {"entity": "contact", "status": "accepted", "before": 3, "after": 4}
    ]
    shown = crmq("run", file, "--plan", "-p", people)
    assert "nothing was written" in shown.err
    crmq("run", file, "-p", people)
    undone = json.loads(crmq("undo", 2, "-r", "x", "-p", people, "--format", "json").out)
    assert undone["withdrawn"] == {"versions": 2, "records": 1, "decisions": 0, "opt_outs": 0}
    looked = crmq("undo", 1, "-r", "x", "--dry-run", "-p", people)
    assert "undone in" not in looked.err
    assert crmq("run", file, "-p", people).code == 0


def test_a_limit_that_a_plan_exceeds_makes_the_exit_code_1(crmq, people, tmp_path):
    config = people / "crmq.yml"
    text = config.read_text()
    config.write_text(text.replace("  ended_share: 0.1", "  changed_share: 0\n  customers_from: 1"))
    file = tmp_path / "more.csv"
    file.write_text(CONTACTS.replace("Oslo", "Bergen"))
    planned = crmq("run", file, "--plan", "-p", people)
    assert planned.code == 1
    assert "limits: changed_share" in planned.err
    stopped = crmq("run", file, "-p", people)
    assert stopped.code == 1
    assert "1 customers would change, of 3: more than the 0%" in stopped.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["merge", "1", "2"], "needs a reason"),
        (["merge", "1", "1", "-r", "x"], "two different customers"),
        (["merge", "1", "99", "-r", "x"], "no record '99'"),
        (["merge", "1", "2", "-r", "x", "--expect-version", "1"], "write CUSTOMER=N"),
        (["merge", "1", "2", "-r", "x", "--expect-version", "1=7"], "not of version 7"),
        (["unmerge", "act:x", "-r", "x"], "no act 'x'"),
        (["split", "1", "1", "-r", "x"], "1 record in force"),
        (["history", "crm:77"], "no record 'crm:77'"),
        (["undo", "7", "-r", "x"], "no run 7"),
        (["undo", "1"], "needs a reason"),
    ],
)
def test_what_cannot_be_done_is_told(crmq, people, arguments, told):
    wrong = crmq(*arguments, "-p", people)
    assert wrong.code == 2
    assert told in wrong.err
    assert "Traceback" not in wrong.err


def started(*arguments):
    command = [sys.executable, "-m", "crm_quality", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ended(process):
    """Exit code and messages of a process, once it has ended."""
    _, messages = process.communicate()
    return process.returncode, messages


def test_of_two_who_act_on_one_customer_the_second_is_told(people):
    both = [
        started("merge", 1, other, "-r", "x", "--expect-version", "1=1", "--wait", 60, "-p", people)
        for other in (2, 3)
    ]
    told = dict(map(ended, both))
    assert sorted(told) == [0, 2]
    assert "customer 1 is of version 2 now, not of version 1" in told[2]
    assert Project.open(people).golden().height == 2


def test_who_finds_the_store_in_use_is_told_by_whom_or_waits(people):
    code = (
        "import sys\nfrom crm_quality import Project\n"
        "with Project.open(sys.argv[1]).store():\n    print('held', flush=True)\n    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(people)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        refused = started("merge", 1, 2, "-r", "x", "-p", people)
        code, messages = ended(refused)
        assert code == 2
        assert f"in use by process {holder.pid}" in messages
        waits = started("merge", 1, 2, "-r", "x", "--wait", 60, "-p", people)
        holder.communicate("\n")
        assert ended(waits)[0] == 0
    assert Project.open(people).golden().height == 2
