"""One batch of raw rows of one entity → standardised versions and issues, ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.standardise import standardise
from crm_quality.validate import check_records
from crm_quality.validate.waivers import WAIVERS, waive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from crm_quality.definitions import EntityDefinition, SourceDefinition
    from crm_quality.engine.summary import Clock

ROW = ("source", "source_key", "row_number")

_POINTS = {
    FieldType.EMAIL: "email",
    FieldType.EMAILS: "email",
    FieldType.PHONE: "phone",
    FieldType.PHONES: "phone",
}


@dataclass(frozen=True)
class Prepared:
    """A batch after the record stages.

    Attributes:
        versions: One row per row of the batch: its ids, ``status`` (accepted, quarantined), the
            row as it came and the canonical fields.
        issues: ISSUES frame plus ``record_id`` and ``version_id``.
        checks: One row per check, as `crm_quality.validate.check_records` gives it.
        points: Contact points: ``record_id``, ``version_id``, ``kind``, ``field``, ``value``,
            ``value_raw``.
        waived: ``version_id``, ``rule`` of errors that a waiver made warnings.
    """

    versions: pl.DataFrame
    issues: pl.DataFrame
    checks: pl.DataFrame
    points: pl.DataFrame
    waived: pl.DataFrame


def prepare(
    rows: pl.DataFrame,
    definition: EntityDefinition,
    *,
    sources: Mapping[str, SourceDefinition],
    country: str | None,
    as_of: date,
    clock: Clock,
    waivers: pl.DataFrame | None = None,
    in_force: bool = False,
) -> Prepared:
    """Standardise and validate the rows of one batch.

    Args:
        rows: RAW frame with ``record_id`` and ``version_id``; (``source``, ``source_key``,
            ``row_number``) is unique. ``absent`` (List of text, may be missing) names the fields
            that a row's file had no column for: rules that need them are not asked of it.
        definition: The entity.
        sources: Known sources, for regions and date orders.
        country: Region of phone numbers that nothing else tells.
        as_of: The day that counts as today.
        clock: Takes the seconds of both stages.
        waivers: Frame of `WAIVERS` in force; null = none.
        in_force: The rows are in force and stay so: an error is told, and sets nothing aside.
    """
    with clock.stage("standardise"):
        parts = _standardised(rows, definition, sources=sources, country=country)
    with clock.stage("validate"):
        checked = [check_records(part, definition, as_of=as_of, sources=sources) for part in parts]
        standardised = pl.concat(parts, how="diagonal_relaxed")
        ids = rows.select(*ROW, "record_id", "version_id")
        found = pl.concat([part.issues for part in checked])
        found = found.join(ids, on=ROW, how="left", maintain_order="left")
        issues, is_waived = waive(found, WAIVERS.to_frame() if waivers is None else waivers)
        bad = issues.filter(pl.col("severity") == "error").select("version_id").unique()
        fails = pl.col("version_id").is_in(bad["version_id"].implode())
        quarantined = pl.lit(value=False) if in_force else fails
        versions = standardised.with_columns(
            pl.when(quarantined)
            .then(pl.lit("quarantined"))
            .otherwise(pl.lit("accepted"))
            .alias("status")
        )
    carried = ("record_id", "version_id", "row_number", "status", "content_hash", "raw", "custom")
    fields = [name for name in definition.columns if name in versions.columns]
    return Prepared(
        versions=versions.select(*(c for c in carried if c in versions.columns), *fields),
        issues=issues,
        checks=pl.concat([part.checks for part in checked]),
        points=_contact_points(versions, definition),
        waived=issues.filter(is_waived).select("version_id", "rule"),
    )


def _standardised(
    rows: pl.DataFrame,
    definition: EntityDefinition,
    *,
    sources: Mapping[str, SourceDefinition],
    country: str | None,
) -> list[pl.DataFrame]:
    """The rows in canonical form, in parts of which each has the columns that its rows had."""
    if "absent" not in rows.columns:
        return [standardise(rows, definition, sources=sources, country=country)]
    lacking = rows["absent"].fill_null([]).list.sort()
    parts = []
    for names in lacking.unique(maintain_order=True).to_list():
        # all rows are read, so that dates are read by the evidence of all
        whole = rows.drop("absent", *names, strict=False)
        part = standardise(whole, definition, sources=sources, country=country)
        parts.append(part.filter(lacking == pl.lit(names, pl.List(pl.String))))
    return parts


def _otherwise(raw: pl.Expr, name: str) -> pl.Expr:
    """The text that a value was read from where it is another: most are canonical as they come."""
    text = raw.cast(pl.String)
    return pl.when(text != pl.col(name)).then(text)


def _contact_points(versions: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """Every address and number of accepted versions, with the text it was read from if another."""
    accepted = versions.filter(pl.col("status") == "accepted")
    parts = []
    for name, field in definition.fields.items():
        # an address in a row that hangs on a customer tells whose it is; it is nobody's by itself
        kind = _POINTS.get(field.type) if definition.is_customer else None
        if kind is None or name not in accepted.columns:
            continue
        raw = pl.col(f"{name}__raw") if f"{name}__raw" in accepted.columns else pl.lit(None)
        is_list = isinstance(accepted.schema[name], pl.List)
        part = accepted.select(
            "record_id",
            "version_id",
            pl.lit(kind).alias("kind"),
            pl.lit(name).alias("field"),
            pl.col(name).alias("value"),
            (pl.lit(None, pl.String) if is_list else _otherwise(raw, name)).alias("value_raw"),
        )
        if is_list:
            part = part.explode("value", empty_as_null=True)
        parts.append(part.drop_nulls("value"))
    if not parts:
        return pl.DataFrame(
            schema={
                "record_id": pl.Int64,
                "version_id": pl.Int64,
                "kind": pl.String,
                "field": pl.String,
                "value": pl.String,
                "value_raw": pl.String,
            }
        )
    return pl.concat(parts)
