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


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("people") / "project")
    (project.folder / "rules" / "matching" / "contact.yml").unlink()
    Project.open(project.folder).run(PEOPLE)
    return project.folder


@pytest.fixture
def people(taken_in, tmp_path):
    return shutil.copytree(taken_in, tmp_path / "project")


def test_a_steward_tries_pins_lists_and_unpins(crmq, people):
    tried = crmq("pin", "crm:1", "email=ann@new.example", "-r", "x", "--dry-run", "-p", people)
    assert tried.code == 0, tried.err
    assert "nothing was written" in tried.err
    assert "a•••@new.example" in tried.out
    assert "ann@" not in tried.out
    assert "nothing is pinned" in crmq("pins", "-p", people).err
    done = crmq(
        "pin", "1", "email=ann@new.example", "job_title=", "--until", "2099-12-31",
        "--reason", "called", "--format", "json", "--show-personal", "-p", people,
    )  # fmt: skip
    told = json.loads(done.out)
    assert told["changes"]["email"]["after"] == "ann@new.example"
    assert told["changes"]["job_title"] == {"before": "Buyer", "after": None}
    assert told["version"] == {"before": 1, "after": 2}
    listed = crmq("pins", "-p", people)
    assert "(empty)" in listed.out
    assert "2099-12-31" in listed.out
    assert "ann@new" not in listed.out
    undone = crmq("unpin", "entity:1", "job_title", "-r", "wrong", "-p", people)
    assert "1 pin withdrawn; contact 1 is at version 3" in undone.err
    assert len(json.loads(crmq("pins", "--all", "--format", "json", "-p", people).out)) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pin", "1", "email", "-r", "x"], "no FIELD=VALUE"),
        (["pin", "1", "email=nobody", "-r", "x"], "nothing was pinned"),
        (["pin", "1", "city=Oslo"], "say why"),
        (["pin", "1", "city=Oslo", "-r", "x", "--expect-version", "7"], "not 7"),
        (["pin", "crm:99", "city=Oslo", "-r", "x"], "crm:99"),
        (["unpin", "1", "-r", "x"], "no pin in force"),
    ],
)
def test_what_cannot_be_pinned_is_told(crmq, people, arguments, told):
    refused = crmq(*arguments, "-p", people)
    assert refused.code == 2
    assert told in refused.err
