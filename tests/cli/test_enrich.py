import json
import shutil

import polars as pl
import pytest

from crm_quality import Project

PEOPLE = pl.DataFrame(
    {
        "source": ["crm", "crm"],
        "source_key": ["1", "2"],
        "first_name": ["Ann", "Bob"],
        "last_name": ["Leclerc", "Okafor"],
        "email": ["ann@nordlicht.example", "b@quay.example"],
        "job_title": ["Buyer", None],
    }
)
KNOWN = """\
Email,Job Title,Mobile,zodiac
b@quay.example,Chief,+47 406 12 345,Leo
ann@nordlicht.example,Head,,
dora@x.example,Clerk,,
"""


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("people") / "project")
    (project.folder / "rules" / "matching" / "contact.yml").unlink()
    Project.open(project.folder).run(PEOPLE)
    return project.folder


@pytest.fixture
def people(taken_in, tmp_path):
    return shutil.copytree(taken_in, tmp_path / "project")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "clearview.csv"
    path.write_text(KNOWN)
    return path


def test_a_file_is_read_listed_accepted_and_rejected(crmq, people, file):
    read = crmq("enrich", file, "-p", people)
    assert read.code == 0, read.err
    assert "nobody has this e-mail address" in read.out
    assert "left out: zodiac" in read.err
    assert "3 rows: 1 nobody, 3 proposed" in read.err
    listed = crmq("enrich", "list", "-p", people)
    assert "clearview" in listed.out
    assert "406" not in listed.out
    shown = json.loads(
        crmq("enrich", "list", "--format", "json", "--show-personal", "-p", people).out
    )
    assert {one["new_value"] for one in shown} == {"Chief", "Head", "+4740612345"}
    done = crmq("enrich", "accept", "--all", "--field", "job_title", "-r", "ok", "-p", people)
    assert "2 proposals accepted; 2 golden records changed" in done.err
    again = crmq("enrich", file, "--format", "json", "-p", people)
    assert json.loads(again.out)["counts"] == {"known": 3, "nobody": 1}
    mobile = next(one["proposal_id"] for one in shown if one["field"] == "mobile")
    no = crmq("enrich", "reject", mobile, "-r", "not hers", "--format", "json", "-p", people)
    assert json.loads(no.out)["rejected"] == [mobile]
    assert "no such proposal" in crmq("enrich", "list", "-p", people).err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["accept", "-r", "x"], "--all"),
        (["accept", "1", "--all", "-r", "x"], "--all"),
        (["accept", "7", "-r", "x"], "no proposal 7"),
        (["accept", "--all"], "say why"),
        (["list", "--status", "done"], "no status 'done'"),
        (["nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cannot_be_done_is_told(crmq, people, arguments, told):
    wrong = crmq("enrich", *arguments, "-p", people)
    assert wrong.code == 2
    assert told in wrong.err
