"""The store against labels."""

import polars as pl
import pytest

from crm_quality.errors import InputError

PEOPLE = pl.DataFrame(
    {
        "source": ["crm"] * 4,
        "source_key": ["1", "2", "3", "4"],
        "first_name": ["Ann", "Ann", "Bob", "Cleo"],
        "last_name": ["Leclerc", "Leclerc", "Okafor", "Tan"],
        "email": ["ann@nordlicht.example", "ann@nordlicht.example", "b@quay.example", None],
    }
)


@pytest.fixture
def people(project):
    project.run(PEOPLE)
    return project


def pairs(*rows):
    return pl.DataFrame(
        [(str(left), str(right), label) for left, right, label in rows],
        schema=["record_id_l", "record_id_r", "label"],
        orient="row",
    )


@pytest.mark.capability(63)
def test_labelled_pairs_give_precision_and_recall_with_limits(people):
    told = people.evaluation(pairs((1, 2, "same"), (3, 4, "1"), (1, 3, "No"), (2, 3, None)))
    assert told.kind == "pairs"
    assert told.scores["precision"] == 1
    assert told.scores["recall"] == 0.5
    assert 0 < told.scores["recall_low"] < 0.5 < told.scores["recall_high"] < 1
    assert told.wrong.select("fault", "record_id_l", "record_id_r").rows() == [("missed", 3, 4)]
    assert told.wrong["last_name_r"].to_list() == ["Tan"]


def test_pairs_may_be_named_by_their_keys(people):
    keys = {"source_l": "crm", "source_r": "crm"}
    told = people.evaluation(
        pl.DataFrame(
            [
                {**keys, "source_key_l": "2", "source_key_r": "1", "is_match": "true"},
                {**keys, "source_key_l": "2", "source_key_r": "77", "is_match": "true"},
            ]
        )
    )
    assert told.scores["f1"] == 1
    assert told.scores["unknown_pairs"] == 1


def test_pairs_without_a_usable_label_are_told(people):
    with pytest.raises(InputError, match="row 2: 'perhaps'"):
        people.evaluation(pairs((1, 2, "perhaps")))
    with pytest.raises(InputError, match="--label COLUMN"):
        people.evaluation(pairs((1, 2, "same")).rename({"label": "opinion"}))
    with pytest.raises(InputError, match="none of the labelled pairs"):
        people.evaluation(pairs((1, 99, "same")))


def test_the_curve_falls_in_recall_and_holds_the_wrong_pairs(stocked, generated):
    told = stocked.evaluation(generated / "truth.csv")
    assert told.scores == stocked.evaluate(generated / "truth.csv")
    assert told.curve["recall"].is_sorted(descending=True)
    assert told.curve["pairs"].is_sorted(descending=True)
    at_zero = told.curve.row(by_predicate=pl.col("weight") == 0, named=True)
    assert at_zero["f1"] > 0.9
    truth = pl.read_csv(generated / "truth.csv", infer_schema=False)
    who = stocked.crosswalk().join(truth, on=["source", "source_key"])
    person = dict(who.select("record_id", "person_id").iter_rows())
    home = dict(who.select("record_id", "entity_id").iter_rows())
    ids = list(person)
    wrong = {
        (left, right)
        for at, left in enumerate(ids)
        for right in ids[at + 1 :]
        if (person[left] == person[right]) != (home[left] == home[right])
    }
    assert set(told.wrong.select("record_id_l", "record_id_r").iter_rows()) == wrong
