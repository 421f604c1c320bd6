"""Decisions on pairs: held against all others, kept by source key, applied at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.run import RunRequest, execute_within
from crm_quality.errors import InputError, NotFoundError, RefusedError, UsageError
from crm_quality.match.decided import DIFFERENT, SAME, Decided, Decision
from crm_quality.store.decisions import (
    decisions_in_force,
    withdraw_decisions,
    write_decisions,
)
from crm_quality.store.reference import RecordReference, record_named
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crm_quality.definitions import RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.run import RunOutcome
    from crm_quality.engine.summary import Clock
    from crm_quality.store import Store

VERDICTS = (SAME, DIFFERENT)

#: Faults of a file that one message names.
_NAMED = 10


@dataclass(frozen=True)
class Wanted:
    """A decision as somebody asks for it.

    Attributes:
        left: A record by its number or as ``source:key``.
        right: The other.
        verdict: ``same`` or ``different``.
        reason: Why.
        place: Where it was asked for, such as ``row 7``; empty for a single one.
    """

    left: str
    right: str
    verdict: str
    reason: str
    place: str = ""


@dataclass(frozen=True)
class Author:
    """Who decides, and by what command.

    Attributes:
        actor: Who.
        command: How it was asked for.
    """

    actor: str
    command: str


@dataclass(frozen=True)
class Made:
    """What became of decisions.

    Attributes:
        decision_ids: Those that are new.
        known: How many had been decided so before.
        outcome: The run that applied them; null = the next run does.
    """

    decision_ids: tuple[int, ...]
    known: int
    outcome: RunOutcome | None


def decide(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    wanted: Sequence[Wanted],
    author: Author,
    clock: Clock,
    *,
    apply: bool = True,
) -> Made:
    """Keep decisions, all or none, and apply them in the same transaction.

    Args:
        store: Open for writing.
        rules: The project's.
        config: The project's settings.
        wanted: What to decide.
        author: Who does.
        clock: Takes the seconds of the run that applies them.
        apply: Derive clusters and golden records again at once; else the next run does.

    Raises:
        NotFoundError: There is no such record.
        UsageError: A verdict is none, or a pair is one record or of two entities.
        RefusedError: A decision contradicts others; the chain is in the message. Nothing was kept.
    """
    with store.transaction():
        made, known = keep_decisions(store, wanted, author)
        outcome = None
        if made and apply:
            request = RunRequest(
                [], author.actor, author.command, datetime.now(UTC).date(), few=True
            )
            outcome = execute_within(store, rules, config, request, clock)
    return Made(tuple(made), known, outcome)


def withdraw(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    decision_ids: Sequence[int],
    reason: str,
    author: Author,
    clock: Clock,
) -> Made:
    """Take decisions back, all or none, and apply that; arguments as for `decide`.

    Raises:
        NotFoundError: One is not in force.
    """
    with store.transaction():
        in_force = dict(
            store.rows(
                "SELECT decision_id, entity FROM matching.decision WHERE withdrawn_at IS NULL"
            )
        )
        for decision_id in decision_ids:
            if decision_id not in in_force:
                raise NotFoundError(
                    f"there is no decision {decision_id} in force; see crmq review decisions"
                )
        moment = datetime.now(UTC).replace(tzinfo=None)
        withdraw_decisions(store, decision_ids, moment=moment)
        for decision_id in decision_ids:
            record_event(
                store,
                "decision.withdrawn",
                {"decision_id": decision_id, "reason": reason},
                actor=author.actor,
                occurred_at=moment,
            )
        request = RunRequest([], author.actor, author.command, datetime.now(UTC).date(), few=True)
        outcome = execute_within(store, rules, config, request, clock)
    return Made(tuple(decision_ids), 0, outcome)


def wanted_of(frame: pl.DataFrame, reason: str, name: str) -> list[Wanted]:
    """The decisions that a file holds; rows without one are left for later.

    Args:
        frame: ``decision`` or ``verdict`` (same, different or blank), and either ``record_id_l``
            and ``record_id_r`` or ``source_l``, ``source_key_l``, ``source_r``, ``source_key_r``;
            ``reason`` may be there.
        reason: Given where the file gives none.
        name: What messages call the file.

    Raises:
        InputError: A column is missing, or a verdict is neither.
    """
    column = next((one for one in ("decision", "verdict") if one in frame.columns), None)
    by_number = {"record_id_l", "record_id_r"} <= set(frame.columns)
    keys = ("source_l", "source_key_l", "source_r", "source_key_r")
    if column is None or not (by_number or set(keys) <= set(frame.columns)):
        raise InputError(
            f"{name} needs a column decision (same, different or blank) and record_id_l, "
            f"record_id_r or {', '.join(keys)}; found {', '.join(frame.columns)}"
        )
    made, wrong = [], []
    for number, row in enumerate(frame.iter_rows(named=True), start=2):
        verdict = str(row[column] or "").strip().lower()
        if not verdict:
            continue
        if verdict not in VERDICTS:
            wrong.append(f"row {number}: {verdict!r}")
            continue
        if by_number:
            left, right = (_number(row[side]) for side in ("record_id_l", "record_id_r"))
        else:
            left, right = (f"{row[f'source_{s}']}:{row[f'source_key_{s}']}" for s in "lr")
        made.append(Wanted(left, right, verdict, str(row.get("reason") or reason), f"row {number}"))
    if wrong:
        raise InputError(
            f"{name}: a decision is same, different or blank; {'; '.join(wrong[:_NAMED])}"
        )
    return made


def _number(value: Any) -> str:  # noqa: ANN401 - a cell of a workbook
    # workbooks keep whole numbers as 12.0
    text = str(value).strip()
    return text.removesuffix(".0")


def keep_decisions(store: Store, wanted: Iterable[Wanted], author: Author) -> tuple[list[int], int]:
    """Ids of the decisions that are new, and how many were known."""
    moment = datetime.now(UTC).replace(tzinfo=None)
    said: dict[str, Decided] = {}
    fresh: dict[str, list[tuple[Wanted, RecordReference, RecordReference]]] = {}
    known, refused = 0, []
    for one in wanted:
        left, right = _pair(store, one)
        decided = said.setdefault(left.entity, _decided(store, left.entity))
        verdict = decided.verdict(left.record_id, right.record_id)
        chain = decided.contradiction(left.record_id, right.record_id, one.verdict)
        if chain:
            refused.append(_refusal(one, left, right, chain))
            continue
        direct = decided.chain(left.record_id, right.record_id)
        if verdict == one.verdict and len(direct) == 1:
            known += 1
            continue
        decided.add(Decision(0, left.record_id, right.record_id, one.verdict))
        fresh.setdefault(left.entity, []).append((one, left, right))
    if refused:
        raise RefusedError("\n".join([*refused[:_NAMED], "nothing was decided"]))
    return [
        decision_id
        for entity, rows in fresh.items()
        for decision_id in _written(store, entity, rows, author, moment)
    ], known


def _pair(store: Store, one: Wanted) -> tuple[RecordReference, RecordReference]:
    where = f"{one.place}: " if one.place else ""
    if one.verdict not in VERDICTS:
        raise UsageError(f"{where}{one.verdict!r} is no verdict; say same or different")
    if not one.reason.strip():
        raise UsageError(f"{where}a decision needs a reason: --reason TEXT")
    try:
        left, right = record_named(store, one.left), record_named(store, one.right)
    except NotFoundError as error:
        raise NotFoundError(f"{where}{error}") from error
    if left.record_id == right.record_id:
        raise UsageError(f"{where}{left} and {right} are one record; name two")
    if left.entity != right.entity:
        raise UsageError(
            f"{where}{left} is a {left.entity} and {right} a {right.entity}; only records of one "
            "kind can be the same"
        )
    return left, right


def _decided(store: Store, entity: str) -> Decided:
    columns = ("decision_id", "record_id_l", "record_id_r", "verdict")
    rows = decisions_in_force(store, entity).select(columns).iter_rows()
    return Decided(Decision(*row) for row in rows)


def _refusal(
    one: Wanted, left: RecordReference, right: RecordReference, chain: Sequence[Decision]
) -> str:
    """Why a decision does not fit; records by their numbers, for keys may be personal."""
    where = f"{one.place}: " if one.place else ""
    steps = ", ".join(
        f"{step.left} {step.verdict} {step.right}"
        + (f" (decision {step.decision_id})" if step.decision_id else " (this file)")
        for step in chain
    )
    numbers = [str(step.decision_id) for step in chain if step.decision_id]
    advice = (
        f"; withdraw one of them first: crmq review withdraw {numbers[0]} --reason TEXT"
        if numbers
        else ""
    )
    return (
        f"{where}{left.record_id} {one.verdict} {right.record_id} contradicts what was decided: "
        f"{steps}{advice}"
    )


def _written(
    store: Store,
    entity: str,
    rows: Sequence[tuple[Wanted, RecordReference, RecordReference]],
    author: Author,
    moment: datetime,
) -> list[int]:
    frame = pl.DataFrame(
        {
            "verdict": [one.verdict for one, _, _ in rows],
            "source_l": [left.source for _, left, _ in rows],
            "source_key_l": [left.source_key for _, left, _ in rows],
            "source_r": [right.source for _, _, right in rows],
            "source_key_r": [right.source_key for _, _, right in rows],
            "record_id_l": [left.record_id for _, left, _ in rows],
            "record_id_r": [right.record_id for _, _, right in rows],
            "reason": [one.reason for one, _, _ in rows],
        }
    )
    made = write_decisions(store, entity, frame, actor=author.actor, moment=moment)
    for decision_id, (one, left, right) in zip(made, rows, strict=True):
        record_event(
            store,
            "decision.made",
            {
                "decision_id": decision_id,
                "entity": entity,
                "verdict": one.verdict,
                "left": left.record_id,
                "right": right.record_id,
                "reason": one.reason,
            },
            actor=author.actor,
            occurred_at=moment,
        )
    return made
