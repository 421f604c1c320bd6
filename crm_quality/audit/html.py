"""The scorecard as one self-contained HTML page: no script, no font, no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from crm_quality.audit import business_figures, charts
from crm_quality.audit.headline import money, percent
from crm_quality.audit.row_lines import row_issues, row_lines
from crm_quality.audit.rulebook import label

if TYPE_CHECKING:
    from crm_quality.audit.business import Business
    from crm_quality.audit.card import Scorecard

#: Stands where there is nothing to measure.
NOTHING = "\N{EN DASH}"

_FULL, _ALMOST = 100.0, 99.9
_RULES_IN_FULL, _VOCABULARIES = 36, 4
_INDENT = re.compile(r"\s*\n\s*")


@dataclass(frozen=True)
class Limits:
    """How much of each list the page shows; the rest is in the JSON report."""

    issues: int = 40
    open_issues: int = 12
    short_issues: int = 40
    sources: int = 25
    fields: int = 60
    vocabularies: int = 4
    values: int = 15
    texts: int = 6
    owners: int = 20
    keepers: int = 12
    runs: int = 20
    drift: int = 8
    sql: int = 1500
    targets: int = 16


def render_html(card: Scorecard, business: Business | None = None) -> str:
    """One page that a browser shows from a file, light or dark, on a phone or on paper.

    Args:
        card: The scorecard; what it masks stays masked.
        business: What the CRM says besides; null = that part is left out.

    Returns:
        The page, UTF-8, below 300 KB however much is wrong.
    """
    template = environment().get_template("report.html.j2")
    show = {"score": _score, "number": _number, "percent": _percent}
    page = template.render(
        card=card,
        rows=row_lines(card),
        row_issues=row_issues(card),
        business=business,
        charts=charts,
        draw=business_figures,
        limits=_limits(card),
        show=show,
    )
    return _INDENT.sub("\n", page)


def _limits(card: Scorecard) -> Limits:
    # what is told of rules and vocabularies takes most room; a page has room for so many of them
    entities = max(len(card.customers), 1)
    return Limits(
        issues=max(12, _RULES_IN_FULL // entities),
        vocabularies=min(4, max(2, _VOCABULARIES // entities)),
    )


@cache
def environment() -> Environment:
    """The templates of this package, with the ways in which pages show figures."""
    environment = Environment(
        loader=PackageLoader("crm_quality.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _number
    environment.filters["score"] = _score
    environment.filters["percent"] = _percent
    environment.filters["cut"] = _cut
    environment.filters["money"] = money
    environment.filters["label"] = label
    environment.filters["width"] = lambda part: f"{100 * min(max(part or 0, 0), 1):.2f}%"
    return environment


def _percent(part: float | None) -> str:
    if part is None:
        return NOTHING
    return percent(part).replace("less than ", "<").replace("more than ", ">")


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


def _score(value: float | None) -> str:
    # 99.96 is not 100: something is left to do
    return NOTHING if value is None else f"{value if value == _FULL else min(value, _ALMOST):.1f}"


def _cut(text: str | None, most: int = 40) -> str:
    return "" if text is None else text if len(text) <= most else f"{text[: most - 1]}…"
