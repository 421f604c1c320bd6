import json

import pytest


@pytest.fixture
def people(crmq, contacts, project):
    crmq("run", contacts, "--project", project.folder)
    return project.folder


def test_a_lookup_tells_who_it_may_be_and_masks_them(crmq, people):
    found = crmq("lookup", "first_name=Ann", "email=ann.leclerc@nordlicht.example", "-p", people)
    assert found.code == 0
    assert "same_person" in found.out
    assert "a•••@nordlicht.example" in found.out
    assert "leclerc@" not in found.out
    shown = crmq("lookup", "last_name=Leclerc", "--show-personal", "-p", people, "--format", "json")
    report = json.loads(shown.out)
    assert report["schema_version"] == 1
    best = report["candidates"][0]
    assert best["golden"]["last_name"] == "Leclerc"
    parts = best["prior"] + sum(part["weight"] for part in best["evidence"]) + best["remainder"]
    assert parts == pytest.approx(best["match_weight"])


def test_a_line_of_json_is_a_candidate(crmq, people):
    found = crmq("lookup", "last_name=Leclerc", "--top", "1", "--format", "jsonl", "-p", people)
    assert [json.loads(line)["entity_id"] for line in found.out.splitlines()] == [1]


def test_nobody_is_said_and_is_no_failure(crmq, project):
    found = crmq("lookup", "last_name=Leclerc", "-p", project.folder)
    assert found.code == 0
    assert "nobody" in found.err


@pytest.mark.parametrize(
    ("argument", "told"),
    [("Ann", "no FIELD=VALUE"), ("lastname=Ann", "did you mean"), ("last_name=", "at least one")],
)
def test_a_wrong_argument_is_told(crmq, people, argument, told):
    found = crmq("lookup", argument, "-p", people)
    assert found.code == 2
    assert told in found.err
