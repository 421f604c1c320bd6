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
    for (name,), records in relying.group_by("entity", maintain_order=True):
        entity = str(name)
        if entity not in run.rules.entities:
            continue
        touched = _lapse(run, run.rules.entity(entity), records, reason)
        if touched.height:
            found[entity] = touched
            one = touched.height == 1
            run.outcome.summary.notes.append(
                f"{entity}: {touched.height:,} record{'' if one else 's'} "
                f"wait{'s' if one else ''} in quarantine again: {reason}"
            )
    return found


def _lapse(
    run: RunUnderway, definition: EntityDefinition, records: pl.DataFrame, reason: str
) -> pl.DataFrame:
    look = look_again(run, definition, records["record_id"].to_list())
    after = look.outcomes.select(
        "record_id", "last_version", "state", pl.col("version_id").alias("next")
    )
    both = records.join(after, on="record_id", maintain_order="left")
    # where a later row of the source is the last version, that one has been judged already
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
    return lost.select("record_id", pl.lit(value=False).alias("is_deleted")).cast(TOUCHED)
