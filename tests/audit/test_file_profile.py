"""The profile of one file: its fields, its page, and what it hides."""

from __future__ import annotations

from html.parser import HTMLParser

import polars as pl
import pytest

from crm_quality import profile
from crm_quality.audit.file_profile import profile_table
from crm_quality.audit.profile_html import render_profile_html
from crm_quality.definitions import default_rules
from crm_quality.intake import Table

RULES = default_rules()
VOID = {"meta", "link", "rect"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def _table(**columns):
    return Table(pl.DataFrame(columns), "people.csv")


MANY = [f"<b>{number}</b> & Sons, call +49 30 12345{number:02}" for number in range(60)]
PEOPLE = _table(
    email=[f"ann{number}@mail.example.de" for number in range(60)],
    date_of_birth=["1980-05-03"] * 60,
    created_at=["2024-01-31 10:00:00"] * 60,
    lead_source=["PPC"] * 59 + ["ask bo@x.org"],
    remark=MANY,
    plan=["free", "paid"] * 30,
)


def test_columns_are_fields_by_their_source_their_name_or_a_guess():
    found = profile_table(_table(email=["a@x.org"], Vorname=["Ann"], Schuhe=["39"]), RULES)

    assert found.mapping.select("column", "field", "how").rows() == [
        ("email", "email", "canonical"),
        ("Vorname", "first_name", "guess"),
    ]
    assert (found.entity, found.source) == ("contact", None)


def test_a_header_that_tells_of_a_source_tells_the_fields():
    headers = [
        "id",
        "Description",
        "Email",
        "Name",
        "Created (UTC)",
        "Delinquent",
        "Plan",
        "Status",
    ]
    found = profile_table(Table(pl.DataFrame({header: ["x"] for header in headers})), RULES)

    assert found.source == "stripe_customers"
    assert found.fields["Created (UTC)"] == "created_at"


def test_a_row_may_be_said_to_be_something_else():
    found = profile_table(_table(name=["Acme Ltd"], email=["a@x.org"]), RULES, entity="company")

    assert found.fields == {"name": "name", "email": "email"}


def test_a_header_like_no_entity_of_ours_has_no_fields():
    found = profile_table(_table(voltage=["1"], ampere=["2"]), RULES)

    assert found.entity is None
    assert found.fields == {}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("email", "a•••@mail.example.de"),
        ("date_of_birth", "••• 1980"),
        ("created_at", "2024-01-31 10:00:00"),
        ("lead_source", "PPC"),
        ("plan", "free"),
    ],
)
def test_what_is_personal_is_hidden_and_the_rest_is_not(column, value):
    masked = profile_table(PEOPLE, RULES).masked(RULES)

    assert masked.seen.values.filter(column=column)["value"][0] == value


def test_no_address_and_no_number_is_left_in_a_masked_profile():
    told = str(profile_table(PEOPLE, RULES).masked(RULES).to_dict())

    for secret in ("ann0@", "bo@x.org", "+49 30", "1980-05-03"):
        assert secret not in told
    assert "ann0@" in str(profile_table(PEOPLE, RULES).to_dict())


@pytest.mark.parametrize("table", [PEOPLE, _table(x=[]), Table(pl.DataFrame())])
def test_the_page_is_whole_and_needs_nothing_but_itself(table):
    text = render_profile_html(profile_table(table, RULES))

    page = Page(text)
    assert page.open == []
    assert not [tag for tag, _ in page.elements if tag in {"script", "img", "b "}]
    links = [a.get("href", "") for _, a in page.elements]
    assert all(not link or link.startswith("data:") for link in links)
    assert "url(" not in text


def test_the_page_shows_text_as_text():
    page = Page(render_profile_html(profile_table(PEOPLE, RULES)))

    assert any("<b>0</b> & Sons" in word for word in page.words)
    assert "60 rows, 6 columns" in page.words


def test_a_frame_of_numbers_has_a_page():
    found = profile(pl.DataFrame({"n": [1.5, None, 3.25], "d": [True, False, None]}))

    assert "1.5 to 3.25" in " ".join(Page(render_profile_html(found)).words)
