from __future__ import annotations

from datetime import UTC, date, datetime
from math import isclose

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.definitions import FieldType, default_rules, load_rules
from crm_quality.standardise import standardise
from crm_quality.validate import check_records, profile, suggested_definition
from crm_quality.validate.intervals import wilson


def _column(values, **kind) -> dict:
    return profile(pl.DataFrame({"x": pl.Series(values, **kind)})).columns.row(0, named=True)


def test_fill_distinct_lengths_and_ends_of_a_column():
    row = _column(["Ann", "Bo", " ", None, "Bo", ""])

    assert (row["records"], row["filled"], row["distinct"]) == (6, 3, 2)
    assert (row["shortest"], row["longest"]) == (2, 3)
    assert (row["least"], row["greatest"]) == ("Ann", "Bo")
    assert isclose(row["fill"], 0.5)
    assert row["fill_low"] < 0.5 < row["fill_high"]


@pytest.mark.parametrize(
    ("values", "is_key"),
    [(["a", "b", "c"], True), (["a", "b", "b"], False), (["a", "b", None], False), (["a"], False)],
)
def test_a_column_is_a_likely_key_when_each_row_has_a_value_of_its_own(values, is_key):
    assert _column(values)["is_key"] is is_key


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["ann@x.org", "b.c@y.co.uk", "d@z.de"], "email"),
        (["https://x.org/a", "x.org", "www.y.de"], "url"),
        (["x.org", "y.co.uk"], "domain"),
        (["+49 30 123456", "030/1234567", "(212) 555-0100"], "phone"),
        (["2024-01-31", "1.2.2024", "3 March 2024"], "date"),
        (["2024-01-31 10:00", "2024-01-31T10:00:00Z"], "datetime"),
        (["DE", "France", "Österreich", "USA"], "country"),
        (["yes", "No", "true"], "boolean"),
        (["1", "22", "-3"], "integer"),
        (["1.5", "2", "3,000.25"], "decimal"),
        (["Ann", "Bo", "Chloé"], "text"),
        ([], "text"),
    ],
)
def test_a_column_is_known_by_the_looks_of_its_values(values, kind):
    assert _column(values, dtype=pl.String)["type"] == kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "integer"),
        ([1.5, 2.0], "decimal"),
        ([True, False], "boolean"),
        ([date(2024, 1, 31)], "date"),
        ([datetime(2024, 1, 31, tzinfo=UTC)], "datetime"),
        ([["a"], ["b", "c"]], "text"),
    ],
)
def test_a_column_that_has_a_type_keeps_it(values, kind):
    assert _column(values)["type"] == kind


def test_a_type_needs_nine_of_ten_values():
    mostly = ["ann@x.org"] * 9 + ["none"]

    assert _column(mostly)["type"] == "email"
    assert _column([*mostly, "nothing"])["type"] == "text"


def test_patterns_draw_runs_together():
    shapes = profile(pl.DataFrame({"x": ["SW1A 1AA", "LS1 4AP", "Leeds", "12345"]})).patterns

    assert dict(shapes.select("value", "count").iter_rows()) == {
        "A9A 9A": 1,
        "A9 9A": 1,
        "Aa": 1,
        "9": 1,
    }


def test_the_most_frequent_values_come_first_with_their_share():
    values = profile(pl.DataFrame({"x": ["b", "a", "b", None]})).values

    assert values.rows() == [("x", "b", 2, 2 / 3), ("x", "a", 1, 1 / 3)]


def test_numbers_have_quantiles_of_value_and_texts_of_length():
    quantiles = profile(pl.DataFrame({"n": [1, 2, 3, 4, 100], "t": ["a", "bb", None, "", "x" * 9]}))

    median = quantiles.quantiles.filter(quantile=0.5)
    assert median.select("column", "of", "value").rows() == [
        ("n", "value", "3"),
        ("t", "length", "2"),
    ]


def test_a_table_without_rows_or_columns_has_a_profile():
    assert profile(pl.DataFrame({"x": []}, schema={"x": pl.String})).columns["fill"].to_list() == [
        0
    ]
    assert profile(pl.DataFrame()).columns.is_empty()


# Intervals


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_wilson_gives_the_published_intervals(successes, trials, low, high):
    found = wilson(successes, trials)

    assert found == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_wilson_interval_holds_the_share_and_is_its_own_mirror(counts):
    successes, trials = counts
    low, high = wilson(successes, trials)
    mirror_low, mirror_high = wilson(trials - successes, trials)

    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1
    assert low == pytest.approx(1 - mirror_high)
    assert high == pytest.approx(1 - mirror_low)


# Suggestions

GUESTS = pl.DataFrame(
    {
        "source": ["booking"] * 100,
        "Guest No.": [f"G{number:04}" for number in range(100)],
        "E-Mail": [f"guest{number}@mail.example.de" for number in range(90)] + [None] * 10,
        "Room": [
            "single",
            "double",
            "suite",
            "single",
            "double",
            "suite",
            "single",
            "double",
            "Single",
            "single",
        ]
        * 10,
        "Nights": [str(number % 7 + 1) for number in range(100)],
        "Note": [None] * 99 + ["late"],
        "last_name": [f"Weber{'x' * (number % 5)}" for number in range(100)],
    }
)


@pytest.fixture
def suggested(tmp_path):
    files = suggested_definition(profile(GUESTS), "guest", like=default_rules().entity("contact"))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_rules(tmp_path).entity("guest")


def test_a_suggested_definition_can_be_loaded_and_knows_the_types(suggested):
    types = {name: field.type for name, field in suggested.fields.items()}

    assert types == {
        "guest_no": FieldType.TEXT,
        "e_mail": FieldType.EMAIL,
        "room": FieldType.VOCABULARY,
        "nights": FieldType.INTEGER,
        "note": FieldType.TEXT,
        "last_name": FieldType.SURNAME,
    }
    assert set(suggested.vocabularies["room"].values) == {"single", "double", "suite"}


def test_what_every_record_had_is_required_and_the_rest_within_its_interval(suggested):
    required = {name for name, field in suggested.fields.items() if field.required}
    limits = {rule.field: rule.limits.pass_up_to for rule in suggested.rules}

    assert required == {"guest_no", "room", "nights", "last_name"}
    low, _ = wilson(90, 100)
    assert limits == {"e_mail": "17.5%"}
    assert 1 - low == pytest.approx(0.1744, abs=1e-4)


def test_keys_shapes_and_signs_become_checks(suggested):
    checks = {
        name: {check.check for check in field.checks}
        for name, field in suggested.fields.items()
        if field.checks
    }

    assert checks["guest_no"] == {"length", "pattern", "unique"}
    assert checks["nights"] == {"range"}


def test_sensitivity_and_meaning_come_from_a_field_of_the_same_name(suggested):
    assert suggested.fields["last_name"].personal
    assert suggested.fields["e_mail"].personal
    assert "Family name" in suggested.fields["last_name"].meaning


def test_the_data_that_were_profiled_pass_the_rules_that_they_suggest(suggested):
    raw = GUESTS.rename({"Guest No.": "guest_no", "E-Mail": "e_mail", "Room": "room",
                         "Nights": "nights", "Note": "note"})  # fmt: skip
    raw = raw.with_columns(pl.col("guest_no").alias("source_key"))

    checked = check_records(standardise(raw, suggested), suggested)

    ended = checked.checks.filter(~pl.col("status").is_in(["passed", "skipped"]))
    assert ended.rows() == []
