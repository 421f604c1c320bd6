"""A rule as the engine and the catalogue know it, whatever part of the definition it is from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_quality.definitions import Check, RecordRule, Severity
    from crm_quality.definitions.rules import Limits


class Origin(StrEnum):
    """What a rule is made from."""

    PROBLEM = "problem"
    NOTE = "note"
    REQUIRED = "required"
    CHECK = "check"
    VOCABULARY = "vocabulary"
    RECORD = "record"


class Status(StrEnum):
    """How a check ends.

    ``passed``: no record fails, or no more than its limits let pass. ``warned``: records fail,
    and its severity is warning or info. ``failed``: records fail, and its severity is error, or
    more of them than its limits bear. ``errored``: it could not be carried out. ``skipped``:
    there was nothing to check.
    """

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        code: Stable code: ``<entity>.<field>.<check>``, ``<entity>.row.<problem>`` or the code
            that a record rule gives itself.
        entity: Name of its entity.
        field: The field to mend; null = the whole record.
        title: What holds when the rule is kept.
        owner: Who answers for it.
        severity: What a failing record gets.
        message: Template of what people are told; ``{name}`` stands for a field's value.
        origin: What it is made from.
        advice: What to do about a finding, for the reference.
        scope: ``record`` or ``store``.
        note: The note it reports, of rules made from notes; the problem, of problem rules.
        check: The check it is made from.
        record_rule: The record rule it is made from.
        field_limits: The limits that its field states, of rules made from notes or absence.
    """

    code: str
    entity: str
    field: str | None
    title: str
    owner: str
    severity: Severity
    message: str
    origin: Origin
    advice: str
    scope: str = "record"
    note: str | None = None
    check: Check | None = None
    record_rule: RecordRule | None = None
    field_limits: Limits | None = None

    @property
    def limits(self) -> Limits | None:
        """The limits it was given."""
        stated = self.check or self.record_rule
        return stated.limits if stated is not None else self.field_limits
