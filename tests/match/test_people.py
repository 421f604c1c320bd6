"""Who is who among people, in files of a few dozen records."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from match_cases import CONTACT, GIVEN, customers, strangers

from crm_quality import standardise
from crm_quality.match import match_records

THOMAS = {
    "first_name": "Thomas",
    "last_name": "Brandt",
    "email": "thomas.brandt@gmx.example",
    "phone": "+49 221 1234567",
    "street": "Lindenallee 4",
    "postcode": "50667",
    "city": "Köln",
    "country": "DE",
}
SABINE = {**THOMAS, "first_name": "Sabine", "email": "sabine.brandt@web.example"}


@pytest.mark.capability(63)
@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": "Tom"},
        {"first_name": "T."},
        {"first_name": "Brandt", "last_name": "Thomas"},
        {"last_name": "Brant"},
        {"phone": None, "street": None, "postcode": None},
        {"email": "thomas.brandt@firma.example", "phone": None},
        {"email": None},
    ],
    ids=["nickname", "initial", "swapped names", "typo", "no address", "new mailbox", "no mailbox"],
)
def test_one_person_is_one_customer_however_the_record_is_written(changes):
    assert customers(THOMAS, {**THOMAS, **changes}) == [0, 0]


def test_husband_and_wife_are_two_though_they_share_surname_address_and_telephone():
    assert customers(THOMAS, SABINE) == [0, 1]


def test_husband_and_wife_are_two_though_they_share_a_mailbox_too():
    family = {"email": "familie.brandt@gmx.example"}
    assert customers({**THOMAS, **family}, {**SABINE, **family}) == [0, 1]


@pytest.mark.capability(63)
def test_a_household_does_not_chain_its_members_records():
    again = [{**THOMAS, "phone": None}, {**SABINE, "street": None}]
    assert customers(THOMAS, SABINE, *again) == [0, 1, 0, 1]


def test_father_and_son_of_one_name_are_told_apart_by_jr_and_sr():
    junior, senior = ({**THOMAS, "name_suffix": suffix} for suffix in ("Jr", "Sr"))
    assert customers(junior, senior) == [0, 1]


def test_father_and_son_of_one_name_are_told_apart_by_birth_date():
    dates = ("1950-02-11", "1984-09-30")
    mailboxes = ("thomas.brandt@gmx.example", "tbrandt84@web.example")
    pair = [
        {**THOMAS, "date_of_birth": date, "email": email}
        for date, email in zip(dates, mailboxes, strict=True)
    ]
    assert customers(*pair) == [0, 1]


@pytest.mark.capability(63)
def test_colleagues_behind_the_mailbox_and_switchboard_of_an_office_are_two():
    office = {
        "email": "info@quandetec.example",
        "company_name": "Quandetec GmbH",
        "phone": "+49 221 7654321",
    }
    thomas = {"first_name": "Thomas", "last_name": "Brandt", **office}
    jutta = {"first_name": "Jutta", "last_name": "Meister", **office}
    assert customers(thomas, jutta) == [0, 1]


def test_a_placeholder_joins_nobody():
    names = [("Thomas", "Brandt"), ("Jutta", "Meister"), ("Ole", "Strand")]
    typed = [
        {"first_name": first, "last_name": last, "email": "test@test.com", "phone": "0000000"}
        for first, last in names
    ]
    assert customers(*typed) == [0, 1, 2]


def test_people_of_one_name_in_two_towns_with_mailboxes_of_their_own_are_two():
    hamburg = {
        "first_name": "Anna",
        "last_name": "Schmidt",
        "email": "anna.schmidt1@gmx.example",
        "phone": "+49 40 5551234",
        "city": "Hamburg",
    }
    munich = {**hamburg, "email": "schmidt.a@web.example", "phone": "+49 89 4447788"}
    assert customers(hamburg, {**munich, "city": "München"}) == [0, 1]


def test_relatives_of_one_surname_alone_in_a_file_stay_apart():
    smiths = [
        {"first_name": name, "last_name": "Smith", "email": f"{name.lower()}.smith@mail.example"}
        for name in GIVEN
    ]
    assert len(set(customers(*smiths, others=[]))) == len(smiths)


@pytest.mark.parametrize("surname", ["Test", "Muster", "Surname{}"])
def test_thirty_people_told_apart_by_a_number_alone_are_thirty(surname):
    numbered = [
        {
            "first_name": f"Name{n}",
            "last_name": surname.format(n),
            "email": f"mail{n}@example.com",
        }
        for n in range(30)
    ]
    assert len(set(customers(*numbered, others=[]))) == 30


def test_equal_names_and_mailbox_join_and_another_given_name_does_not():
    ann = {"first_name": "Ann", "last_name": "Leclerc", "email": "ann@nordlicht.example"}
    assert customers(ann, ann, others=[]) == [0, 0]
    bob = {**ann, "first_name": "Bob", "email": "bob@nordlicht.example"}
    assert customers(ann, bob, others=[]) == [0, 1]
    assert customers(ann, bob) == [0, 1]


@given(
    st.sampled_from(["+49 30 5551234", None]),
    st.sampled_from(["Nordlicht GmbH", None]),
    st.sampled_from([[], None]),
)
@settings(max_examples=8)
def test_what_a_household_shares_proves_nobody(landline, company, others):
    known = {
        "last_name": "Leclerc",
        "street": "Hafenstraße 12",
        "city": "Bergen",
        "postcode": "5003",
        "phone": landline,
        "company_name": company,
    }
    ann = {"first_name": "Ann", **known}
    unknown = {**known, "phone": None}
    more = {} if others is None else {"others": others}
    assert customers(ann, unknown, **more) == [0, 1]


CASES = [THOMAS, {**THOMAS, "first_name": "Tom"}, SABINE, {**SABINE, "phone": None}, *strangers(12)]


@settings(max_examples=5)
@given(st.permutations(range(len(CASES))))
def test_who_is_who_does_not_depend_on_the_order_of_rows(order):
    found = customers(*(CASES[n] for n in order), others=[])
    partition = {frozenset(n for n, c in zip(order, found, strict=True) if c == k) for k in found}
    assert partition == {
        frozenset({0, 1}), frozenset({2, 3}), *(frozenset({n}) for n in range(4, len(CASES)))
    }  # fmt: skip


def matched(*rows, decisions=None):
    """Clusters of standardised records numbered from 1."""
    names = dict.fromkeys(name for row in rows for name in row)
    raw = pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String))
    keyed = raw.with_columns(
        source=pl.lit("crm"), source_key=pl.int_range(pl.len()).cast(pl.String)
    )
    records = standardise(keyed, CONTACT).with_columns(
        record_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )
    return match_records(records, CONTACT, decisions=decisions)


def verdicts(*listed):
    return pl.DataFrame(
        listed,
        schema={"record_id_l": pl.Int64, "record_id_r": pl.Int64, "verdict": pl.String},
        orient="row",
    )


def test_not_the_same_holds_though_both_are_the_same_as_a_third():
    rows = [THOMAS, {**THOMAS, "phone": None}, {**THOMAS, "street": None}, *strangers(12)]
    assert matched(*rows).clusters["cluster_id"].to_list()[:3] == [1, 1, 1]
    decided = matched(*rows, decisions=verdicts((1, 3, "different"), (1, 2, "same")))
    assert decided.clusters["cluster_id"].to_list()[:3] == [1, 1, 3]


def test_the_same_holds_though_nothing_agrees():
    rows = [THOMAS, *strangers(12)]
    decided = matched(*rows, decisions=verdicts((1, 5, "same")))
    assert decided.clusters["cluster_id"].to_list()[4] == 1


def test_a_household_is_a_group_of_customers_and_a_pair_says_what_it_is():
    result = matched(THOMAS, {**THOMAS, "phone": None}, SABINE, *strangers(12))
    of = {
        (row["record_id_l"], row["record_id_r"]): row["relation"]
        for row in result.pairs.iter_rows(named=True)
    }
    assert of[1, 2] == "same_person"
    assert of[1, 3] == "relatives"
    home = result.groups.filter(pl.col("group") == "household")
    assert home["record_id"].sort().to_list() == [1, 2, 3]
    assert home["group_id"].n_unique() == 1


def test_colleagues_whose_mailboxes_say_their_names_are_apart():
    jon = {
        "first_name": "Jon",
        "last_name": "Smith",
        "email": "jon.smith@acme.example",
        "phone": "+1 415 555 0100",
        "street": "1 Main St",
        "postcode": "94105",
        "city": "San Francisco",
        "country": "US",
        "company_name": "Acme Inc",
    }
    jane = {**jon, "first_name": "Jane", "email": "jane.smith@acme.example"}
    assert customers(jon, jane, {**jane, "street": None, "postcode": None}) == [0, 1, 1]
