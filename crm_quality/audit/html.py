"""The scorecard as one self-contained HTML page: no script, no font, no network."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from crm_quality.audit import charts
from crm_quality.audit.headline import percent

if TYPE_CHECKING:
    from crm_quality.audit.card import Scorecard


def render_html(card: Scorecard) -> str:
    """One page that a browser shows from a file, light or dark, on a phone or on paper.

    Args:
        card: The scorecard; what it masks stays masked.

    Returns:
        The page, UTF-8, below 300 KB however much is wrong.
    """
    return _environment().get_template("report.html.j2").render(card=card, charts=charts)


#: Stands where there is nothing to measure.
NOTHING = "\N{EN DASH}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("crm_quality.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: NOTHING if value is None else f"{value:,.0f}"
    environment.filters["score"] = lambda value: NOTHING if value is None else f"{value:.0f}"
    environment.filters["percent"] = percent
    environment.filters["width"] = lambda value: f"{100 * (value or 0):.2f}%"
    return environment
