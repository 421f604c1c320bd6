"""Accepted records that the rules of today would not accept: set aside, if that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.second_look import TOUCHED, look_again
from crm_quality.standardise import standardise
from crm_quality.store.corrections import waivers_in_force
from crm_quality.store.landing import current_records
from crm_quality.store.quarantine import withdraw_records
from crm_quality.validate import check_records
from crm_quality.validate.waivers import waive

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.underway import RunUnderway


def requarantine(run: RunUnderway, definition: EntityDefinition) -> pl.DataFrame:
    """Check every record in force by the rules of today and set aside what fails.

    What is checked are the values as they were read when they came; those that fail are judged once
    more from what their source gave, as far as that was kept. Of a record that fails no earlier
    version is in force either.

    Args:
        run: The run under way; its settling makes the withdrawal count.
        definition: The entity.

    Returns:
        Frame of `TOUCHED`: the records that were set aside.
    """
    entity, store = definition.entity, run.store
    run.grow_tables(definition)
    lost: list[pl.DataFrame] = [TOUCHED.to_frame()]
    records = current_records(store, entity)
    if records.is_empty():
        return lost[0]
    with run.clock.stage("standardise"):
        standardised = standardise(
            records, definition, sources=run.rules.sources, country=run.config.country
        )
    with run.clock.stage("validate"):
        found = check_records(standardised, definition, as_of=run.as_of).issues
        issues, _ = waive(found, waivers_in_force(store, entity, run.as_of))
    errors = issues.filter(pl.col("severity") == "error").select("source", "source_key")
    suspects = records.join(errors, on=["source", "source_key"], how="semi").select(
        "record_id", pl.col("version_id").alias("current")
    )
    if suspects.is_empty():
        return lost[0]
    look = look_again(run, definition, suspects["record_id"].to_list())
    both = suspects.join(look.outcomes, on="record_id", maintain_order="left")
    # where another row came last, that one was judged when it came
    is_last = pl.col("last_version") == pl.col("current")
    failing = both.filter(is_last & (pl.col("state") == "fails"))
    gone = pl.concat([failing, both.filter(~is_last)])
    with run.clock.stage("store"):
        withdraw_records(store, entity, gone.select("record_id"))
        look.judged.keep(run, failing.select("version_id"))
    if gone.height:
        run.changed = True
        run.outcome.summary.notes.append(
            f"{entity}: accepted before and set aside by the rules of today: {gone.height:,} "
            f"record{'s' * (gone.height > 1)}"
        )
    return gone.select("record_id", pl.lit(value=False).alias("is_deleted")).cast(TOUCHED)
