"""From arriving rows to golden records, through the public surface."""

import json
from datetime import date

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import InputError, LimitError, NotFoundError, ProjectError
from crm_quality.store import verify_trail
from crm_quality.store.point_use import note_point_use

ANN = {
    "source": "crm",
    "source_key": "1",
    "first_name": "Ann",
    "last_name": "Leclerc",
    "email": "ann.leclerc@nordlicht-optik.example",
    "mobile": "+47 406 12 345",
    "city": "Bergen",
    "country": "Norway",
    "lead_source": "PPC",
}
ANN_AGAIN = {
    **ANN,
    "source": "shop",
    "source_key": "c-9",
    "first_name": "ANN",
    "mobile": "0047 40612345",
    "lead_source": "Google Ads",
    "city": "Oslo",
}
BOB = {
    "source": "crm",
    "source_key": "2",
    "first_name": "Bob",
    "last_name": "Okafor",
    "email": "b.okafor@quayside.example",
}
NOBODY = {"source": "crm", "source_key": "3", "job_title": "Manager"}


def rows(*records):
    return pl.DataFrame(
        list(records), schema=dict.fromkeys({k for r in records for k in r}, pl.String)
    )


def crosswalk(project):
    frame = project.export("crosswalk")
    return {
        (source, key): (entity_id, status)
        for source, key, entity_id, status in frame.select(
            "source", "source_key", "entity_id", "status"
        ).iter_rows()
    }


def hidden_away(project):
    """Everything a run may change, but its own row, metrics and event."""
    with project.store() as store:
        tables = store.rows("SELECT schema_name, table_name FROM duckdb_tables()")
        own = {("audit", "run"), ("audit", "event"), ("quality", "metric")}
        return {
            table: sorted(map(repr, store.rows(f'FROM "{table[0]}"."{table[1]}"')))
            for table in tables
            if table not in own
        }


def test_two_spellings_of_one_person_become_one_golden_record(project):
    run = project.run(rows(ANN, ANN_AGAIN, BOB))
    assert run.summary.records.received == run.summary.records.accepted == 3
    ann, bob = project.golden("contact").to_dicts()
    assert (ann["first_name"], ann["last_name"]) == ("Ann", "Leclerc")
    assert ann["mobile"] == "+4740612345"
    assert ann["country"] == "NO"
    assert ann["lead_source"] == "paid_search"
    assert ann["records"] == 2
    assert ann["sources"] == ["crm", "shop"]
    assert bob["records"] == 1


def test_a_record_that_nobody_can_be_told_by_waits_in_quarantine(project):
    run = project.run(rows(ANN, NOBODY))
    counts = run.summary.records
    assert (counts.received, counts.accepted, counts.quarantined) == (2, 1, 1)
    assert run.quarantine.select("source", "source_key").rows() == [("crm", "3")]
    assert crosswalk(project)["crm", "3"] == (2, "quarantined")
    waiting = project.export("quarantine").to_dicts()
    assert waiting[0]["status"] == "open"
    assert "contact.identifiable" in waiting[0]["rules"]


def test_a_quarantined_record_is_released_by_a_better_version(project):
    project.run(rows(ANN, NOBODY))
    project.run(rows({**NOBODY, "email": "mia.tran@harbour.example"}))
    assert crosswalk(project)["crm", "3"][1] == "accepted"
    assert project.export("quarantine").is_empty()
    assert project.export("quarantine_steps")["status"].to_list() == ["open", "superseded"]


def test_a_bad_version_leaves_the_last_good_one_in_force(project):
    project.run(rows({**BOB, "source_key": "7"}))
    project.run(rows({"source": "crm", "source_key": "7", "job_title": "CEO"}))
    (bob,) = project.golden("contact").to_dicts()
    assert bob["email"] == BOB["email"]
    assert project.export("quarantine").select("status", "in_force").rows() == [("open", True)]


def test_the_same_rows_again_change_nothing(project):
    stale = {**BOB, "updated_at": "2020-01-01T00:00:00Z"}
    data = rows(ANN, ANN_AGAIN, stale, NOBODY)
    assert project.run(data, as_of=date(2026, 1, 1)).summary.store_issues.info == 1
    before = hidden_away(project)
    again = project.run(data, as_of=date(2026, 1, 1)).summary
    assert again.records.unchanged == 3
    assert again.records.quarantined == 1
    assert again.golden.model_dump() == {
        "total": 2, "created": 0, "changed": 0, "merged": 0, "split": 0,
    }  # fmt: skip
    assert hidden_away(project) == before


def test_a_changed_record_is_a_new_version(project):
    project.run(rows(ANN, BOB))
    summary = project.run(rows({**BOB, "job_title": "Director"})).summary
    assert summary.golden.changed == 1
    bob = project.golden("contact").filter(pl.col("last_name") == "Okafor").to_dicts()[0]
    assert bob["job_title"] == "Director"
    assert bob["version"] == 2


def test_the_version_with_the_later_time_is_current_whatever_came_last(project):
    project.run(rows({**BOB, "job_title": "New", "updated_at": "2025-06-01T10:00:00Z"}))
    project.run(rows({**BOB, "job_title": "Old", "updated_at": "2024-06-01T10:00:00Z"}))
    assert project.golden("contact")["job_title"].to_list() == ["New"]


def test_versions_of_one_key_in_one_file_are_taken_in_order(project):
    summary = project.run(rows(BOB, {**BOB, "job_title": "Director"})).summary
    assert summary.records.received == summary.records.accepted == 2
    assert project.golden("contact").select("job_title", "records").rows() == [("Director", 1)]


def test_the_same_file_under_another_name_is_told(project, tmp_path):
    text = "source_key,first_name,last_name,email\n1,Ann,Leclerc,ann@leclerc.example\n"
    for name in ("crm.csv", "copy.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    first, again = project.run(tmp_path / "crm.csv"), project.run(tmp_path / "crm.csv")
    copied = project.run(tmp_path / "copy.csv")
    told = [note for note in copied.summary.notes if "second record" in note]
    assert len(told) == 1
    assert "the content of crm.csv, which run 1 took in as source 'crm'" in told[0]
    assert f"crmq undo {copied.summary.run_id}" in told[0]
    for run in (first, again):
        assert not any("second record" in note for note in run.summary.notes)
    project.undo(copied.summary.run_id, reason="a copy")
    as_before = project.run(tmp_path / "copy.csv", source="crm")
    assert (as_before.summary.records.received, as_before.summary.records.unchanged) == (1, 1)


def test_a_file_that_names_a_key_twice_is_unchanged_when_it_comes_again(project):
    data = rows(BOB, {**BOB, "job_title": "Director"}, ANN)
    project.run(data, as_of=date(2026, 1, 1))
    before = hidden_away(project)
    again = project.run(data, as_of=date(2026, 1, 1)).summary
    assert again.records.unchanged == again.records.received == 3
    assert hidden_away(project) == before


def test_merged_entities_keep_the_earlier_id_and_the_other_resolves(project):
    project.run(rows({**ANN, "email": None, "mobile": None}, BOB))
    stranger = {**ANN_AGAIN, "city": None, "country": None, "last_name": "L.", "first_name": None}
    project.run(rows(stranger))
    project.run(rows(ANN))
    ids = crosswalk(project)
    assert ids["crm", "1"][0] == 1
    assert set(project.golden("contact")["entity_id"]) <= {entity for entity, _ in ids.values()}


def test_a_deleted_record_gives_no_values_but_keeps_its_id(project, tmp_path):
    file = tmp_path / "contacts.csv"
    header = "Id,IsDeleted,MasterRecordId,LastName,FirstName,Email,Title,LastModifiedDate\n"
    file.write_text(header + "003A,false,,Okafor,Bob,b@quayside.example,CEO,2024-01-01T00:00:00Z\n")
    project.run(file, source="salesforce_contacts")
    file.write_text(header + "003A,true,,Okafor,Bob,b@quayside.example,CEO,2024-02-01T00:00:00Z\n")
    project.run(file, source="salesforce_contacts")
    assert crosswalk(project)["salesforce_contacts", "003A"] == (1, "ended")
    assert project.golden("contact").is_empty()
    file.write_text(header + "003A,false,,Okafor,Bob,b@quayside.example,CEO,2024-03-01T00:00:00Z\n")
    project.run(file, source="salesforce_contacts")
    assert crosswalk(project)["salesforce_contacts", "003A"] == (1, "accepted")


MEMBERS = [
    "Abara",
    "Bianchi",
    "Castellano",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Gonzalez",
    "Haraldsen",
    "Ibrahim",
    "Jankowski",
    "Kowalczyk",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okonkwo",
    "Petrescu",
    "Quispe",
    "Rasmussen",
    "Szymanski",
    "Takahashi",
    "Ulrich",
    "Vandenberg",
    "Wojcik",
    "Ximenes",
    "Yilmaz",
    "Zimmermann",
    "Andrade",
    "Brunner",
    "Cavallo",
    "Delacroix",
]


def snapshot_of(project, tmp_path, keys):
    mapping = tmp_path / "members.yml"
    mapping.write_text(
        "source: members\nmode: snapshot\nkey: [Number]\n"
        "columns:\n  source_key: [Number]\n  last_name: [Name]\n  email: [Mail]\n"
    )
    file = tmp_path / "members.csv"
    people = "".join(f"{n},{MEMBERS[n]},{MEMBERS[n]}@club.example\n" for n in keys)
    file.write_text("Number,Name,Mail\n" + people)
    return project.run(file, source=mapping)


def test_what_a_full_file_no_longer_holds_has_ended(project, tmp_path):
    snapshot_of(project, tmp_path, range(30))
    summary = snapshot_of(project, tmp_path, range(1, 30)).summary
    assert summary.records.unchanged == 29
    assert crosswalk(project)["members", "0"] == (1, "ended")
    assert project.golden("contact").height == 29


def test_a_file_that_would_end_too_much_of_its_source_stops_the_run(project, tmp_path):
    snapshot_of(project, tmp_path, range(30))
    before = hidden_away(project)
    with pytest.raises(LimitError, match="20 of the 30 records of members"):
        snapshot_of(project, tmp_path, range(10))
    assert hidden_away(project) == before


def test_new_records_do_not_hide_how_many_have_ended(project, tmp_path):
    snapshot_of(project, tmp_path, range(20))
    with pytest.raises(LimitError, match="10 of the 20 records of members"):
        snapshot_of(project, tmp_path, range(10, 30))


def test_merges_that_a_source_tells_of_are_followed(project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(
        "Id,IsDeleted,MasterRecordId,LastName,FirstName,Email,LastModifiedDate\n"
        "003A,false,,Okafor,Bob,b@quayside.example,2024-01-01T00:00:00Z\n"
        "003B,false,003A,Nwosu,Roberta,rn@elsewhere.example,2024-01-01T00:00:00Z\n"
    )
    project.run(file, source="salesforce_contacts")
    ids = crosswalk(project)
    assert ids["salesforce_contacts", "003A"][0] == ids["salesforce_contacts", "003B"][0]


def test_every_value_of_a_joined_record_names_its_record(project):
    project.run(rows(ANN, ANN_AGAIN))
    origins = project.export("provenance")
    (ann,) = project.golden("contact").to_dicts()
    kept_apart = {"entity_id", "version", "records", "sources"}
    filled = {k for k, v in ann.items() if v not in (None, []) and k not in kept_apart}
    assert filled <= set(origins["field"])
    assert set(origins["source"]) <= {"crm", "shop"}


@pytest.mark.capability(9)
def test_the_same_address_in_different_spellings_keeps_both_raw_forms(project):
    project.run(rows(ANN, ANN_AGAIN))
    with project.store() as store:
        raw = store.rows(
            "SELECT value, value_raw FROM landing.contact_point WHERE field = 'mobile'"
            " ORDER BY record_id"
        )
    assert raw == [("+4740612345", "+47 406 12 345"), ("+4740612345", "0047 40612345")]


def test_the_row_is_kept_as_it_came(project):
    project.run(rows({**ANN, "Shoe size": "39"}))
    with project.store() as store:
        raw, custom = store.rows("SELECT raw, custom FROM landing.contact_version")[0]
    assert json.loads(raw)["lead_source"] == "PPC"
    assert json.loads(custom) == {"Shoe size": "39"}


@pytest.mark.capability(102)
def test_each_run_leaves_a_sealed_event(project):
    project.run(rows(ANN))
    project.run(rows(BOB))
    with project.store() as store:
        kinds = [kind for (kind,) in store.rows("SELECT kind FROM audit.event ORDER BY event_id")]
        assert kinds == ["project.created", "run.committed", "run.committed"]
        assert verify_trail(store) == []


def test_a_failing_run_leaves_the_store_as_it_was(project, tmp_path):
    project.run(rows(ANN))
    before = hidden_away(project)
    with pytest.raises(InputError):
        project.run(rows(BOB), tmp_path / "missing.csv")
    assert hidden_away(project) == before


@pytest.mark.capability(60)
def test_a_check_stores_nothing(project):
    before = hidden_away(project)
    checked = project.check(rows(ANN, NOBODY))
    assert checked.summary.run_id is None
    assert checked.summary.records.quarantined == 1
    assert hidden_away(project) == before


def test_a_field_added_to_the_rules_gets_a_column(project):
    file = project.folder / "rules" / "entities" / "contact.yml"
    field = (
        "  loyalty_level:\n    meaning: Level of the loyalty card.\n    type: integer\n\nrules:\n"
    )
    file.write_text(file.read_text().replace("\nrules:\n", "\n" + field, 1))
    project = Project.open(project.folder)
    project.run(rows({**ANN, "loyalty_level": "4"}))
    assert project.golden("contact")["loyalty_level"].to_list() == [4]


def test_companies_are_merged_too(project):
    firms = pl.DataFrame(
        {
            "source": ["crm", "billing", "crm"],
            "source_key": ["1", "b1", "2"],
            "name": ["Acme Widgets Ltd", "ACME Widgets Limited", "Borealis Shipping AS"],
            "website": ["https://www.acmewidgets.example.com", "acmewidgets.example.com", None],
        }
    )
    project.run(firms, entity="company")
    assert sorted(project.golden("company")["records"]) == [1, 2]


def test_an_unknown_export_lists_what_there_is(project):
    with pytest.raises(NotFoundError, match="crosswalk"):
        project.export("everything")


def test_a_project_is_not_made_over_another(project):
    with pytest.raises(ProjectError, match="already"):
        Project.create(project.folder)


def test_a_folder_that_is_no_project_is_told(tmp_path):
    with pytest.raises(ProjectError, match="crmq init"):
        Project.open(tmp_path)


def test_shared_values_are_counted_anew_where_a_change_reaches(own_stock):
    kept = "SELECT entity, kind, value, people FROM matching.shared_value ORDER BY ALL"
    shared = own_stock.golden()["email"].drop_nulls()[0]
    rows = (
        own_stock.golden()
        .head(6)
        .select(
            pl.lit("shop").alias("source"),
            pl.col("entity_id").cast(pl.String).alias("source_key"),
            "first_name",
            "last_name",
            pl.lit(shared).alias("email"),
        )
    )
    own_stock.run(rows)
    own_stock.run(rows.head(3).with_columns(email=pl.lit("nobody@else.example")))
    with own_stock.store() as store, store.transaction():
        found = store.frame(kept)
        note_point_use(store, "contact")
        assert store.frame(kept).equals(found)
    assert found.height > 0
