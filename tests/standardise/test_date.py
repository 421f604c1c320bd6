from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.standardise.date import standardise_dates, standardise_datetimes


def moment(text: str, **options: object) -> tuple[object, ...]:
    read = standardise_datetimes(pl.Series([text]), pl.Series(["x"]), **options)
    return read.select("value", "note").row(0)


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("2024-03-15", 0, 0),
        ("2024-03-15 10:30:00", 10, 30),
        ("2024-03-15 10:30", 10, 30),
        ("2024-03-15T10:30:00Z", 10, 30),
        ("2024-03-15T10:30:00.000000Z", 10, 30),
        ("2024-03-15T12:30:00+02:00", 10, 30),
        ("2024/03/15", 0, 0),
        ("20240315", 0, 0),
        ("20240315T103000Z", 10, 30),
        ("15.03.2024", 0, 0),
        ("15.3.24 10.30", 10, 30),
        ("3/15/2024 2:30 PM", 14, 30),
        ("15/3/2024 12:30 am", 0, 30),
        ("15-Mar-2024", 0, 0),
        ("15. März 2024", 0, 0),
        ("15 de marzo de 2024", 0, 0),
        ("March 15th, 2024", 0, 0),
        ("Fri, 15 Mar 2024 10:30:00 GMT", 10, 30),
        ("1710498600", 10, 30),
        ("1710498600000", 10, 30),
        ("45366", 0, 0),
        ("45366.4375", 10, 30),
    ],
)
def test_moments_are_read_however_they_are_written(text: str, hour: int, minute: int) -> None:
    assert moment(text) == (datetime(2024, 3, 15, hour, minute, tzinfo=UTC), None)


@pytest.mark.parametrize(
    "text", ["rubbish", "2024-02-30", "31.02.2024", "2024-03-15 24:10:00", "5"]
)
def test_what_is_no_date_is_invalid(text: str) -> None:
    assert moment(text) == (None, "invalid")


@pytest.mark.parametrize(
    "text", ["1900-01-01", "0000-00-00", "00/00/0000", "9999-12-31", "1970-01-01 00:00:00"]
)
def test_stand_ins_for_no_date_are_placeholders(text: str) -> None:
    assert moment(text) == (None, "placeholder")


def test_day_and_month_that_could_be_exchanged_are_ambiguous() -> None:
    assert moment("3/4/2024") == (None, "ambiguous")
    assert moment("4/4/2024") == (datetime(2024, 4, 4, tzinfo=UTC), None)


def test_the_declared_order_decides() -> None:
    assert moment("3/4/2024", orders={"x": "dmy"})[0] == datetime(2024, 4, 3, tzinfo=UTC)
    assert moment("3/4/2024", orders={"x": "mdy"})[0] == datetime(2024, 3, 4, tzinfo=UTC)


def test_a_year_in_front_may_have_two_digits() -> None:
    assert moment("24-03-15", orders={"x": "ymd"})[0] == datetime(2024, 3, 15, tzinfo=UTC)
    assert moment("85-03-15")[0] == datetime(1985, 3, 15, tzinfo=UTC)


def test_other_values_of_the_same_source_decide() -> None:
    texts = pl.Series(["3/4/2024", "25/4/2024", "3/4/2024", "4/25/2024", "3/4/2024"])
    sources = pl.Series(["a", "a", "b", "b", "c"])
    read = standardise_dates(texts, sources)
    assert read["value"].to_list() == [
        date(2024, 4, 3),
        date(2024, 4, 25),
        date(2024, 3, 4),
        date(2024, 4, 25),
        None,
    ]
    assert read["note"].to_list() == [None, None, None, None, "ambiguous"]


def test_a_slip_among_many_does_not_change_the_order_of_a_source() -> None:
    texts = pl.Series(["3/4/2024", *["25/4/2024"] * 30, "4/25/2024"])
    assert standardise_dates(texts)["value"][0] == date(2024, 4, 3)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1962-20-11", date(1962, 11, 20)),
        ("19452507", date(1945, 7, 25)),
        ("197914O4", date(1979, 4, 14)),
        ("|980-05-04", date(1980, 5, 4)),
    ],
)
def test_slips_with_one_reading_are_repaired(text: str, day: date) -> None:
    assert standardise_dates(pl.Series([text])).row(0) == (day, "repaired")


def test_a_source_that_contradicts_itself_decides_nothing() -> None:
    texts = pl.Series(["3/4/2024", "25/4/2024", "4/25/2024"])
    read = standardise_dates(texts)
    assert read["note"].to_list() == ["ambiguous", None, None]


def test_times_without_a_zone_are_in_the_sources_zone() -> None:
    zones = {"x": "Europe/Berlin"}
    assert moment("2024-07-15 10:00:00", zones=zones)[0] == datetime(2024, 7, 15, 8, tzinfo=UTC)
    assert moment("2024-07-15T10:00:00Z", zones=zones)[0] == datetime(2024, 7, 15, 10, tzinfo=UTC)
    # clocks went from 2 to 3 that night: half past two never was
    assert moment("2024-03-31 02:30:00", zones=zones)[0] == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)


def test_a_day_of_birth_is_not_moved_to_another_zone() -> None:
    read = standardise_dates(pl.Series(["1990-05-02T23:30:00-08:00", "5/13/85", "13.5.05"]))
    assert read["value"].to_list() == [date(1990, 5, 2), date(1985, 5, 13), date(2005, 5, 13)]


@given(st.datetimes(datetime(1000, 1, 2), datetime(2999, 12, 30)))
def test_a_canonical_moment_stays_as_it_is(value: datetime) -> None:
    if value.date().isoformat() in {"1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31"}:
        return
    if value.date().isoformat() in {"1900-01-01", "1901-01-01", "1111-11-11", "1970-01-01"}:
        return
    assert moment(value.isoformat() + "Z") == (value.replace(tzinfo=UTC), None)


@given(st.dates(date(1902, 1, 1), date(2999, 12, 30)), st.sampled_from(["dmy", "mdy"]))
def test_every_day_is_read_by_the_declared_order(day: date, order: str) -> None:
    text = day.strftime("%d/%m/%Y" if order == "dmy" else "%m/%d/%Y")
    read = standardise_dates(pl.Series([text]), pl.Series(["x"]), orders={"x": order})
    assert read.row(0) == (day, None)
