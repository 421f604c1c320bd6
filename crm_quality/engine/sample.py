"""Drawing a sample of pairs, taking its labels, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.decide import Author, Made, Wanted, keep_decisions, wanted_of
from crm_quality.engine.lookup import usable_model
from crm_quality.engine.run import RunRequest, execute_within
from crm_quality.engine.side_by_side import with_values
from crm_quality.engine.summary import Clock
from crm_quality.errors import InputError, NotFoundError, UsageError
from crm_quality.match.sampling import EDGES, Estimate, Interval, draw, estimated
from crm_quality.store.samples import (
    joined_pairs,
    label_pairs,
    last_sample,
    sample_pairs,
    sample_strata,
    separate_pairs_from,
    write_sample,
)
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.intake.table import Table
    from crm_quality.store import Store

#: Version of the shape of `Signed.to_dict`.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Drawn:
    """A sample to be labelled.

    Attributes:
        sample_id: Its number.
        pairs: ``record_id_l``, ``record_id_r``, the records' keys and their values.
    """

    sample_id: int
    pairs: pl.DataFrame


@dataclass(frozen=True)
class Signed:
    """What the labels of a sample say, and who gave them.

    Attributes:
        sample_id: The sample.
        entity: What the records are.
        estimate: Precision and recall with their limits.
        made: The decisions that the labels became; null = none were made now.
    """

    sample_id: int
    entity: str
    estimate: Estimate
    made: Made | None = None

    def to_dict(self) -> dict[str, Any]:
        """The estimate as plain data, see docs/review.md."""

        def limits(one: Interval) -> dict[str, float | None]:
            return {"estimate": one.estimate, "low": one.low, "high": one.high}

        told = self.estimate
        return {
            "schema_version": SCHEMA_VERSION,
            "sample_id": self.sample_id,
            "entity": self.entity,
            "confidence": 0.95,
            "precision": limits(told.precision),
            "recall": limits(told.recall),
            "labelled": told.labelled,
            "drawn": told.drawn,
            "strata": [
                {
                    "joined": one.joined,
                    "at_least": one.at_least,
                    "below": one.below,
                    "pairs": one.pairs,
                    "labelled": one.labelled,
                    "same": one.same,
                }
                for one in told.strata
            ],
        }


def draw_sample(
    store: Store,
    definition: EntityDefinition,
    size: int,
    actor: str,
    reason: str,
    *,
    proposing: bool,
) -> Drawn:
    """Draw pairs and keep which.

    Args:
        store: Open for writing.
        definition: The entity.
        size: How many pairs.
        actor: Who asks.
        reason: What for.
        proposing: Pairs that would be joined count as joined.

    Raises:
        UsageError: There is nothing to draw from.
    """
    entity = definition.entity
    if size < 1:
        raise UsageError("a sample has at least one pair: --size N")
    with store.transaction():
        joined = joined_pairs(store, entity).with_columns(joined=pl.lit(value=True))
        apart = separate_pairs_from(store, entity, at_least=EDGES[0])
        model = usable_model(store, definition)
        would = (pl.col("match_weight") >= model.accept) if proposing else pl.lit(value=False)
        pairs = pl.concat([joined, apart.with_columns(joined=would)])
        if pairs.is_empty():
            raise UsageError(f"there are no pairs of {entity} records to draw from; run crmq run")
        sample_id = store.next_id("sample_id", "matching.sample")
        drawn, strata = draw(pairs, size, seed=sample_id)
        moment = datetime.now(UTC).replace(tzinfo=None)
        write_sample(
            store, entity, drawn, strata,
            sample_id=sample_id, actor=actor, reason=reason, moment=moment,
        )  # fmt: skip
        record_event(
            store,
            "sample.drawn",
            {"sample_id": sample_id, "entity": entity, "pairs": drawn.height, "reason": reason},
            actor=actor,
            occurred_at=moment,
        )
        shown = with_values(store, definition, drawn.drop("stratum"))
    return Drawn(sample_id, shown)


def sign(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    table: Table,
    entity: str,
    sample_id: int | None,
    author: Author,
    *,
    keep: bool,
) -> Signed:
    """Take the labels of a sample, record the estimate under the author's name.

    Args:
        store: Open for writing.
        rules: The project's.
        config: The project's settings.
        table: With the labels.
        entity: What the records are.
        sample_id: Which sample; null = the newest.
        author: Who labelled.
        keep: Keep the labels as decisions and apply them.

    Raises:
        NotFoundError: There is no such sample.
        InputError: The table holds no label of the sample.
        RefusedError: A label contradicts decisions; nothing was kept.
    """
    number = sample_id if sample_id is not None else last_sample(store, entity, labelled=False)
    if number is None or sample_pairs(store, number).is_empty():
        raise NotFoundError(
            f"there is no sample {'' if number is None else number}of {entity} pairs; draw one: "
            "crmq review sample --size 200 --out FILE"
        )
    wanted = wanted_of(table.frame, f"sample {number}", table.name)
    labels = _labels(wanted, table.name)
    moment = datetime.now(UTC).replace(tzinfo=None)
    made = None
    with store.transaction():
        if not label_pairs(store, number, labels, actor=author.actor, moment=moment):
            raise InputError(
                f"{table.name} holds no label of sample {number}; fill its column decision with "
                "same or different"
            )
        told = estimated(*sample_strata(store, number))
        signed = Signed(number, entity, told)
        record_event(
            store,
            "sample.signed",
            signed.to_dict(),
            actor=author.actor,
            occurred_at=moment,
        )
        if keep:
            ids, known = keep_decisions(store, wanted, author)
            outcome = None
            if ids:
                request = RunRequest([], author.actor, author.command, datetime.now(UTC).date())
                outcome = execute_within(store, rules, config, request, Clock())
            made = Made(tuple(ids), known, outcome)
    return Signed(number, entity, told, made)


def estimate(store: Store, entity: str, sample_id: int | None) -> Signed:
    """What the labels of a sample say.

    Args:
        store: The open store.
        entity: What the records are.
        sample_id: Which sample; null = the newest that has labels.

    Raises:
        NotFoundError: There is none.
    """
    number = sample_id if sample_id is not None else last_sample(store, entity, labelled=True)
    if number is None:
        raise NotFoundError(
            f"no sample of {entity} pairs has labels; draw one: "
            "crmq review sample --size 200 --out FILE"
        )
    strata, drawn = sample_strata(store, number)
    if not strata:
        raise NotFoundError(f"there is no sample {number}")
    return Signed(number, entity, estimated(strata, drawn))


def _labels(wanted: list[Wanted], name: str) -> pl.DataFrame:
    rows = [
        (min(int(one.left), int(one.right)), max(int(one.left), int(one.right)), one.verdict)
        for one in wanted
        if one.left.isdigit() and one.right.isdigit()
    ]
    if len(rows) < len(wanted):
        raise InputError(f"{name} needs the columns record_id_l and record_id_r of the sample")
    return pl.DataFrame(
        rows,
        schema={"record_id_l": pl.Int64, "record_id_r": pl.Int64, "verdict": pl.String},
        orient="row",
    )
