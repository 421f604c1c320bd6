"""The steward's desk."""

import shutil

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import InputError, NotFoundError, RefusedError, UsageError
from crm_quality.store import verify_trail

PEOPLE = pl.DataFrame(
    {
        "source": ["crm"] * 5,
        "source_key": ["1", "2", "3", "4", "5"],
        "first_name": ["Ann", "Ann", "Dora", "Bob", "Cleo"],
        "last_name": ["Leclerc", "Leclerc", "Silva", "Okafor", "Tan"],
        "email": ["ann@nordlicht.example", "ann@nordlicht.example", "al@quay.example", None, None],
        "city": ["Oslo", "Oslo", "Oslo", "Lagos", "Oslo"],
    }
)


@pytest.fixture(scope="module")
def taken_in(new_project, tmp_path_factory):
    project = Project.open(shutil.copytree(new_project, tmp_path_factory.mktemp("p") / "project"))
    project.run(PEOPLE)
    return project.folder


@pytest.fixture
def people(taken_in, tmp_path):
    return Project.open(shutil.copytree(taken_in, tmp_path / "project"))


def homes(project):
    crosswalk = project.crosswalk()
    return dict(crosswalk.select("record_id", "entity_id").iter_rows())


@pytest.mark.capability(71)
def test_a_decision_joins_at_once_and_stays_with_every_later_run(people):
    before = homes(people)
    assert before[3] != before[1]
    made = people.review.decide("crm:1", "crm:3", "same", "she told us")
    assert made.outcome.summary.golden.merged == 1
    assert homes(people)[3] == 1
    people.run(PEOPLE.with_columns(city=pl.lit("Bergen")))
    assert homes(people)[3] == 1
    told = people.explain(1, 3)
    assert told.reason.kind == "decided"
    assert told.decisions[0]["reason"] == "she told us"


def test_a_decision_parts_and_holds_through_others(people):
    assert homes(people)[2] == 1
    people.review.decide(1, 2, "different", "twins")
    assert homes(people)[2] == 2
    people.review.decide(2, 4, "same", "married name")
    assert homes(people)[4] == 2
    assert people.explain(1, 4).reason.text.startswith("decisions of")


def test_a_decision_that_contradicts_others_is_refused_with_the_chain(people):
    people.review.decide(1, 4, "same", "a")
    people.review.decide(4, 5, "different", "b")
    with pytest.raises(
        RefusedError, match=r"1 same 4 \(decision 1\), 4 different 5 \(decision 2\)"
    ):
        people.review.decide(1, 5, "same", "c")
    with pytest.raises(RefusedError, match="1 same 4"):
        people.review.decide(4, 1, "different", "d")
    assert people.review.decisions().height == 2


def test_a_decision_taken_back_is_forgotten_and_stays_on_record(people):
    people.review.decide(1, 4, "same", "a")
    people.review.withdraw([1], "mistaken")
    assert homes(people)[4] == 4
    assert people.review.decisions().is_empty()
    people.review.decide(1, 4, "different", "now for sure")
    with people.store() as store:
        assert verify_trail(store) == []
        kinds = store.rows("SELECT kind, actor FROM audit.event ORDER BY event_id")
    assert [kind for kind, _ in kinds if kind.startswith("decision")] == [
        "decision.made",
        "decision.withdrawn",
        "decision.made",
    ]
    with pytest.raises(NotFoundError, match="no decision 1 in force"):
        people.review.withdraw([1], "again")


def test_a_decision_may_wait_for_the_next_run(people):
    made = people.review.decide(1, 4, "same", "a", apply=False)
    assert made.outcome is None
    assert homes(people)[4] == 4
    assert "no run has applied it yet" in people.explain(1, 4).reason.text
    people.run(PEOPLE)
    assert homes(people)[4] == 1
    people.review.decide(1, 5, "same", "b", apply=False)
    outcome = people.review.apply()
    assert outcome.summary.golden.merged == 1
    assert people.review.apply().summary.golden.merged == 0


def test_the_same_decision_again_changes_nothing(people):
    people.review.decide(1, 4, "same", "a")
    again = people.review.decide(4, 1, "same", "b")
    assert (again.decision_ids, again.known, again.outcome) == ((), 1, None)


def test_wrong_decisions_are_told(people):
    review = people.review
    with pytest.raises(UsageError, match="same or different"):
        review.decide(1, 2, "maybe", "x")
    with pytest.raises(UsageError, match="needs a reason"):
        review.decide(1, 2, "same", " ")
    with pytest.raises(UsageError, match="one record"):
        review.decide(1, "crm:1", "same", "x")
    with pytest.raises(NotFoundError, match="crm:9"):
        review.decide(1, "crm:9", "same", "x")


def test_a_file_is_decided_wholly_or_not_at_all(people):
    keys = {"source_l": "crm", "source_r": "crm"}
    rows = [
        {**keys, "source_key_l": "1", "source_key_r": "4", "decision": "same", "reason": "p"},
        {
            **keys,
            "source_key_l": "4",
            "source_key_r": "5",
            "decision": " Different ",
            "reason": None,
        },
        {**keys, "source_key_l": "2", "source_key_r": "3", "decision": None, "reason": None},
    ]
    contradicting = [*rows, {**rows[0], "source_key_l": "1", "source_key_r": "5"}]
    with pytest.raises(RefusedError, match=r"row 5: 1 same 5 .*4 different 5 \(this file\)"):
        people.review.decide_all(pl.DataFrame(contradicting))
    assert people.review.decisions().is_empty()
    made = people.review.decide_all(pl.DataFrame(rows), "in the meeting")
    assert len(made.decision_ids) == 2
    assert people.review.decisions()["reason"].to_list() == ["p", "in the meeting"]
    with pytest.raises(InputError, match="row 2: 'perhaps'"):
        people.review.decide_all(pl.DataFrame([{**rows[0], "decision": "perhaps"}]))
    with pytest.raises(InputError, match="needs a column decision"):
        people.review.decide_all(pl.DataFrame({"a": ["1"]}))


@pytest.mark.capability(71)
def test_the_queue_asks_what_matters_first_and_never_twice(own_stock):
    review = own_stock.review
    asked = review.queue(most=30)
    assert asked.height == 30
    assert asked["impact"].is_sorted(descending=True)
    assert set(asked["question"]) <= {"join", "part"}
    first = asked.row(0, named=True)
    review.decide(first["record_id_l"], first["record_id_r"], "different", "no")
    second = asked[1:].filter(pl.col("question") == "join").row(0, named=True)
    review.decide(second["record_id_l"], second["record_id_r"], "same", "yes")
    where = homes(own_stock)
    assert where[second["record_id_l"]] == where[second["record_id_r"]]
    left = review.queue(most=1_000)
    for row in (first, second):
        again = left.filter(
            pl.col("record_id_l") == row["record_id_l"], pl.col("record_id_r") == row["record_id_r"]
        )
        assert again.is_empty()
    where = homes(own_stock)
    told_apart = {where[first["record_id_l"]], where[first["record_id_r"]]}
    for one, other in left.select("record_id_l", "record_id_r").iter_rows():
        assert {where[one], where[other]} != told_apart


def test_contradictions_are_not_asked_about(project):
    project.run(
        pl.DataFrame(
            {
                "source": ["crm"] * 2,
                "source_key": ["1", "2"],
                "first_name": ["Henry"] * 2,
                "last_name": ["Ward"] * 2,
                "name_suffix": ["Jr", "Sr"],
                "email": ["henry@ward.example"] * 2,
            }
        )
    )
    assert project.explain(1, 2).evidence.weight > 0
    assert project.review.queue().is_empty()


def test_an_empty_store_has_no_questions(project):
    assert project.review.queue().is_empty()
    with pytest.raises(UsageError, match="no pairs"):
        project.review.sample(10, "x")


def test_a_project_that_proposes_joins_nothing_but_what_is_decided(tmp_path):
    project = Project.create(tmp_path / "p")
    config = project.folder / "crmq.yml"
    config.write_text(config.read_text().replace("merging: auto", "merging: propose"))
    project = Project.open(project.folder)
    done = project.run(PEOPLE)
    assert done.summary.match.largest_cluster == 1
    assert done.summary.match.review_pairs >= 1
    assert homes(project) == {number: number for number in range(1, 6)}
    assert project.explain(1, 2).reason.kind == "proposed"
    asked = project.review.queue()
    assert asked.row(0)[:3] == (1, 2, "join")
    drawn = project.review.sample(10, "first look").pairs
    labels = drawn.with_columns(
        decision=pl.when(pl.col("record_id_l") + pl.col("record_id_r") == 3)
        .then(pl.lit("same"))
        .otherwise(pl.lit("different"))
    )
    signed = project.review.label(labels, keep=False)
    assert signed.estimate.precision.estimate == 1
    assert homes(project)[2] == 2
    project.review.decide_all(labels.filter(pl.col("decision") == "same"), "as drawn")
    assert homes(project)[2] == 1
    config.write_text(config.read_text().replace("merging: propose", "merging: auto"))
    Project.open(project.folder).review.apply(again=["contact"])
    assert homes(project)[2] == 1


def test_a_signed_sample_holds_the_truth(own_stock, generated):
    truth = pl.read_csv(generated / "truth.csv", infer_schema=False)
    who = own_stock.crosswalk().join(truth, on=["source", "source_key"])
    person = dict(who.select("record_id", "person_id").iter_rows())
    drawn = own_stock.review.sample(300, "how good is it?")
    assert "match_weight" not in drawn.pairs.columns
    labels = drawn.pairs.with_columns(
        pl.Series(
            "decision",
            [
                "same" if person[left] == person[right] else "different"
                for left, right in drawn.pairs.select("record_id_l", "record_id_r").iter_rows()
            ],
        )
    )
    truly = own_stock.evaluate(generated / "truth.csv")
    signed = own_stock.review.label(labels, keep=False)
    told = signed.estimate
    assert told.labelled == 300
    assert told.precision.low <= truly["precision"] <= told.precision.high
    assert told.precision.high - told.precision.low < 0.1
    assert own_stock.review.estimate().estimate == told
    kept = own_stock.review.label(labels)
    assert len(kept.made.decision_ids) == 300
    better = own_stock.evaluate(generated / "truth.csv")
    assert better["f1"] > truly["f1"]
    with own_stock.store() as store:
        assert store.value("SELECT count(*) FROM audit.event WHERE kind = 'sample.signed'") == 2
        assert verify_trail(store) == []


def test_labels_of_nothing_are_told(people):
    with pytest.raises(NotFoundError, match="no sample"):
        people.review.estimate()
    labels = pl.DataFrame({"record_id_l": ["1"], "record_id_r": ["2"], "decision": ["same"]})
    with pytest.raises(NotFoundError, match="no sample"):
        people.review.label(labels)
    people.review.sample(5, "x")
    with pytest.raises(InputError, match="no label"):
        people.review.label(labels.with_columns(record_id_r=pl.lit("5")))


def test_groups_are_linked_and_not_merged(stocked):
    households = stocked.export("households")
    assert households.height > 10
    assert households.columns == [
        "entity", "group_kind", "group_id", "entity_id", "record_id", "source", "source_key",
    ]  # fmt: skip
    several = households.group_by("group_id").agg(pl.col("entity_id").n_unique())
    assert several["entity_id"].min() > 1
    kinds = set(stocked.export("groups")["group_kind"])
    assert "household" in kinds
