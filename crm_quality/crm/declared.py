"""What rules and crmq.yml declare of a process, copied into the store so that views can read it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from crm_quality.crm.hours import Service
    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store

_STAGES = pl.Schema(
    {
        "pipeline": pl.String(),
        "stage": pl.String(),
        "position": pl.Int64(),
        "outcome": pl.String(),
        "probability": pl.Decimal(5, 2),
        "expected_days": pl.Int64(),
    }
)
#: Days of working time that are laid out beyond the moment that is asked about.
_AHEAD = 400
_FIRST_TICKET = "SELECT min(created_at) FROM crm.ticket"
_SECONDS = 3600


def declare_process(store: Store, rules: RuleSet) -> None:
    """Copy pipelines and lifecycles, where others were copied last.

    Args:
        store: Inside a transaction.
        rules: The project's rules.
    """
    if not _is_new(store, "process", rules.fingerprint):
        return
    stages = [
        (name, stage, place, of.outcome, of.probability, of.expected_days)
        for name, pipeline in rules.pipelines.items()
        for place, (stage, of) in enumerate(pipeline.stages.items(), start=1)
    ]
    _replace(store, "crm.pipeline_stage", pl.DataFrame(stages, schema=_STAGES, orient="row"))
    names = {
        spelling.strip().lower(): name
        for name, pipeline in rules.pipelines.items()
        for spelling in (name, *pipeline.synonyms, *([""] if pipeline.default else []))
    }
    _replace(
        store,
        "crm.pipeline_name",
        pl.DataFrame(
            {"spelling": list(names), "pipeline": list(names.values())},
            schema={"spelling": pl.String, "pipeline": pl.String},
        ),
    )
    life = rules.lifecycles.get("contact")
    places = {} if life is None else {stage: n for n, stage in enumerate(life.stages, start=1)}
    moves = [] if life is None else [(one, to) for one, all_ in life.moves.items() for to in all_]
    _replace(
        store,
        "crm.lifecycle_place",
        pl.DataFrame(
            {"stage": list(places), "position": list(places.values())},
            schema={"stage": pl.String, "position": pl.Int64},
        ),
    )
    _replace(
        store,
        "crm.lifecycle_step",
        pl.DataFrame(
            [(one, to, places[to] < places[one]) for one, to in moves],
            schema={"from_stage": pl.String, "to_stage": pl.String, "needs_reason": pl.Boolean},
            orient="row",
        ),
    )


def declare_service(
    store: Store, service: Service, stale_after: Iterable[tuple[str, int]], moment: datetime
) -> None:
    """Copy working time, what is promised for tickets, and when records are stale.

    Args:
        store: Inside a transaction.
        service: As crmq.yml declares it.
        stale_after: Entities and the days without anybody touching a record of it.
        moment: Working time is laid out from the first ticket to a year after it.
    """
    ages = sorted(stale_after)
    first = store.value(_FIRST_TICKET) if store.rows(_HAS_TICKETS) else None
    start = min(first or moment, moment).date() - timedelta(days=7)
    end = moment.date() + timedelta(days=_AHEAD)
    # whole years, so that it is laid out anew once a year
    start, end = start.replace(month=1, day=1), end.replace(month=12, day=31)
    shape = f"{service.model_dump_json()} {ages} {start} {end}"
    if not _is_new(store, "service", shape):
        return
    _replace(store, "crm.business_time", service.intervals(start, end))
    targets = [
        (
            "" if priority == "other" else priority,
            _seconds(of.first_response),
            _seconds(of.resolution),
        )
        for priority, of in service.targets.items()
    ]
    _replace(
        store,
        "crm.ticket_target",
        pl.DataFrame(
            targets,
            schema={
                "priority": pl.String,
                "first_response_seconds": pl.Int64,
                "resolution_seconds": pl.Int64,
            },
            orient="row",
        ),
    )
    _replace(
        store,
        "crm.stale_age",
        pl.DataFrame(ages, schema={"entity": pl.String, "days": pl.Int64}, orient="row"),
    )


_HAS_TICKETS = "SELECT 1 FROM duckdb_views() WHERE schema_name = 'crm' AND view_name = 'ticket'"


def _seconds(hours: float | None) -> int | None:
    return None if hours is None else round(hours * _SECONDS)


def _is_new(store: Store, what: str, fingerprint: str) -> bool:
    """Whether something else was copied last; notes that this is copied now."""
    if store.value("SELECT fingerprint FROM crm.declared WHERE what = ?", [what]) == fingerprint:
        return False
    store.execute("DELETE FROM crm.declared WHERE what = ?", [what])
    store.execute("INSERT INTO crm.declared VALUES (?, ?)", [what, fingerprint])
    return True


def _replace(store: Store, table: str, frame: pl.DataFrame) -> None:
    store.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant of this module
    store.append(table, frame)
