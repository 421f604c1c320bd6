from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

PHONE, DESK = (390, 844), (1280, 900)
LOOKS = [(size, scheme) for size in (PHONE, DESK) for scheme in ("light", "dark")]


@pytest.fixture(params=LOOKS, ids=[f"{size[0]}-{scheme}" for size, scheme in LOOKS])
def page(request, browser, report):
    """The report, open; ``page.asked``: addresses it asked for, ``page.said``: its console."""
    (width, height), scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(report.as_uri())
    page.scheme = scheme
    if folder := os.environ.get("CRMQ_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{width}-{scheme}.png", full_page=True)
    yield page
    context.close()


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


def test_the_page_asks_for_nothing_but_itself_and_is_silent(page, report):
    open_all(page)
    assert page.asked == [report.as_uri()]
    assert page.said == []


def test_nothing_is_wider_than_the_screen(page):
    for look in (lambda _: None, open_all):
        look(page)
        width, room = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert width <= room


def test_every_chart_is_drawn(page):
    boxes = page.evaluate("""
        [...document.querySelectorAll('.flow svg, .ring, .line, .bar')]
        .filter(e => e.checkVisibility() && !e.closest('details:not([open])'))
        .map(e => [e.getAttribute('class') || 'flow', e.getBoundingClientRect().width,
                   e.getBoundingClientRect().height])
    """)
    kinds = {kind.split()[0] for kind, *_ in boxes}
    assert kinds == {"flow", "ring", "line", "bar"}
    assert all(width > 0 and height >= 8 for _, width, height in boxes)
    # a bar is drawn where there is something to show, in a colour of its own
    fills = page.evaluate("""
        [...document.querySelectorAll('.flow path, .flow rect, .bar rect')]
        .map(e => getComputedStyle(e).fill)
    """)
    assert "rgb(0, 0, 0)" not in fills


def test_labels_of_the_flow_do_not_cover_each_other(page):
    covered = page.evaluate("""
        [...document.querySelectorAll('.flow')].flatMap(flow => {
          const boxes = [...flow.querySelectorAll('.label')].map(e => e.getBoundingClientRect());
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1));
        }).length
    """)
    assert covered == 0


def test_light_is_light_and_dark_is_dark(page):
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (min(red, green, blue) > 200) if page.scheme == "light" else (max(red, green, blue) < 50)


def test_the_page_is_accessible(page):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - as playwright

    open_all(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_targets_teams_money_and_drift_are_on_the_page(page):
    open_all(page)
    said = page.locator("main").inner_text()
    assert "2 of 3 targets are met" in said
    assert "Sales North" in said
    assert "at 1,200 EUR each" in said
    assert "E-mail, filled, from webform: 41% now, 93% in the 14 runs before" in said


def test_the_business_and_what_hangs_on_customers_are_on_the_page(page):
    open_all(page)
    heads = page.locator("#business h2").all_inner_texts()
    for head in (
        "What deduplication changed",
        "Pipeline",
        "Forecast",
        "Campaigns",
        "Who comes back",
        "Tickets",
        "What somebody should look at",
        "Lead score",
        "Segments",
    ):
        assert head in heads
    assert page.locator("#rows tbody tr").count() >= 7
    links = page.locator("nav a").all_inner_texts()
    assert [word.lower() for word in links] == ["contacts", "companies", "business", "rows"]


def test_heat_has_colour_where_customers_came_back(page):
    colours = page.evaluate("""
        [...document.querySelectorAll('td.heat')].map(e => [e.innerText.trim(),
                                                           getComputedStyle(e).backgroundColor])
    """)
    warm = {colour for share, colour in colours if share not in {"", "0"}}
    cold = {colour for share, colour in colours if share in {"", "0"}}
    assert warm
    assert not warm & cold


def test_words_are_large_enough_to_read_and_targets_to_touch(page):
    open_all(page)
    sizes = page.evaluate("""
        [...document.querySelectorAll('main *')]
        .filter(e => e.checkVisibility() && e.innerText && !e.querySelector('*'))
        .map(e => parseFloat(getComputedStyle(e).fontSize))
    """)
    assert min(sizes) >= 11
    heights = page.evaluate("""
        [...document.querySelectorAll('summary')]
        .filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().height)
    """)
    assert min(heights) >= 18


def test_the_headline_stands_on_the_first_screen(page, card):
    title = page.locator("h1")
    assert title.inner_text() == card.entities[0].headline
    assert title.bounding_box()["y"] < 400


def test_on_paper_all_that_is_folded_is_unfolded(browser, report):
    page = browser.new_page(viewport={"width": 800, "height": 1000})
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    example = page.locator("details.issue .in").first
    assert example.bounding_box()["height"] > 0
    # what is scrolled on a screen would be cut off on paper
    cut = page.evaluate("""
        [...document.querySelectorAll('#business .scroll, #rows .scroll')]
        .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))
    """)
    assert cut == []
    page.close()
