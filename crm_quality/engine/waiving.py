"""Checking again what waits, and accepting records in spite of rules they break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.second_look import VERDICTS, conclude, look_again
from crm_quality.engine.waivers import let_waivers_lapse
from crm_quality.errors import NotFoundError, RefusedError
from crm_quality.store.corrections import keep_waivers, waivers_in_force, withdraw_waivers
from crm_quality.store.quarantine import STEPS, take_steps
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from crm_quality.engine.second_look import SecondLook
    from crm_quality.engine.underway import RunUnderway

#: An event names so many records; the steps in ``quality.quarantine_step`` name all.
_MOST_NAMED = 100


def check_again(run: RunUnderway, found: pl.DataFrame, *, reason: str) -> pl.DataFrame:
    """Judge waiting records by today's rules and let those that pass go on.

    Args:
        run: The run under way.
        found: ``entity``, ``record_id`` of records that wait.
        reason: Why.

    Returns:
        Frame of `VERDICTS`.
    """
    verdicts = [VERDICTS.to_frame()]
    for (name,), records in found.group_by("entity", maintain_order=True):
        definition = run.rules.entity(str(name))
        ids = records["record_id"].to_list()
        look = look_again(run, definition, ids)
        told, touched = conclude(run, look, reasons=dict.fromkeys(ids, reason))
        verdicts.append(told)
        if touched.height:
            run.settle(definition, touched)
        else:
            run.count_store(definition)
    every = pl.concat(verdicts)
    released = every.filter(pl.col("outcome") != "waiting")
    record_event(
        run.store,
        "quarantine.checked",
        {
            "checked": every.height,
            "released": released.height,
            "records": released["record_id"].head(_MOST_NAMED).to_list(),
            "reason": reason,
        },
        actor=run.actor,
        occurred_at=run.started,
        run_id=run.run_id,
    )
    return every


def waive(
    run: RunUnderway,
    entity: str,
    record: int,
    *,
    until: date,
    reason: str,
    rules: Sequence[str] | None,
) -> pl.DataFrame:
    """Keep waivers for a record, and accept it if they are enough.

    Args:
        run: The run under way.
        entity: The record's entity.
        record: Its id.
        until: The last day on which they hold.
        reason: Why.
        rules: Codes of the rules; null = every error that the record has.

    Returns:
        Frame of `VERDICTS`.

    Raises:
        NotFoundError: The record does not break such a rule.
        RefusedError: It breaks no rule of severity error, or its source has deleted it.
    """
    definition = run.rules.entity(entity)
    look = look_again(run, definition, [record])
    (before,) = look.before.to_dicts()
    name = f"{entity} {record} ({before['source']}:{before['source_key']})"
    if before["ended"]:
        raise RefusedError(f"{name} has been deleted by its source: there is nothing to waive")
    broken = _broken(look)
    if not broken:
        raise RefusedError(
            f"{name} breaks no rule of severity error: there is nothing to waive; "
            "if it waits, `crmq quarantine release` lets it go"
        )
    for code in rules or ():
        if code not in broken:
            raise NotFoundError(
                f"{name} does not break {code!r}; the errors it has: {', '.join(broken)}"
            )
    chosen = list(dict.fromkeys(rules or broken))
    waivers = pl.DataFrame({"rule": chosen}).select(
        pl.lit(before["source"]).alias("source"),
        pl.lit(before["source_key"]).alias("source_key"),
        "rule",
        pl.lit(until).alias("expires_on"),
        pl.lit(run.actor).alias("actor"),
        pl.lit(reason).alias("reason"),
    )
    keep_waivers(run.store, entity, waivers, run_id=run.run_id, moment=run.started)
    run.changed = True
    told = f"until {until}: {reason}"
    verdicts, touched = conclude(run, look_again(run, definition, [record]), reasons={record: told})
    if touched.height:
        run.settle(definition, touched)
    else:
        run.count_store(definition)
        _note_longer(run, entity, before, told)
    record_event(
        run.store,
        "quarantine.waived",
        {
            "entity": entity,
            "record": record,
            "rules": chosen,
            "until": until,
            "reason": reason,
        },
        actor=run.actor,
        occurred_at=run.started,
        run_id=run.run_id,
    )
    return verdicts


def withdraw(
    run: RunUnderway, entity: str, record: int, *, reason: str, rules: Sequence[str] | None
) -> pl.DataFrame:
    """Take back waivers of a record; if it fails without them, it waits again.

    Args:
        run: The run under way.
        entity: The record's entity.
        record: Its id.
        reason: Why.
        rules: Codes of the rules; null = every waiver in force.

    Returns:
        Frame of `VERDICTS`.

    Raises:
        NotFoundError: There is no such waiver in force.
    """
    definition = run.rules.entity(entity)
    (before,) = look_again(run, definition, [record]).before.to_dicts()
    mine = waivers_in_force(run.store, entity, run.as_of).filter(
        pl.col("source") == before["source"], pl.col("source_key") == before["source_key"]
    )
    wanted = mine if rules is None else mine.filter(pl.col("rule").is_in(list(rules)))
    if wanted.is_empty() or (rules is not None and wanted.height < len(set(rules))):
        there = ", ".join(mine["rule"]) or "none"
        raise NotFoundError(
            f"{entity} {record} ({before['source']}:{before['source_key']}) has no such waiver; "
            f"rules waived for it: {there}"
        )
    withdraw_waivers(run.store, entity, wanted, moment=run.started)
    run.changed = True
    lapsed = let_waivers_lapse(run, reason=reason, record=record).get(entity)
    if lapsed is not None:
        run.settle(definition, lapsed)
    else:
        run.count_store(definition)
    record_event(
        run.store,
        "quarantine.waiver_withdrawn",
        {"entity": entity, "record": record, "rules": wanted["rule"].to_list(), "reason": reason},
        actor=run.actor,
        occurred_at=run.started,
        run_id=run.run_id,
    )
    verdicts, _ = conclude(run, look_again(run, definition, [record]), reasons={record: reason})
    return verdicts


def _broken(look: SecondLook) -> list[str]:
    """Rules of severity error that a record breaks, waived ones included."""
    prepared = look.judged.prepared
    errors = prepared.issues.filter(pl.col("severity") == "error")["rule"].to_list()
    return list(dict.fromkeys([*errors, *prepared.waived["rule"]]))


def _note_longer(run: RunUnderway, entity: str, before: dict[str, object], told: str) -> None:
    """A record that was accepted under a waiver has another day from now on."""
    if before["quarantine_status"] != "waived":
        return
    step = (before["record_id"], before["set_aside"], "waived", before["version_id"], told)
    take_steps(
        run.store,
        entity,
        pl.DataFrame([step], schema=STEPS, orient="row"),
        run_id=run.run_id,
        moment=run.started,
        actor=run.actor,
    )
