"""A new match model, and what labels do to it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.errors import MatchError
from crm_quality.match.labels import LEAST_OF_EACH, misjudged, stretch, surprise


def customers(project):
    with project.store() as store:
        return store.frame("SELECT * FROM matching.membership ORDER BY ALL")


def models(project):
    with project.store() as store:
        return store.rows("SELECT origin, in_use FROM matching.model ORDER BY model_id")


def test_a_new_model_is_shown_first_and_changes_what_it_said(own_stock):
    before = customers(own_stock)
    told = own_stock.train()
    assert (told.origin, told.before, told.outcome) == ("trained", told.records, None)
    assert told.labels == {}
    assert customers(own_stock).equals(before)
    assert models(own_stock) == [("trained", True)]
    # the records are those that the model in use was learnt from
    assert told.merged.is_empty()
    assert told.split.is_empty()
    assert told.kept == told.customers == told.customers_after
    applied = own_stock.train(apply=True)
    assert models(own_stock) == [("trained", False), ("trained", True)]
    assert applied.outcome.summary.golden.total == told.customers
    assert (
        customers(own_stock)
        .select("record_id", "entity_id")
        .equals(before.select("record_id", "entity_id"))
    )


@pytest.mark.slow
def test_what_stewards_decide_is_learnt_from_where_it_helps(own_stock, generated):
    truth = pl.read_csv(generated / "truth.csv", infer_schema=False)
    with own_stock.store() as store:
        pairs = store.frame(
            "SELECT p.record_id_l, p.record_id_r, l.source AS sl, l.source_key AS kl,"
            " r.source AS sr, r.source_key AS kr FROM matching.pair p"
            " JOIN landing.record l ON l.record_id = p.record_id_l"
            " JOIN landing.record r ON r.record_id = p.record_id_r"
            " WHERE p.match_weight BETWEEN -6 AND 6 ORDER BY ALL"
        )
    who = truth.select("source", "source_key", "person_id")
    pairs = (
        pairs.join(who, left_on=["sl", "kl"], right_on=["source", "source_key"])
        .join(who, left_on=["sr", "kr"], right_on=["source", "source_key"], suffix="_r")
        .with_columns(same=pl.col("person_id") == pl.col("person_id_r"))
    )
    decided = pairs.select(
        "record_id_l",
        "record_id_r",
        pl.when("same").then(pl.lit("same")).otherwise(pl.lit("different")).alias("decision"),
        pl.lit("known").alias("reason"),
    )
    own_stock.review.decide_all(decided, apply=False)
    labels = own_stock.train(apply=True).labels
    assert labels["pairs"] >= decided.height
    if labels["used"]:
        assert labels["wrong_with"] <= labels["wrong_without"]
    with own_stock.store() as store:
        content = store.value("SELECT content FROM matching.model WHERE in_use")
    assert f'"used":{labels["used"]}' in content
    # a decision holds, whatever the model
    by = dict(customers(own_stock).select("record_id", "entity_id").iter_rows())
    for left, right, verdict, _ in decided.iter_rows():
        assert (by[left] == by[right]) is (verdict == "same")


def test_few_records_leave_no_model_to_put_in_use(project):
    frame = pl.DataFrame(
        {"source_key": ["1", "2"], "first_name": ["Ann", "Ann"], "last_name": ["Leclerc"] * 2}
    )
    project.run(frame, source="crm")
    told = project.train()
    assert told.origin == "prior"
    with pytest.raises(MatchError, match="no new model"):
        project.train(apply=True)
    assert models(project) == []


def test_an_empty_store_teaches_nothing(project):
    with pytest.raises(MatchError, match="no contact to learn from"):
        project.train()


labels = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=25)
@given(labels, st.floats(0.5, 2.0), st.floats(-2.0, 2.0))
def test_weights_that_are_too_sure_are_stretched_to_what_is_true(rng, slope, offset):
    weights = rng.uniform(-6, 6, 20_000)
    same = rng.random(20_000) < 1 / (1 + 2 ** -(slope * weights + offset))
    found = stretch(weights, same)
    assert found == pytest.approx((slope, offset), abs=0.3)
    after = found[0] * weights + found[1]
    assert surprise(after, same) <= surprise(weights, same) + 1e-3


def test_weights_that_are_far_too_sure_are_no_trouble():
    rng = np.random.default_rng(4)
    weights = rng.uniform(-30, 30, 2_000)
    slope, offset = stretch(weights, rng.random(2_000) < 0.5)
    assert slope < 0.4
    assert abs(offset) < 1


@given(labels, st.integers(0, LEAST_OF_EACH - 1))
def test_one_sided_labels_stretch_nothing(rng, few):
    same = np.array([True] * 50 + [False] * few)
    assert stretch(rng.uniform(-6, 6, len(same)), same) == (1.0, 0.0)


def test_what_is_misjudged_is_counted():
    assert misjudged(np.array([1.0, -1.0, 2.0]), np.array([True, True, False]), 0.0) == 2
