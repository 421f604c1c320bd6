"""``crmq sources``: which exports are known, and what one makes of a file."""

from __future__ import annotations

import json

import polars as pl
import pytest

from crm_quality import Project, default_rules
from crm_quality.engine.sources import Sources

HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Contact owner,Shoe size\n"
    "1,Ann,Leclerc,ann@leclerc.example,kim,38\n"
    "2,,,not an address,kim,\n"
    "3,Bo,Berg,,,44\n"
)


@pytest.fixture
def export(tmp_path):
    file = tmp_path / "export.csv"
    file.write_text(HUBSPOT, encoding="utf-8")
    return file


def test_every_known_source_is_recognised_by_its_own_header():
    found = Sources(default_rules()).check_headers()
    assert found.filter(pl.col("says").is_not_null()).is_empty()
    assert {"hubspot_contacts", "stripe_payments", "zendesk_tickets"} <= set(found["source"])


def test_a_source_whose_header_is_that_of_another_is_told(crmq, tmp_path):
    project = Project.create(tmp_path / "project")
    (project.folder / "rules" / "sources" / "deals.yml").write_text(
        "source: deals\nentity: deal\nrecognised_by:\n  - all: [Deal Name, Deal Stage]\n"
        "columns: {name: [Deal Name]}\n",
        encoding="utf-8",
    )
    done = crmq("sources", "test", "--project", project.folder)
    assert done.code == 1
    assert "taken for hubspot_deals" in done.out


def test_the_list_names_what_a_row_gives_and_how_it_is_known(crmq):
    done = crmq("sources", "list", "--format", "json")
    rows = {row["source"]: row for row in json.loads(done.out)}
    assert rows["mailchimp"]["entity"] == "contact + consent"
    assert rows["mailchimp_bounces"]["recognised_by"] is None
    assert "Deal Name" in rows["hubspot_deals"]["recognised_by"]


def test_a_file_is_told_field_by_field_and_no_cell_is_shown(crmq, export):
    done = crmq("sources", "test", export, "--format", "json")
    assert done.code == 0, done.err
    (told,) = json.loads(done.out)["files"]
    assert told["recognised"] == "hubspot_contacts"
    assert (told["rows"], told["accepted"], told["quarantined"]) == (3, 2, 1)
    assert told["custom"] == told["unknown"] == ["Shoe size"]
    fields = {row["field"]: row for row in told["columns"]}
    assert (fields["email"]["column"], fields["email"]["filled"]) == ("Email", 2)
    assert fields["email"]["severest"] == "warning"
    assert fields["owner"]["issues"] == 0
    assert "leclerc" not in done.out.lower()


def test_a_column_that_every_export_has_and_this_one_lacks_ends_with_1(crmq, export, tmp_path):
    mapping = tmp_path / "ours.yml"
    mapping.write_text(
        "source: ours\ncolumns: {source_key: [Record ID], email: [Email]}\nexpects: [Country]\n",
        encoding="utf-8",
    )
    done = crmq("sources", "test", export, "--source", mapping)
    assert done.code == 1
    assert "missing, though every export has them: Country" in done.err


def test_a_project_and_a_frame_say_the_same(export, tmp_path):
    project = Project.create(tmp_path / "project")
    frame = pl.read_csv(export, infer_schema=False)
    of_file, of_frame = project.sources.test(export), project.sources.test(frame)
    assert of_file.columns.equals(of_frame.columns)
    with project.store() as store:
        assert store.frame("SELECT count(*) AS n FROM landing.record")["n"].item() == 0
