"""Declared workflows: what has happened, what is to be done about it, and each event once."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.definitions.moments import shifted
from crm_quality.errors import NotFoundError
from crm_quality.store.connection import quoted
from crm_quality.store.trail import record_event
from crm_quality.validate.conditions import Context, expression, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from crm_quality.definitions import RuleSet
    from crm_quality.definitions.process import Action, Workflow
    from crm_quality.store import Store

#: Columns of what workflows have to do, and of their log.
ACTIONS = pl.Schema(
    {
        "workflow": pl.String(),
        "entity": pl.String(),
        "record_id": pl.Int64(),
        "event": pl.String(),
        "place": pl.Int64(),
        "kind": pl.String(),
        "name": pl.String(),
        "value": pl.String(),
    }
)
TASKS = pl.Schema(
    dict.fromkeys(
        ("source_key", "subject", "due_at", "task_status", "priority", "owner", "contact_key",
         "contact_source", "contact_email", "company_key", "company_source", "deal_key",
         "deal_source", "created_at", "updated_at"),
        pl.String(),
    )
)  # fmt: skip

_FIELD = re.compile(r"\{(\w+)\}")
_WHOSE = ("contact_key", "contact_source", "contact_email", "company_key", "company_source",
          "deal_key", "deal_source")  # fmt: skip
_DONE = """
SELECT e.* FROM events e ANTI JOIN crm.workflow_action a
  ON a.workflow = ? AND a.entity = ? AND a.record_id = e.entity_id AND a.event = e.event
ORDER BY e.entity_id
"""
_KEPT = """
INSERT INTO crm.workflow_action BY NAME
SELECT d.*, ? AS actor, ?::TIMESTAMP AS fired_at, ?::BIGINT AS run_id FROM due d
ANTI JOIN crm.workflow_action a USING (workflow, entity, record_id, event)
"""


def chosen(rules: RuleSet, name: str | None) -> list[Workflow]:
    """The workflow called ``name``, or all of them.

    Raises:
        NotFoundError: There is none of that name.
    """
    if name is None:
        return list(rules.workflows.values())
    if name not in rules.workflows:
        known = ", ".join(sorted(rules.workflows)) or "none"
        raise NotFoundError(
            f"there is no workflow {name!r} in rules/workflows (there are: {known})"
        )
    return [rules.workflows[name]]


def due_actions(
    store: Store, rules: RuleSet, workflows: list[Workflow], *, moment: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is to be done now: of every event that has happened and was not answered yet.

    Returns:
        `ACTIONS`, one row each, and the tasks among them as `TASKS`, ready to be taken in. A task
        has the same key whenever it is made, so it can be there only once.
    """
    actions: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    for workflow in workflows:
        turns = _turns(store, workflow)
        for event in _events(store, rules, workflow, moment).iter_rows(named=True):
            for place, action in enumerate(workflow.then, start=1):
                kind, name, value = _said(action, event, turns, place)
                actions.append(
                    {"workflow": workflow.workflow, "entity": workflow.entity,
                     "record_id": event["entity_id"], "event": event["event"], "place": place,
                     "kind": kind, "name": name, "value": value}
                )  # fmt: skip
                if action.task is not None:
                    tasks.append(_task(workflow, place, action, event, moment))
    return (
        pl.DataFrame(actions, schema=ACTIONS, orient="row"),
        pl.DataFrame(tasks, schema=TASKS, orient="row"),
    )


def keep_actions(
    store: Store,
    due: pl.DataFrame,
    *,
    actor: str,
    moment: datetime,
    skipped: bool = False,
    run_id: int | None = None,
) -> None:
    """Write down what was done, or that it was looked at and left.

    Args:
        store: Inside a transaction.
        due: `ACTIONS`.
        actor: Who asked for it.
        moment: When, UTC.
        skipped: Nothing was done.
        run_id: The run that wrote what was set; null = nothing was set.
    """
    if due.is_empty():
        return
    kept = due.with_columns(pl.lit("skipped").alias("kind")) if skipped else due
    with store.staged(kept, "due"):
        store.execute(_KEPT, [actor, moment, run_id])
    for name, rows in due.group_by("workflow", maintain_order=True):
        told = {"workflow": name[0], "events": rows.n_unique(["record_id", "event"]),
                "actions": rows.height, "skipped": skipped}  # fmt: skip
        record_event(store, "workflow.fired", told, actor=actor, occurred_at=moment)


def _events(store: Store, rules: RuleSet, workflow: Workflow, moment: datetime) -> pl.DataFrame:
    """Records for which it holds and that were not answered yet, with what actions may read."""
    definition = rules.entity(workflow.entity)
    texts = [text for action in workflow.then for text in _texts(action)]
    named = {name for text in texts for name in _FIELD.findall(text)}
    wanted = {*fields_of(workflow.when), *workflow.once_per, *named, *_WHOSE, "owner"}
    columns = sorted(wanted & set(definition.columns))
    keys = "r.source, r.source_key"
    listed = "".join(f", d.{quoted(name)}" for name in columns)
    rows = store.frame(
        f"SELECT d.entity_id, {keys}{listed} FROM crm.{quoted(workflow.entity)} d"  # noqa: S608
        " JOIN landing.record r ON r.record_id = d.entity_id"
    )
    rows = rows.with_columns(
        pl.col(name).dt.replace_time_zone("UTC")
        for name in definition.fields_of_type(FieldType.DATETIME)
        if name in rows.columns
    )
    context = Context(definition, frozenset(rows.columns), moment.date())
    event = pl.concat_str(
        [pl.format(f"{name}={{}}", pl.col(name).cast(pl.String).fill_null(""))
         for name in workflow.once_per] or [pl.lit("")],
        separator="; ",
    )  # fmt: skip
    found = rows.filter(expression(workflow.when, context)).with_columns(event.alias("event"))
    if found.is_empty():
        return found
    with store.staged(found, "events"):
        return store.frame(_DONE, [workflow.workflow, workflow.entity])


def _texts(action: Action) -> Iterator[str]:
    if action.task is not None:
        yield action.task.subject
    if action.notify is not None:
        yield action.notify.text


def _turns(store: Store, workflow: Workflow) -> dict[int, int]:
    """Place of an action → how often it was done: whose turn it is."""
    rows = store.rows(
        "SELECT place, count(*) FROM crm.workflow_action WHERE workflow = ? AND kind = 'set'"
        " GROUP BY place",
        [workflow.workflow],
    )
    return dict(rows)


def _said(
    action: Action, event: dict[str, Any], turns: dict[int, int], place: int
) -> tuple[str, str, str | None]:
    """Kind, name and value of an action on the record of an event."""
    if action.task is not None:
        return "task", _filled(action.task.subject, event), None
    if action.tag is not None:
        return "tag", action.tag, None
    if action.notify is not None:
        return "notify", action.notify.to, _filled(action.notify.text, event)
    assert action.set_ is not None  # noqa: S101 - the last kind; says so to mypy
    value = action.set_.value
    if action.set_.values is not None:
        turn = turns.get(place, 0)
        value, turns[place] = action.set_.values[turn % len(action.set_.values)], turn + 1
    return "set", action.set_.field, value


def _filled(text: str, event: dict[str, Any]) -> str:
    return _FIELD.sub(lambda found: str(event.get(found[1]) or found[0]), text)


def _task(
    workflow: Workflow, place: int, action: Action, event: dict[str, Any], moment: datetime
) -> dict[str, Any]:
    task = action.task
    assert task is not None  # noqa: S101 - asked for tasks only
    named = f"{workflow.workflow}\x1f{event['entity_id']}\x1f{event['event']}\x1f{place}"
    whose = {name: event.get(name) for name in _WHOSE}
    if workflow.entity in {"contact", "company", "deal"}:
        whose |= {f"{workflow.entity}_key": event["source_key"]}
        whose |= {f"{workflow.entity}_source": event["source"]}
    for other in ("contact", "company", "deal"):
        if whose[f"{other}_key"] is not None:
            whose[f"{other}_source"] = whose[f"{other}_source"] or event["source"]
    due: date = shifted(moment.date(), task.due)
    return {
        **whose,
        "source_key": f"{workflow.workflow}-{hashlib.sha256(named.encode()).hexdigest()[:16]}",
        "subject": _filled(task.subject, event),
        "due_at": due.isoformat(),
        "task_status": "open",
        "priority": task.priority,
        "owner": task.owner or event.get("owner"),
        "created_at": f"{moment:%Y-%m-%dT%H:%M:%S}Z",
        "updated_at": f"{moment:%Y-%m-%dT%H:%M:%S}Z",
    }
