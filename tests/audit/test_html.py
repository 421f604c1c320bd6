from __future__ import annotations

from html.parser import HTMLParser

import pytest

from crm_quality.audit import render_html
from crm_quality.audit.terms import target_names
from crm_quality.validate import catalogue

VOID = {"meta", "link", "br", "img", "input", "circle", "rect", "path"}


class Page(HTMLParser):
    """The elements of a page, and whether they are nested as they should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        assert not self.open, f"left open: {self.open}"

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

    def all(self, name):
        return [attrs for tag, attrs in self.elements if tag == name]


def test_the_page_says_the_headline_and_every_section(shop):
    shop.finish_run()
    page = Page(render_html(shop.card()))
    said = " ".join(page.words)
    assert "3 customers stand behind 4 records." in said
    assert "E-mail cannot be read as an e-mail address" in said
    assert "Opt-outs that another record forgets" in said
    assert len(page.all("section")) >= 8


@pytest.mark.capability(99)
def test_the_page_needs_nothing_but_itself(shop):
    page = Page(render_html(shop.card()))
    assert not page.all("script")
    links = [a.get("href", "") for _, a in page.elements] + [
        a.get("src", "") for _, a in page.elements
    ]
    assert all(not link or link.startswith(("#", "data:")) for link in links)
    assert "url(" not in render_html(shop.card())
    assert "@import" not in render_html(shop.card())


def test_ids_are_unique_and_labels_point_to_them(shop):
    shop.put("k", entity="company", name="Acme")
    page = Page(render_html(shop.derive("company").card()))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    labels = {i for _, a in page.elements for i in a.get("aria-labelledby", "").split()}
    links = {a["href"][1:] for a in page.all("a")}
    assert labels | links <= set(ids)


def test_every_table_has_headers_with_a_scope(shop):
    page = Page(render_html(shop.card()))
    assert len(page.all("th")) > len(page.all("table")) > 5
    assert all(attrs.get("scope") in {"col", "row"} for attrs in page.all("th"))


def test_values_are_text_whatever_they_hold(shop):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    shop.put(
        "<b>key</b>", source="a\"b'<i>", lead_source=None,
        issues=[("contact.lead_source.unknown", "warning", evil)], raw={"Lead Source": evil},
    )  # fmt: skip
    page = Page(render_html(shop.derive().card()))
    assert not page.all("script")
    assert not page.all("img")
    assert not page.all("b") or all("onerror" not in attrs for attrs in page.all("b"))
    assert evil[:40] in " ".join(page.words)


def test_personal_values_are_masked_and_a_page_that_shows_them_says_so(shop):
    assert "berg at example.com" not in render_html(shop.card())
    shown = render_html(shop.card(show_personal=True))
    assert "berg at example.com" in shown
    assert "keep it as safe as the data" in shown


def test_an_empty_store_has_a_page_that_says_what_to_do(stock):
    assert "crmq run" in " ".join(Page(render_html(stock.card())).words)


def test_targets_are_told(shop):
    targets = {"contact.uniqueness": 90, "contact.integrity": 90, "company.score": 80}
    said = " ".join(Page(render_html(shop.card(targets=targets))).words)
    assert "1 of 2 targets is met" in said  # those of contacts
    assert "0 of 1 targets are met" in said  # those of companies, of which there are none
    assert "All targets" in " ".join(Page(render_html(shop.card(fail_under=1))).words)


def fill_with_faults(stock, entity, *, rows, more_rules=60, accepted=True):
    """Records that break every rule there is, and some more."""
    long = "ž" * 300
    rules = [rule.code for rule in catalogue(stock.rules.entity(entity))]
    rules += [f"{entity}.custom_{number}" for number in range(more_rules)]
    stock.connection.execute(
        f"""
        INSERT INTO landing.record (record_id, entity, source, source_key, first_run, accepted_no,
                                    current_version)
        SELECT i, '{entity}', 'a source with a rather long name ' || (i % 80), i, 1,
            CASE WHEN {accepted} THEN i END, CASE WHEN {accepted} THEN i END
        FROM range({rows}) t(i)"""
    ).fetchall()
    columns = stock.rules.entity(entity).columns
    text = ", ".join(
        f"'{long}' || (i % 97) AS \"{c}\"" for c, k in columns.items() if k == "VARCHAR"
    )
    stock.connection.execute(
        f"""
        INSERT INTO landing.{entity}_version BY NAME
        SELECT i AS version_id, i AS record_id, 1 AS run_id, 1 AS batch_id, i AS row_number,
               'accepted' AS status, i AS content_hash, 'r' AS rules_hash,
               '{{"c": "{long}' || (i % 997) || '"}}' AS raw, {text} FROM range({rows}) t(i)"""
    ).fetchall()
    if not accepted:
        stock.connection.execute(
            f"""
            INSERT INTO quality.quarantine BY NAME
            SELECT '{entity}' AS entity, record_id, version_id, 1 AS run_id, 'open' AS status,
                   TIMESTAMP '2024-01-01' AS opened_at FROM landing.{entity}_version"""
        ).fetchall()
    stock.connection.execute(
        f"""
        INSERT INTO quality.issue (run_id, entity, record_id, version_id, field, rule, severity,
                                   value, message, suggestion)
        SELECT 1, '{entity}', i, i, split_part(rule, '.', 2), rule, 'error',
               CASE WHEN i < 100 THEN '{long}' || i ELSE 'wrong' END,
               CASE WHEN i < 100 THEN '{long}' ELSE 'wrong' END, NULL
        FROM range({rows}) t(i), (SELECT unnest(?) AS rule)""",
        [rules],
    ).fetchall()
    stock.connection.execute(
        "INSERT INTO matching.membership SELECT record_id, record_id, 1 FROM landing.record"
        " WHERE entity = ? AND accepted_no IS NOT NULL",
        [entity],
    ).fetchall()
    stock.batch(dict.fromkeys(columns, "c"), entity)
    stock.derive(entity)


@pytest.mark.slow
def test_the_page_stays_small_when_ten_thousand_rows_fail_every_rule(stock):
    fill_with_faults(stock, "contact", rows=10_000, more_rules=0)
    fill_with_faults(stock, "company", rows=400)

    page = render_html(
        stock.card(
            targets=dict.fromkeys(target_names(stock.rules)[:40], 99),
            teams={f"a team with a long name {number}": [f"{number}"] for number in range(40)},
        )
    )

    assert len(page.encode()) < 300_000
    Page(page)


def test_the_page_stays_small_when_nothing_was_accepted(stock):
    for entity in ("contact", "company"):
        fill_with_faults(stock, entity, rows=400, accepted=False)

    page = render_html(stock.card())

    assert len(page.encode()) < 300_000
    Page(page)
