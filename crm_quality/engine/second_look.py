"""Records that were set aside, judged again: by today's rules, corrections and waivers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.corrections import rows_of
from crm_quality.engine.kept_rows import KeptReader
from crm_quality.engine.versions import Judged
from crm_quality.store.quarantine import STEPS, last_versions, take_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.underway import RunUnderway

#: What was decided about records: ``outcome`` is ``released``, ``waived``, ``accepted`` (it was
#: before), ``waiting`` (``rules`` and ``reasons`` say why) or ``unchanged``.
VERDICTS = pl.Schema(
    {
        "entity": pl.String(),
        "record_id": pl.Int64(),
        "source": pl.String(),
        "source_key": pl.String(),
        "outcome": pl.String(),
        "rules": pl.List(pl.String()),
        "reasons": pl.List(pl.String()),
    }
)
CORRECTED = pl.Schema({"record_id": pl.Int64(), "field": pl.String()})
TOUCHED = pl.Schema({"record_id": pl.Int64(), "is_deleted": pl.Boolean()})


@dataclass(frozen=True)
class SecondLook:
    """Records judged again; nothing of it is stored yet.

    Attributes:
        before: Their last versions, see `last_versions`.
        judged: What they would become.
    """

    before: pl.DataFrame
    judged: Judged

    @property
    def outcomes(self) -> pl.DataFrame:
        """What each record would become, and what it was.

        ``record_id``, ``source``, ``source_key``, ``last_version``, ``set_aside``,
        ``was_waiting``, ``was_read_by`` (hash of its rules), ``version_id`` (the next one)
        and ``state``: passes, waived or fails.
        """
        judged = self.judged
        failing = judged.quarantined["version_id"].implode()
        waived = judged.waived["version_id"].implode()
        version = pl.col("version_id")
        states = judged.versions.select(
            "record_id",
            version,
            pl.when(version.is_in(failing))
            .then(pl.lit("fails"))
            .when(version.is_in(waived))
            .then(pl.lit("waived"))
            .otherwise(pl.lit("passes"))
            .alias("state"),
        )
        return self.before.select(
            "record_id",
            "source",
            "source_key",
            pl.col("version_id").alias("last_version"),
            pl.coalesce("set_aside", "version_id").alias("set_aside"),
            (pl.col("status") == "quarantined").alias("was_waiting"),
            pl.col("rules_hash").alias("was_read_by"),
        ).join(states, on="record_id", maintain_order="left")

    def reasons(self, corrected: pl.DataFrame) -> pl.DataFrame:
        """Why records fail.

        Args:
            corrected: ``record_id``, ``field`` that were corrected now; what is still wrong with
                these is said too, whatever its severity.

        Returns:
            ``record_id``, and lists ``rules`` and ``reasons``: errors first.
        """
        is_error = pl.col("severity") == "error"
        issues = self.judged.prepared.issues
        errors = issues.filter(is_error)
        others = issues.filter(~is_error, pl.col("severity") != "info").join(
            corrected, on=["record_id", "field"], how="semi", maintain_order="left"
        )
        told = pl.concat([errors, others]).join(
            errors.select("record_id"), on="record_id", how="semi", maintain_order="left"
        )
        return told.group_by("record_id", maintain_order=True).agg(
            pl.col("rule").alias("rules"), pl.col("message").alias("reasons")
        )


def look_again(
    run: RunUnderway,
    definition: EntityDefinition,
    records: Sequence[int],
) -> SecondLook:
    """Judge the last version of records as if its row came now; nothing is stored.

    Args:
        run: The run under way.
        definition: The entity of all of them.
        records: Record ids, each once.
    """
    run.fit_tables(definition)
    before = last_versions(run.store, definition.entity, records)
    since = pl.when(before["status"] == "quarantined").then(before["opened_at"])
    own = before.select("record_id", "batch_id", since.alias("opened_at"))
    reader = KeptReader(run.store, definition.entity)
    as_read = replace(run, rules=reader.rules(run.rules))
    given = _given(reader, before, definition, as_read.rules)
    rows = own.join(given, on="record_id", maintain_order="left")
    return SecondLook(before, Judged(as_read, definition, rows))


def _given(
    reader: KeptReader, before: pl.DataFrame, definition: EntityDefinition, rules: RuleSet
) -> pl.DataFrame:
    """The rows of last versions as their source gave them, RAW frame with ``absent``."""
    fields = [name for name in definition.fields if name != "source_key"]
    parts = []
    for reading, kept in reader.parts(before.select("version_id", "batch_id")):
        part = reader.rows(reading, kept, definition, rules).drop("batch_id", "version_id")
        absent = [name for name in fields if name not in part.columns]
        parts.append(part.with_columns(pl.lit(absent, pl.List(pl.String)).alias("absent")))
    there = [record for part in parts for record in part["record_id"]]
    erased = before.filter(~pl.col("record_id").is_in(there))
    if erased.height or not parts:
        parts.append(rows_of(erased, definition))
    return pl.concat(parts, how="diagonal_relaxed")


def conclude(
    run: RunUnderway,
    look: SecondLook,
    *,
    reasons: Mapping[int, str],
    corrected: pl.DataFrame = CORRECTED.to_frame(),  # noqa: B008 - frames are not changed
    again: frozenset[int] = frozenset(),
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Store what a second look found: what passes is accepted, what fails waits on.

    A record becomes a new version when it is accepted now, was corrected now, or waits for other
    reasons than before because the rules have changed; otherwise nothing is written about it.

    Args:
        run: The run under way.
        look: The second look.
        reasons: Record id → why somebody asked for it.
        corrected: ``record_id``, ``field`` that were corrected in this run.
        again: Record ids that are written again if they wait, whatever was found: an earlier
            row of theirs has just been written, and what waits comes after it.

    Returns:
        Frame of `VERDICTS`, and of `TOUCHED`: the records that are accepted anew.
    """
    judged, entity = look.judged, look.judged.entity
    now_corrected = pl.col("record_id").is_in(corrected["record_id"].implode())
    other_rules = pl.col("was_read_by") != judged.rules_hash
    other_rules |= pl.col("record_id").is_in(sorted(again))
    fails = pl.col("state") == "fails"
    found = look.outcomes.with_columns(
        pl.when(fails)
        .then(now_corrected | (pl.col("was_waiting") & other_rules))
        .otherwise(now_corrected | pl.col("was_waiting"))
        .alias("is_new"),
        now_corrected.alias("corrected"),
        pl.when(fails)
        .then(pl.lit("waiting"))
        .when(~now_corrected & ~pl.col("was_waiting"))
        .then(pl.lit("accepted"))
        .when(pl.col("state") == "waived")
        .then(pl.lit("waived"))
        .otherwise(pl.lit("released"))
        .alias("outcome"),
    )
    new = found.filter("is_new")
    if new.height:
        run.changed = True
        with run.clock.stage("store"):
            take_steps(
                run.store,
                entity,
                _steps(new, reasons),
                run_id=run.run_id,
                moment=run.started,
                actor=run.actor,
            )
            judged.keep(run, new.select("version_id"))
    verdicts = (
        found.join(look.reasons(corrected), on="record_id", how="left", maintain_order="left")
        .with_columns(pl.lit(entity).alias("entity"))
        .select(VERDICTS.names())
        .cast(VERDICTS)
    )
    accepted = new.filter(pl.col("state") != "fails")
    return verdicts, accepted.select("record_id", pl.lit(value=False).alias("is_deleted"))


def _steps(new: pl.DataFrame, reasons: Mapping[int, str]) -> pl.DataFrame:
    """What happens to the versions whose place new ones take."""
    rows = []
    for row in new.iter_rows(named=True):
        reason = reasons.get(row["record_id"])
        own = (row["record_id"], row["set_aside"])
        if row["corrected"]:
            rows.append((*own, "fixed", row["version_id"], reason))
        elif row["state"] == "fails":
            rows.append((*own, "superseded", row["version_id"], "checked again by other rules"))
        if row["state"] != "fails":
            status = "waived" if row["state"] == "waived" else "released"
            rows.append((*own, status, row["version_id"], reason))
    return pl.DataFrame(rows, schema=STEPS, orient="row")
