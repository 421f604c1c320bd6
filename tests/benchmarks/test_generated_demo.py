import csv

import polars as pl
import pytest

from benchmarks.generator.exports import FILES, HEADERS, KEY_COLUMNS, write_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, 5_000, 7)
    return folder


@pytest.fixture(scope="module")
def truth(demo):
    return pl.read_csv(demo / "truth.csv", infer_schema=False)


def rows(folder, source):
    web = source == "webform"
    encoding = {"webform": "latin-1", "salesforce_contacts": "utf-8-sig"}.get(source, "utf-8")
    with (folder / FILES[source]).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=";" if web else ","))


def test_the_same_seed_gives_the_same_files(demo, tmp_path):
    write_demo(tmp_path, 5_000, 7)
    names = sorted(path.name for path in demo.iterdir())
    assert names == sorted([*FILES.values(), "truth.csv"])
    assert all((demo / n).read_bytes() == (tmp_path / n).read_bytes() for n in names)


@pytest.mark.parametrize(
    ("source", "beginning"),
    [
        ("hubspot_contacts", b"Record ID,First Name,Last Name,Email,Phone Number,"),
        ("salesforce_contacts", b"\xef\xbb\xbfId,IsDeleted,MasterRecordId,AccountId,LastName,"),
        ("mailchimp", b"Email Address,First Name,Last Name,"),
        ("stripe_customers", b"id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,"),
        ("shopify_customers", b"Customer ID,First Name,Last Name,Email,Accepts Email Marketing,"),
        ("webform", b"Submission ID;Submission Date;Name;Email;Phone;Company;"),
    ],
)
def test_headers_are_those_of_the_systems(demo, source, beginning):
    line = (demo / FILES[source]).read_bytes().split(b"\r\n")[0]
    assert line.startswith(beginning)
    assert line.decode("utf-8-sig") == HEADERS[source]


def test_about_five_thousand_records_and_the_truth_knows_each(demo, truth):
    total = 0
    for source, column in KEY_COLUMNS.items():
        keys = [row[column].removeprefix("'") for row in rows(demo, source)]
        known = truth.filter(source=source)["source_key"].to_list()
        assert sorted(keys) == sorted(known)
        assert len(set(keys)) == len(keys)
        total += len(keys)
    assert total == truth.height == 5_024


def test_some_rows_have_nothing_to_identify_anyone_by(demo):
    nobody = [row for row in rows(demo, "webform") if row["Submission ID"].startswith("WF-X")]
    assert len(nobody) == 12
    assert {row["Phone"] for row in nobody} == {"0000000000"}
    assert not any(
        "@" in row["Email"]
        for row in nobody
        if "test" not in row["Email"] and "noemail" not in row["Email"]
    )


def test_a_record_merged_in_salesforce_is_of_the_person_it_was_merged_into(demo, truth):
    person = dict(truth.select("source_key", "person_id").rows())
    merged = [
        row
        for row in rows(demo, "salesforce_contacts")
        if row["MasterRecordId"] not in ("", "000000000000000AAA")
    ]
    assert len(merged) == 6
    assert all(row["IsDeleted"] == "true" for row in merged)
    assert all(person[row["Id"]] == person[row["MasterRecordId"]] for row in merged)


def test_an_audience_has_each_mailbox_once(demo):
    mails = [row["Email Address"].strip().lower() for row in rows(demo, "mailchimp")]
    assert len(set(mails)) == len(mails)
    assert all("@" in mail for mail in mails)


def test_lead_sources_are_spelt_in_many_ways(demo):
    spelt = {row["LeadSource"] for row in rows(demo, "salesforce_contacts")}
    spelt |= {row["Original Source"] for row in rows(demo, "hubspot_contacts")}
    assert {"Google", "PPC", "google ads", "AdWords", "Paid Search", "organic"} <= spelt


def test_some_mailboxes_are_broken(demo):
    mails = [row["Email"] for row in rows(demo, "hubspot_contacts") + rows(demo, "webform")]
    assert any(" at " in mail for mail in mails)
    assert any("@@" in mail for mail in mails)


def test_a_message_with_a_line_break_stays_one_record(demo):
    assert any("\n" in row["Message"] for row in rows(demo, "webform"))
