from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_headers import TOLD_BY

from crm_quality.definitions import default_rules
from crm_quality.intake import recognise

SOURCES = default_rules().sources


def told(headers: list[str]) -> str | None:
    found = recognise(headers, SOURCES)
    return found.source if found else None


@pytest.mark.parametrize(("header", "source"), TOLD_BY.items())
def test_a_header_tells_of_its_own_source_and_no_other(header, source):
    assert told(header.split(",")) == source


@given(
    st.sampled_from(sorted(TOLD_BY)),
    st.randoms(use_true_random=False),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.booleans(),
)
def test_case_order_blanks_mark_and_custom_columns_change_nothing(header, rng, cased, more):
    headers = [f"  {cased(name)}\t" for name in header.split(",")]
    headers += ["Shoe size", "Favourite colour"] if more else []
    rng.shuffle(headers)
    headers[0] = "\ufeff" + headers[0]
    assert told(headers) == TOLD_BY[header]


@pytest.mark.parametrize(
    "header", [header for header in TOLD_BY if TOLD_BY[header] and header.count(",") > 15]
)
def test_a_long_header_is_told_with_a_tenth_of_its_columns_gone(header):
    names = header.split(",")
    source = SOURCES[TOLD_BY[header]]
    asked = {name for signature in source.recognised_by for name in signature.all_of}
    for step in range(10):
        gone = set(names[step::10]) - asked
        assert told([name for name in names if name not in gone]) == source.source


def test_no_sources_no_source():
    assert recognise(["Record ID", "Email"], {}) is None


def test_every_preset_is_told_by_some_header():
    # others are read along with a source that names them under `also`
    told_by_header = {name for name, source in SOURCES.items() if source.recognised_by}
    also = {name for source in SOURCES.values() for name in source.also}
    assert told_by_header == {source for source in TOLD_BY.values() if source}
    assert set(SOURCES) == told_by_header | also
