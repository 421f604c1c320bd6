"""What workflows set: pins of customers, and corrections of the rows that hang on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.entry import check_stored, judge_entries
from crm_quality.engine.fixing import WISHES, changes_only, check_fields, texts_in_force
from crm_quality.engine.overrides import rewrite_touched
from crm_quality.engine.second_look import conclude, look_again
from crm_quality.errors import RefusedError
from crm_quality.merge import kept_text
from crm_quality.store.corrections import keep_corrections
from crm_quality.store.golden import golden_of
from crm_quality.store.overrides import PINNED, overrides, withdraw_overrides, write_overrides
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.underway import RunUnderway

#: The command of runs that do what workflows say.
COMMAND = "crmq crm workflows"
#: The reason of what a workflow has set begins with it.
BY_WORKFLOW = "workflow "
_SHOWN = 3


def keep_values(run: RunUnderway, due: pl.DataFrame) -> pl.DataFrame:
    """Write the values that workflows set; undoing the run takes them back.

    A value of a customer becomes a pin, unless a steward has pinned the field: what a person has
    said stays. A value of a row that hangs on customers becomes a correction: it holds for the very
    row that the source sent, and a changed row counts as the source sent it.

    Args:
        run: The run under way.
        due: `crm_quality.engine.workflows.ACTIONS`.

    Returns:
        The same; what was left as a steward has pinned it is of kind ``skipped``.

    Raises:
        RefusedError: A value is none that the record could have.
    """
    sets = due.filter(pl.col("kind") == "set").unique(
        ["entity", "record_id", "name"], keep="last", maintain_order=True
    )
    held = []
    for (entity,), wanted in sets.group_by("entity", maintain_order=True):
        definition = run.rules.entity(str(entity))
        if definition.is_customer:
            held.append(_pin(run, definition, wanted))
        else:
            _correct(run, definition, wanted)
    if not held:
        return due
    place = ["entity", "record_id", "name"]
    is_held = due.join(pl.concat(held).with_columns(held=True), on=place, how="left",
                       maintain_order="left")["held"]  # fmt: skip
    kept = (pl.col("kind") == "set") & pl.lit(is_held).is_not_null()
    return due.with_columns(pl.when(kept).then(pl.lit("skipped")).otherwise("kind").alias("kind"))


def _pin(run: RunUnderway, definition: EntityDefinition, wanted: pl.DataFrame) -> pl.DataFrame:
    """Pin values of customers; ``entity``, ``record_id``, ``name`` of those that stay."""
    store, entity = run.store, definition.entity
    check_stored(definition, wanted["name"].unique())
    pins = overrides(store, run.as_of).filter(
        pl.col("kind") == PINNED,
        pl.col("entity") == entity,
        pl.col("state").is_in(["in force", "outdone"]),
    )
    # a customer is spoken of by its number, a pin is kept by a record of it
    mine = pins.select("override_id", "reason", record_id="entity_id", name="field")
    mine = mine.join(wanted, on=["record_id", "name"], how="semi")
    of_people = mine.filter(~pl.col("reason").str.starts_with(BY_WORKFLOW))
    held = wanted.join(of_people, on=["record_id", "name"], how="semi")
    wanted = wanted.join(of_people, on=["record_id", "name"], how="anti", maintain_order="left")
    if not wanted.is_empty():
        values = _judged(run, definition, wanted)
        earlier = mine.join(values, on=["record_id", "name"], how="semi")["override_id"]
        made = values.select(
            pl.lit(entity).alias("entity"),
            "record_id",
            pl.col("name").alias("field"),
            pl.lit(PINNED).alias("kind"),
            "value",
            pl.lit(run.actor).alias("actor"),
            pl.format(BY_WORKFLOW + "{}", "workflow").alias("reason"),
        )
        ids = write_overrides(store, made, run_id=run.run_id, moment=run.started)
        withdraw_overrides(
            store, earlier, actor=run.actor, reason="set anew by a workflow", moment=run.started
        )
        _tell(run, entity, values, override_ids=ids)
        touched = values.select(pl.col("record_id").alias("entity_id")).unique()
        rewrite_touched(run, definition, touched)
    return held.select("entity", "record_id", "name")


def _judged(run: RunUnderway, definition: EntityDefinition, wanted: pl.DataFrame) -> pl.DataFrame:
    """``workflow``, ``record_id``, ``name``, ``value`` (canonical) of the values that are new."""
    run.fit_tables(definition)
    ids = wanted["record_id"].unique().sort()
    golden = golden_of(run.store, definition.entity, ids.to_list())
    said = (
        wanted.with_columns(pl.col("value").fill_null(""))
        .pivot("name", index="record_id", values="value")
        .rename({"record_id": "entity_id"})
        .with_row_index("line", offset=1)
        .with_columns(pl.col("line").cast(pl.Int64))
    )
    judged = judge_entries(
        said,
        golden,
        definition,
        source="steward",
        sources={},
        country=run.config.country,
        as_of=run.as_of,
    ).values.rename({"entity_id": "record_id", "field": "name"})
    _mind(definition, judged.drop_nulls("fault"), wanted)
    fields = judged["name"].unique().to_list()
    now = golden.select(
        pl.col("entity_id").alias("record_id"), *(kept_text(golden[n]).alias(n) for n in fields)
    ).unpivot(fields, index="record_id", variable_name="name", value_name="now")
    return (
        wanted.drop("value")
        .join(judged, on=["record_id", "name"], maintain_order="left")
        .join(now, on=["record_id", "name"], how="left", maintain_order="left")
        .filter(pl.col("value").ne_missing(pl.col("now")))
        .select("workflow", "record_id", "name", "value")
    )


def _correct(run: RunUnderway, definition: EntityDefinition, wanted: pl.DataFrame) -> None:
    """Correct rows in force; they go the way of any correction."""
    check_fields(definition, wanted["name"].unique())
    wishes = wanted.select(
        "record_id",
        pl.col("name").alias("field"),
        pl.col("value").alias("new_value"),
        pl.format(BY_WORKFLOW + "{}", "workflow").alias("reason"),
    ).cast(WISHES)
    ids = wishes["record_id"].unique(maintain_order=True).to_list()
    changes = changes_only(texts_in_force(run.store, definition, ids), wishes)
    if changes.is_empty():
        return
    keep_corrections(
        run.store,
        definition.entity,
        changes.drop("record_id").with_columns(pl.lit(run.actor).alias("actor")),
        run_id=run.run_id,
        moment=run.started,
    )
    records = changes["record_id"].unique(maintain_order=True).to_list()
    why = dict(changes.select("record_id", "reason").iter_rows())
    look = look_again(run, definition, records)
    verdicts, touched = conclude(
        run, look, reasons=why, corrected=changes.select("record_id", "field")
    )
    waits = verdicts.filter(pl.col("outcome") == "waiting").select(
        "record_id", name=pl.lit("-"), fault=pl.col("reasons").list.join("; ")
    )
    _mind(definition, waits, wanted)
    told = changes.rename({"field": "name"}).with_columns(
        workflow=pl.col("reason").str.strip_prefix(BY_WORKFLOW)
    )
    _tell(run, definition.entity, told)
    run.settle(definition, touched)


def _mind(definition: EntityDefinition, faults: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """Refuse values that no entry could have."""
    if faults.is_empty():
        return
    named = wanted["workflow"].unique(maintain_order=True).to_list()
    told = "; ".join(
        f"{definition.entity} {record}: {fault}"
        for record, fault in faults.select("record_id", "fault").head(_SHOWN).iter_rows()
    )
    more = f" and {faults.height - _SHOWN:,} more" if faults.height > _SHOWN else ""
    raise RefusedError(
        f"what {', '.join(named)} would set cannot be: {told}{more}; nothing was set (mend "
        "rules/workflows, or note these events as seen with --skip)"
    )


def _tell(
    run: RunUnderway, entity: str, values: pl.DataFrame, *, override_ids: list[int] | None = None
) -> None:
    run.changed = True
    told = {
        "entity": entity,
        "workflows": sorted(values["workflow"].unique()),
        "fields": sorted(values["name"].unique()),
        "records": values["record_id"].unique().sort().to_list(),
        "override_ids": override_ids or [],
    }
    record_event(
        run.store, "workflow.set", told, actor=run.actor, occurred_at=run.started, run_id=run.run_id
    )
