"""Targets: the least score that a figure may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import process

from crm_quality.audit.card import Gate
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crm_quality.audit.card import EntityCard


def gates(cards: Iterable[EntityCard], targets: Mapping[str, float]) -> tuple[Gate, ...]:
    """Compare figures with their targets.

    Args:
        cards: The entities of a scorecard.
        targets: Figure → least value, 0-100: ``contact.score``, ``contact.completeness`` (or
            another dimension), ``contact.email.filled`` and ``contact.email.valid`` in percent.

    Returns:
        One gate per target, in the order of ``targets``.

    Raises:
        UsageError: There is no such figure; the nearest one is in the message.
    """
    actual: dict[str, float | None] = {}
    for card in cards:
        actual[f"{card.entity}.score"] = card.score
        for dimension in card.dimensions:
            actual[f"{card.entity}.{dimension.dimension}"] = dimension.score
        for field in card.fields:
            for name, rate in (("filled", field.fill_rate), ("valid", field.validity)):
                percent = None if rate is None else 100.0 * rate
                actual[f"{card.entity}.{field.field}.{name}"] = percent
    found = []
    for figure, target in targets.items():
        if figure not in actual:
            near = process.extractOne(figure, list(actual))
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"there is no figure {figure!r} to set a target for{hint}")
        value = actual[figure]
        found.append(Gate(figure, target, value, value is not None and value >= target))
    return tuple(found)
