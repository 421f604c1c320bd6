"""The steward's queue: which pairs to decide on first, and none that is decided already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.component import weigh
from crm_quality.engine.lookup import usable_model
from crm_quality.match.decided import DIFFERENT, Decided, Decision
from crm_quality.store.decisions import decisions_in_force
from crm_quality.store.near import live_count
from crm_quality.store.questions import doubtful_members, homes_of, separate_pairs

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.store import Store

#: A decision is worth asking for while it is at least this likely to change something.
_LEAST_CHANCE = 2.0**-6

#: Questions looked at closely at once.
_BATCH = 500

QUESTIONS = {
    "record_id_l": pl.Int64,
    "record_id_r": pl.Int64,
    "question": pl.String,
    "match_weight": pl.Float64,
    "match_probability": pl.Float64,
    "relation": pl.String,
    "mean_weight": pl.Float64,
    "chance": pl.Float64,
    "changes": pl.Int64,
    "impact": pl.Float64,
}


def queue(store: Store, definition: EntityDefinition, *, most: int) -> pl.DataFrame:
    """The pairs that a steward should decide on, those that would change most first.

    Two customers are asked about once, by the pair of theirs that weighs most; so is a customer
    that holds a contradicting pair, by the record of it that fits worst. What a decision would
    change is the chance that it differs from how things stand now, times the pairs of records that
    it would join or part. Decided pairs are left out, pairs that decisions imply something of,
    pairs of customers that were told apart, and contradictions that the rules never overcome.

    Args:
        store: The open store.
        definition: The entity.
        most: So many at most.

    Returns:
        ``record_id_l``, ``record_id_r``, ``question`` (join = they are apart and may be the same,
        part = they are one customer and may not be), ``match_weight`` (bits),
        ``match_probability``, ``relation`` of the pair, ``mean_weight`` of the two groups,
        ``chance`` that a decision changes something, ``changes`` (pairs of records) and
        ``impact``, their product.
    """
    empty = pl.DataFrame(schema=QUESTIONS)
    matching = definition.matching
    count = live_count(store, definition.entity)
    if matching is None or not count:
        return empty
    model = usable_model(store, definition)
    entity = definition.entity
    apart = separate_pairs(store, entity, review=model.review, clip=matching.clip)
    inside = doubtful_members(store, entity, accept=model.accept, clip=matching.clip)
    same = 1 / (1 + (-pl.col("mean_weight") + model.accept).map_batches(_power))
    questions = pl.concat(
        [
            # what was clipped for the mean is told by the pair itself
            apart.with_columns(
                question=pl.lit("join"), chance=pl.min_horizontal(same, "match_probability")
            ),
            inside.with_columns(question=pl.lit("part"), chance=1 - same),
        ]
    ).with_columns(impact=pl.col("chance") * pl.col("changes"))
    ordered = (
        questions.filter(pl.col("chance") >= _LEAST_CHANCE)
        .sort("impact", "record_id_l", "record_id_r", descending=[True, False, False])
        .select(pl.col(name).cast(dtype) for name, dtype in QUESTIONS.items())
    )
    ordered = ordered.filter(_open(store, entity, ordered))
    parts = [empty]
    found = 0
    for batch in ordered.iter_slices(_BATCH):
        kept = _possible(store, definition, batch)
        parts.append(kept)
        found += kept.height
        if found >= most:
            break
    return pl.concat(parts).head(most)


def _power(bits: pl.Series) -> pl.Series:
    return pl.Series(2.0 ** bits.clip(-500, 500).to_numpy())


def _open(store: Store, entity: str, questions: pl.DataFrame) -> pl.Series:
    """Which questions no decision answers."""
    made = decisions_in_force(store, entity)
    columns = ("decision_id", "record_id_l", "record_id_r", "verdict")
    said = [Decision(*row) for row in made.select(columns).iter_rows()]
    decided = Decided(said)
    homes = homes_of(store, entity)
    apart = {
        frozenset((homes.get(one.left, one.left), homes.get(one.right, one.right)))
        for one in said
        if one.verdict == DIFFERENT
    }
    about = set(homes)
    customers = _customers(store, questions)
    answers = []
    for left, right, question in questions.select(
        "record_id_l", "record_id_r", "question"
    ).iter_rows():
        pair = frozenset((customers[left], customers[right]))
        known = pair in apart and len(pair) > 1
        if not known and (left in about or right in about):
            known = decided.verdict(left, right) is not None
        if not known and question == "part" and left in about and right in about:
            known = len(decided.group(left)) > 1 and len(decided.group(right)) > 1
        answers.append(not known)
    return pl.Series(answers, dtype=pl.Boolean)


def _customers(store: Store, questions: pl.DataFrame) -> dict[int, int]:
    ids = pl.concat(
        [questions["record_id_l"], questions["record_id_r"].alias("record_id_l")]
    ).unique()
    with store.staged(ids.alias("record_id").to_frame(), "asked"):
        return dict(
            store.rows(
                "SELECT m.record_id, m.entity_id FROM matching.membership m SEMI JOIN asked a"
                " USING (record_id)"
            )
        )


def _possible(store: Store, definition: EntityDefinition, batch: pl.DataFrame) -> pl.DataFrame:
    """Questions without those that a contradiction answers."""
    matching = definition.matching
    if matching is None or not matching.never or batch.is_empty():
        return batch
    model = usable_model(store, definition)
    ids = {*batch["record_id_l"], *batch["record_id_r"]}
    pairs = batch.select("record_id_l", "record_id_r")
    never = weigh(store, definition, model, ids, pairs=pairs).pairs.filter("never")
    return batch.join(never, on=["record_id_l", "record_id_r"], how="anti", maintain_order="left")
