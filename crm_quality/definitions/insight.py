"""Scores and segments: what a project says counts, in ``rules/scores`` and ``rules/segments``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from crm_quality.definitions.model import Definition
from crm_quality.definitions.predicate import predicate_fields
from crm_quality.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions.text import Document, Way

_PART = r"^[a-z][a-z0-9_]*$"
#: Entities whose rows a score may count.
COUNTED = (
    "activity", "campaign_member", "deal", "engagement", "ticket", "touchpoint", "transaction",
    "usage_event",
)  # fmt: skip


class Fit(Definition):
    """Points for what a contact is.

    Attributes:
        points: What it is worth; may be negative.
        condition: SQL on the contact's values. Null (a value is missing) is unknown, not false.
    """

    points: float
    condition: str


class Engagement(Definition):
    """Points for what a contact did.

    Attributes:
        entity: The rows that count.
        what: Their kinds, as ``crm.event`` has them in ``what``; empty = all.
        points: What a row of today is worth.
        half_life_days: After so many days it is worth half; null = always the same.
        at_most: All rows together give no more than this (no less, where points are negative).
    """

    entity: str
    what: tuple[str, ...] = ()
    points: float
    half_life_days: float | None = Field(default=None, gt=0)
    at_most: float | None = None

    @field_validator("entity")
    @classmethod
    def _is_counted(cls, entity: str) -> str:
        if entity not in COUNTED:
            raise ValueError(f"entity {entity!r} is not one of {', '.join(COUNTED)}")
        return entity


class Score(Definition):
    """How much a contact is worth an effort: the sum of its parts.

    Attributes:
        score: Its name.
        meaning: What it says.
        owner: Who answers for it.
        fit: Part → points for what a contact is.
        engagement: Part → points for what a contact did.
    """

    score: str = Field(pattern=_PART)
    meaning: str = ""
    owner: str = ""
    fit: dict[str, Fit] = Field(default_factory=dict)
    engagement: dict[str, Engagement] = Field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of all parts, in order."""
        return (*self.fit, *self.engagement)

    @field_validator("fit", "engagement")
    @classmethod
    def _are_named(cls, parts: dict[str, Fit | Engagement]) -> dict[str, Fit | Engagement]:
        taken = {"contact_id", "total", "unknown"}
        for name in parts:
            if name in taken or not name.replace("_", "a").isalnum() or not name.islower():
                raise ValueError(f"a part is called {name!r}; use small letters, digits and _")
        return parts


class Segment(Definition):
    """Some of the customers, by a condition.

    Attributes:
        segment: Its name.
        meaning: Who they are.
        owner: Who answers for it.
        condition: SQL on the columns of ``crm.customer``; ``as_of`` is the day that counts as
            today. Null is no.
    """

    segment: str = Field(pattern=_PART)
    meaning: str = ""
    owner: str = ""
    condition: str


def conditions_of(definition: Score | Segment) -> dict[Way, str]:
    """Every condition of a score or segment, by the way to it."""
    if isinstance(definition, Segment):
        return {("condition",): definition.condition}
    return {("fit", part, "condition"): fit.condition for part, fit in definition.fit.items()}


def fields_read(
    definition: Score | Segment, columns: Mapping[str, str], document: Document
) -> frozenset[str]:
    """The columns that the conditions of a score or segment read.

    Args:
        definition: The score or segment.
        columns: Column → DuckDB type of what conditions may speak of.
        document: Where it is written.

    Raises:
        DefinitionError: A condition is wrong; every fault with its line.
    """
    found: set[str] = set()
    faults = []
    for way, sql in conditions_of(definition).items():
        try:
            found |= predicate_fields(sql, columns)
        except ValueError as error:
            faults.append(document.fault(way, str(error)))
    if faults:
        raise DefinitionError(faults)
    return frozenset(found)
