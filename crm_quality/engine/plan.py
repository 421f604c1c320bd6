"""What a run would do: it is done, looked at and taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.run import execute_within
from crm_quality.store.changes import id_changes, records_by_status, records_ended

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.engine.run import RunRequest
    from crm_quality.engine.summary import Clock
    from crm_quality.store import Store

#: So many merges and splits are listed.
LISTED = 50


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        outcome: As the run would give it; its ``run_id`` is null.
        records: ``entity``, ``status`` (accepted, quarantined, ended), ``before``, ``after``:
            records of the store.
        ended: Records that it would end.
        merges: ``entity``, ``entity_id`` (the customer that stays), ``former_id`` (that goes).
        splits: ``entity``, ``entity_id`` (the customer that is new), ``former_id`` (the
            one that it leaves).
    """

    outcome: RunOutcome
    records: pl.DataFrame
    ended: int
    merges: pl.DataFrame
    splits: pl.DataFrame

    @property
    def exceeded(self) -> list[str]:
        """Limits of crmq.yml that would stop it, in words."""
        return self.outcome.exceeded

    def to_dict(self, *, most: int = LISTED) -> dict[str, Any]:
        """As JSON tells it: the object of a run, and what it would do to records and customers.

        Args:
            most: So many merges and splits are listed.
        """
        return {
            **self.outcome.summary.model_dump(),
            "plan": {
                "records": self.records.to_dicts(),
                "ended": self.ended,
                "merges": self.merges.head(most).to_dicts(),
                "splits": self.splits.head(most).to_dicts(),
                "limits": self.exceeded,
            },
        }


def plan(
    store: Store, rules: RuleSet, config: ProjectConfig, request: RunRequest, clock: Clock
) -> Plan:
    """Do a run and take it back; arguments as for `crm_quality.engine.run.execute`.

    It takes as long as the run. Nothing is written, neither to the store nor beside it.
    """
    with store.rehearsal():
        before = records_by_status(store)
        outcome = execute_within(store, rules, config, replace(request, planning=True), clock)
        run_id = int(outcome.summary.run_id or 0)
        found = id_changes(store, run_id)
        both = before.join(
            records_by_status(store),
            on=["entity", "status"],
            how="full",
            coalesce=True,
            suffix="_after",
        )
        ended = records_ended(store, run_id)
    outcome.summary.run_id = None
    sides = {
        kind: found.filter(pl.col("kind") == kind).drop("kind") for kind in ("merged", "split")
    }
    records = both.select(
        "entity",
        "status",
        pl.col("records").fill_null(0).alias("before"),
        pl.col("records_after").fill_null(0).alias("after"),
    ).sort("entity", "status")
    return Plan(outcome, records, ended, sides["merged"], sides["split"])
