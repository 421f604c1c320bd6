"""Targets: the least score that a figure may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.audit.card import Gate
from crm_quality.audit.rulebook import label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_quality.audit.card import EntityCard
    from crm_quality.audit.terms import Terms


def gates(cards: Iterable[EntityCard], terms: Terms) -> tuple[Gate, ...]:
    """Compare figures with their targets.

    Args:
        cards: The entities of a scorecard.
        terms: The targets; their names have been checked.

    Returns:
        One gate per target, in their order, then those of ``fail_under``. What cannot be measured
        is not met: nobody has shown that it is good enough.
    """
    actual: dict[str, float | None] = {}
    overall: dict[str, float] = {}
    for card in cards:
        actual[f"{card.entity}.score"] = card.score
        if terms.fail_under is not None:
            overall[f"{card.entity}.score"] = terms.fail_under
        for dimension in card.dimensions:
            actual[f"{card.entity}.{dimension.dimension}"] = dimension.score
        for field in card.fields:
            for name, rate in (("filled", field.fill_rate), ("valid", field.validity)):
                percent = None if rate is None else 100.0 * rate
                actual[f"{card.entity}.{field.field}.{name}"] = percent
    asked = [*terms.targets.items(), *overall.items()]
    if terms.fail_under is not None and not overall:
        asked.append(("score", terms.fail_under))
    return tuple(_gate(figure, target, actual.get(figure)) for figure, target in asked)


def _gate(figure: str, target: float, value: float | None) -> Gate:
    entity, dot, rest = figure.partition(".")
    if not dot:
        entity, rest = "", figure
    return Gate(
        figure=figure,
        title=_words(rest),
        entity=entity or None,
        target=target,
        actual=value,
        met=value is not None and value >= target,
    )


def _words(figure: str) -> str:
    if figure == "score":
        return "Overall score"
    field, _, rate = figure.partition(".")
    return f"{label(field)}, {rate}" if rate else label(field)
