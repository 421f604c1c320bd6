"""The people of the scorecard: owners of rules, keepers of records, teams."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OwnerLine:
    """Who has how much to mend: ``rules`` broken rules and their issues by severity."""

    owner: str
    rules: int
    errors: int
    warnings: int
    infos: int
    records: int
    rows: str


@dataclass(frozen=True)
class KeeperLine:
    """The records of one colleague, as the field ``owner`` names them; null = nobody's.

    Attributes:
        keeper: The colleague.
        team: Their team, as crmq.yml says; null = none.
        records: Live records they look after.
        with_issues: These that have any issue.
        issues: Issues of these records.
        score: Mean of ``dimensions``.
        dimensions: Dimension → score of these records.
        rows: These records.
    """

    keeper: str | None
    team: str | None
    records: int
    with_issues: int
    issues: int
    score: float | None
    dimensions: dict[str, float]
    rows: str


@dataclass(frozen=True)
class TeamLine:
    """A team of crmq.yml: the records its people look after, and the rules they answer for.

    Attributes:
        team: Its name.
        people: Its people.
        records: Live records they look after.
        with_issues: These that have any issue.
        issues: Issues of these records.
        score: Mean of ``dimensions``.
        dimensions: Dimension → score of these records.
        to_mend: Issues of rules that its people own, whoever's records have them.
        to_mend_errors: These of severity error.
        rows: The records they look after.
    """

    team: str
    people: tuple[str, ...]
    records: int
    with_issues: int
    issues: int
    score: float | None
    dimensions: dict[str, float]
    to_mend: int
    to_mend_errors: int
    rows: str
