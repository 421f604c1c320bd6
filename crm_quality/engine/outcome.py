"""What a run did: its numbers, and the frames that a caller may want to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.summary import counted
from crm_quality.validate import ISSUES

if TYPE_CHECKING:
    from crm_quality.engine.summary import Summary


@dataclass
class RunOutcome:
    """What a run did.

    Attributes:
        summary: The numbers.
        exceeded: Limits that a planned run would be stopped by, in words.
    """

    summary: Summary
    exceeded: list[str] = field(default_factory=list)
    _issues: list[pl.DataFrame] = field(default_factory=list)
    _quarantined: list[pl.DataFrame] = field(default_factory=list)

    def add_issues(self, issues: pl.DataFrame) -> None:
        """Keep the issues of one batch, and count them."""
        total, found = self.summary.issues, counted(issues)
        for severity, count in found.model_dump().items():
            setattr(total, severity, getattr(total, severity) + count)
        self._issues.append(issues)

    def add_quarantined(self, rows: pl.DataFrame, entity: str) -> None:
        """Keep the keys of the rows of one batch that were set aside."""
        keys = rows.select(pl.lit(entity).alias("entity"), "source", "source_key", "row_number")
        self._quarantined.append(keys)

    def all_issues(self) -> pl.DataFrame:
        """Issues of every batch; of the shape of `ISSUES` when there is none."""
        return pl.concat(self._issues) if self._issues else pl.DataFrame(schema=ISSUES)

    def all_quarantined(self) -> pl.DataFrame:
        """Keys of every row set aside."""
        if self._quarantined:
            return pl.concat(self._quarantined)
        text = dict.fromkeys(("entity", "source", "source_key"), pl.String)
        return pl.DataFrame(schema={**text, "row_number": pl.Int64})
