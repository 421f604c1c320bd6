"""Geometry of the page's charts; the templates draw them as inline SVG.

A chart is drawn in a box of `WIDTH` x `HEIGHT` units that the page stretches to its column, so
words and numbers stand beside the drawing as text, at the size of all other text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.audit.card import Counts

WIDTH, HEIGHT = 1000.0, 260.0
_NODE = 14.0
_GAP = 28.0
_THIN = 2.0
#: Room of a label on two lines, and on one line beside a bar that is too low for two.
_TALL_LABEL, _LOW_LABEL = 42.0, 24.0


@dataclass(frozen=True)
class Node:
    """A stop on the way of the records: a bar with its label.

    Attributes:
        name: Kind, for its colour.
        label: In words.
        count: Records, or golden records.
        column: 0, 1 or 2.
        x: Left edge.
        y: Upper edge.
        height: Of the bar.
        label_top: Where the label stands, in percent of the chart's height.
        is_low: Whether the label has room for one line only.
    """

    name: str
    label: str
    count: int
    column: int
    x: float
    y: float
    height: float
    label_top: float
    is_low: bool


@dataclass(frozen=True)
class Band:
    """Records that go from one node to another, as an SVG path."""

    name: str
    path: str


@dataclass(frozen=True)
class Flow:
    """The way of the records from their sources to golden records."""

    nodes: tuple[Node, ...]
    bands: tuple[Band, ...]


def flow(counts: Counts, noun: str) -> Flow:
    """What became of every record received; heights are in proportion to records."""
    apart = bool(counts.quarantined) + bool(counts.ended)
    per_record = (HEIGHT - (_GAP + _THIN) * max(apart, 1)) / max(counts.received, 1)
    first = [("received", "records received", counts.received)]
    second = [
        ("accepted", "accepted", counts.accepted),
        ("quarantined", "in quarantine", counts.quarantined),
        ("ended", "deleted at source", counts.ended),
    ]
    third = [
        ("golden", noun, counts.golden),
        ("duplicates", "duplicates", counts.duplicates),
    ]
    columns = [_column(c, parts, per_record) for c, parts in enumerate((first, second, third))]
    bands = [
        *_bands(columns[0][0], columns[1], per_record),
        *(_bands(columns[1][0], columns[2], per_record) if counts.accepted else ()),
    ]
    return Flow(tuple(node for column in columns for node in column), tuple(bands))


def _column(column: int, parts: list[tuple[str, str, int]], per_record: float) -> list[Node]:
    x = column * (WIDTH - _NODE) / 2
    nodes: list[Node] = []
    y = 0.0
    for name, label, count in parts:
        if not count and name != "accepted":
            continue
        height = max(count * per_record, _THIN)
        is_low = height < _TALL_LABEL
        room = _LOW_LABEL if is_low else _TALL_LABEL
        nodes.append(
            Node(name, label, count, column, x, y, height, y + (height - room) / 2, is_low)
        )
        y += height + _GAP
    # labels keep clear of each other and of the lower edge, from below upwards
    floor = HEIGHT
    placed: list[Node] = []
    for node in reversed(nodes):
        room = _LOW_LABEL if node.is_low else _TALL_LABEL
        top = max(min(node.label_top, floor - room), 0.0)
        floor = top
        placed.append(replace(node, label_top=100 * top / HEIGHT))
    return placed[::-1]


def _bands(start: Node, ends: list[Node], per_record: float) -> list[Band]:
    bands = []
    y = start.y
    for end in ends:
        height = max(end.count * per_record, _THIN)
        bands.append(Band(end.name, _ribbon(start.x + _NODE, y, end.x, end.y, height)))
        y += end.count * per_record
    return bands


def _ribbon(x0: float, y0: float, x1: float, y1: float, height: float) -> str:
    middle = (x0 + x1) / 2
    there = f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
    low0, low1 = y0 + height, y1 + height
    back = f"C{middle:.1f} {low1:.1f} {middle:.1f} {low0:.1f} {x0:.1f} {low0:.1f}"
    return f"M{x0:.1f} {y0:.1f}{there}V{low1:.1f}{back}Z"


@dataclass(frozen=True)
class Line:
    """One series over runs.

    Attributes:
        path: The line.
        area: The surface below it.
        first: Its first value.
        last: Its last value.
        least: The value at the lower edge.
        most: The value at the upper edge.
    """

    path: str
    area: str
    first: float
    last: float
    least: float
    most: float


def line(values: Sequence[float | None], least: float | None = None) -> Line | None:
    """A series as a line from edge to edge; null when fewer than two runs measured it.

    Args:
        values: One per run, null where it was not measured.
        least: The value at the lower edge; null = a little below the least value.
    """
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    top = max(value for _, value in known)
    low = min(value for _, value in known)
    bottom = low - 0.15 * (top - low or abs(low) or 1) if least is None else least
    span = (top - bottom) or 1
    right = known[-1][0] - known[0][0]
    points = [
        (WIDTH * (place - known[0][0]) / right, HEIGHT - 0.94 * HEIGHT * (value - bottom) / span)
        for place, value in known
    ]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    area = f"{path}V{HEIGHT:.0f}H0Z"
    return Line(path, area, known[0][1], known[-1][1], bottom, top)


def verdict(score: float | None) -> str:
    """A score in a word, so that no colour is needed to read it."""
    if score is None:
        return "not measured"
    for least, word in ((97, "very good"), (90, "good"), (75, "fair")):
        if score >= least:
            return word
    return "poor"


def tone(score: float | None) -> str:
    """The colour of a score: good, fair, poor or none."""
    if score is None:
        return "none"
    return {"very good": "good"}.get(verdict(score), verdict(score))
