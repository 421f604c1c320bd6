"""What hangs on customers, one line per entity: its rows stand for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_quality.audit.card import DimensionScore, IssueLine, Scorecard

_GRAVITY = ("error", "warning", "info")
_ALMOST = 99.9


@dataclass(frozen=True)
class RowLine:
    """One entity whose rows stand for themselves.

    Attributes:
        entity: Its name.
        title: Its rows in words.
        rows: Rows in force.
        quarantined: Rows that were never accepted and wait.
        unplaced: Rows that name a customer who is not known or waits; null = they name nobody.
        weakest: The dimension with the lowest score, where it is below 100; null = all are good.
        measured: Whether any dimension could be measured.
        fault: The broken rule that most rows have; null = none is broken.
    """

    entity: str
    title: str
    rows: int
    quarantined: int
    unplaced: int | None
    weakest: DimensionScore | None
    measured: bool
    fault: IssueLine | None

    @property
    def quality(self) -> str:
        """The lowest quality in words; what is nearly all good is not called 100."""
        if self.weakest is not None:
            return f"{self.weakest.title} {min(self.weakest.score or 0.0, _ALMOST):.1f}"
        return "all good" if self.measured else "-"

    @property
    def usual(self) -> str:
        """The most frequent fault as its rule is called inside the entity, and its rows."""
        if self.fault is None:
            return ""
        return f"{self.fault.rule.partition('.')[2]} ({self.fault.records:,})"


def row_lines(card: Scorecard) -> tuple[RowLine, ...]:
    """A line for each entity of the card that is not deduplicated."""
    found = []
    for one in card.row_entities:
        measured = [line for line in one.dimensions if line.score is not None]
        left = [line for line in measured if line.good < line.total]
        found.append(
            RowLine(
                entity=one.entity,
                title=one.title,
                rows=one.counts.accepted,
                quarantined=one.counts.quarantined,
                unplaced=one.counts.unplaced,
                weakest=min(left, key=lambda line: line.score or 0.0) if left else None,
                measured=bool(measured),
                fault=max(one.issues, key=lambda line: line.records) if one.issues else None,
            )
        )
    return tuple(found)


def row_issues(card: Scorecard) -> tuple[IssueLine, ...]:
    """Broken rules of these entities, the gravest first, then the most frequent."""
    lines = [line for one in card.row_entities for line in one.issues]
    return tuple(sorted(lines, key=lambda line: (_GRAVITY.index(line.severity), -line.records)))
