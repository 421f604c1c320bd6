"""An explanation as one self-contained HTML page, with the weight as a waterfall of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Width of the drawing, in units that the page stretches to its column.
WIDTH = 1000.0

#: Part of the width that is kept free on both sides.
_MARGIN = 0.03


@dataclass(frozen=True)
class Bar:
    """One step of the waterfall.

    Attributes:
        label: What is compared.
        level: How it agrees.
        bits: What it adds.
        x: Left edge.
        width: Of the bar.
        end: Where the sum stands after it.
        tone: ``for`` being the same, ``against`` it, or ``sum``.
    """

    label: str
    level: str
    bits: float
    x: float
    width: float
    end: float
    tone: str


@dataclass(frozen=True)
class Waterfall:
    """All steps, and where zero and the threshold stand."""

    bars: tuple[Bar, ...]
    zero: float
    accept: float


def waterfall(told: Mapping[str, Any]) -> Waterfall:
    """The steps from nothing to the weight of a pair.

    Args:
        told: An explanation as plain data, see docs/explain.md.
    """
    steps: list[tuple[str, str, float]] = [
        ("before anything is compared", f"same or {told['against']}?", told["prior"]),
        *(
            (part["comparison"], part["level"], part["weight"])
            for part in told["evidence"]
            if part["agrees"] is not None
        ),
        ("other relations", "what they take away", told["remainder"]),
    ]
    sums = [0.0]
    for _, _, bits in steps:
        sums.append(sums[-1] + bits)
    low, high = min(*sums, told["accept"]), max(*sums, told["accept"])
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return float(WIDTH * (_MARGIN + (1 - 2 * _MARGIN) * (value - low) / span))

    bars = [
        Bar(
            label, level, bits, min(place(start), place(end)), abs(place(end) - place(start)),
            place(end), "for" if bits >= 0 else "against",
        )
        for (label, level, bits), start, end in zip(steps, sums, sums[1:], strict=False)
    ]  # fmt: skip
    weight = told["match_weight"]
    whole = Bar(
        "together", told["relation"], weight, min(place(0), place(weight)),
        abs(place(weight) - place(0)), place(weight), "sum",
    )  # fmt: skip
    return Waterfall((*bars, whole), place(0), place(told["accept"]))


def render_explanation(told: Mapping[str, Any]) -> str:
    """One page that a browser shows from a file, light or dark.

    Args:
        told: An explanation as plain data; what it masks stays masked.
    """
    template = _environment().get_template("explanation.html.j2")
    return str(template.render(told=told, chart=waterfall(told), shown=_shown))


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("crm_quality.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
