"""Corrections by stewards: what they change, and what becomes of the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.corrections import rows_of, with_corrections
from crm_quality.engine.second_look import conclude, look_again
from crm_quality.engine.waiting import nearest
from crm_quality.errors import NotFoundError, RefusedError
from crm_quality.store.corrections import corrections_in_force, keep_corrections
from crm_quality.store.quarantine import last_versions
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store import Store

#: What a steward says about fields of records.
WISHES = pl.Schema(
    {
        "record_id": pl.Int64(),
        "field": pl.String(),
        "new_value": pl.String(),
        "reason": pl.String(),
    }
)


def check_fields(definition: EntityDefinition, fields: Iterable[str]) -> None:
    """Raise for fields that cannot be corrected.

    Raises:
        NotFoundError: The entity has no such field.
        RefusedError: The field is the key, which says what record it is.
    """
    for name in fields:
        if name not in definition.fields:
            raise NotFoundError(
                f"the entity {definition.entity} has no field {name!r}"
                f"{nearest(name, definition.fields)}"
            )
        if name == "source_key":
            raise RefusedError(
                "source_key cannot be corrected: it says which record of its source this is"
            )


def texts_in_force(
    store: Store, definition: EntityDefinition, records: Sequence[int]
) -> pl.DataFrame:
    """What each record says at present: its source's texts under the corrections in force.

    Returns:
        ``record_id``, ``source``, ``source_key``, ``content_hash``, ``ended``, ``is_aside`` (its
        last row was set aside at some time), ``waits``, and each field of the definition as text.
    """
    before = last_versions(store, definition.entity, records)
    rows = rows_of(before, definition).with_columns(before["version_id"])
    texts, _ = with_corrections(rows, corrections_in_force(store, definition.entity), definition)
    missing = [name for name in definition.fields if name not in texts.columns]
    return texts.with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in missing),
        before["ended"],
        before["set_aside"].is_not_null().alias("is_aside"),
        (before["status"] == "quarantined").alias("waits"),
    )


def changes_only(texts: pl.DataFrame, wishes: pl.DataFrame) -> pl.DataFrame:
    """The wishes that change something.

    Args:
        texts: As `texts_in_force` gives them.
        wishes: Frame of `WISHES`; one per record and field.

    Returns:
        ``record_id``, ``source``, ``source_key``, ``content_hash``, ``field``, ``old_value``,
        ``new_value``, ``reason``. Blanks around a text change nothing; blank = empty.
    """
    fields = wishes["field"].unique(maintain_order=True).to_list()
    schema = pl.Schema({"record_id": pl.Int64, "field": pl.String, "old_value": pl.String})
    old = pl.DataFrame(schema=schema)
    if fields:
        old = texts.unpivot(
            fields, index="record_id", variable_name="field", value_name="old_value"
        ).cast(schema)
    trimmed = pl.col("new_value").str.strip_chars()
    said = wishes.with_columns(
        pl.when(trimmed.str.len_bytes() > 0).then(trimmed).alias("new_value")
    )
    ids = texts.select("record_id", "source", "source_key", "content_hash")
    return (
        said.join(old, on=["record_id", "field"], maintain_order="left")
        .join(ids, on="record_id", maintain_order="left")
        .filter(pl.col("new_value").ne_missing(pl.col("old_value").str.strip_chars()))
        .select(*ids.columns, "field", "old_value", "new_value", "reason")
    )


def refuse(record: dict[str, object], entity: str) -> str | None:
    """Why a record of `texts_in_force` cannot be corrected; null = it can."""
    name = f"{entity} {record['record_id']} ({record['source']}:{record['source_key']})"
    if record["ended"]:
        return f"{name} has been deleted by its source"
    if not record["is_aside"]:
        return f"{name} is not in quarantine and was not; correct it in its source"
    return None


def correct(run: RunUnderway, definition: EntityDefinition, changes: pl.DataFrame) -> pl.DataFrame:
    """Keep corrections, judge their records again and let those that pass go on.

    Args:
        run: The run under way.
        definition: The entity of the records.
        changes: As `changes_only` gives them.

    Returns:
        Frame of `crm_quality.engine.second_look.VERDICTS`.
    """
    entity = definition.entity
    keep_corrections(
        run.store,
        entity,
        changes.drop("record_id").with_columns(pl.lit(run.actor).alias("actor")),
        run_id=run.run_id,
        moment=run.started,
    )
    records = changes["record_id"].unique(maintain_order=True).to_list()
    by_record = changes.group_by("record_id", maintain_order=True).agg(
        pl.col("reason").unique(maintain_order=True).str.join("; ")
    )
    why = dict(by_record.iter_rows())
    look = look_again(run, definition, records)
    verdicts, touched = conclude(
        run, look, reasons=why, corrected=changes.select("record_id", "field")
    )
    if touched.height:
        run.settle(definition, touched)
    else:
        run.count_store(definition)
    record_event(
        run.store,
        "quarantine.fixed",
        {
            "entity": entity,
            "records": records,
            "fields": sorted(changes["field"].unique()),
            "released": touched.height,
            "reasons": sorted(set(why.values())),
        },
        actor=run.actor,
        occurred_at=run.started,
        run_id=run.run_id,
    )
    return verdicts
