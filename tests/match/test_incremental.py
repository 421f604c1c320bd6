"""Matching what changed gives what matching everything gives."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm_quality.match import match_changes, match_records

PAIR = ["record_id_l", "record_id_r"]
NOBODY = pl.DataFrame(schema={"record_id": pl.Int64})


@pytest.fixture(scope="module")
def some(contacts):
    return contacts.head(1500)


@pytest.fixture(scope="module")
def tight(model):
    """The model with blocks cut so small that a few records more change what is compared."""
    caps = {key: 3 if key.endswith(" + name") else 6 for key in model.caps}
    return replace(model, caps=caps)


@pytest.fixture(scope="module")
def alone(some, contact, model):
    """What matching some contacts gives."""
    return match_records(some, contact, model=model)


@pytest.fixture(scope="module")
def whole(some, contact, tight):
    """What matching them gives where blocks are small."""
    return match_records(some, contact, model=tight, keep_state=True)


def near(pairs: pl.DataFrame) -> pl.DataFrame:
    found = pairs.filter(pl.col("match_weight") >= -6)
    return found.select(*PAIR, "match_weight").sort(PAIR)


class Known:
    """What is known after some records were matched, one change after the other."""

    def __init__(self, result, contact):
        self.contact, self.model = contact, result.model
        self.state, self.clusters, self.pairs = result.state, result.clusters, near(result.pairs)

    def change(self, changed, gone=NOBODY, decisions=None):
        result = match_changes(
            self.state, changed, gone, self.pairs, self.clusters, self.contact, self.model,
            decisions=decisions,
        )  # fmt: skip
        redone = result.redone["record_id"].implode()
        left = self.pairs.filter(~pl.col(PAIR[0]).is_in(redone), ~pl.col(PAIR[1]).is_in(redone))
        self.pairs = pl.concat([left, near(result.pairs)]).sort(PAIR)
        self.state, self.clusters = result.state, result.clusters


def same_partition(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.sort("record_id").equals(other.sort("record_id"))


# smaller examples would take minutes to find, and are no easier to read
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.mark.capability(75)
# An example takes seconds and holds hundreds of records, each of which comes, changes or goes in
# blocks of six and less: a few examples reach what many would.
@settings(
    max_examples=4, phases=UNSHRUNK, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_split_and_order_of_the_same_records_ends_in_the_same_partition(
    some, contact, tight, whole, data
):
    # the first part is of more records than are all compared with each other
    shuffled = some.sample(
        fraction=1, shuffle=True, seed=data.draw(st.integers(0, 2**32), label="order")
    )
    cuts = data.draw(st.sets(st.integers(1050, 1499), min_size=1, max_size=4), label="cuts")
    places = [0, *sorted(cuts), some.height]
    parts = [shuffled[start:end] for start, end in pairwise(places)]
    first = match_records(parts[0], contact, model=tight, keep_state=True)
    known = Known(first, contact)
    for part in parts[1:]:
        known.change(part)
    assert same_partition(known.clusters, whole.clusters)
    assert known.pairs.equals(near(whole.pairs))


@settings(
    max_examples=5, phases=UNSHRUNK, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_records_that_change_or_go_leave_what_would_be_without_their_past(
    some, contact, tight, whole, data
):
    ids = some["record_id"].to_list()
    going = data.draw(st.lists(st.sampled_from(ids), max_size=60, unique=True), label="going")
    stays = [i for i in ids if i not in going]
    changing = data.draw(st.lists(st.sampled_from(stays), max_size=60, unique=True), label="change")
    others = some.filter(pl.col("record_id").is_in(changing)).sort("record_id")
    # each takes what another one says of itself
    shuffled = others.with_columns(
        pl.col("record_id").shift(1, fill_value=others["record_id"].last() if changing else None)
    )
    known = Known(whole, contact)
    known.change(shuffled, pl.DataFrame({"record_id": going}, schema={"record_id": pl.Int64}))
    now = pl.concat([some.filter(~pl.col("record_id").is_in([*going, *changing])), shuffled])
    after = match_records(now, contact, model=tight)
    assert same_partition(known.clusters, after.clusters)
    assert known.pairs.equals(near(after.pairs))


def test_a_decision_is_applied_and_taken_back_without_any_record_changing(
    some, contact, tight, whole
):
    known = Known(whole, contact)
    before = known.clusters
    joined = before.filter(pl.len().over("cluster_id") == 2).sort("cluster_id", "record_id")
    left, right = joined["record_id"][0], joined["record_id"][1]
    verdict = {PAIR[0]: [left], PAIR[1]: [right], "verdict": ["different"]}
    decision = pl.DataFrame(verdict)
    known.change(some.clear(), decisions=decision)
    decided = match_records(some, contact, model=tight, decisions=decision)
    assert same_partition(known.clusters, decided.clusters)
    assert not same_partition(known.clusters, before)
    taken_back = decision.with_columns(verdict=pl.lit("withdrawn"))
    known.change(some.clear(), decisions=taken_back)
    assert same_partition(known.clusters, before)


def test_only_what_a_change_reaches_is_compared(some, contact, model, alone):
    first = match_records(some.head(1490), contact, model=model, keep_state=True)
    known = Known(first, contact)
    result = match_changes(
        known.state, some.tail(10), NOBODY, known.pairs, known.clusters, contact, model
    )
    assert result.compared < alone.report["candidate_pairs"] / 20
    assert same_partition(result.clusters, alone.clusters)


def test_junk_changes_no_other_cluster(some, contact, model, alone):
    junk = pl.DataFrame(
        {
            "record_id": range(10_001, 10_016),
            "first_name": "Test",
            "last_name": "Test",
            "email": "test@test.com",
            "phone": "000",
        }
    )
    mixed = pl.concat([some, junk], how="diagonal")
    among = match_records(mixed, contact, model=model).clusters
    assert same_partition(alone.clusters, among.join(junk, on="record_id", how="anti"))
    homes = among.join(junk, on="record_id", how="semi")["cluster_id"]
    assert homes.is_in(junk["record_id"].implode()).all()


def test_a_placeholder_that_everybody_shares_joins_nobody(some, contact, model, alone):
    shared = {"phone": "+4930000000", "email": "info@booking.example"}
    lone = some.sample(fraction=0.01, seed=7)
    changed = some.with_columns(
        pl.when(pl.col("record_id").is_in(lone["record_id"].implode()))
        .then(pl.lit(value))
        .otherwise(pl.col(name))
        .alias(name)
        for name, value in shared.items()
    )
    among = match_records(changed, contact, model=model).clusters
    before = alone.clusters
    concerned = before.join(lone, on="record_id", how="semi")["cluster_id"]
    others = before.filter(~pl.col("cluster_id").is_in(concerned.implode()))
    assert same_partition(others, among.join(others, on="record_id", how="semi"))
