"""Survivorship: which record gives each field of the golden record, for whole clusters at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, Survivorship

_LISTS = {FieldType.EMAILS: FieldType.EMAIL, FieldType.PHONES: FieldType.PHONE}


@dataclass(frozen=True)
class Survived:
    """Golden records and where their values come from.

    Attributes:
        golden: One row per entity: ``entity_id`` Int64, ``records`` Int64 (how many),
            ``sources`` List(String) (sorted), then the entity's fields.
        origins: ``entity_id``, ``field``, ``record_id``, ``rule`` (strategy) for each value of an
            entity with several records; a field that pools lists has a row per giving record.
            Entities with one record have no rows: that record gave every value.
    """

    golden: pl.DataFrame
    origins: pl.DataFrame


def survive(
    records: pl.DataFrame,
    definition: EntityDefinition,
    *,
    priorities: Mapping[str, int] | None = None,
) -> Survived:
    """Choose each golden value among the records of its entity.

    Safe on any partition that holds whole entities. Ties are broken by the source's priority, then
    by what arrived later, so the result does not depend on the order of rows.

    Args:
        records: One row per live record: ``entity_id``, ``record_id``, ``version_id``, ``source``
            and the fields of ``definition`` that there are; null = missing. ``arrival`` puts the
            records in the order in which their contents came; without it ``version_id`` does.
        definition: Tells each field's strategy.
        priorities: Source → trust, greater first; a source that is not named has 0.

    Returns:
        Golden records of every entity in ``records``, and the origin of their values.
    """
    names = [name for name in definition.columns if name in records.columns]
    ranked = _ranked(records, names, priorities or {})
    size = pl.len().over("entity_id")
    single = ranked.filter(size == 1).select(
        "entity_id",
        pl.lit(1, pl.Int64).alias("records"),
        pl.concat_list("source").alias("sources"),
        *names,
    )
    several = ranked.filter(size > 1)
    if several.is_empty():
        return Survived(single, _no_origins())
    golden = several.group_by("entity_id").agg(
        pl.len().cast(pl.Int64).alias("records"), pl.col("source").unique().sort().alias("sources")
    )
    origins = []
    for part, origin in _parts(several, definition, names):
        golden = golden.join(part, on="entity_id", how="left", maintain_order="left")
        origins.append(origin)
    for name in names:
        primary_type = _LISTS.get(definition.fields[name].type)
        if primary_type is not None and definition.fields[name].survivorship.strategy == "union":
            primaries = [n for n in names if definition.fields[n].type is primary_type]
            part, origin = _pooled(several, golden, name, primaries)
            golden = golden.join(part, on="entity_id", how="left", maintain_order="left")
            origins.append(origin)
    golden = golden.select(single.columns)
    return Survived(pl.concat([single, golden]), pl.concat(origins))


def _no_origins() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "entity_id": pl.Int64,
            "field": pl.String,
            "record_id": pl.Int64,
            "rule": pl.String,
        }
    )


def _ranked(
    records: pl.DataFrame, names: Sequence[str], priorities: Mapping[str, int]
) -> pl.DataFrame:
    """Add what the strategies sort by; a missing time sorts last in either direction."""
    updated = pl.col("updated_at") if "updated_at" in records.columns else pl.lit(None, pl.Int64)
    created = pl.col("created_at") if "created_at" in records.columns else pl.lit(None, pl.Int64)
    priority = pl.col("source").replace_strict(
        dict(priorities) or {"": 0}, default=0, return_dtype=pl.Int64
    )
    return records.with_columns(
        updated.cast(pl.Int64).alias("_updated"),
        created.cast(pl.Int64).alias("_created"),
        priority.alias("_priority"),
        pl.col("arrival" if "arrival" in records.columns else "version_id").alias("_arrived"),
        pl.sum_horizontal(pl.col(name).is_not_null() for name in names).alias("_filled"),
    )


def _parts(
    records: pl.DataFrame, definition: EntityDefinition, names: Sequence[str]
) -> Iterable[tuple[pl.DataFrame, pl.DataFrame]]:
    """Per group and per way of sorting: (entity_id and values, their origins)."""
    by_order: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    for name in names:
        field = definition.fields[name]
        rule = field.survivorship
        if rule.group is not None:
            groups.setdefault(rule.group, []).append(name)
        elif not (field.type in _LISTS and rule.strategy == "union"):
            shared = rule.strategy in {"most_recent", "oldest", "most_complete", "first_record"}
            key = rule.strategy if shared and rule.at_least == 1 else f"{rule.strategy}:{name}"
            by_order.setdefault(key, []).append(name)
    for members in by_order.values():
        rule = definition.fields[members[0]].survivorship
        yield _first_of_each(_ordered(records, rule, members[0]), members, rule.strategy)
    for members in groups.values():
        yield _whole_group(records, definition, members)


_RECENT = (("_updated", True), ("_priority", True), ("_arrived", True), ("record_id", True))
_ORDERS = {
    "most_recent": _RECENT,
    "oldest": (("_created", False), ("_priority", True), ("record_id", False)),
    "most_complete": (("_filled", True), *_RECENT),
    "first_record": (("record_id", False),),
}


def _ordered(records: pl.DataFrame, rule: Survivorship, name: str) -> pl.DataFrame:
    """The records with the best for field ``name`` first in each entity."""
    value = pl.col(name)
    keys = _ORDERS.get(rule.strategy, _RECENT)
    if rule.strategy == "most_frequent":
        count = pl.len().over("entity_id", name)
        records, keys = records.with_columns(count.alias("_first")), (("_first", True), *_RECENT)
    elif rule.strategy == "longest":
        length = value.cast(pl.String).str.len_chars()
        records, keys = records.with_columns(length.alias("_first")), (("_first", True), *_RECENT)
    elif rule.strategy in {"min", "max", "any_true"}:
        best = (("_first", rule.strategy != "min"), *_RECENT)
        records, keys = records.with_columns(value.alias("_first")), best
    elif rule.strategy == "source_priority":
        place = {source: index for index, source in enumerate(rule.sources)}
        order = pl.col("source").replace_strict(
            place or {"": 0}, default=len(place), return_dtype=pl.Int64
        )
        records, keys = records.with_columns(order.alias("_first")), (("_first", False), *_RECENT)
    if rule.at_least > 1:
        short = value.cast(pl.String).str.len_chars() < rule.at_least
        records, keys = records.with_columns(short.alias("_short")), (("_short", False), *keys)
    return records.sort(
        "entity_id",
        *(name for name, _ in keys),
        descending=[False, *(descending for _, descending in keys)],
        nulls_last=True,
    )


def _first_of_each(
    ordered: pl.DataFrame, members: Sequence[str], strategy: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """For each field the first value that is there, and the record it stands in."""
    chosen = ordered.group_by("entity_id", maintain_order=True).agg(
        *(pl.col(name).drop_nulls().first() for name in members),
        *(
            pl.col("record_id").filter(pl.col(name).is_not_null()).first().alias(f"{name}__record")
            for name in members
        ),
    )
    origins = pl.concat(
        chosen.select(
            "entity_id",
            pl.lit(name).alias("field"),
            pl.col(f"{name}__record").alias("record_id"),
            pl.lit(strategy).alias("rule"),
        ).drop_nulls("record_id")
        for name in members
    )
    return chosen.select("entity_id", *members), origins


def _whole_group(
    records: pl.DataFrame, definition: EntityDefinition, members: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All fields of a group from the one record that has its leading fields and ranks first."""
    rules = {name: definition.fields[name].survivorship for name in members}
    leads = [name for name in members if rules[name].lead] or members[:1]
    well_filled = pl.sum_horizontal(
        (pl.col(name).cast(pl.String).str.len_chars() >= rules[name].at_least).fill_null(
            value=False
        )
        for name in leads
    )
    filled = pl.sum_horizontal(pl.col(name).is_not_null() for name in members)
    strategy = rules[leads[0]].strategy
    candidates = _ordered(
        records.filter(filled > 0), rules[leads[0]].model_copy(update={"at_least": 1}), leads[0]
    )
    winners = (
        candidates.with_columns(well_filled.alias("_leads"))
        .sort("entity_id", "_leads", descending=[False, True], maintain_order=True)
        .unique("entity_id", keep="first", maintain_order=True)
    )
    origins = pl.concat(
        winners.filter(pl.col(name).is_not_null()).select(
            "entity_id",
            pl.lit(name).alias("field"),
            "record_id",
            pl.lit(f"{strategy}, whole group").alias("rule"),
        )
        for name in members
    )
    return winners.select("entity_id", *members), origins


def _pooled(
    records: pl.DataFrame, golden: pl.DataFrame, name: str, primaries: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every address of every record that is not among the golden record's primary ones."""
    pool = pl.concat(
        [
            records.select("entity_id", "record_id", "_updated", pl.col(column).alias("value"))
            for column in primaries
        ]
        + [
            records.select(
                "entity_id", "record_id", "_updated", pl.col(name).alias("value")
            ).explode("value", empty_as_null=True)
        ]
    ).drop_nulls("value")
    taken = (
        pl.concat(
            golden.select("entity_id", pl.col(column).alias("value")) for column in primaries
        ).drop_nulls("value")
        if primaries
        else pool.select("entity_id", "value").clear()
    )
    left = pool.join(taken, on=["entity_id", "value"], how="anti").sort(
        "entity_id",
        "_updated",
        "record_id",
        "value",
        descending=[False, True, False, False],
        nulls_last=True,
    )
    values = left.group_by("entity_id", maintain_order=True).agg(
        pl.col("value").unique(maintain_order=True).alias(name)
    )
    origins = left.select(
        "entity_id", pl.lit(name).alias("field"), "record_id", pl.lit("union").alias("rule")
    ).unique(maintain_order=True)
    return values, origins
