from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from crm_quality.audit.history import LEAST_RUNS, drifted


def series_of(rates, total):
    """One row per run of each of many rates: an array of rates x runs."""
    count, runs = rates.shape
    return pl.DataFrame(
        {
            "run_id": np.tile(np.arange(1, runs + 1), count),
            "field": np.repeat(np.arange(count).astype(str), runs),
            "source": [None] * rates.size,
            "metric": ["filled"] * rates.size,
            "value": rates.ravel() * total,
            "total": np.full(rates.size, float(total)),
        },
        schema_overrides={"source": pl.String},
    )


@pytest.mark.parametrize(("runs", "most"), [(LEAST_RUNS, 1 / 1000), (20, 1 / 10_000)])
def test_false_alarms_are_as_rare_as_is_said(runs, most):
    noise = np.random.default_rng(7)
    rates = noise.normal(0.7, 0.03, (40_000, runs + 1)).clip(0, 1)
    assert drifted(series_of(rates, 1_000_000)).height / 40_000 <= most


def test_a_small_sample_scatters_without_an_alarm():
    noise = np.random.default_rng(7)
    rates = noise.binomial(50, 0.9, (5_000, LEAST_RUNS + 1)) / 50
    assert drifted(series_of(rates, 50)).is_empty()


def test_a_fall_is_found_and_told_with_its_usual_rate():
    rates = np.full((1, LEAST_RUNS + 1), 0.8)
    rates[0, -1] = 0.6
    (found,) = drifted(series_of(rates, 10_000)).to_dicts()
    assert (found["usual"], found["now"], found["runs"]) == (0.8, 0.6, LEAST_RUNS)


def test_a_rate_that_never_moved_may_tick():
    rates = np.full((1, LEAST_RUNS + 1), 0.8)
    rates[0, -1] = 0.805
    assert drifted(series_of(rates, 1_000_000)).is_empty()


def test_with_a_short_history_nothing_is_unusual():
    rates = np.full((1, LEAST_RUNS), 0.8)
    rates[0, -1] = 0.1
    assert drifted(series_of(rates, 10_000)).is_empty()


def test_a_rate_without_a_latest_run_has_not_drifted():
    rates = np.full((1, LEAST_RUNS + 2), 0.8)
    gone = series_of(rates, 100).filter(pl.col("run_id") <= LEAST_RUNS)
    other = series_of(np.full((1, LEAST_RUNS + 2), 0.5), 100).with_columns(field=pl.lit("x"))
    assert drifted(pl.concat([gone, other])).is_empty()


@pytest.mark.capability(97)
def test_history_has_a_point_per_run_and_scores_tell_what_they_were_before(shop):
    shop.finish_run(date(2024, 6, 1))
    shop.put("g", last_name="New", customer="a")
    shop.derive().finish_run(date(2024, 6, 2))
    card = shop.contacts()
    assert [(p.run_id, p.records, p.golden, p.issues) for p in card.history] == [
        (1, 6, 3, 3),
        (2, 7, 3, 3),
    ]
    assert [p.duplicate_share for p in card.history] == [0.25, 0.4]
    uniqueness = next(d for d in card.dimensions if d.dimension == "uniqueness")
    assert (uniqueness.previous, uniqueness.score) == (75.0, 60.0)
    assert card.previous_score == pytest.approx(card.history[0].score)
    assert shop.card().runs == 2


def test_a_score_is_not_compared_with_a_mean_of_other_dimensions(shop):
    shop.finish_run()
    shop.finish_run()
    shop.connection.execute("DELETE FROM quality.metric WHERE metric = 'timeliness'").fetchall()
    assert shop.contacts().previous_score is None


def test_a_field_that_stops_being_filled_is_reported(shop):
    for _ in range(LEAST_RUNS + 1):
        shop.finish_run()
    assert shop.contacts().drift == ()
    for number in range(30):
        shop.put(f"n{number}", last_name="x")
    shop.derive().finish_run()
    found = {(d.field, d.source, d.metric) for d in shop.contacts().drift}
    assert ("email", "crm", "filled") in found
    assert ("last_name", "crm", "filled") not in found


def test_runs_that_changed_nothing_are_no_evidence(shop):
    for _ in range(LEAST_RUNS + 1):
        shop.finish_run(changed=False)
    for number in range(30):
        shop.put(f"n{number}", last_name="x")
    shop.derive().finish_run()
    assert shop.contacts().drift == ()
