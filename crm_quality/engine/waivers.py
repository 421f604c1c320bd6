"""Waivers whose day has come: what was accepted only because of them waits again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.second_look import TOUCHED, look_again
from crm_quality.store.quarantine import (
    STEPS,
    relying_on_lapsed_waivers,
    take_steps,
    withdraw_versions,
)

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.underway import RunUnderway

_WHY = "the waiver has expired"


def let_waivers_lapse(
    run: RunUnderway, *, reason: str = _WHY, record: int | None = None
) -> dict[str, pl.DataFrame]:
    """Set aside again what was accepted under waivers that hold no longer.

    The version that was accepted counts no more; an earlier one that was accepted without a waiver
    is in force again, if there is one.

    Args:
        run: The run under way; its settling makes the records' withdrawal count.
        reason: What the history of each record says.
        record: Of this record only; null = of all.

    Returns:
        Entity → frame of `TOUCHED`: the records that lost their waiver.
    """
    relying = relying_on_lapsed_waivers(run.store, run.as_of)
    if record is not None:
        relying = relying.filter(pl.col("record_id") == record)
    found = {}
    for (name,), versions in relying.group_by("entity", maintain_order=True):
        entity = str(name)
        if entity not in run.rules.entities:
            continue
        touched = _lapse(run, run.rules.entity(entity), versions, reason)
        if touched.height:
            found[entity] = touched
            run.outcome.summary.notes.append(
                f"{entity}: accepted under a waiver and withdrawn now: {touched.height:,} "
                f"record{'s' * (touched.height > 1)}; {reason}"
            )
    return found


def _lapse(
    run: RunUnderway, definition: EntityDefinition, relying: pl.DataFrame, reason: str
) -> pl.DataFrame:
    look = look_again(run, definition, relying["record_id"].unique(maintain_order=True).to_list())
    after = look.outcomes.select(
        "record_id", "last_version", "state", pl.col("version_id").alias("next")
    )
    both = relying.join(after, on="record_id", maintain_order="left")
    # where another version is the last one, that one has been judged by itself
    is_last = pl.col("last_version") == pl.col("became")
    failing = both.filter(is_last & (pl.col("state") == "fails"))
    passing = both.filter(is_last & (pl.col("state") == "passes"))
    overtaken = both.filter(~is_last)
    lost = pl.concat([failing, overtaken])
    withdraw_versions(run.store, definition.entity, lost.select(version_id="became"))
    steps = pl.concat(
        [
            failing.with_columns(status=pl.lit("lapsed"), became="next", reason=pl.lit(reason)),
            overtaken.with_columns(
                status=pl.lit("lapsed"), became="last_version", reason=pl.lit(reason)
            ),
            passing.with_columns(
                status=pl.lit("released"), reason=pl.lit("it passes without its waiver")
            ),
        ],
    ).select(STEPS.names())
    if steps.height:
        run.changed = True
        take_steps(
            run.store,
            definition.entity,
            steps,
            run_id=run.run_id,
            moment=run.started,
            actor=run.actor,
        )
    if failing.height:
        look.judged.keep(run, failing.select(pl.col("next").alias("version_id")))
    lost = lost.filter("is_current")
    return lost.select("record_id", pl.lit(value=False).alias("is_deleted")).cast(TOUCHED)
