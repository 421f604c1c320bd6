"""The page of the audit says of the business what the library says."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

import pytest

from crm_quality import Project
from crm_quality.audit import render_html
from crm_quality.crm.before_after import worded
from crm_quality.validate.catalogue import label

pytestmark = pytest.mark.slow  # the projects of these tests take long to make

DAY = date(2026, 6, 30)


class Tables(HTMLParser):
    """The words of every table by its name, row by row, and of all sections by their heading."""

    def __init__(self, page):
        super().__init__()
        self.tables, self.row, self.name, self.in_business = {}, None, None, False
        self.words, self.cell = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        of = dict(attrs)
        if tag == "section" and "entity" in of.get("class", ""):
            self.in_business = of.get("id") == "business"
        if of.get("class") == "scroll":
            self.name = of["aria-label"]
            self.tables[self.name] = []
        if tag == "tr" and self.name:
            self.tables[self.name].append([])
        if tag in {"td", "th"} and self.name:
            self.tables[self.name][-1].append("")
            self.cell = True

    def handle_endtag(self, tag):
        if tag == "table":
            self.name = None
        if tag in {"td", "th"}:
            self.cell = False

    def handle_data(self, data):
        if self.in_business:
            self.words.append(data)
        if self.name and self.cell:
            self.tables[self.name][-1][-1] += data


@pytest.fixture(scope="module")
def page(business):
    told = business.crm.business(as_of=DAY)
    return Tables(render_html(business.audit(as_of=DAY), told))


def number(value):
    return "–" if value is None else f"{value:,.0f}"


def cells(page, name):
    return [[" ".join(cell.split()) for cell in row] for row in page.tables[name][1:]]


def test_figures_before_and_after_are_those_of_the_library(page, business):
    rows = cells(page, "Before and after deduplication")
    expected = [
        [worded(row["as_received"], row["unit"]), worded(row["golden"], row["unit"])]
        for row in business.insight.before_after().to_dicts()
    ]
    assert [row[2:4] for row in rows] == expected
    assert len(rows) > 10


def test_pipeline_and_forecast_are_those_of_the_library(page, business):
    expected = [
        [number(row[name]) for name in ("deals", "amount", "weighted", "slow", "past_close")]
        for row in business.crm.pipeline(as_of=DAY).to_dicts()
    ]
    assert [row[2:] for row in cells(page, "Pipeline by stage")] == expected
    for name, frame in (
        ("What open deals may bring", business.crm.forecast(as_of=DAY)),
        ("Forecasts of the past", business.crm.forecast_past(as_of=DAY)),
    ):
        told = [row[-3:] for row in cells(page, name)]
        assert told == [
            [number(row[way]) for way in ("stage", "history", "plain")] for row in frame.to_dicts()
        ]


def test_campaigns_and_tickets_are_those_of_the_library(page, business):
    expected = [
        [row["name"], number(row["responded"]), number(row["cost"]), number(row["revenue"])]
        for row in business.crm.campaigns(as_of=DAY).to_dicts()
    ]
    told = cells(page, "Campaigns")
    for row, (name, responded, cost, revenue) in zip(told, expected, strict=True):
        assert row[0].startswith(name)
        assert [row[2], row[4], row[7]] == [responded, cost, revenue]
    counts = [
        [number(row["tickets"]), number(row["open"])]
        for row in business.crm.tickets(as_of=DAY).to_dicts()
    ]
    assert [row[1:3] for row in cells(page, "Tickets by priority")] == counts


def test_attribution_by_every_way_is_that_of_the_library(page, business):
    told = {row[0]: row[1:] for row in cells(page, "Attribution")}
    models = ("first", "last", "linear", "position", "decay")
    for place, model in enumerate(models):
        frame = business.insight.attribution(model, by="channel")
        for row in frame.to_dicts():
            assert told[f"{label(row['channel'])} {row['currency']}"][place] == number(
                row["revenue"]
            )


def test_retention_is_that_of_the_cohorts(page, business):
    rows = {row[0]: row for row in cells(page, "Retention by cohort")}
    for one in business.insight.cohorts().filter(months=1).to_dicts():
        row = rows[f"{one['cohort']:%b %Y}"]
        assert row[1:3] == [number(one["customers"]), f"{100 * one['retention']:.0f}"]


def test_products_that_go_together_stand_there_once(page, business):
    said = " ".join(" ".join(page.words).split())
    pairs = {frozenset(row[:2]) for row in business.insight.recommend().rows()}
    assert said.count("lift") == len(pairs) >= 1
    assert "tea → cake" in said or "cake → tea" in said


def test_segments_attention_and_tasks_are_counted(page, business):
    told = {row[0].split(" ")[0]: row[1] for row in cells(page, "Segments")}
    assert told["High"] == number(business.insight.segment("high_value", as_of=DAY).height)
    attention = business.crm.attention(as_of=DAY)
    counts = sorted(attention["kind"].value_counts()["count"].to_list(), reverse=True)
    assert [row[1] for row in cells(page, "To look at")] == [number(count) for count in counts]
    assert [row[1] for row in cells(page, "Open tasks by owner")] == ["1"]


def test_a_model_that_cannot_be_trusted_says_so(page, business):
    warning = business.insight.churn(days=90, as_of=DAY).warning
    assert warning in " ".join(page.words)


def test_nobody_is_named(page):
    said = " ".join(page.words)
    for name in ("Berg", "Dahl", "bob@", "tea is cold", "call back", "likes tea"):
        assert name not in said


def test_where_nothing_hangs_on_customers_there_is_no_such_part(tmp_path):
    project = Project.create(tmp_path / "project")
    assert project.crm.business(as_of=DAY) is None
    assert 'id="business"' not in render_html(project.audit(as_of=DAY), None)
