"""Scores and segments: what a project says counts, in ``rules/scores`` and ``rules/segments``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field, ValidationError, field_validator

from crm_quality.definitions.loader import default_rules_dir, faults_of
from crm_quality.definitions.model import Definition
from crm_quality.definitions.predicate import predicate_fields
from crm_quality.definitions.text import Document, parse
from crm_quality.errors import DefinitionError, Fault, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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


@dataclass(frozen=True)
class InsightRules:
    """The scores and segments of a project, and where each is written."""

    scores: Mapping[str, Score]
    segments: Mapping[str, Segment]
    documents: Mapping[tuple[str, str], Document]

    def score(self, name: str) -> Score:
        """The score called ``name``.

        Raises:
            NotFoundError: There is none.
        """
        return _named(self.scores, name, "score")

    def segment(self, name: str) -> Segment:
        """The segment called ``name``.

        Raises:
            NotFoundError: There is none.
        """
        return _named(self.segments, name, "segment")

    def fields_of(self, kind: str, name: str, columns: Mapping[str, str]) -> frozenset[str]:
        """The columns that the conditions of a score (``scores``) or segment (``segments``) read.

        Args:
            kind: ``scores`` or ``segments``.
            name: Which.
            columns: Column → DuckDB type of what conditions may speak of.

        Raises:
            DefinitionError: A condition is wrong; every fault with its line.
        """
        conditions: dict[tuple[str | int, ...], str]
        if kind == "segments":
            conditions = {("condition",): self.segment(name).condition}
        else:
            fits = self.score(name).fit.items()
            conditions = {("fit", part, "condition"): fit.condition for part, fit in fits}
        found: set[str] = set()
        faults = []
        for way, sql in conditions.items():
            try:
                found |= predicate_fields(sql, columns)
            except ValueError as error:
                document = self.documents.get((kind, name), Document(None))
                faults.append(document.fault(way, str(error)))
        if faults:
            raise DefinitionError(faults)
        return frozenset(found)


_Kind = TypeVar("_Kind", Score, Segment)


def load_insight(folder: Path) -> InsightRules:
    """Read ``scores/`` and ``segments/`` of a project's rules.

    A project that was made before there were any has those of the default pack.

    Raises:
        DefinitionError: Any file is wrong; it holds every fault of every file.
    """
    faults: list[Fault] = []
    documents: dict[tuple[str, str], Document] = {}
    scores = _read(folder, "scores", Score, faults, documents)
    segments = _read(folder, "segments", Segment, faults, documents)
    if faults:
        raise DefinitionError(faults)
    return InsightRules(scores, segments, documents)


def _read(
    folder: Path,
    kind: str,
    model: type[_Kind],
    faults: list[Fault],
    documents: dict[tuple[str, str], Document],
) -> dict[str, _Kind]:
    found: dict[str, _Kind] = {}
    place = folder / kind if (folder / kind).is_dir() else default_rules_dir() / kind
    for file in sorted(place.glob("*.y*ml")):
        document = parse(file.read_text(encoding="utf-8"), file)
        faults += document.faults
        if document.faults:
            continue
        try:
            one = model.model_validate(document.tree)
        except ValidationError as error:
            faults += faults_of(document, model, error.errors())
            continue
        name = str(getattr(one, kind[:-1]))
        if name in found:
            faults.append(document.fault((kind[:-1],), f"{name!r} is defined already"))
        found[name] = one
        documents[kind, name] = document
    return found


_T = TypeVar("_T")


def _named(things: Mapping[str, _T], name: str, kind: str) -> _T:
    if name in things:
        return things[name]
    known = ", ".join(sorted(things)) or "none"
    raise NotFoundError(f"there is no {kind} {name!r} in rules/{kind}s (there are: {known})")
