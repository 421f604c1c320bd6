"""Undoing runs: nothing is left of what one brought, and what came later stays."""

import shutil

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_quality import Project
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store.export import EXPORTS, export_frame

#: What others read, but for numbers of runs, versions and decisions, and times.
COUNTERS = {"run_id", "version", "version_id", "opened_at", "decision_id", "score"}
NOT_COMPARED = {"runs", "changes", "quarantine_steps", "pairs"}


def person(key, **values):
    return {"source": "crm", "source_key": key, "first_name": "Ann", "last_name": "Berg", **values}


def frame(*people):
    columns = dict.fromkeys(name for one in people for name in one)
    return pl.DataFrame(list(people), schema=dict.fromkeys(columns, pl.String))


def told(project):
    """Everything that others read, as rows."""
    found = {}
    with project.store() as store:
        for name in EXPORTS.keys() - NOT_COMPARED:
            export = export_frame(store, name)
            found[name] = export.drop(COUNTERS & set(export.columns)).rows()
    return found


def plain(card):
    """A scorecard without its history, in which the run list tells of undone runs."""
    if isinstance(card, dict):
        left_out = ("previous", "history", "trend")
        return {n: plain(v) for n, v in card.items() if not n.startswith(left_out)}
    return [plain(one) for one in card] if isinstance(card, list) else card


def assert_same(project, before):
    now = told(project)
    for name, rows in before.items():
        assert now[name] == rows, name
    assert project.upkeep.verify().is_whole


ANN = person("1", email="ann@quay.example")
BAD = person("2", email="bo at quay.example", first_name=None, last_name=None)


@pytest.mark.capability(86)
def test_the_last_run_leaves_no_trace(unmatched):
    unmatched.run(frame(ANN, person("3", city="Oslo")))
    before, card = told(unmatched), plain(unmatched.audit().to_dict()["entities"])
    unmatched.run(frame(person("1", city="Bergen"), BAD, person("4", email="four@quay.example")))
    undone = unmatched.undo(2, reason="the wrong file")
    assert (undone.versions, undone.records, undone.back) == (3, 2, 1)
    assert_same(unmatched, before)
    assert plain(unmatched.audit().to_dict()["entities"]) == card
    runs = unmatched.export("runs")
    assert runs["run_id"].to_list() == [1, 2, 3]
    with unmatched.store() as store:
        event = store.rows("SELECT payload->>'reason' FROM audit.event WHERE kind = 'run.undone'")
    assert event == [("the wrong file",)]


@pytest.mark.capability(86)
def test_the_files_can_be_imported_again_and_give_the_same_numbers(unmatched):
    unmatched.run(frame(ANN))
    more = frame(person("7", email="seven@quay.example"), BAD)
    unmatched.run(more)
    before = told(unmatched)
    unmatched.undo(2, reason="x")
    unmatched.run(frame(person("9", email="nine@quay.example")))
    unmatched.run(more)
    ids = dict(unmatched.crosswalk().select("source_key", "record_id").iter_rows())
    assert ids == {"1": 1, "7": 2, "2": 3, "9": 4}
    unmatched.undo(4, reason="nine was wrong")
    assert_same(unmatched, before)


def test_a_run_that_is_not_the_last_is_undone_and_later_ones_stay(unmatched, tmp_path):
    other = Project.open(shutil.copytree(unmatched.folder, tmp_path / "other"))
    first = frame(ANN, person("2", email="two@quay.example"), person("3", city="Oslo"))
    second = frame(person("1", city="Bergen"), person("5", email="five@quay.example"))
    unmatched.run(first)
    for project in (unmatched, other):
        project.run(second)
    unmatched.undo(1, reason="x")
    drop = ["record_id", "entity_id"]
    for name in ("crosswalk", "contacts", "issues"):
        now, never = (project.export(name) for project in (unmatched, other))
        left_out = [column for column in (*drop, "version", "run_id") if column in now.columns]
        assert now.drop(left_out).rows() == never.drop(left_out).rows(), name


def test_what_waited_before_waits_again(unmatched):
    unmatched.run(frame(BAD))
    before = told(unmatched)
    unmatched.run(frame(person("2", email="bo@quay.example")))
    assert unmatched.quarantine.waiting().is_empty()
    unmatched.undo(2, reason="x")
    assert_same(unmatched, before)
    assert unmatched.quarantine.waiting()["source_key"].to_list() == ["2"]


def test_what_was_made_of_a_runs_rows_goes_with_it(unmatched):
    unmatched.run(frame(ANN))
    before = told(unmatched)
    unmatched.run(frame(BAD))
    unmatched.quarantine.fix(
        "crm:2", {"email": "bo@quay.example", "last_name": "Bo"}, reason="asked"
    )
    assert unmatched.golden().height == 2
    fixed = told(unmatched)
    unmatched.undo(2, reason="x")
    assert unmatched.golden().height == 1
    assert unmatched.crosswalk().height == 1
    unmatched.run(frame(BAD))
    # the correction was made on that very row
    assert unmatched.golden().height == 2
    unmatched.undo(3, reason="the fix")
    assert before
    assert fixed


def test_a_correction_is_undone_by_its_own_run(unmatched):
    unmatched.run(frame(ANN, BAD))
    before = told(unmatched)
    unmatched.quarantine.fix(
        "crm:2", {"email": "bo@quay.example", "last_name": "Bo"}, reason="asked"
    )
    unmatched.undo(2, reason="x")
    assert_same(unmatched, before)


def test_records_that_a_run_ended_are_there_again(unmatched):
    source = unmatched.folder / "rules" / "sources" / "full.yml"
    source.write_text(
        "source: full\nentity: contact\nmode: snapshot\nkey: [id]\n"
        "columns: {source_key: id, last_name: name, email: mail}\n"
    )
    project = Project.open(unmatched.folder)
    rows = [{"id": str(n), "name": f"Berg{n}", "mail": f"b{n}@quay.example"} for n in range(4)]
    project.run(pl.DataFrame(rows), source="full")
    before = told(project)
    project.run(pl.DataFrame(rows[:2]), source="full")
    assert project.golden().height == 2
    ended = told(project)
    project.run(pl.DataFrame(rows), source="full")
    project.undo(3, reason="x")
    assert_same(project, ended)
    project.undo(2, reason="x")
    assert_same(project, before)


def test_undoing_an_act_withdraws_its_decisions(unmatched):
    unmatched.run(frame(*(person(str(n), email=f"{n}@quay.example") for n in range(3))))
    before = told(unmatched)
    unmatched.entities.merge(1, 2, reason="one")
    merged = told(unmatched)
    unmatched.entities.unmerge(1, reason="two")
    unmatched.undo(3, reason="one after all")
    assert_same(unmatched, merged)
    assert unmatched.entities.unmerge(1, reason="two", dry_run=True).preview.comes == [2]
    unmatched.undo(2, reason="x")
    assert_same(unmatched, before)
    assert unmatched.review.decisions().is_empty()
    with pytest.raises(RefusedError, match="one record"):
        unmatched.entities.unmerge(1, reason="x")


def test_undoing_a_decision_withdraws_it_and_undoing_a_withdrawal_restores_it(unmatched):
    unmatched.run(frame(*(person(str(n), email=f"{n}@quay.example") for n in range(3))))
    unmatched.review.decide(1, 2, "same", "a")
    unmatched.review.withdraw([1], "b")
    unmatched.undo(3, reason="c")
    assert unmatched.review.decisions()["decision_id"].to_list() == [1]
    assert unmatched.golden().height == 2
    unmatched.undo(2, reason="d")
    assert unmatched.review.decisions().is_empty()


def test_undoing_a_pin_withdraws_it_and_undoing_an_unpin_restores_it(unmatched):
    unmatched.run(frame(ANN))
    before = told(unmatched)
    unmatched.overrides.pin(1, {"city": "Oslo"}, reason="a")
    pinned = unmatched.golden()
    unmatched.overrides.unpin(1, ["city"], reason="b")
    unmatched.undo(3, reason="c")
    assert unmatched.golden().drop("version").equals(pinned.drop("version"))
    unmatched.undo(2, reason="d")
    assert unmatched.golden()["city"].item() is None
    assert told(unmatched)["contacts"] == before["contacts"]


def test_a_withdrawal_that_contradicts_what_was_decided_since_is_not_undone(unmatched):
    unmatched.run(frame(*(person(str(n), email=f"{n}@quay.example") for n in range(3))))
    unmatched.review.decide(1, 2, "same", "a")
    unmatched.review.withdraw([1], "b")
    unmatched.review.decide(1, 2, "different", "c")
    with pytest.raises(RefusedError, match=r"1 same 2 \(decision 1\) would be in force again"):
        unmatched.undo(3, reason="d")


def test_merges_that_a_source_told_of_are_forgotten_and_learnt_again(unmatched):
    rows = pl.DataFrame(
        {
            "Id": ["a", "b"],
            "LastName": ["Berg", "Lund"],
            "Email": ["a@quay.example", "b@quay.example"],
            "MasterRecordId": ["b", None],
            "IsDeleted": ["false", "false"],
        }
    )
    unmatched.run(frame(ANN))
    before = told(unmatched)
    unmatched.run(rows, source="salesforce_contacts")
    assert unmatched.review.decisions().height == 1
    unmatched.undo(2, reason="x")
    assert_same(unmatched, before)
    unmatched.run(rows, source="salesforce_contacts")
    assert unmatched.review.decisions().height == 1


def test_a_dry_run_writes_nothing(unmatched):
    unmatched.run(frame(ANN))
    unmatched.run(frame(person("7", email="seven@quay.example")))
    before = told(unmatched)
    assert unmatched.undo(2, reason="x", dry_run=True).records == 1
    assert_same(unmatched, before)
    assert unmatched.export("runs").height == 2


def test_what_cannot_be_undone_says_what_to_do_instead(unmatched):
    unmatched.run(frame(ANN))
    unmatched.run(frame(ANN))
    with pytest.raises(NotFoundError, match="no run 9"):
        unmatched.undo(9, reason="x")
    with pytest.raises(UsageError, match="--reason"):
        unmatched.undo(1, reason=" ")
    with pytest.raises(RefusedError, match="nothing to undo"):
        unmatched.undo(2, reason="x")
    done = unmatched.undo(1, reason="x")
    assert "import their files again" in done.outcome.summary.notes[-1]
    with pytest.raises(RefusedError, match="undone already, in run 3"):
        unmatched.undo(1, reason="x")
    with pytest.raises(RefusedError, match=r"itself the undo of run 1.*import its files"):
        unmatched.undo(3, reason="x")
    unmatched.rulebook.apply(everything=True)
    with pytest.raises(RefusedError, match="crmq rules apply"):
        unmatched.undo(4, reason="x")
    with pytest.raises(NotFoundError, match="that run 3 has undone; import its file again"):
        unmatched.entities.history(1)


CELLS = st.sampled_from(["Oslo", "Bergen", None])
ROW = st.fixed_dictionaries(
    {
        "source_key": st.sampled_from(list("abcd")),
        "city": CELLS,
        "email": st.sampled_from(["a@quay.example", "b@quay.example", "at quay", None]),
        "last_name": st.sampled_from(["Berg", None]),
    }
)
FILE = st.lists(ROW, min_size=1, max_size=4, unique_by=lambda row: row["source_key"])


def as_frame(rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)).with_columns(
        source=pl.lit("crm")
    )


@pytest.mark.capability(86)
@given(files=st.lists(FILE, min_size=2, max_size=2), place=st.integers(0, 1))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undoing_a_run_is_never_having_run_it(template, tmp_path_factory, files, place):
    here, never = (
        Project.open(shutil.copytree(template, tmp_path_factory.mktemp("undo") / name))
        for name in ("here", "never")
    )
    for number, rows in enumerate(files):
        here.run(as_frame(rows))
        if number != place:
            never.run(as_frame(rows))
    if here.export("runs").filter(run_id=place + 1)["changed"].item() is False:
        return
    try:
        here.undo(place + 1, reason="x")
    except RefusedError:
        return
    # rows that a later run found unchanged come again with its file
    for rows in files[place + 1 :]:
        for project in (here, never):
            project.run(as_frame(rows))
    assert here.upkeep.verify().is_whole
    for name in ("crosswalk", "contacts", "issues", "quarantine"):
        now, then = (project.export(name) for project in (here, never))
        drop = ["record_id", "entity_id", "version", "run_id", "opened_at"]
        left_out = [column for column in drop if column in now.columns]
        assert sorted(map(str, now.drop(left_out).rows())) == sorted(
            map(str, then.drop(left_out).rows())
        ), name
