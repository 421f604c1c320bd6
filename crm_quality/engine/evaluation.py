"""The store against labelled records or pairs: scores, a curve over thresholds, the wrong pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.labels import evaluate_store, labelled_records
from crm_quality.engine.side_by_side import with_values
from crm_quality.errors import InputError, NotFoundError
from crm_quality.match.decided import DIFFERENT, SAME
from crm_quality.match.sampling import wilson
from crm_quality.store.pairs import pairs_among
from crm_quality.store.reference import record_named

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.store import Store

#: Words for the two labels of a pair.
_SAID = {
    **dict.fromkeys(("same", "1", "1.0", "true", "yes", "match", "duplicate"), SAME),
    **dict.fromkeys(("different", "0", "0.0", "false", "no", "non-match", "distinct"), DIFFERENT),
}

#: Names that the label column of a file of pairs goes by.
PAIR_LABELS = ("label", "decision", "verdict", "same", "is_match", "match")

#: Match weights of the curve, bits.
_THRESHOLDS = tuple(range(-10, 31))

_BY_NUMBER = ("record_id_l", "record_id_r")
_BY_KEY = ("source_l", "source_key_l", "source_r", "source_key_r")


@dataclass(frozen=True)
class Evaluation:
    """How well the store stands up to labels.

    Attributes:
        kind: ``records`` or ``pairs``, as the labels were.
        scores: For records as `crm_quality.match.evaluate` and ``unknown_records``; for pairs
            ``precision``, ``recall``, ``f1`` with ``*_low`` and ``*_high`` (95 %), ``pairs``,
            ``same`` and ``unknown_pairs``.
        curve: ``weight`` (bits), ``precision``, ``recall``, ``f1``, ``pairs``: what joining each
            pair that weighs as much, and nothing else, would give.
        wrong: Pairs that the store has wrong: ``fault`` (joined, missed), ``match_weight`` and
            ``relation`` (null = never compared), ``entity_id_*``, and the two records beside each
            other.
    """

    kind: str
    scores: dict[str, float]
    curve: pl.DataFrame
    wrong: pl.DataFrame


def are_pairs(labels: pl.DataFrame) -> bool:
    """Whether the rows of ``labels`` are pairs, not records."""
    columns = set(labels.columns)
    return columns.issuperset(_BY_NUMBER) or columns.issuperset(_BY_KEY)


def evaluate_records(
    store: Store, definition: EntityDefinition, labels: pl.DataFrame, label: str | None
) -> Evaluation:
    """The store against records of which it is known who they are.

    Args:
        store: The open store.
        definition: The entity.
        labels: ``source``, ``source_key`` and who it truly is.
        label: The column that says who; null = guessed by its name.

    Raises:
        InputError: A column is missing, or none of the records is in the store.
    """
    entity = definition.entity
    scores = evaluate_store(store, labels, entity=entity, label=label)
    known = labelled_records(store, labels, entity=entity, label=label)
    pairs = pairs_among(store, entity, set(known["record_id"])).select(
        "record_id_l", "record_id_r", "match_weight"
    )
    who = known.select("record_id", "who")
    told = pairs.join(who, left_on="record_id_l", right_on="record_id").join(
        who, left_on="record_id_r", right_on="record_id", suffix="_r"
    )
    sizes = who.group_by("who").len()["len"].cast(pl.Float64)
    true = float((sizes * (sizes - 1) / 2).sum())
    compared = told.select("match_weight", same=pl.col("who") == pl.col("who_r"))
    return Evaluation(
        "records", scores, _curve(compared, true), _wrong(store, definition, _faults(known))
    )


def evaluate_pairs(
    store: Store, definition: EntityDefinition, labels: pl.DataFrame, label: str | None
) -> Evaluation:
    """The store against pairs of which it is known whether they are the same.

    Args:
        store: The open store.
        definition: The entity.
        labels: ``record_id_l`` and ``record_id_r``, or ``source_*`` and ``source_key_*`` of both,
            and a label: same or different, 1 or 0, true or false, yes or no; blank = not labelled.
        label: Its column; null = the first of `PAIR_LABELS` there is.

    Raises:
        InputError: A column is missing, a label is none, or no pair is in the store.
    """
    known, unknown = _labelled_pairs(store, definition.entity, labels, label)
    stored = pairs_among(
        store, definition.entity, {*known["record_id_l"], *known["record_id_r"]}
    ).select("record_id_l", "record_id_r", "match_weight")
    told = known.join(stored, on=["record_id_l", "record_id_r"], how="left")
    joined, same = told["joined"], told["same"]
    hits, found, true = int((joined & same).sum()), int(joined.sum()), int(same.sum())
    scores = {
        **_share("precision", hits, found),
        **_share("recall", hits, true),
        "f1": 2 * hits / (found + true) if found + true else 0.0,
        "pairs": float(told.height),
        "same": float(true),
        "unknown_pairs": float(unknown),
    }
    faults = told.filter(pl.col("joined") != pl.col("same")).select(
        pl.when("joined").then(pl.lit("joined")).otherwise(pl.lit("missed")).alias("fault"),
        "record_id_l",
        "record_id_r",
    )
    compared = told.drop_nulls("match_weight").select("match_weight", "same")
    return Evaluation("pairs", scores, _curve(compared, true), _wrong(store, definition, faults))


def _share(name: str, part: int, whole: int) -> dict[str, float]:
    low, high = wilson(part, whole) if whole else (0.0, 1.0)
    return {name: part / whole if whole else 1.0, f"{name}_low": low, f"{name}_high": high}


def _labelled_pairs(
    store: Store, entity: str, labels: pl.DataFrame, label: str | None
) -> tuple[pl.DataFrame, int]:
    column = label or next((name for name in PAIR_LABELS if name in labels.columns), None)
    if column is None or column not in labels.columns:
        raise InputError(
            f"the pairs need a label ({', '.join(PAIR_LABELS)}, or --label COLUMN); "
            f"found {', '.join(labels.columns)}"
        )
    rows, unknown = [], 0
    for number, row in enumerate(labels.iter_rows(named=True), start=2):
        text = str(row[column] if row[column] is not None else "").strip().lower()
        if not text:
            continue
        if text not in _SAID:
            raise InputError(
                f"row {number}: {text!r} is no label of a pair; write same or different"
            )
        try:
            left, right = (record_named(store, name, entity) for name in _named(row))
        except NotFoundError:
            unknown += 1
            continue
        if left.status != "accepted" or right.status != "accepted" or left == right:
            unknown += 1
            continue
        first, second = sorted((left.record_id, right.record_id))
        rows.append((first, second, _SAID[text] == SAME, left.entity_id == right.entity_id))
    if not rows:
        raise InputError(
            f"none of the labelled pairs is of accepted {entity} records in this store; do the "
            "source names agree?"
        )
    schema = {
        "record_id_l": pl.Int64,
        "record_id_r": pl.Int64,
        "same": pl.Boolean,
        "joined": pl.Boolean,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.unique(["record_id_l", "record_id_r"], keep="last", maintain_order=True), unknown


def _named(row: dict[str, object]) -> tuple[str, str]:
    if row.get("record_id_l") is not None and row.get("record_id_r") is not None:
        return str(row["record_id_l"]), str(row["record_id_r"])
    left, right = (f"{row.get(f'source_{s}')}:{row.get(f'source_key_{s}')}" for s in "lr")
    return left, right


def _curve(compared: pl.DataFrame, true: float) -> pl.DataFrame:
    """Precision and recall of joining each pair that weighs at least so much."""
    rows = []
    for weight in _THRESHOLDS:
        over = compared.filter(pl.col("match_weight") >= weight)
        hits = int(over["same"].sum())
        precision = hits / over.height if over.height else 1.0
        recall = hits / true if true else 1.0
        both = precision + recall
        rows.append((weight, precision, recall, 2 * precision * recall / both if both else 0.0,
                     over.height))  # fmt: skip
    schema = {
        "weight": pl.Int64,
        "precision": pl.Float64,
        "recall": pl.Float64,
        "f1": pl.Float64,
        "pairs": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _faults(known: pl.DataFrame) -> pl.DataFrame:
    """Pairs of labelled records that are joined and should not be, or the reverse."""
    sides = known.select("record_id", "cluster_id", "who")
    found = []
    for fault, on, other in (("joined", "cluster_id", "who"), ("missed", "who", "cluster_id")):
        both = sides.join(sides, on=on, suffix="_r").filter(
            pl.col("record_id") < pl.col("record_id_r"), pl.col(other) != pl.col(f"{other}_r")
        )
        found.append(
            both.select(
                pl.lit(fault).alias("fault"),
                pl.col("record_id").alias("record_id_l"),
                "record_id_r",
            )
        )
    return pl.concat(found)


def _wrong(store: Store, definition: EntityDefinition, faults: pl.DataFrame) -> pl.DataFrame:
    ids = {*faults["record_id_l"], *faults["record_id_r"]}
    stored = pairs_among(store, definition.entity, ids).drop("run_id")
    homes = store.frame("SELECT record_id, entity_id FROM matching.membership")
    told = faults.join(stored, on=["record_id_l", "record_id_r"], how="left")
    for side in "lr":
        told = told.join(
            homes.rename({"record_id": f"record_id_{side}", "entity_id": f"entity_id_{side}"}),
            on=f"record_id_{side}",
            how="left",
        )
    ordered = told.sort(
        "fault", pl.col("match_weight"), "record_id_l", "record_id_r", nulls_last=True
    )
    return with_values(store, definition, ordered)
