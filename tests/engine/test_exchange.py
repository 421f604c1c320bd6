"""What goes out: a copy that follows the feed agrees, and other systems merge as the store did."""

import json
import shutil
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError, UsageError

KEYS = "abcdef"


def person(key, title, *, deleted="false", source="salesforce_contacts"):
    return {
        "Id": key,
        "source": source,
        "LastName": f"Family-{key}",
        "FirstName": f"Given-{key}",
        "Email": f"{key * 3}@mail-{key}.example",
        "Title": title,
        "MailingCity": "Oslo",
        "IsDeleted": deleted,
    }


def take(project, *people):
    return project.run(pl.DataFrame(people), source="salesforce_contacts")


@pytest.fixture(scope="module")
def proposing(tmp_path_factory):
    """The folder of a project that joins nothing but what is decided."""
    project = Project.create(tmp_path_factory.mktemp("proposing") / "project")
    file = project.folder / "crmq.yml"
    file.write_text(file.read_text().replace("merging: auto", "merging: propose"))
    project = Project.open(project.folder)
    take(project, *(person(key, "CEO") for key in KEYS[:4]))
    return project.folder


def golden(project):
    """``entity_id`` → its golden record, as the feed writes it."""
    frame = project.golden()
    return {row["entity_id"]: json.loads(json.dumps(row, default=str)) for row in frame.to_dicts()}


def follow(mirror, changes):
    """What `Exchange.changes` tells a reader to do."""
    for row in changes.iter_rows(named=True):
        if row["is_live"]:
            mirror[row["entity_id"]] = json.loads(row["golden"])
        else:
            mirror.pop(row["entity_id"], None)
        if row["former_is_live"] is False:
            mirror.pop(row["former_id"], None)


def alike(mirror, project):
    ours = golden(project)
    assert mirror.keys() == ours.keys()
    for entity_id, row in ours.items():
        theirs = mirror[entity_id]
        for name in ("version", "records", "sources", "first_name", "job_title", "email"):
            assert theirs[name] == row[name], (entity_id, name)


KEY = st.sampled_from(KEYS)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("title"), KEY, st.sampled_from(["CEO", "Clerk", "Chef"])),
        st.tuples(st.just("delete"), KEY),
        st.tuples(st.just("decide"), KEY, KEY, st.sampled_from(["same", "different"])),
        st.tuples(st.just("withdraw"), st.integers(0, 3)),
    ),
    min_size=3,
    max_size=6,
)


def do(project, step):
    match step:
        case ("title", key, title):
            take(project, person(key, title))
        case ("delete", key):
            take(project, person(key, "gone", deleted="true"))
        case ("decide", left, right, verdict) if left != right:
            names = [f"salesforce_contacts:{key}" for key in (left, right)]
            try:
                project.review.decide(*names, verdict, reason="test")
            except (RefusedError, NotFoundError):
                return
        case ("withdraw", place):
            made = project.review.decisions()
            if place < made.height:
                project.review.withdraw([made["decision_id"][place]], reason="test")


@pytest.mark.capability(93)
@pytest.mark.slow
@settings(max_examples=4)
@given(steps=STEPS)
def test_a_copy_that_follows_from_any_cursor_agrees(proposing, tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("followed")
    project = Project.open(shutil.copytree(proposing, folder / "project"))
    mirrors = {"0": {}}
    for step in steps:
        do(project, step)
        feed = project.exchange.changes()
        whole = {}
        follow(whole, feed.changes)
        alike(whole, project)
        mirrors[feed.cursor] = whole
    for cursor, mirror in mirrors.items():
        changes = project.exchange.changes(cursor).changes
        follow(mirror, changes.sample(fraction=1, shuffle=True, seed=1))
        alike(mirror, project)


def test_the_feed_tells_of_each_kind_with_both_ids(proposing, tmp_path):
    project = Project.open(shutil.copytree(proposing, tmp_path / "project"))
    start = project.exchange.changes()
    assert start.changes["kind"].to_list() == ["created"] * 4
    (made,) = project.review.decide("1", "2", "same", reason="one person").decision_ids
    take(project, person("c", "gone", deleted="true"))
    project.review.withdraw([made], reason="no, two")
    told = project.exchange.changes(start.cursor).changes
    rows = told.select("kind", "entity_id", "former_id", "is_live", "former_is_live").rows()
    assert ("merged", 1, 2, True, True) in rows
    assert ("split", 2, 1, True, True) in rows
    assert ("ended", 3, None, False, None) in rows
    assert project.exchange.changes(told["cursor"][-1]).changes.is_empty()
    assert told["occurred_at"].is_sorted()


@pytest.mark.capability(93)
def test_acts_of_stewards_an_undo_and_an_erasure_are_followed(proposing, tmp_path):
    project = Project.open(shutil.copytree(proposing, tmp_path / "project"))
    mirrors = {}

    def note():
        feed = project.exchange.changes()
        mirrors[feed.cursor] = {}
        follow(mirrors[feed.cursor], feed.changes)

    note()
    project.entities.merge(1, 2, reason="one person")
    note()
    project.entities.unmerge(1, reason="no, two")
    note()
    run = take(project, person("e", "CEO"), person("a", "Chef")).summary.run_id
    note()
    project.undo(run, reason="the wrong file")
    note()
    project.privacy.erase(3, reason="asked to")
    for cursor, mirror in mirrors.items():
        follow(mirror, project.exchange.changes(cursor).changes)
        alike(mirror, project)
    told = project.exchange.changes(next(iter(mirrors))).changes
    rows = told.select("kind", "entity_id", "former_id").rows()
    assert {("merged", 1, 2), ("unmerged", 2, 1), ("withdrawn", 5, None), ("erased", 3, None)} <= {
        *rows
    }


def test_a_cursor_of_another_history_is_refused(proposing, tmp_path):
    project = Project.open(shutil.copytree(proposing, tmp_path / "project"))
    backup = project.upkeep.backup()
    take(project, person("a", "Chef"))
    cursor = project.exchange.changes().cursor
    project.upkeep.restore(backup.file, reason="test")
    with pytest.raises(RefusedError, match="--since 0"):
        project.exchange.changes(cursor)
    take(project, person("a", "Clerk"))
    with pytest.raises(RefusedError, match="history"):
        project.exchange.changes(cursor)
    with pytest.raises(UsageError, match="no cursor"):
        project.exchange.changes("yesterday")


@pytest.fixture(scope="module")
def joined_once(proposing, tmp_path_factory):
    """Five records of Salesforce that are one customer, and one that is another."""
    folder = tmp_path_factory.mktemp("joined") / "project"
    project = Project.open(shutil.copytree(proposing, folder))
    take(project, person("e", "CEO"), person("f", "CEO"))
    rows = [
        {"decision": "same", "record_id_l": str(n), "record_id_r": str(n + 1)} for n in range(1, 5)
    ]
    project.review.decide_all(pl.DataFrame(rows), reason="one person")
    return folder


@pytest.fixture
def joined(joined_once, tmp_path):
    """A copy of it to do with as one likes."""
    return Project.open(shutil.copytree(joined_once, tmp_path / "project"))


def test_salesforce_merges_three_records_in_a_call_and_goes_on_with_the_same_master(joined):
    plan = joined.exchange.merges("salesforce")
    assert plan.columns == [
        "source",
        "entity_id",
        "call",
        "MasterRecordId",
        "DuplicateRecordId1",
        "DuplicateRecordId2",
    ]
    assert plan.select(plan.columns[2:]).rows() == [(1, "a", "b", "c"), (2, "a", "d", "e")]
    take(joined, person("e", "CEO", deleted="true"))
    assert joined.exchange.merges("salesforce")["DuplicateRecordId2"].to_list() == ["c", None]


def test_hubspot_merges_pairs(joined):
    pairs = joined.exchange.merges("hubspot", ["salesforce_contacts"])
    assert pairs["primary_id"].to_list() == ["a"] * 4
    assert pairs["id_to_merge"].to_list() == ["b", "c", "d", "e"]


def test_once_the_source_has_merged_nothing_is_left_to_do(joined):
    gone = [{**person(key, "CEO", deleted="true"), "MasterRecordId": "a"} for key in "bcde"]
    take(joined, *gone)
    assert joined.exchange.merges("salesforce").is_empty()
    assert joined.golden()["records"].to_list() == [1, 1]


def test_updates_hold_the_id_and_what_changed_in_the_words_of_the_source(joined):
    later = {**person("c", "Head of Sales"), "DoNotCall": "true", "Email": None}
    take(joined, later)
    updates = joined.exchange.updates("salesforce")
    (row,) = updates.to_dicts()
    assert row["Id"] == "a"
    assert row["Title"] == "Head of Sales"
    assert row["DoNotCall"] == "true"
    assert row["Email"] == joined.golden()["email"][0]
    assert not {"Account Name", "LastModifiedDate", "OwnerId"} & set(updates.columns)


def test_an_update_never_takes_an_opt_out_back(joined):
    take(joined, {**person("a", "CEO"), "DoNotCall": "true"})
    with joined.store() as store:
        store.execute("UPDATE crm.contact SET do_not_call = false")
    assert "DoNotCall" not in joined.exchange.updates("salesforce").columns


def test_a_source_or_system_that_is_not_there_is_told(joined):
    with pytest.raises(NotFoundError, match="hubspot"):
        joined.exchange.merges("hubspot")
    with pytest.raises(NotFoundError, match="stripe"):
        joined.exchange.updates("hubspot", "stripe_customers")
    with pytest.raises(UsageError, match="salesforce, hubspot"):
        joined.exchange.merges("dynamics")


@pytest.mark.capability(90)
def test_every_export_is_written_with_its_types(joined, tmp_path):
    written = joined.exchange.write_all(tmp_path / "out" / "deep")
    assert {"contacts.parquet", "crosswalk.parquet", "changes.parquet"} <= {
        file.name for file in (tmp_path / "out" / "deep").iterdir()
    }
    assert all(file.endswith(".parquet") for file in written)
    contacts = pl.read_parquet(tmp_path / "out" / "deep" / "contacts.parquet")
    assert contacts.schema["created_at"] == pl.Datetime("us")
    assert contacts.schema["sources"] == pl.List(pl.String)
    assert contacts.height == joined.golden().height


@pytest.mark.capability(90)
def test_the_published_copy_has_every_export_as_a_view(joined):
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(joined.upkeep.publish()), read_only=True) as reader:
        rows = reader.execute("SELECT entity_id, job_title FROM bi.contacts").fetchall()
        assert rows == [(1, "CEO"), (6, "CEO")]
        (run,) = reader.execute("SELECT finished_at FROM bi.runs LIMIT 1").fetchall()[0]
    assert isinstance(run, datetime)
