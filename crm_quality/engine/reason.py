"""What joined two records or keeps them apart, as one kind and one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crm_quality.match.clusters import LARGEST, components
from crm_quality.match.decided import SAME
from crm_quality.match.linkage import Step, linkage, step_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.component import Weighed
    from crm_quality.match.decided import Decided, Decision
    from crm_quality.match.evidence import Evidence
    from crm_quality.match.model import MatchModel
    from crm_quality.store.reference import RecordReference

#: Kind → when it is given.
KINDS = {
    "not_accepted": "one of the two is in quarantine or has ended, so it is compared with nothing",
    "decided": "decisions say so, directly or by implication",
    "contradiction": "the rules say that this contradiction is never overcome",
    "proposed": "they match, and the project leaves every join to a steward (merging: propose)",
    "joined": "the mean weight between their groups of records is high enough",
    "parted": "chains of pairs tie them, but the mean weight between their groups is too low",
    "below_threshold": "they weigh too little, and nothing else ties them",
    "not_compared": "no run has compared them, and nothing else ties them",
    "too_large": "they are in a group of too many records, which is cut at higher weights first",
    "as_before": "a run decided under other records or another model, and none touched them since",
}


@dataclass(frozen=True)
class Reason:
    """Why two records are one customer, or are not.

    Attributes:
        kind: One of `KINDS`.
        text: The same as a sentence.
        never: The contradiction that the two show: ``comparison``, ``level``, ``why``; null = none.
    """

    kind: str
    text: str
    never: dict[str, Any] | None = None


@dataclass(frozen=True)
class Case:
    """All that is known of two records.

    Attributes:
        both: The two, the earlier one first.
        weighed: All pairs of the records that chains of pairs tie to the two.
        stored: The pairs among them that runs have compared.
        decisions: As `crm_quality.store.decisions.decisions_in_force` gives them.
        decided: The same, put together.
        told: The evidence of the pair.
        shared: They have a blocking key in common.
        definition: The entity.
        model: What weighs.
        proposing: The project joins nothing by itself.
        too_large: There are too many such records; only the two were weighed.
    """

    both: tuple[RecordReference, RecordReference]
    weighed: Weighed
    stored: pl.DataFrame
    decisions: pl.DataFrame
    decided: Decided
    told: Evidence
    shared: bool
    definition: EntityDefinition
    model: MatchModel
    proposing: bool
    too_large: bool

    def reason(self) -> Reason:
        """The first of what may join two records, or keep them apart, that holds."""
        checks = (
            self._not_accepted,
            self._decided,
            self._contradiction,
            self._too_large,
            self._proposed,
            self._as_before,
            self._grouped,
            self._below,
        )
        found = next(said for check in checks if (said := check()) is not None)
        return Reason(*found, self.never)

    @cached_property
    def joined(self) -> bool:
        """The two are one customer."""
        return self.both[0].entity_id == self.both[1].entity_id

    @cached_property
    def never(self) -> dict[str, Any] | None:
        """The contradiction that the two show."""
        matching = self.definition.matching
        gammas = self.weighed.gammas(*self._ids)[0]
        for never in matching.never if matching is not None else ():
            for comparison, gamma in zip(self.weighed.comparisons, gammas, strict=True):
                if comparison.name == never.comparison and gamma >= 0:
                    level = comparison.names()[int(gamma)]
                    if level in never.levels:
                        return {"comparison": comparison.name, "level": level, "why": never.why}
        return None

    @cached_property
    def step(self) -> Step | None:
        """The last step between the two, in rows of ``weighed.records``; null = not tied at all."""
        if self.too_large:
            return None
        matching = self.definition.matching
        said = self.decisions.select(
            pl.min_horizontal("record_id_l", "record_id_r").alias("record_id_l"),
            pl.max_horizontal("record_id_l", "record_id_r").alias("record_id_r"),
            "verdict",
        )
        matrix = self.weighed.matrix(said, clip=matching.clip if matching else (-3.0, 12.0))
        place = {int(number): at for at, number in enumerate(self.weighed.records["record_id"])}
        ends = ["record_id_l", "record_id_r"]
        met = pl.concat(
            [self.stored.select(ends), said.filter(pl.col("verdict") == SAME).select(ends)]
        )
        edges = [
            (place[left], place[right])
            for left, right in met.iter_rows()
            if left in place and right in place
        ]
        tied = np.array(
            [edge for edge in edges if matrix[edge] >= self.model.accept], dtype=np.int64
        ).reshape(-1, 2)
        label = components(len(place), tied[:, 0], tied[:, 1])
        left, right = (place[number] for number in self._ids)
        if label[left] != label[right]:
            return None
        rows = np.flatnonzero(label == label[left])
        steps = linkage(matrix[np.ix_(rows, rows)], self.model.accept)
        found = step_between(steps, *(int(np.searchsorted(rows, at)) for at in (left, right)))
        return Step(
            tuple(int(rows[at]) for at in found.left),
            tuple(int(rows[at]) for at in found.right),
            found.weight,
            found.joined,
        )

    @property
    def _ids(self) -> tuple[int, int]:
        return self.both[0].record_id, self.both[1].record_id

    def _not_accepted(self) -> tuple[str, str] | None:
        for one in self.both:
            if one.status != "accepted":
                what = "waits in quarantine" if one.status == "quarantined" else "has ended"
                text = f"record {one.record_id} {what}, so it is compared with nothing"
                return "not_accepted", text
        return None

    def _decided(self) -> tuple[str, str] | None:
        verdict = self.decided.verdict(*self._ids)
        if verdict is None:
            return None
        chain = self.decided.chain(*self._ids)
        said = "the same" if verdict == SAME else "different"
        of_chain = pl.col("decision_id").is_in([one.decision_id for one in chain])
        actors = ", ".join(dict.fromkeys(self.decisions.filter(of_chain)["actor"]))
        text = f"{actors} decided that they are {said}"
        if len(chain) > 1:
            text = f"decisions of {actors} imply that they are {said}: {told_chain(chain)}"
        if self.joined != (verdict == SAME):
            text += "; no run has applied it yet"
        return "decided", text

    def _contradiction(self) -> tuple[str, str] | None:
        if self.never is None or self.joined:
            return None
        why = self.never["why"] or "that is never overcome"
        return "contradiction", f"{self.never['comparison']} is {self.never['level']}: {why}"

    def _too_large(self) -> tuple[str, str] | None:
        if not self.too_large:
            return None
        text = (
            f"chains of pairs tie more than {LARGEST} records to the two; such a group is cut at "
            "higher weights before its means are looked at"
        )
        return "too_large", text

    def _proposed(self) -> tuple[str, str] | None:
        if not self.proposing or self.joined or self.told.weight < self.model.accept:
            return None
        text = (
            f"they weigh {self.told.weight:+.1f} and wait for a steward, as crmq.yml says "
            "(merging: propose); see crmq review list"
        )
        return "proposed", text

    def _as_before(self) -> tuple[str, str] | None:
        tied = self.step is not None and self.step.joined
        if tied == self.joined or self.proposing:
            return None
        state = "are one customer" if self.joined else "are two customers"
        now = "would join them" if tied else "would not"
        text = (
            f"they {state} since a run that knew other records or another model; with what is "
            f"known now, under which the two weigh {self.told.weight:+.1f}, a run that touches "
            f"them {now}"
        )
        return "as_before", text

    def _grouped(self) -> tuple[str, str] | None:
        step = self.step
        if step is None:
            return None
        kind = "joined" if step.joined else "parted"
        cut = f"{self.model.accept:+.1f}"
        if len(step.left) == len(step.right) == 1 and step.joined:
            return kind, f"they weigh {step.weight:+.1f}, at least {cut}"
        ids = self.weighed.records["record_id"].to_list()
        left, right = (", ".join(str(ids[row]) for row in rows) for rows in (step.left, step.right))
        relation = "at least" if step.joined else "less than"
        text = (
            f"the mean weight between records {left} and records {right} is {step.weight:+.1f}, "
            f"{relation} {cut}"
        )
        return kind, text

    def _below(self) -> tuple[str, str]:
        left, right = self._ids
        weight = f"{self.told.weight:+.1f}"
        pair = self.stored.filter(pl.col("record_id_l") == left, pl.col("record_id_r") == right)
        # pairs that weigh less than what a steward sees are not kept
        if pair.is_empty() and self.told.weight >= self.model.review:
            why = (
                "the blocking keys that they share were over their budget"
                if self.shared
                else "they share no blocking key"
            )
            return "not_compared", f"no run has compared them: {why}; now they weigh {weight}"
        text = (
            f"they weigh {weight}, less than {self.model.accept:+.1f}, and no chain of pairs that "
            "weigh as much ties them"
        )
        if self.told.unproven:
            text += "; what agrees is shared by households and colleagues too, nothing personal is"
        return "below_threshold", text


def told_chain(chain: Sequence[Decision]) -> str:
    """Decisions one after the other, such as ``1 same 7, 7 different 9``."""
    return ", ".join(f"{one.left} {one.verdict} {one.right}" for one in chain)
