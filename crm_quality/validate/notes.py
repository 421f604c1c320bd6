"""What intake and standardising noted about rows and values, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.standardise import suggested_values
from crm_quality.standardise.email_words import likely_domain
from crm_quality.validate.catalogue import note_rule, problem_rule
from crm_quality.validate.issues import as_it_came, findings
from crm_quality.validate.meanings import probable_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions import EntityDefinition
    from crm_quality.validate.rule import Rule

#: Notes that only tell where a value comes from; nobody has to do anything about them.
_NO_FINDING = ("synonym", "derived")


def note_findings(
    frame: pl.DataFrame, definition: EntityDefinition
) -> Iterator[tuple[Rule, pl.DataFrame]]:
    """Findings from the ``<field>__note`` columns.

    Args:
        frame: A standardised frame.
        definition: Its entity.

    Yields:
        A rule and its findings, for each field and kind of note that occurs.
    """
    is_read = pl.col("problem").is_null() if "problem" in frame.columns else pl.lit(value=True)
    readable = is_read.alias("readable")
    for name in definition.fields:
        column = f"{name}__note"
        if column not in frame.columns or frame[column].null_count() == frame.height:
            continue
        noted = (
            frame.select(pl.col(column).alias("note"), readable)
            .with_row_index("row")
            .filter(pl.col("note").is_not_null() & pl.col("readable"))
            .with_columns(pl.col("note").cast(pl.String))
            .filter(~pl.col("note").is_in(_NO_FINDING))
        )
        for (note,), part in noted.group_by("note", maintain_order=True):
            rule = note_rule(definition, name, str(note))
            rows = part["row"]
            yield rule, findings(rule, frame, rows, _suggestion(rule, frame, rows, definition))


def problem_findings(
    frame: pl.DataFrame, definition: EntityDefinition
) -> Iterator[tuple[Rule, pl.DataFrame]]:
    """Findings from the ``problem`` column that intake leaves.

    Args:
        frame: A standardised frame.
        definition: Its entity.

    Yields:
        A rule and its findings, for each kind of problem that occurs.
    """
    if "problem" not in frame.columns:
        return
    rows = frame.select("problem").with_row_index("row").drop_nulls("problem")
    for (problem,), part in rows.group_by("problem", maintain_order=True):
        rule = problem_rule(definition, str(problem))
        yield rule, findings(rule, frame, part["row"])


def _suggestion(
    rule: Rule, frame: pl.DataFrame, rows: pl.Series, definition: EntityDefinition
) -> pl.Series | None:
    field = rule.field or ""
    if rule.note == "repaired":
        return as_it_came(frame.select(field)[rows], field)
    vocabulary = definition.vocabularies.get(definition.fields[field].vocabulary or "")
    if rule.note == "unknown" and vocabulary is not None:
        raw = f"{field}__raw" if f"{field}__raw" in frame.columns else field
        return probable_values(frame[raw].gather(rows), vocabulary)
    kind = definition.fields[field].type
    if rule.note == "doubtful" and kind is FieldType.EMAIL:
        return _with_likely_domain(frame[field].gather(rows))
    raw = f"{field}__raw"
    guessed = rule.note in {"invalid", "ambiguous"} and kind in {FieldType.EMAIL, FieldType.PHONE}
    if guessed and raw in frame.columns:
        return suggested_values(frame[raw].gather(rows), definition, field)
    return None


def _with_likely_domain(addresses: pl.Series) -> pl.Series:
    parts = addresses.str.splitn("@", 2).struct.unnest()
    domains = parts["field_1"].drop_nulls().unique()
    likely = pl.Series([likely_domain(domain) for domain in domains], dtype=pl.String)
    meant = parts["field_1"].replace_strict(domains, likely, default=None)
    return parts["field_0"] + "@" + meant
