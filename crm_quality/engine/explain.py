"""Why two records are one customer, or are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.component import Weighed, weigh
from crm_quality.engine.evidence import evidence_object
from crm_quality.engine.lookup import safe, usable_model
from crm_quality.engine.reason import Case
from crm_quality.errors import UsageError
from crm_quality.match.block_index import KeyValue, key_values, shared_blocks
from crm_quality.match.clusters import LARGEST
from crm_quality.match.decided import Decided, Decision
from crm_quality.match.evidence import Evidence, evidence
from crm_quality.match.keys import usable_keys
from crm_quality.store.decisions import decisions_in_force
from crm_quality.store.pairs import chains_of, pairs_among
from crm_quality.store.reference import RecordReference, find_members
from crm_quality.store.workplaces import workplaces_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.reason import Reason
    from crm_quality.match.linkage import Step
    from crm_quality.match.model import MatchModel
    from crm_quality.store import Store

#: Version of the shape of `Explanation.to_dict`.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Explanation:
    """Why two records are one customer, or are not.

    Attributes:
        records: The two, the earlier one first.
        values: Field → its value in either record, standardised; fields that neither has are left
            out.
        blocks: Blocking keys that both records have.
        compared: Weight and relation under which the last run kept the pair, and that run; null
            where no run compared the two.
        evidence: The weight under the model in use, and its parts.
        reason: What made the two one customer, or keeps them apart.
        decisions: The decisions on the two, or those that imply one: a chain from one to the other.
        component: The records that chains of pairs tie to the two, themselves among them.
        step: The last step of clustering between the two; null where they are in no one component.
        workplaces: The company that either works at, where one is known: ``company_id``,
            ``found_by``, ``name``; contacts only.
        model: Origin of the model: trained or prior.
        accept: Weight from which records are joined.
        review: Weight from which a pair is shown to a steward.
    """

    records: tuple[RecordReference, RecordReference]
    values: dict[str, tuple[Any, Any]]
    blocks: tuple[KeyValue, ...]
    compared: dict[str, Any] | None
    evidence: Evidence
    reason: Reason
    decisions: tuple[dict[str, Any], ...]
    component: tuple[RecordReference, ...]
    step: Step | None
    workplaces: tuple[dict[str, Any] | None, dict[str, Any] | None]
    model: str
    accept: float
    review: float
    _rules: RuleSet

    def to_dict(self, *, show_personal: bool = False) -> dict[str, Any]:
        """The explanation as plain data, see docs/explain.md; personal values are masked."""
        entity = self.records[0].entity
        ids = [one.record_id for one in self.component]

        def shown(name: str, value: Any) -> Any:  # noqa: ANN401
            return safe(self._rules, entity, name, value, show=show_personal)

        def record(one: RecordReference) -> dict[str, Any]:
            return {
                "record_id": one.record_id,
                "entity_id": one.entity_id,
                "source": one.source,
                "source_key": shown("source_key", one.source_key),
                "status": one.status,
            }

        step = self.step
        return {
            "schema_version": SCHEMA_VERSION,
            "entity": entity,
            "masked": not show_personal,
            "records": [record(one) for one in self.records],
            "same_customer": self.records[0].entity_id == self.records[1].entity_id,
            "reason": {"kind": self.reason.kind, "text": self.reason.text},
            "values": {
                name: [shown(name, left), shown(name, right)]
                for name, (left, right) in self.values.items()
            },
            "blocks": [
                {"key": one.key, "value": shown("", one.value)} for one in self.blocks
            ],
            "workplaces": list(self.workplaces),
            "compared": self.compared,
            "model": self.model,
            "accept": self.accept,
            "review": self.review,
            **evidence_object(self.evidence),
            "never": self.reason.never,
            "decisions": [
                {**one, "left": shown("source_key", one["left"]),
                 "right": shown("source_key", one["right"])}
                for one in self.decisions
            ],
            "component": {
                "records": [record(one) for one in self.component],
                "step": None
                if step is None
                else {
                    "left": [ids[row] for row in step.left],
                    "right": [ids[row] for row in step.right],
                    "weight": step.weight,
                    "joined": step.joined,
                },
            },
        }  # fmt: skip


def explain(
    store: Store, rules: RuleSet, left: str, right: str, *, entity: str | None = None,
    proposing: bool = False,
) -> Explanation:  # fmt: skip
    """Why two records are one customer, or are not.

    Args:
        store: The open store.
        rules: The project's.
        left: A record's number, ``source:key``, or ``entity:number`` for a customer, of whose
            records the one that fits best is taken.
        right: The other.
        entity: What they are, where a key stands for several.
        proposing: The project joins nothing by itself.

    Raises:
        NotFoundError: There is no such record.
        UsageError: The two are one record, or of two entities.
        MatchError: The entity is not matched.
    """
    ours, theirs = find_members(store, left, entity), find_members(store, right, entity)
    kind = ours[0].entity
    if theirs[0].entity != kind:
        raise UsageError(
            f"{ours[0]} is a {kind} and {theirs[0]} a {theirs[0].entity}; only records of one kind "
            "are compared"
        )
    if ours[0].entity_id == theirs[0].entity_id and (len(ours) > 1 or len(theirs) > 1):
        raise UsageError(
            f"{left} and {right} are one customer; name two of its records to see what joined them"
        )
    if {one.record_id for one in ours} == {one.record_id for one in theirs}:
        raise UsageError(f"{left} and {right} are one record; name two")
    definition = rules.entity(kind)
    model = usable_model(store, definition)
    one, other = _best(store, definition, model, ours, theirs)
    return _explained(store, rules, definition, model, (one, other), proposing=proposing)


def _best(
    store: Store,
    definition: EntityDefinition,
    model: MatchModel,
    ours: list[RecordReference],
    theirs: list[RecordReference],
) -> tuple[RecordReference, RecordReference]:
    """The two records that weigh most, the earlier one first."""
    known = {one.record_id: one for one in (*ours, *theirs)}
    pairs = pl.DataFrame(
        [sorted((one.record_id, other.record_id)) for one in ours for other in theirs],
        schema={"record_id_l": pl.Int64, "record_id_r": pl.Int64},
        orient="row",
    )
    if pairs.height > 1:
        weighed = weigh(store, definition, model, list(known), pairs=pairs).pairs
        pairs = weighed.sort("match_weight", descending=True, maintain_order=True)
    return known[pairs["record_id_l"][0]], known[pairs["record_id_r"][0]]


def _explained(
    store: Store,
    rules: RuleSet,
    definition: EntityDefinition,
    model: MatchModel,
    both: tuple[RecordReference, RecordReference],
    *,
    proposing: bool,
) -> Explanation:
    kind = definition.entity
    left, right = (one.record_id for one in both)
    made = decisions_in_force(store, kind)
    decided = Decided(_plain(made))
    same = made.filter(pl.col("verdict") == "same").select("record_id_l", "record_id_r")
    tied, _ = chains_of(store, kind, [left, right], at_least=model.accept, tied=same, most=LARGEST)
    too_large = len(tied) > LARGEST
    if too_large:
        tied = {left, right}
    tied |= {left, right}
    weighed = weigh(store, definition, model, tied)
    members = _live(store, kind, weighed)
    told = evidence(weighed.gammas(left, right), weighed.comparisons, model, definition.matching)[0]
    stored = pairs_among(store, kind, tied)
    chain = decided.chain(left, right)
    blocks = tuple(_blocks(weighed, definition, left, right))
    case = Case(
        both=both,
        weighed=weighed,
        stored=stored,
        decisions=made,
        decided=decided,
        told=told,
        shared=bool(blocks),
        definition=definition,
        model=model,
        proposing=proposing,
        too_large=too_large,
    )
    works_at = workplaces_of(store, (left, right))
    kept = stored.filter(pl.col("record_id_l") == left, pl.col("record_id_r") == right)
    return Explanation(
        records=both,
        values=_values(weighed.records, definition, left, right),
        blocks=blocks,
        compared=None
        if kept.is_empty()
        else kept.select("match_weight", "relation", "run_id").row(0, named=True),
        evidence=told,
        reason=case.reason(),
        decisions=tuple(_decisions(made, chain)),
        component=members,
        step=case.step,
        workplaces=(works_at.get(left), works_at.get(right)),
        model=model.origin,
        accept=model.accept,
        review=model.review,
        _rules=rules,
    )


def _plain(made: pl.DataFrame) -> list[Decision]:
    columns = ("decision_id", "record_id_l", "record_id_r", "verdict")
    return [Decision(*row) for row in made.select(columns).iter_rows()]


def _live(store: Store, kind: str, weighed: Weighed) -> tuple[RecordReference, ...]:
    with store.staged(weighed.records.select("record_id"), "asked"):
        rows = store.rows(
            "SELECT c.record_id, c.entity, c.source, c.source_key, c.entity_id, c.status"
            " FROM crm.crosswalk c SEMI JOIN asked a USING (record_id)"
            " WHERE c.entity = ? ORDER BY c.record_id",
            [kind],
        )
    return tuple(RecordReference(*row) for row in rows)


def _values(
    records: pl.DataFrame, definition: EntityDefinition, left: int, right: int
) -> dict[str, tuple[Any, Any]]:
    rows: Mapping[int, Mapping[str, Any]] = {row["record_id"]: row for row in records.to_dicts()}
    return {
        name: (rows[left].get(name), rows[right].get(name))
        for name in definition.columns
        if rows[left].get(name) is not None or rows[right].get(name) is not None
    }


def _blocks(
    weighed: Weighed, definition: EntityDefinition, left: int, right: int
) -> list[KeyValue]:
    keys = usable_keys(definition.entity, weighed.features.columns)
    one, other = (
        key_values(weighed.features.filter(pl.col("id") == number), keys)
        for number in (left, right)
    )
    return shared_blocks(one, other)


def _decisions(made: pl.DataFrame, chain: list[Decision]) -> list[dict[str, Any]]:
    rows = {row["decision_id"]: row for row in made.to_dicts()}
    return [
        {
            "decision_id": one.decision_id,
            "verdict": one.verdict,
            "left": f"{rows[one.decision_id]['source_l']}:{rows[one.decision_id]['source_key_l']}",
            "right": f"{rows[one.decision_id]['source_r']}:{rows[one.decision_id]['source_key_r']}",
            "actor": rows[one.decision_id]["actor"],
            "reason": rows[one.decision_id]["reason"],
            "decided_at": rows[one.decision_id]["decided_at"].isoformat(timespec="seconds"),
        }
        for one in chain
    ]
