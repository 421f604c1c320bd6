"""Leads at work: steps in their life, handover to sales and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.engine.acting import customer_named
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from datetime import datetime

    from crm_quality.store import Store

ACCEPTED, RETURNED = "accepted", "returned"

_STATE = "SELECT stage FROM crm.lifecycle_state WHERE contact_id = ?"
_STEP = "SELECT needs_reason FROM crm.lifecycle_step WHERE from_stage = ? AND to_stage = ?"
_ALLOWED = "SELECT to_stage FROM crm.lifecycle_step WHERE from_stage = ? ORDER BY to_stage"
_OPEN = "SELECT handover_id FROM crm.lead_handover WHERE outcome IS NULL AND contact_id = ?"
_HANDED = "SELECT outcome FROM crm.handover WHERE handover_id = ?"


@dataclass(frozen=True)
class Step:
    """A step in the life of a contact.

    Attributes:
        contact_id: Whose.
        from_stage: Where it stood; null = nowhere that is known.
        to_stage: Where it stands now.
    """

    contact_id: int
    from_stage: str | None
    to_stage: str


def move(store: Store, name: str, stage: str, reason: str, *, actor: str, moment: datetime) -> Step:
    """Take a step in the life of a contact.

    Args:
        store: Inside a transaction.
        name: The contact, by any of its records.
        stage: Where it goes.
        reason: Why; a step back needs one.
        actor: Who takes it.
        moment: When, UTC.

    Raises:
        RefusedError: The lifecycle does not allow the step, or the contact stands there already.
        UsageError: A step back without a reason.
    """
    contact = customer_named(store, name, "contact")
    before = store.value(_STATE, [contact.entity_id])
    if before == stage:
        raise RefusedError(f"contact {contact.entity_id} is at {stage} already")
    known = [
        row[0] for row in store.rows("SELECT stage FROM crm.lifecycle_place ORDER BY position")
    ]
    if known and stage not in known:
        raise UsageError(f"there is no stage {stage!r}; choose from {', '.join(known)}")
    if known and before is not None:
        step = store.rows(_STEP, [before, stage])
        if not step:
            allowed = ", ".join(row[0] for row in store.rows(_ALLOWED, [before])) or "none"
            raise RefusedError(
                f"a contact does not go from {before} to {stage}: allowed are {allowed} "
                "(rules/lifecycles/contact.yml)"
            )
        if step[0][0] and not reason.strip():
            raise UsageError(f"from {before} to {stage} is a step back: say why with --reason")
    store.execute(
        "INSERT INTO crm.lifecycle_move VALUES (?, ?, ?, ?, ?, ?)",
        [contact.entity_id, before, stage, reason.strip() or None, actor, moment],
    )
    told = {"record_id": contact.entity_id, "from": before, "to": stage, "reason": reason}
    record_event(store, "lead.moved", told, actor=actor, occurred_at=moment)
    return Step(contact.entity_id, before, stage)


def hand_over(store: Store, name: str, to: str, *, actor: str, moment: datetime) -> int:
    """Give a lead to somebody in sales.

    Returns:
        The number of the handover.

    Raises:
        RefusedError: It was given to somebody who has not answered yet.
    """
    contact = customer_named(store, name, "contact")
    waiting = store.value(_OPEN, [contact.entity_id])
    if waiting is not None:
        raise RefusedError(
            f"contact {contact.entity_id} has been handed over and nobody has answered: crmq crm "
            f"lead accept {waiting}, or crmq crm lead return {waiting} --reason TEXT"
        )
    owner = store.value("SELECT owner FROM crm.contact WHERE entity_id = ?", [contact.entity_id])
    number = store.next_id("handover_id", "crm.handover")
    store.execute(
        "INSERT INTO crm.handover VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
        [number, contact.entity_id, owner, to, moment, actor],
    )
    told = {"handover_id": number, "record_id": contact.entity_id, "to": to}
    record_event(store, "lead.handed_over", told, actor=actor, occurred_at=moment)
    return number


def answer(
    store: Store, number: int, outcome: str, reason: str, *, actor: str, moment: datetime
) -> None:
    """Accept a lead that was handed over, or return it.

    Raises:
        NotFoundError: There is no such handover.
        RefusedError: It was answered already.
        UsageError: A return without a reason.
    """
    rows = store.rows(_HANDED, [number])
    if not rows:
        raise NotFoundError(f"there is no handover {number}; crmq crm leads --by handover")
    if rows[0][0] is not None:
        raise RefusedError(f"handover {number} was {rows[0][0]} already")
    if outcome == RETURNED and not reason.strip():
        raise UsageError("a lead that is returned needs a reason: --reason TEXT")
    store.execute(
        "UPDATE crm.handover SET outcome = ?, reason = ?, answered_at = ?, answered_by = ?"
        " WHERE handover_id = ?",
        [outcome, reason.strip() or None, moment, actor, number],
    )
    told = {"handover_id": number, "reason": reason}
    record_event(store, f"lead.{outcome}", told, actor=actor, occurred_at=moment)
