"""Values that people or files give for a customer, judged as an entry of that record would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions.entity import INTAKE_ONLY
from crm_quality.engine.batch import prepare
from crm_quality.engine.summary import Clock
from crm_quality.engine.waiting import nearest
from crm_quality.errors import NotFoundError, RefusedError
from crm_quality.merge import RESTRICTING, kept_text, restrictiveness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from crm_quality.definitions import EntityDefinition, SourceDefinition
    from crm_quality.engine.batch import Prepared

#: Findings of standardising that leave no value to go by.
_UNREADABLE = ("invalid", "unknown", "ambiguous", "placeholder")


@dataclass(frozen=True)
class Judged:
    """Entries after standardising and checking.

    Attributes:
        values: One row per entry and field that it speaks of: ``line``, ``entity_id``, ``field``,
            ``given`` (as it came), ``value`` (canonical, as text; null = the field is to be empty)
            and ``fault`` (why it cannot be taken; null = it can).
        hints: ``line``, ``field``, ``message``: what else was found, which forbids nothing.
    """

    values: pl.DataFrame
    hints: pl.DataFrame


def check_stored(definition: EntityDefinition, fields: Iterable[str]) -> None:
    """Raise for fields that a golden record does not have.

    Raises:
        NotFoundError: The entity has no such field.
        RefusedError: Only intake reads the field.
    """
    for name in fields:
        if name not in definition.fields:
            hint = nearest(name, definition.columns)
            raise NotFoundError(f"the entity {definition.entity} has no field {name!r}{hint}")
        if name == "source_key":
            raise RefusedError("source_key says which record of its source this is; it stays")
        if name in INTAKE_ONLY:
            raise RefusedError(f"{name} is not kept; give the fields that it is parted into")


def judge_entries(
    said: pl.DataFrame,
    golden: pl.DataFrame,
    definition: EntityDefinition,
    *,
    source: str,
    sources: Mapping[str, SourceDefinition],
    country: str | None,
    as_of: date,
) -> Judged:
    """Read and check what was said of customers, in the light of all else that is known of them.

    A value is faulty where it cannot be read, is not of its vocabulary, fails a check of its own
    field (warning or error), or makes the record break a rule of severity error that it kept.

    Args:
        said: ``line`` (Int64, from 1, unique), ``entity_id``, and a column of text for each field
            that is spoken of; null = this entry says nothing of it, blank = it is to be empty.
        golden: ``entity_id`` and the golden records' fields.
        definition: The entity.
        source: Whose dates and regions count, where it is a known source.
        sources: Known sources.
        country: Region of phone numbers that nothing else tells.
        as_of: The day that counts as today.
    """
    fields = [name for name in said.columns if name in definition.columns]
    known = golden.select(
        "entity_id",
        *(kept_text(golden[name]).alias(name) for name in definition.columns if name in golden),
    )
    before = said.select("line", "entity_id").join(
        known, on="entity_id", how="left", maintain_order="left"
    )
    after = before.with_columns(_spoken(said, before, name).alias(name) for name in fields)

    def checked(rows: pl.DataFrame) -> Prepared:
        number = pl.col("line")
        named = rows.with_columns(
            pl.lit(source).alias("source"),
            number.cast(pl.String).alias("source_key"),
            number.alias("row_number"),
            number.alias("record_id"),
            number.alias("version_id"),
        )
        return prepare(
            named, definition, sources=sources, country=country, as_of=as_of, clock=Clock()
        )

    prepared = checked(after)
    issues = _told(prepared.issues)
    # where a record breaks a rule, what it was like before tells whether that is new
    broken = issues.filter(pl.col("severity") == "error").select("line").unique()
    former = before.join(broken, on="line", how="semi")
    known_errors = _told(checked(former).issues if former.height else prepared.issues.clear())
    given = _long(said.select("line", "entity_id", *fields), fields, "given")
    read = prepared.versions.select(
        pl.col("version_id").alias("line"),
        *(kept_text(prepared.versions[name]).alias(name) for name in fields),
    )
    values = given.join(
        _long(read, fields, "value"), on=["line", "field"], how="left", maintain_order="left"
    )
    found = _faults(issues, known_errors, values, definition)
    values = values.join(found, on=["line", "field"], how="left", maintain_order="left")
    unread = (pl.col("given").str.strip_chars() != "") & pl.col("value").is_null()
    values = _with_loosening(values, known, definition)
    values = values.with_columns(
        pl.coalesce("fault", pl.when(unread).then(pl.lit("it cannot be read"))).alias("fault")
    )
    hints = (
        issues.filter(pl.col("severity") == "warning")
        .join(values.filter(pl.col("fault").is_null()), on=["line", "field"], how="semi")
        .select("line", "field", "message")
    )
    return Judged(values.sort("line", "field"), hints.sort("line", "field"))


def _with_loosening(
    values: pl.DataFrame, known: pl.DataFrame, definition: EntityDefinition
) -> pl.DataFrame:
    """What would restrict a customer's wishes less than a record of theirs does is a fault."""
    for name in values["field"].unique():
        rule = definition.fields[name].survivorship
        if rule.strategy not in RESTRICTING or name not in known.columns:
            continue
        own = values.join(known.select("entity_id", own=name), on="entity_id", how="left",
                          maintain_order="left")["own"]  # fmt: skip
        looser = restrictiveness(pl.col("value"), rule) > restrictiveness(pl.lit(own), rule)
        told = pl.lit("what restricts more stands; a later opt-in has to come from its source")
        fault = pl.when((pl.col("field") == name) & looser).then(told)
        values = values.with_columns(pl.coalesce("fault", fault).alias("fault"))
    return values


def _spoken(said: pl.DataFrame, before: pl.DataFrame, name: str) -> pl.Series:
    """A field as text after the entry: what it says, else what was known."""
    own = said[name].str.strip_chars()
    else_known = before[name] if name in before.columns else pl.lit(None, pl.String)
    text = pl.when(pl.lit(own).is_null()).then(else_known).when(pl.lit(own) != "").then(pl.lit(own))
    return pl.select(text).to_series()


def _long(frame: pl.DataFrame, fields: list[str], value: str) -> pl.DataFrame:
    index = [name for name in ("line", "entity_id") if name in frame.columns]
    long = frame.unpivot(fields, index=index, variable_name="field", value_name=value)
    return long.drop_nulls(value) if value == "given" else long


def _told(issues: pl.DataFrame) -> pl.DataFrame:
    return issues.select(
        pl.col("version_id").alias("line"), "field", "rule", "severity", "message", "suggestion"
    )


def _faults(
    issues: pl.DataFrame,
    before: pl.DataFrame,
    values: pl.DataFrame,
    definition: EntityDefinition,
) -> pl.DataFrame:
    """``line``, ``field``, ``fault``: the findings that forbid a value."""
    own = {
        f"{definition.entity}.{name}.{kind}" for name in definition.fields for kind in _UNREADABLE
    }
    checks = {
        check.code or f"{definition.entity}.{name}.{check.check}"
        for name, field in definition.fields.items()
        for check in field.checks
    }
    told = pl.concat_str(
        "message",
        pl.when(pl.col("suggestion").is_not_null()).then(
            pl.concat_str(pl.lit(" (did you mean "), "suggestion", pl.lit("?)"))
        ),
        ignore_nulls=True,
    )
    spoken = values.select("line", "field")
    of_field = issues.join(spoken, on=["line", "field"], how="semi").filter(
        (pl.col("severity") == "error")
        | pl.col("rule").is_in(sorted(own))
        | (pl.col("rule").is_in(sorted(checks)) & (pl.col("severity") == "warning"))
    )
    of_record = (
        issues.filter(pl.col("severity") == "error")
        .join(before.filter(pl.col("severity") == "error"), on=["line", "rule"], how="anti")
        .join(of_field, on=["line", "rule"], how="anti")
        .drop("field")
        .join(spoken, on="line")
    )
    both = pl.concat([of_field, of_record.select(of_field.columns)])
    return both.group_by("line", "field", maintain_order=True).agg(
        told.unique(maintain_order=True).str.join("; ").alias("fault")
    )
