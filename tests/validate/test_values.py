from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import Vocabulary, default_rules
from crm_quality.validate.spelling_keys import (
    KEYS,
    cologne,
    daitch_mokotoff,
    fingerprint,
    ngram_fingerprint,
)
from crm_quality.validate.values import cluster_values, suggest_targets

LEAD_SOURCE = default_rules().vocabularies["lead_source"]


def _counted(*values: str) -> pl.DataFrame:
    """Values, the first the most frequent."""
    return pl.DataFrame({"value": values, "count": range(len(values), 0, -1)})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Google, Ads  google", "ads google"),
        ("Crème-Brûlée", "brulee creme"),
        ("--", ""),
    ],
)
def test_a_fingerprint_is_the_different_words_in_order(text, key):
    assert fingerprint(text) == key


def test_an_ngram_fingerprint_does_not_care_for_blanks():
    assert ngram_fingerprint("Trade Show") == ngram_fingerprint("tradeshow")


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("Müller-Lüdenscheidt", "657 52682"),
        ("Wikipedia", "3412"),
        ("Breschnew", "17863"),
        ("Heinz Classen", "068 4586"),
        ("Xaver", "4837"),
        ("Philipp", "351"),
        ("Maier", "67"),
        ("Meyer", "67"),
        ("东京", ""),
    ],
)
def test_cologne_phonetics_gives_the_published_codes(word, code):
    assert cologne(word) == code


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("Moskowitz", "645740"),
        ("Peterson", "739460"),
        ("Auerbach", "097500"),
        ("Uhrbach", "097500"),
        ("Alpert", "087930"),
        ("Breuer", "791900"),
        ("Haber", "579000"),
        ("Mannheim", "665600"),
        ("Mintz", "664000"),
        ("Topf", "370000"),
        ("Kleinman", "586660"),
        ("Trade Show", "393000 470000"),
        ("东京", ""),
    ],
)
def test_daitch_mokotoff_gives_the_published_codes(word, code):
    assert daitch_mokotoff(word) == code


@given(st.text(max_size=30))
def test_no_key_depends_on_case_or_outer_blanks(text):
    # letters whose capital is another letter (ŉ, ΐ) have no case to ignore
    plain = "".join(char for char in text if char.upper().lower() == char.lower())
    for make in KEYS.values():
        assert make(f" {plain.upper().lower()} ") == make(plain.lower())


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("fingerprint", ("Google Ads", "ads google", "GOOGLE ADS!")),
        ("ngram", ("Trade Show", "Tradeshow", "trade-show")),
        ("metaphone", ("Google Ads", "Gogle Adds")),
        ("cologne", ("Messe", "Mese")),
        ("daitch_mokotoff", ("Moskowitz", "Moskovitz")),
        ("nearest", ("Facebook Ads", "Facebok Ads", "Facebook Adz")),
    ],
)
def test_spellings_of_one_thing_are_one_cluster(method, values):
    counted = _counted(*values, "Pigeon post")

    clusters = cluster_values(counted, method=method)

    assert clusters["cluster"].unique().to_list() == [1]
    assert clusters["value"].to_list() == list(values)
    assert clusters["suggestion"].unique().to_list() == [values[0]]


def test_clusters_come_by_the_number_of_their_records():
    counted = pl.DataFrame({"value": ["a b", "b a", "c d", "d c", None], "count": [1, 1, 5, 1, 9]})

    clusters = cluster_values(counted)

    assert clusters.select("cluster", "value").rows() == [
        (1, "c d"),
        (1, "d c"),
        (2, "a b"),
        (2, "b a"),
    ]


def test_no_values_make_no_clusters():
    for method in (*KEYS, "nearest"):
        assert cluster_values(_counted().cast({"value": pl.String}), method=method).is_empty()


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("Google", "paid_search"),
        ("google ads", "paid_search"),
        ("PPC", "paid_search"),
        ("Paid Search", "paid_search"),
        ("AdWords", "paid_search"),
        ("Ads Google", "paid_search"),
        ("gogle ads", "paid_search"),
        ("Pade Search", "paid_search"),
        ("Empfelung", "referral"),
        ("Facebok ads", "paid_social"),
        ("carrier pigeon", None),
        ("!!", None),
    ],
)
def test_an_unknown_value_gets_the_value_it_probably_means(value, target):
    (row,) = suggest_targets(_counted(value), LEAD_SOURCE).iter_rows(named=True)

    assert row["suggestion"] == target


def _vocabulary(**values: list[str]) -> Vocabulary:
    return Vocabulary.model_validate({"vocabulary": "v", "values": values})


@pytest.mark.parametrize("method", KEYS)
def test_each_key_finds_a_meaning_by_itself(method):
    spelt = {
        "fingerprint": "search, paid",
        "ngram": "Bananana",
        "metaphone": "Pade Search",
        "cologne": "Paid Serch",
        "daitch_mokotoff": "Payd Search",
    }
    known = _vocabulary(paid=["Paid Search", "Banana"], other=["Trade Show"])

    (row,) = suggest_targets(_counted(spelt[method]), known, method=method).iter_rows(named=True)

    assert (row["suggestion"], row["method"]) == ("paid", method)


def test_a_word_that_only_one_value_has_tells_of_it_but_is_less_sure_than_a_likeness():
    known = _vocabulary(paid=["Google PPC", "Pay per click"], social=["Facebook"])

    found = suggest_targets(_counted("PPC", "Facebook Fanpage", "Facebok"), known)

    told = {row["value"]: row for row in found.iter_rows(named=True)}
    assert {value: row["suggestion"] for value, row in told.items()} == {
        "PPC": "paid",
        "Facebook Fanpage": "social",
        "Facebok": "social",
    }
    assert told["PPC"]["method"] == told["Facebook Fanpage"]["method"] == "words"
    assert max(told["PPC"]["score"], told["Facebook Fanpage"]["score"]) < 90
    assert told["Facebok"]["score"] > 90


def test_a_word_that_several_values_have_tells_of_none():
    known = _vocabulary(paid=["Google Ads"], organic=["Google Search"])

    assert suggest_targets(_counted("Google"), known)["suggestion"].to_list() == [None]


def test_other_digits_are_another_thing():
    known = _vocabulary(small=["1-10 people"], large=["501-1000 people"])

    found = suggest_targets(_counted("1-100 people", "501-1000 poeple"), known)

    assert dict(found.select("value", "suggestion").iter_rows()) == {
        "1-100 people": None,
        "501-1000 poeple": "large",
    }


def test_what_the_shipped_rules_know_is_suggested_where_the_project_has_the_value():
    known = _vocabulary(paid_search=[], elsewhere=[])

    found = suggest_targets(_counted("AdWords", "Messe"), known, shipped=LEAD_SOURCE)

    told = {row["value"]: (row["suggestion"], row["method"]) for row in found.to_dicts()}
    assert told == {"AdWords": ("paid_search", "shipped"), "Messe": (None, None)}


def test_members_of_a_cluster_get_one_suggestion():
    suggested = suggest_targets(_counted("gooogle  adz", "GOOOGLE-ADZ", "pigeon"), LEAD_SOURCE)

    together = suggested.filter(pl.col("value") != "pigeon")
    assert together["cluster"].n_unique() == 1
    assert together["suggestion"].unique().to_list() == ["paid_search"]


def test_accepted_values_are_not_asked_about():
    assert suggest_targets(_counted("paid_search"), LEAD_SOURCE).is_empty()


def test_the_counts_by_target_add_up_to_the_counts_before():
    counted = _counted("Google", "google ads", "PPC", "Paid Search", "pigeon", "Friend")

    suggested = suggest_targets(counted, LEAD_SOURCE)

    assert suggested["count"].sum() == counted["count"].sum()
