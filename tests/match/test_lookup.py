"""One record against all others scores as it does in the batch."""

from contextlib import closing
from importlib.resources import files

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality import default_rules
from crm_quality.duck import connect
from crm_quality.match import MatchModel
from crm_quality.match.block_index import BlockIndex, key_values, shared_blocks
from crm_quality.match.comparisons import OF_ROLE, comparisons
from crm_quality.match.evidence import evidence
from crm_quality.match.feature_maker import FeatureMaker
from crm_quality.match.features import features, fields_at_hand
from crm_quality.match.frequency import with_frequencies, with_regions_by_name
from crm_quality.match.keys import usable_keys
from crm_quality.match.lookup import MatchIndex
from crm_quality.match.scoring import pair_vectors
from crm_quality.match.splink_run import SplinkRun
from crm_quality.match.vectors import vectors
from crm_quality.store.landing import current_records
from crm_quality.store.matching import model_in_use

CONTACT = default_rules().entity("contact")
SHIPPED = MatchModel.from_json(
    (files("crm_quality.match") / "priors" / "contact.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def stock(stocked):
    """Records, model and scored pairs of the generated store."""
    with stocked.store() as store:
        records = current_records(store, "contact")
        model = MatchModel.from_json(model_in_use(store, "contact"))
        pairs = store.frame("SELECT record_id_l, record_id_r, match_weight FROM matching.pair")
    return records, model, pairs


def test_stored_pairs_weigh_as_they_did_in_the_batch(stock):
    records, model, pairs = stock
    index = MatchIndex(records, CONTACT, model)
    made = index.features(records)
    place = {int(number): at for at, number in enumerate(index.ids)}
    by_later = pairs.group_by("record_id_r").all()
    most = by_later.sort(pl.col("record_id_l").list.len(), "record_id_r").tail(80)
    for later, earlier, weights in most.iter_rows():
        at = place[later]
        scored = index.score(made[at : at + 1], np.array([place[one] for one in earlier]))
        assert np.abs(scored.weight - np.array(weights)).max() < 1e-9
    index.close()


def test_ten_thousand_pairs_have_the_vectors_that_the_sql_of_the_batch_gives(stock):
    records, model, _ = stock
    index = MatchIndex(records, CONTACT, model)
    made = index.features(records)
    connection = connect()
    connection.register("features", made.to_arrow())
    earlier = np.arange(0, records.height, 10)
    later = np.arange(3, records.height, 62)
    asked = pl.DataFrame(
        {
            "left_id": np.tile(index.ids[earlier], len(later)),
            "right_id": np.repeat(index.ids[later], len(earlier)),
        }
    )
    assert asked.height > 10_000
    wanted = asked.join(
        vectors(connection, index.comparisons, asked),
        on=["left_id", "right_id"],
        maintain_order="left",
    ).select(c.gamma for c in index.comparisons)
    found = [index.score(made[at : at + 1], earlier).gammas for at in later]
    assert (np.concatenate(found) == wanted.to_numpy()).all()
    connection.unregister("features")
    connection.close()
    index.close()


def test_splink_and_its_sql_alone_give_the_same_vectors_and_the_same_weight(stock):
    records, model, pairs = stock
    with closing(MatchIndex(records, CONTACT, model)) as index:
        splink = SplinkRun(index.features(records), index.comparisons)
        placed = pairs.select(
            pl.Series("left", index.ids).search_sorted(pairs["record_id_l"]).alias("left"),
            pl.Series("right", index.ids).search_sorted(pairs["record_id_r"]).alias("right"),
        )
        both = [
            pair_vectors(splink, placed, index.ids, model.random, model, few=few)
            for few in (0, placed.height)
        ]
        splink.close()
    by_splink, plain = (
        one.select("left", "right", *(c.gamma for c in index.comparisons), "splink_weight")
        for one in both
    )
    assert by_splink.drop("splink_weight").equals(plain.drop("splink_weight"))
    # where two levels of a comparison would weigh the same, Splink is given a hair of difference
    assert (by_splink["splink_weight"] - plain["splink_weight"]).abs().max() < 0.02


def test_a_record_finds_those_that_a_batch_joined_it_to(stock):
    records, model, pairs = stock
    index = MatchIndex(records, CONTACT, model)
    place = {int(number): at for at, number in enumerate(index.ids)}
    joined = pairs.filter(pl.col("match_weight") >= 0).sort("record_id_l", "record_id_r")[:60]
    for earlier, later, _ in joined.iter_rows():
        row = records[place[later] : place[later] + 1]
        assert place[earlier] in index.candidates(index.features(row))
    index.close()


def _of_all(records, model):
    fields = model.fields or fields_at_hand(records, CONTACT)
    made = with_regions_by_name(features(records, CONTACT, fields), model.terms)
    return with_frequencies(made, model.terms)


def test_features_of_some_records_are_those_they_have_among_all(stock):
    records, model, _ = stock
    maker = FeatureMaker.of_model(CONTACT, model.terms, model.fields)
    among_all = _of_all(records, model)
    for some in (records[:700], records[1200:1201], records[77:79]):
        wanted = among_all.filter(pl.col("id").is_in(some["record_id"].implode()))
        assert maker.of(some).equals(wanted.select(*maker.schema))


TEXT = st.one_of(st.none(), st.text(alphabet="anABé- .'@1ß李", max_size=8))
NAMES = st.one_of(st.none(), st.sampled_from(["Ann", "Bob", "Robert", "Leclerc", "O'Neil", "Юлия"]))
MAIL = st.one_of(
    st.none(), st.sampled_from(["ann.leclerc@x.com", "info@acme.fr", "bobo1234@gmail.com"])
)
PHONE = st.one_of(st.none(), st.sampled_from(["+4740612345", "+14155550100", "+33170189900"]))
ROW = st.fixed_dictionaries(
    {
        "first_name": NAMES | TEXT,
        "last_name": NAMES | TEXT,
        "email": MAIL,
        "other_emails": st.one_of(st.none(), st.lists(MAIL.filter(bool), max_size=2)),
        "mobile": PHONE,
        "phone": PHONE,
        "company_name": TEXT,
        "street": TEXT,
        "postcode": TEXT,
        "city": TEXT,
        "country": st.sampled_from([None, "NO", "US"]),
    }
)
SCHEMA = {
    name: pl.List(pl.String) if name == "other_emails" else pl.String
    for name in (
        "first_name", "last_name", "email", "other_emails", "mobile", "phone", "company_name",
        "street", "postcode", "city", "country",
    )
}  # fmt: skip


# what a record looks like counts, not how many there are: all rows of a file are asked for
@given(st.lists(ROW, min_size=2, max_size=6))
@settings(max_examples=15)
def test_features_of_a_record_do_not_depend_on_the_records_beside_it(rows):
    model = SHIPPED
    numbered = pl.DataFrame(rows, schema=SCHEMA).with_columns(
        record_id=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    maker = FeatureMaker.of_model(CONTACT, model.terms, fields_at_hand(numbered, CONTACT))
    wanted = _of_all(numbered, model)
    for at in range(numbered.height):
        made = maker.of(numbered[at : at + 1])
        assert made.equals(wanted[at : at + 1].select(made.columns))


def test_keys_of_one_record_are_those_of_a_batch(stock):
    records, model, _ = stock
    made = _of_all(records[:60], model)
    keys = usable_keys("contact", made.columns)
    batch = {
        (key.name, int(position), value)
        for key in keys
        for position, value in key.values(made).iter_rows()
    }
    one_by_one = {
        (key, at, value)
        for at in range(made.height)
        for key, values in key_values(made[at : at + 1], keys).items()
        for value in values
    }
    assert one_by_one == batch


def test_records_in_a_block_that_is_too_large_are_found_with_the_name():
    count = 3_000
    made = pl.DataFrame(
        {
            "surname": ["smith"] * count,
            "surname_s": ["sn"] * count,
            "given_s": [f"g{number % 1500}" for number in range(count)],
        }
    )
    keys = usable_keys("contact", ["surname"])
    index = BlockIndex(made, keys)
    assert index.candidates(made[7:8], 100).tolist() == [7, 1507]
    stranger = made[7:8].with_columns(given_s=pl.lit("nobody"))
    assert index.candidates(stranger, 100).tolist() == []


def test_the_blocks_that_two_records_share_are_named(stock):
    records, model, _ = stock
    both = pl.concat([records[:1], records[:1].with_columns(last_name=pl.lit("Zyzzyva"))])
    made = _of_all(both, model)
    keys = usable_keys("contact", made.columns)
    left, right = (key_values(made[at : at + 1], keys) for at in (0, 1))
    shared = {block.key for block in shared_blocks(left, right)}
    assert "surname" not in shared
    assert {key for key, values in left.items() if values == right.get(key)} <= shared


@given(st.data())
@settings(max_examples=80)
def test_the_parts_of_a_weight_sum_up_to_it(data):
    model = SHIPPED
    every_column = {column for one in OF_ROLE.values() for column in one.needs}
    compared = model.check("contact", comparisons(CONTACT, every_column))
    vector = [data.draw(st.integers(-1, len(c.levels) - 1)) for c in compared]
    told = evidence(np.array([vector], dtype=np.int8), compared, model)[0]
    assert told.prior + sum(part.weight for part in told.parts) + told.remainder == pytest.approx(
        told.weight, abs=1e-9
    )
    assert sum(told.relations.values()) == pytest.approx(1)
    assert told.relations["same_person"] == pytest.approx(told.probability)
    region = next(at for at, c in enumerate(compared) if c.name == "region")
    if vector[region] >= 0:
        assert told.remainder <= 1e-6  # weights are told to a millionth
