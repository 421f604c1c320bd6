"""Fields that lead to a record of an entity: whether it exists, and whether it says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.standardise.company_name import standardise_company_names
from crm_quality.validate.agreement import agreement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.definitions.rules import Reference

#: Names of columns while two frames are joined; no field has a blank in its name.
_KEY, _ROW, _HERE, _THERE = "the key", "the row", "said here {}", "said there {}"


def orphans(
    stated: Reference, kind: FieldType, frame: pl.DataFrame, other: pl.DataFrame, spoken: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Rows whose key leads to no record.

    Keys belong to their source: where both sides tell their source, it must be the same one. Names
    of companies are compared without legal form, case, accents and punctuation.

    Args:
        stated: The reference.
        kind: Type of the field that holds the key.
        frame: Records that point.
        other: Records they may point to.
        spoken: Boolean, one per row of ``frame``: the rule speaks of it.

    Returns:
        Boolean, one per row: it has a key, and the key leads nowhere.
    """
    filled = spoken & frame[stated.field].is_not_null()
    on = [*_shared_source(frame, other), _KEY]
    lost = _pointing(stated, kind, frame, filled).join(
        _pointed(stated, kind, other), on=on, how="anti"
    )
    return filled, _marked(lost[_ROW], frame.height)


def disagreeing(
    stated: Reference,
    definitions: tuple[EntityDefinition, EntityDefinition],
    frame: pl.DataFrame,
    other: pl.DataFrame,
    spoken: pl.Series,
) -> tuple[pl.Series, pl.Series]:
    """Rows whose key leads to records none of which says the same.

    Args:
        stated: The reference; ``agrees`` names what must be the same.
        definitions: Of the records that point, and of those they point to.
        frame: Records that point.
        other: Records they may point to.
        spoken: Boolean, one per row of ``frame``: the rule speaks of it.

    Returns:
        Boolean, one per row: it leads somewhere and both sides say something to compare, and no
        record found agrees in everything that can be compared.
    """
    here, there = definitions
    kind = here.fields[stated.field].type
    filled = spoken & frame[stated.field].is_not_null()
    named = list(enumerate(stated.agrees.items()))
    on = [*_shared_source(frame, other), _KEY]
    pairs = _pointing(stated, kind, frame, filled).with_columns(
        *(frame[own].gather(filled.arg_true()).alias(_HERE.format(n)) for n, (own, _) in named)
    )
    sought = _pointed(stated, kind, other).with_columns(
        *(other[theirs].alias(_THERE.format(n)) for n, (_, theirs) in named)
    )
    both = pairs.join(sought.unique(), on=on)
    answers = [
        agreement(
            pl.col(_HERE.format(n)),
            here.fields[own].type,
            pl.col(_THERE.format(n)),
            there.fields[theirs].type,
        )
        for n, (own, theirs) in named
    ]
    judged = (
        both.with_columns(
            pl.any_horizontal(answer.is_not_null() for answer in answers).alias("says"),
            pl.all_horizontal(answer.fill_null(value=True) for answer in answers).alias("agrees"),
        )
        .group_by(_ROW)
        .agg(pl.col("says").any(), (pl.col("says") & pl.col("agrees")).any().alias("agrees"))
        .filter("says")
    )
    return (
        _marked(judged[_ROW], frame.height),
        _marked(judged.filter(~pl.col("agrees"))[_ROW], frame.height),
    )


def _pointing(
    stated: Reference, kind: FieldType, frame: pl.DataFrame, filled: pl.Series
) -> pl.DataFrame:
    sources = [name for name in ("source",) if name in frame.columns]
    rows = filled.arg_true().alias(_ROW)
    return frame.select(*sources, comparable(frame[stated.field], kind).alias(_KEY))[
        rows
    ].with_columns(rows)


def _pointed(stated: Reference, kind: FieldType, other: pl.DataFrame) -> pl.DataFrame:
    sources = [name for name in ("source",) if name in other.columns]
    return other.select(*sources, comparable(other[stated.key], kind).alias(_KEY))


def _shared_source(one: pl.DataFrame, two: pl.DataFrame) -> list[str]:
    return ["source"] if "source" in one.columns and "source" in two.columns else []


def comparable(column: pl.Series, kind: FieldType) -> pl.Series:
    """A column of keys as they are compared."""
    if kind is FieldType.COMPANY_NAME:
        return standardise_company_names(column.cast(pl.String))["core"]
    return column


def _marked(rows: pl.Series, height: int) -> pl.Series:
    nothing = pl.repeat(value=False, n=height, dtype=pl.Boolean, eager=True)
    return nothing.scatter(rows, values=True)


def needed_there(stated: Reference) -> Mapping[str, None]:
    """The columns that a reference reads of the records it points to."""
    return dict.fromkeys((stated.key, *stated.agrees.values()))
