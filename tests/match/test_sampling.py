"""What labels of some pairs say of all."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.match.sampling import Stratum, draw, estimated, shared_out, strata_of


def population(seed, count=4_000):
    """Pairs that are the same as often as their weight says, and whether they are."""
    generator = np.random.default_rng(seed)
    weight = generator.uniform(-6, 20, count)
    same = generator.random(count) < 1 / (1 + 2.0**-weight)
    return pl.DataFrame(
        {
            "record_id_l": np.arange(count),
            "record_id_r": np.arange(count) + count,
            "match_weight": np.where(generator.random(count) < 0.05, np.nan, weight),
            "joined": weight >= 0,
            "same": same,
        }
    ).with_columns(pl.col("match_weight").fill_nan(None))


def labelled(pairs, size, seed):
    """The estimate of a sample of `pairs` that was labelled without a fault."""
    drawn, strata = draw(pairs.drop("same"), size, seed=seed)
    told = drawn.join(pairs, on=["record_id_l", "record_id_r"])
    counts = {number: rows for (number,), rows in told.group_by("stratum")}
    full = [
        Stratum(
            one.joined,
            one.at_least,
            one.below,
            one.pairs,
            counts[number].height if number in counts else 0,
            int(counts[number]["same"].sum()) if number in counts else 0,
        )
        for number, one in enumerate(strata)
    ]
    return estimated(full, drawn.height)


def test_the_limits_hold_the_truth_about_as_often_as_they_say():
    within = 0
    for seed in range(60):
        pairs = population(seed)
        told = labelled(pairs, 150, seed)
        precision = pairs.filter("joined")["same"].mean()
        recall = pairs.filter("same")["joined"].mean()
        within += told.precision.low <= precision <= told.precision.high
        within += told.recall.low <= recall <= told.recall.high
    assert within >= 108  # 114 are to be expected of limits that are exact


def test_a_sample_of_everything_is_the_truth():
    pairs = population(3, 300)
    told = labelled(pairs, 10_000, 1)
    assert told.precision.estimate == pytest.approx(pairs.filter("joined")["same"].mean())
    assert told.precision.low == told.precision.estimate == told.precision.high
    assert told.labelled == 300


def test_the_same_seed_draws_the_same_pairs_whatever_their_order():
    pairs = population(5, 500).drop("same")
    one, _ = draw(pairs, 40, seed=9)
    other, _ = draw(pairs.sample(fraction=1, shuffle=True, seed=2), 40, seed=9)
    assert one.equals(other)
    assert one.height == 40
    assert one.unique(["record_id_l", "record_id_r"]).height == 40


@given(
    st.integers(0, 400),
    st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), min_size=1, max_size=8),
)
def test_draws_are_shared_out_wholly_and_never_beyond_what_there_is(size, strata):
    pairs, chances = zip(*strata, strict=True)
    drawn = shared_out(size, pairs, chances)
    assert all(0 <= number <= count for number, count in zip(drawn, pairs, strict=True))
    assert all(number >= min(count, 5) for number, count in zip(drawn, pairs, strict=True))
    least = sum(min(count, 5) for count in pairs)
    assert sum(drawn) == max(min(size, sum(pairs)), least)


def test_every_pair_is_in_the_stratum_of_its_weight():
    pairs = population(1, 400)
    placed = strata_of(pairs)
    for row in placed.iter_rows(named=True):
        if row["match_weight"] is None:
            assert row["at_least"] is None
        else:
            assert row["at_least"] <= row["match_weight"] < row["below"]
    assert placed.group_by("stratum").agg(pl.col("joined").n_unique())["joined"].max() == 1


def test_without_labels_nothing_is_said():
    told = estimated([Stratum(True, 0.0, 4.0, 50), Stratum(False, -6.0, 0.0, 9)], 10)
    assert told.precision.estimate is None
    assert told.recall.high is None
