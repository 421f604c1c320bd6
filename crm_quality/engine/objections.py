"""Decisions in force that stand against what a steward wants, and how to take them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.errors import RefusedError
from crm_quality.match.decided import DIFFERENT, SAME, Decided, Decision
from crm_quality.store.acts import MERGE, acts_behind
from crm_quality.store.decisions import decisions_numbered, verdicts_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.engine.acting import Intent
    from crm_quality.store import Store

#: So many decisions to withdraw are named in a message.
_NAMED = 12


def mind_decisions(store: Store, intent: Intent) -> None:
    """Refuse what contradicts decisions in force.

    Raises:
        RefusedError: It does; the message has a chain, and the commands that make room for it.
    """
    rows = verdicts_in_force(store, intent.entity).iter_rows()
    known = [Decision(*row) for row in rows if row[0] not in intent.withdraw]
    wanted = [(pair, SAME) for pair in intent.same] + [
        (pair, DIFFERENT) for pair in intent.different
    ]
    chain = _first_chain(known, wanted)
    if not chain:
        return
    against = _in_the_way(known, wanted)
    raise RefusedError(
        f"that contradicts what was decided: {_steps(chain)}; nothing was done; "
        f"{_advice(store, against)}"
    )


def mind_restored(store: Store, entity: str, decision_ids: Sequence[int]) -> None:
    """Refuse to let decisions be in force again that contradict those made since.

    Raises:
        RefusedError: One does; the chain is in the message.
    """
    columns = ("decision_id", "record_id_l", "record_id_r", "verdict")
    decided = Decided(Decision(*row) for row in verdicts_in_force(store, entity).iter_rows())
    for row in decisions_numbered(store, entity, decision_ids).select(columns).iter_rows():
        one = Decision(*row)
        chain = decided.contradiction(one.left, one.right, one.verdict)
        if chain:
            raise RefusedError(
                f"{one.left} {one.verdict} {one.right} (decision {one.decision_id}) would be in "
                f"force again and contradicts what was decided since: {_steps(chain)}; nothing was "
                f"done; {_advice(store, [step for step in chain if step.decision_id])}"
            )
        decided.add(one)


def _steps(chain: Sequence[Decision]) -> str:
    return ", ".join(
        f"{step.left} {step.verdict} {step.right}"
        + (f" (decision {step.decision_id})" if step.decision_id else " (asked for now)")
        for step in chain
    )


def _first_chain(
    known: list[Decision], wanted: list[tuple[tuple[int, int], str]]
) -> list[Decision]:
    decided = Decided(known)
    for (left, right), verdict in wanted:
        chain = decided.contradiction(left, right, verdict)
        if chain:
            return chain
        decided.add(Decision(0, left, right, verdict))
    return []


def _in_the_way(known: list[Decision], wanted: list[tuple[tuple[int, int], str]]) -> list[Decision]:
    """Decisions without which nothing would contradict: of each chain one that says otherwise."""
    found: dict[int, Decision] = {}
    chain = _first_chain(known, wanted)
    while chain:
        said = [step for step in chain if step.decision_id]
        if not said:
            break
        opposed = [step for step in said if step.verdict == DIFFERENT]
        one = (opposed or said)[0]
        # what was decided again on the same two records is in the way as well
        pair = {one.left, one.right}
        twins = [step for step in known if {step.left, step.right} == pair]
        found |= {step.decision_id: step for step in twins}
        known = [step for step in known if step.decision_id not in found]
        chain = _first_chain(known, wanted)
    return list(found.values())


def _advice(store: Store, against: list[Decision]) -> str:
    numbers = [step.decision_id for step in against]
    acts = {act.act_id: act for act in acts_behind(store, numbers).values()}
    ways = []
    for act in acts.values():
        command = (
            f"crmq unmerge act:{act.act_id}" if act.kind == MERGE else f"crmq undo {act.run_id}"
        )
        ways.append(f"{command} --reason TEXT takes back the {act.kind} of {act.acted_at:%Y-%m-%d}")
    if numbers and len(numbers) <= _NAMED:
        listed = " ".join(map(str, numbers))
        ways.append(f"crmq review withdraw {listed} --reason TEXT takes back these decisions alone")
    return "first, " + ", or ".join(ways) if ways else "ask for something that agrees with itself"
