"""The store against labelled records: is what it joined one customer, and all of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import InputError
from crm_quality.match import evaluate

if TYPE_CHECKING:
    from crm_quality.store import Store

#: Names that the label column goes by, most telling first.
LABELS = ("person_id", "customer_id", "true_id", "label", "company_id", "entity_id", "cluster_id")
_KEY = ("source", "source_key")


def evaluate_store(
    store: Store, labels: pl.DataFrame, *, entity: str = "contact", label: str | None = None
) -> dict[str, float]:
    """Precision, recall, F1, B-cubed and cluster scores of the crosswalk.

    Args:
        store: The open store.
        labels: One row per record: ``source``, ``source_key`` and who it truly is. Records of
            which the store knows nothing, and records without a label, are left out and counted.
        entity: What the records are.
        label: The column that says who a record is; null = the first of `LABELS` there is.

    Returns:
        As `crm_quality.match.evaluate`, plus ``unknown_records``.

    Raises:
        InputError: A column is missing, or none of the records is in the store.
    """
    both, unknown = _labelled(store, labels, entity=entity, label=label)
    scores = evaluate(
        both.select("record_id", "cluster_id"),
        both.select("record_id", pl.col("who").alias("entity_id")),
    )
    return {**scores, "unknown_records": float(unknown)}


def labelled_records(
    store: Store, labels: pl.DataFrame, *, entity: str = "contact", label: str | None = None
) -> pl.DataFrame:
    """Labelled records of the store: ``record_id``, ``cluster_id`` (the customer) and ``who``."""
    return _labelled(store, labels, entity=entity, label=label)[0]


def _labelled(
    store: Store, labels: pl.DataFrame, *, entity: str, label: str | None
) -> tuple[pl.DataFrame, int]:
    """The labelled records of the store, and how many labels are of others."""
    column = label or next((name for name in LABELS if name in labels.columns), None)
    missing = [name for name in (*_KEY, column) if name not in labels.columns]
    if column is None or missing:
        wanted = column or f"a label ({', '.join(LABELS)}, or --label COLUMN)"
        raise InputError(
            f"the labels need the columns source, source_key and {wanted}; "
            f"found {', '.join(labels.columns)}"
        )
    truth = (
        labels.select(*(pl.col(name).cast(pl.String) for name in _KEY), pl.col(column).alias("who"))
        .drop_nulls()
        .unique(_KEY)
    )
    crosswalk = store.frame(
        "SELECT source, source_key, record_id, entity_id AS cluster_id FROM crm.crosswalk"
        " WHERE entity = ? AND status = 'accepted'",
        [entity],
    )
    both = truth.join(crosswalk, on=_KEY)
    if both.is_empty():
        raise InputError(
            f"none of the {truth.height:,} labelled records is an accepted {entity} in this store; "
            "do the source names agree?"
        )
    return both, truth.height - both.height
