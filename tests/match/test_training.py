"""What training may and may not conclude, whatever the records show."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from match_cases import COMPANY, CONTACT, GIVEN, SURNAMES, customers, firms, strangers

from crm_quality import default_rules, standardise
from crm_quality.match import MatchModel, match_records
from crm_quality.match.comparisons import OF_ROLE
from crm_quality.match.random_pairs import RandomAgreement
from crm_quality.match.relations import in_order, train

MATCHING = CONTACT.matching
BY_NAME = {comparison.name: comparison for comparison in OF_ROLE.values()}
COMPARED = [BY_NAME[name] for name in ("given_name", "surname", "email", "phone", "address")]


def by_chance(records):
    """Random pairs of which hardly any agrees."""
    u = {}
    for comparison in COMPARED:
        shares = np.where(np.array(comparison.agrees()) == 0, 1.0, 1e-4)
        u[comparison.name] = np.tile(shares / shares.sum(), (3, 1))
    return RandomAgreement(u, np.array([records * (records - 1) / 2, 0.0, 0.0]))


@st.composite
def vectors(draw):
    """Comparison vectors and how often each was seen."""
    vector = st.tuples(*(st.integers(-1, len(c.levels) - 1) for c in COMPARED))
    listed = draw(st.lists(vector, min_size=1, max_size=30, unique=True))
    counts = draw(st.lists(st.integers(1, 10_000), min_size=len(listed), max_size=len(listed)))
    return np.array(listed, dtype=np.int8), np.array(counts, dtype=float)


@settings(max_examples=40)
@given(vectors(), st.integers(50, 50_000))
def test_probabilities_are_probabilities_and_bounds_hold(seen, records):
    gammas, counts = seen
    mixture = train(gammas, counts, COMPARED, by_chance(records), MATCHING)
    for comparison in COMPARED:
        table = mixture.comparisons[comparison.name]
        assert np.all(table >= 0)
        assert np.allclose(table.sum(axis=2), 1)
        bound = MATCHING.bounds.get(comparison.name)
        if bound is not None:
            held = [name in bound.levels for name in comparison.names()]
            assert table[0][:, held].sum(axis=1).max() <= bound.at_most + 1e-9


shares = st.lists(st.floats(0.001, 1), min_size=16, max_size=16).map(np.array)


@given(shares, shares, st.sampled_from([BY_NAME["company"], BY_NAME["surname"]]))
def test_a_level_that_is_weaker_by_definition_never_proves_more(same, chance, comparison):
    same, chance = (one[: len(comparison.levels)] for one in (same, chance))
    same, chance = same / same.sum(), chance / chance.sum()
    held = in_order(same, chance, comparison)
    places = [comparison.names().index(name) for name in comparison.weakening]
    ratios = (held / chance)[places]
    assert np.all(np.diff(ratios) <= 1e-9)
    assert held.sum() == pytest.approx(1)
    # what is in order already stays as it is
    assert in_order(held, chance, comparison) == pytest.approx(held)
    others = np.delete(np.arange(len(held)), places)
    assert np.array_equal(held[others], same[others])


@settings(max_examples=40)
@given(vectors(), st.integers(50, 50_000))
def test_a_relation_departs_from_chance_only_where_it_may(seen, records):
    gammas, counts = seen
    random = by_chance(records)
    mixture = train(gammas, counts, COMPARED, random, MATCHING)
    for row, relation in enumerate(MATCHING.relations.values(), 1):
        for comparison in COMPARED:
            if comparison.name not in {*relation.shares, *relation.agrees}:
                assert np.allclose(
                    mixture.comparisons[comparison.name][row], random.u[comparison.name]
                )


@settings(max_examples=40)
@given(vectors(), st.integers(50, 50_000))
def test_no_relation_has_more_pairs_than_were_seen(seen, records):
    gammas, counts = seen
    mixture = train(gammas, counts, COMPARED, by_chance(records), MATCHING)
    assert mixture.counts[:-1].sum() <= counts.sum() + 1e-6
    assert mixture.counts[-1] == records * (records - 1) / 2


def generated(people, entity=CONTACT):
    """Records of people, each with two, the second without a telephone."""
    rows = []
    for n in range(people):
        first, last = GIVEN[n % 14], SURNAMES[n // 14 % 14] + "aeiouy"[n // 196 % 6]
        person = {
            "first_name": first,
            "last_name": last,
            "email": f"{last}.{n * 7919 % 10_007}@mail.example".lower(),
            "phone": f"+4420{70_000_000 + n * 7919 % 9_999_999}",
            "city": ("Leeds", "York", "Derby", "Luton")[n * 7 % 4],
        }
        rows += [person, {**person, "phone": None}]
    raw = pl.DataFrame(rows).with_columns(
        source=pl.lit("crm"), source_key=pl.int_range(pl.len()).cast(pl.String)
    )
    return standardise(raw, entity).with_columns(
        record_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )


def test_a_model_is_learnt_from_enough_records_and_says_so():
    result = match_records(generated(1_050), CONTACT)
    assert result.model.origin == "trained"
    assert result.model.records == 2_100
    counts = dict(zip(result.model.mixture.classes, result.model.mixture.counts, strict=True))
    assert counts["same_person"] == pytest.approx(1_050, rel=0.05)
    sizes = result.clusters.group_by("cluster_id").len()["len"]
    assert sizes.to_list() == [2] * 1_050


def test_few_records_are_scored_under_the_shipped_model_fitted_to_them():
    result = match_records(generated(60), CONTACT)
    assert result.model.origin == "prior"
    assert "120 records are few" in result.model.why
    assert result.clusters["cluster_id"].n_unique() == 60


def test_a_model_read_back_from_its_json_scores_alike():
    records = generated(60)
    first = match_records(records, CONTACT)
    again = match_records(records, CONTACT, model=MatchModel.from_json(first.model.to_json()))
    # Splink's own weight knows what the same show only where a model does
    assert again.pairs.drop("splink_weight").equals(first.pairs.drop("splink_weight"))
    assert again.clusters.equals(first.clusters)


def test_names_alone_are_matched_under_the_shipped_model():
    names = [{"name": name} for name in ("Quandetec GmbH", "Quandetek GmbH", "Alrozon Dental")]
    listed = [{"name": firm["name"]} for firm in firms()]
    assert customers(*names, entity=COMPANY, others=listed) == [0, 0, 2]


def test_without_a_shipped_model_of_its_relations_a_definition_learns_from_the_records_alone():
    rules = default_rules().entity("contact")
    fewer = {name: rules.matching.relations[name] for name in ("relatives", "namesakes")}
    own = rules.model_copy(
        update={"matching": rules.matching.model_copy(update={"relations": fewer})}
    )
    result = match_records(generated(60, own), own)
    assert result.clusters["cluster_id"].n_unique() == 60
    assert result.model.mixture.classes == ("same_person", "relatives", "namesakes", "unrelated")


def test_two_records_of_strangers_stay_two():
    ann, bob = strangers(2)
    assert customers(ann, bob, others=[]) == [0, 1]


def test_surnames_are_compared_where_no_record_has_a_given_name():
    rows = generated(60).drop("first_name")
    result = match_records(rows, CONTACT)
    assert "gamma_surname" in result.pairs.columns
    told = result.pairs.filter(pl.col("match_weight") >= 0)["gamma_surname"]
    assert (told > 0).mean() > 0.9
