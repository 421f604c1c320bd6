import json

import pytest


@pytest.fixture
def people(crmq, contacts, project):
    crmq("run", contacts, "--project", project.folder)
    return project.folder


def test_an_explanation_is_text_json_and_a_page(crmq, people, tmp_path):
    page = tmp_path / "why.html"
    shown = crmq("explain", "crm:1", "shop:c-9", "--html", page, "-p", people)
    assert shown.code == 0
    assert "One customer" in shown.out
    assert "same, " in shown.out
    assert "Leclerc" not in shown.out
    html = page.read_text()
    assert "<svg" in html
    assert "http" not in html.replace("http-equiv", "")
    assert "Leclerc" not in html
    told = json.loads(crmq("explain", "1", "2", "--format", "json", "-p", people).out)
    assert told["schema_version"] == 1
    assert told["same_customer"]
    assert told["reason"]["kind"] == "joined"


def test_a_record_that_is_none_is_told(crmq, people):
    wrong = crmq("explain", "crm:1", "crm:77", "-p", people)
    assert wrong.code == 2
    assert "by its source and key" in wrong.err
