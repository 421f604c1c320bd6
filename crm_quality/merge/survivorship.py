"""Survivorship: which record gives each field of the golden record, for whole clusters at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.merge.overriding import OVERRIDES, not_loosening, overridden
from crm_quality.merge.pooling import LISTS, pooled, summed
from crm_quality.merge.ranking import Digit, Ranking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, Survivorship

_UPDATED = ("updated_at",)
ORIGINS = pl.Schema(
    {
        "entity_id": pl.Int64(),
        "field": pl.String(),
        "record_id": pl.Int64(),
        "rule": pl.String(),
        "override_id": pl.Int64(),
    }
)


@dataclass(frozen=True)
class Survived:
    """Golden records and where their values come from.

    Attributes:
        golden: One row per entity: ``entity_id`` Int64, ``records`` Int64 (how many),
            ``sources`` List(String) (sorted), then the entity's fields.
        origins: `ORIGINS`: ``entity_id``, ``field``, ``record_id``, ``rule`` (strategy), and
            ``override_id`` (null = none) for each value of an entity with several records; a field
            that pools lists or adds up has a row per giving record. Entities with one record have
            rows only for what overrides say: that record gave every other value.
    """

    golden: pl.DataFrame
    origins: pl.DataFrame


def survive(
    records: pl.DataFrame,
    definition: EntityDefinition,
    *,
    priorities: Mapping[str, int] | None = None,
    floors: Mapping[str, int] | None = None,
    issues: pl.DataFrame | None = None,
    overrides: pl.DataFrame | None = None,
) -> Survived:
    """Choose each golden value among the records of its entity.

    Safe on any partition that holds whole entities. Ties are broken by the greatest
    ``updated_at``, then the source's priority, then by what arrived later, so the result does not
    depend on the order of rows.

    Args:
        records: One row per live record: ``entity_id``, ``record_id``, ``version_id``, ``source``
            and the fields of ``definition`` that there are; null = missing. ``arrival`` puts the
            records in the order in which their contents came; without it ``version_id`` does.
        definition: Tells each field's strategy.
        priorities: Source → trust, greater first; a source that is not named has 0.
        floors: Source → what is left of that trust at least when issues lower it.
        issues: ``record_id``, ``field``, ``severity`` of what was found about these records;
            warnings and errors make a value doubtful. Null = nothing is doubtful.
        overrides: Frame of `OVERRIDES`: values that stand in place of what the records say; the
            value that they displace from a field of one address goes to the list of its kind.
            Where what restricts most survives, an override that restricts less is left out.

    Returns:
        Golden records of every entity in ``records``, and the origin of their values.
    """
    names = [name for name in definition.columns if name in records.columns]
    said = _said(records, names, overrides)
    is_single = records.select(pl.len().over("entity_id") == 1).to_series()
    alone = records.filter(is_single)
    single = alone.select(
        "entity_id",
        pl.lit(1, pl.Int64).alias("records"),
        pl.concat_list("source").alias("sources"),
        *names,
    )
    several = records if alone.is_empty() else records.filter(~is_single)
    golden, origins = single, [ORIGINS.to_frame()]
    if not several.is_empty():
        ranking = Ranking(
            several,
            definition,
            names,
            priorities=priorities or {},
            floors=floors or {},
            issues=issues,
        )
        chosen, found = _chosen(ranking, definition, names)
        golden = pl.concat([single, chosen.select(single.columns)])
        origins.extend(found)
    said = not_loosening(said, golden, definition)
    for name in names:
        if not _is_pooled(definition, name):
            golden = overridden(golden, said, name)
    for name in names:
        if _is_pooled(definition, name):
            kind = LISTS[definition.fields[name].type]
            primaries = [n for n in names if definition.fields[n].type is kind]
            displaced = said.filter(pl.col("field").is_in(primaries)).select("entity_id")
            keys = ["entity_id", "record_id", *_UPDATED, *primaries, name]
            keys = [key for key in keys if key in records.columns]
            whole = pl.concat(
                [
                    several.select(keys),
                    alone.join(displaced, on="entity_id", how="semi").select(keys),
                ]
            )
            golden, givers = _with_pool(whole, golden, name, primaries)
            origins.append(givers)
            golden = overridden(golden, said, name)
    return Survived(golden, _with_overrides(pl.concat(origins, how="diagonal"), said))


def _said(
    records: pl.DataFrame, names: Sequence[str], overrides: pl.DataFrame | None
) -> pl.DataFrame:
    if overrides is None:
        return OVERRIDES.to_frame()
    return overrides.filter(pl.col("field").is_in(list(names))).join(
        records.select("entity_id").unique(), on="entity_id", how="semi"
    )


def _is_pooled(definition: EntityDefinition, name: str) -> bool:
    field = definition.fields[name]
    return field.type in LISTS and field.survivorship.strategy == "union"


def _with_pool(
    records: pl.DataFrame, golden: pl.DataFrame, name: str, primaries: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Golden records whose list ``name`` takes what the records' addresses leave over."""
    if records.is_empty():
        return golden, ORIGINS.to_frame()
    ids = records.select("entity_id").unique()
    theirs = golden.select("entity_id", *primaries).join(ids, on="entity_id", how="semi")
    values, origins = pooled(records, theirs, name, primaries)
    lists = ids.join(values, on="entity_id", how="left").with_columns(
        pl.lit(value=True).alias("pools")
    )
    # joined by the ids alone: a golden record is wide
    pool = golden.select("entity_id").join(lists, on="entity_id", how="left", maintain_order="left")
    value = pl.when(pl.lit(pool["pools"])).then(pl.lit(pool[name])).otherwise(name)
    return golden.with_columns(value.alias(name)), origins


def _with_overrides(origins: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    if said.is_empty():
        return origins
    kept = origins.join(said, on=["entity_id", "field"], how="anti", maintain_order="left")
    return pl.concat([kept, said.select(ORIGINS.names())])


def _chosen(
    ranking: Ranking, definition: EntityDefinition, names: Sequence[str]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Golden records of entities with several records but for pooled lists, and their origins."""
    records = ranking.records
    slots = {slot.name: slot for slot in _slots(ranking, definition, names)}
    ranks = records.select("entity_id").with_columns(
        slot.ranks.alias(name) for name, slot in slots.items()
    )
    least = (
        ranks.group_by("entity_id")
        .agg(pl.len().cast(pl.Int64).alias("_"), pl.all().min())
        .sort("entity_id")
    )
    golden = least.select("entity_id", pl.col("_").alias("records"))
    sources = (
        records.select("entity_id", "source")
        .unique()
        .sort("entity_id", "source")
        .group_by("entity_id", maintain_order=True)
        .agg(pl.col("source").alias("sources"))
    )
    golden = golden.join(sources, on="entity_id", how="left", maintain_order="left")
    rows = {name: ranking.rows(slot.rule, least[name]) for name, slot in slots.items()}
    columns: list[pl.Series] = []
    origins = []
    for name in names:
        rule = definition.fields[name].survivorship
        if _is_pooled(definition, name):
            columns.append(pl.repeat(None, golden.height, dtype=records.schema[name], eager=True))
        elif rule.strategy == "sum":
            values, found = summed(records, name)
            joined = golden.join(values, on="entity_id", how="left", maintain_order="left")
            columns.append(joined[name])
            origins.append(found)
        else:
            row = _row(name, definition, rows)
            columns.append(records[name].gather(row))
            origins.append(_origins(golden, records, name, row, _told(rule)))
    named = [column.alias(name) for name, column in zip(names, columns, strict=True)]
    return golden.with_columns(named), origins


@dataclass(frozen=True)
class _Slot:
    """Something that one record of each entity gives: a field, or all fields of a group."""

    name: str
    rule: Survivorship
    ranks: pl.Series


def _slots(ranking: Ranking, definition: EntityDefinition, names: Sequence[str]) -> Iterable[_Slot]:
    groups: dict[str, list[str]] = {}
    for name in names:
        rule = definition.fields[name].survivorship
        if rule.group is not None:
            groups.setdefault(rule.group, []).append(name)
        elif rule.strategy != "sum" and not _is_pooled(definition, name):
            digits = [
                *ranking.short(name, rule.at_least),
                *ranking.doubt(rule, [name]),
                *ranking.digits(rule, name),
            ]
            there = ranking.records[name].is_not_null()
            yield _Slot(name, rule, ranking.ranks(rule, digits, there))
    for group, members in groups.items():
        yield _whole_group(ranking, definition, group, members)


def _whole_group(
    ranking: Ranking, definition: EntityDefinition, group: str, members: Sequence[str]
) -> _Slot:
    """All fields of a group from the one record that has its leading fields and ranks first."""
    rules = {name: definition.fields[name].survivorship for name in members}
    leads = [name for name in members if rules[name].lead] or members[:1]
    rule = rules[leads[0]]
    lacking = pl.sum_horizontal(
        pl.lit(ranking.lengths(name)) < rules[name].at_least for name in leads
    )
    there = ranking.records.select(
        pl.any_horizontal(pl.col(name).is_not_null() for name in members)
    ).to_series()
    digits = [
        Digit(pl.select(lacking.cast(pl.Int64)).to_series(), 1 + len(leads)),
        *ranking.doubt(rule, members),
        *ranking.digits(rule, leads[0]),
    ]
    return _Slot(_group_slot(group), rule, ranking.ranks(rule, digits, there))


def _group_slot(group: str) -> str:
    """Name of a group's slot, which no field can have."""
    return f"{group} …"


def _row(name: str, definition: EntityDefinition, rows: Mapping[str, pl.Series]) -> pl.Series:
    """Per entity the number of the record that gives field ``name``; null = none does."""
    rule = definition.fields[name].survivorship
    if rule.group is not None:
        return rows[_group_slot(rule.group)]
    if rule.strategy != "winner_of" or rule.of not in definition.fields:
        return rows[name]
    other = definition.fields[rule.of].survivorship
    if other.group is None and rule.of not in rows:
        return rows[name]
    of = _row(rule.of, definition, rows)
    # where nobody has the other field, nobody won it
    return pl.select(pl.coalesce(pl.lit(of), pl.lit(rows[name]))).to_series()


def _told(rule: Survivorship) -> str:
    """How provenance names a rule."""
    if rule.strategy == "winner_of":
        return f"winner of {rule.of}"
    return rule.strategy if rule.group is None else f"{rule.strategy}, whole group"


def _origins(
    golden: pl.DataFrame, records: pl.DataFrame, name: str, row: pl.Series, rule: str
) -> pl.DataFrame:
    value = records[name].gather(row)
    return (
        pl.DataFrame(
            {"entity_id": golden["entity_id"], "record_id": records["record_id"].gather(row)}
        )
        .filter(value.is_not_null())
        .select("entity_id", pl.lit(name).alias("field"), "record_id", pl.lit(rule).alias("rule"))
    )
