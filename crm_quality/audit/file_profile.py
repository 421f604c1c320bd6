"""The profile of one file: what is in its columns, and which fields they probably are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.audit.masking import masked, screened
from crm_quality.definitions import FieldType
from crm_quality.intake import map_fields, recognise
from crm_quality.validate import Profile, profile
from crm_quality.validate.profile import MOST_LISTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.intake import MappedField, Table

#: Version of the shape of `FileProfile.to_dict`.
SCHEMA_VERSION = 1
#: Entities that a file without a known source may be of, by its header.
_GUESSED = ("contact", "company")
#: So many columns must seem to be fields of an entity before a file is taken for its records.
_LEAST_FIELDS = 2
#: Values of these types are about no person by themselves.
_HARMLESS = frozenset(
    {
        FieldType.BOOLEAN,
        FieldType.INTEGER,
        FieldType.DECIMAL,
        FieldType.COUNTRY,
        FieldType.URL,
        FieldType.DOMAIN,
    }
)
_DAYS = frozenset({FieldType.DATE, FieldType.DATETIME})


@dataclass(frozen=True)
class FileProfile:
    """What is in one file.

    Attributes:
        name: What people call it: the file's name.
        seen: What its columns hold.
        mapping: One row per column that is probably a field: ``column``, ``field``, ``how``
            (``source`` = declared by the source that the header tells of, ``canonical`` = the
            field's own name, ``guess``) and ``confidence`` from 0 to 1.
        entity: What a row probably is; null = nothing known.
        source: The source that the header tells of; null = none that is known.
        notes: What people should know about how it was read.
        is_masked: Personal values are hidden.
    """

    name: str
    seen: Profile
    mapping: pl.DataFrame
    entity: str | None = None
    source: str | None = None
    notes: tuple[str, ...] = ()
    is_masked: bool = False

    @property
    def fields(self) -> dict[str, str]:
        """Column → the field that it probably gives."""
        return dict(self.mapping.select("column", "field").iter_rows())

    def masked(self, rules: RuleSet) -> FileProfile:
        """The same with personal values hidden.

        Args:
            rules: Say which fields are personal. Of columns that are no field, addresses and phone
                numbers are masked, and texts of more than `MOST_LISTED` kinds.
        """
        masks = {
            row["column"]: _mask(row, self._definition(rules), self.fields)
            for row in self.seen.columns.iter_rows(named=True)
        }
        hidden = replace(
            self.seen,
            columns=_hide(self.seen.columns, masks, "least", "greatest"),
            values=_hide(self.seen.values, masks, "value"),
            spellings=_hide(self.seen.spellings, masks, "value", "suggestion"),
            quantiles=_hide_values(self.seen.quantiles, masks),
            bins=_hide(self.seen.bins, masks, "low", "high"),
        )
        return replace(self, seen=hidden, is_masked=True)

    def _definition(self, rules: RuleSet) -> EntityDefinition | None:
        return rules.entities.get(self.entity) if self.entity is not None else None

    def to_dict(self) -> dict[str, Any]:
        """The JSON report; its shape is documented in docs/profiling.md."""
        mapped = {row["column"]: row for row in self.mapping.iter_rows(named=True)}
        seen = self.seen
        columns = []
        for row in seen.columns.iter_rows(named=True):
            own = mapped.get(row["column"], {"field": None, "how": None, "confidence": None})
            of_it = {"column": row["column"]}
            columns.append(
                {
                    **row,
                    **{key: own[key] for key in ("field", "how", "confidence")},
                    "values": seen.values.filter(**of_it).drop("column").to_dicts(),
                    "patterns": seen.patterns.filter(**of_it).drop("column").to_dicts(),
                    "quantiles": seen.quantiles.filter(**of_it).drop("column").to_dicts(),
                    "bins": seen.bins.filter(**of_it).drop("column").to_dicts(),
                    "spellings": seen.spellings.filter(**of_it).drop("column").to_dicts(),
                }
            )
        return {
            "schema_version": SCHEMA_VERSION,
            "file": self.name,
            "records": seen.records,
            "entity": self.entity,
            "source": self.source,
            "masked": self.is_masked,
            "notes": list(self.notes),
            "keys": seen.keys.to_dicts(),
            "columns": columns,
        }


def profile_table(table: Table, rules: RuleSet, *, entity: str | None = None) -> FileProfile:
    """Profile a table as it was read.

    Args:
        table: The table.
        rules: Known sources and entities, which the columns are compared with.
        entity: What a row is; null = what the header tells.

    Raises:
        NotFoundError: There is no such entity.
    """
    source = recognise(table.headers, rules.sources)
    found: str | None
    if entity is not None:
        rules.entity(entity)
        if source is not None and source.entity != entity:
            source = None
        found, fields = entity, map_fields(table.headers, rules.entity(entity), source, None)
    elif source is not None:
        found = source.entity
        fields = map_fields(table.headers, rules.entity(found), source, None)
    else:
        found, fields = _guessed(table.headers, rules)
    rows = [
        (column, name, mapped.how, mapped.confidence)
        for name, mapped in fields.items()
        for column in mapped.columns[:1]
    ]
    schema = {"column": pl.String, "field": pl.String, "how": pl.String, "confidence": pl.Float64}
    mapping = pl.DataFrame(rows, schema=schema, orient="row").unique("column", keep="first")
    order = pl.DataFrame({"column": table.headers}, schema={"column": pl.String})
    mapping = order.join(mapping, on="column", maintain_order="left")
    return FileProfile(
        name=table.name,
        seen=profile(table.frame),
        mapping=mapping,
        entity=found,
        source=source.source if source is not None else None,
        notes=table.warnings,
    )


def _guessed(headers: list[str], rules: RuleSet) -> tuple[str | None, dict[str, MappedField]]:
    """The entity that most of the columns seem to be fields of."""
    found = {
        name: map_fields(headers, rules.entities[name], None, None)
        for name in _GUESSED
        if name in rules.entities
    }
    best = max(found, key=lambda name: len(found[name]), default=None)
    if best is None or len(found[best]) < _LEAST_FIELDS:
        return None, {}
    return best, found[best]


def _mask(
    row: dict[str, Any], definition: EntityDefinition | None, fields: dict[str, str]
) -> Callable[[str], str]:
    """What makes a column's values safe to show."""
    kind = FieldType(row["type"])
    field = definition.fields.get(fields.get(row["column"], "")) if definition else None
    if field is not None and field.personal:
        return _mask_as(field.type)
    if kind in _DAYS:
        # a day is hidden as a number of many digits would be
        return str
    if field is not None:
        return screened
    if kind in {FieldType.EMAIL, FieldType.PHONE}:
        return _mask_as(kind)
    if kind in _HARMLESS or row["distinct"] <= MOST_LISTED:
        return screened
    return _mask_as(FieldType.TEXT)


def _mask_as(kind: FieldType) -> Callable[[str], str]:
    return lambda text: masked(text, kind)


def _hide(
    frame: pl.DataFrame, masks: dict[str, Callable[[str], str]], *columns: str
) -> pl.DataFrame:
    return frame.with_columns(
        pl.Series(
            name,
            [
                None if text is None else masks[column](text)
                for column, text in frame.select("column", name).iter_rows()
            ],
            dtype=pl.String,
        )
        for name in columns
    )


def _hide_values(quantiles: pl.DataFrame, masks: dict[str, Callable[[str], str]]) -> pl.DataFrame:
    """Quantiles of lengths tell nothing about a person; those of values may."""
    hidden = _hide(quantiles, masks, "value")
    plain = quantiles["of"] == "length"
    return hidden.with_columns(
        pl.when(plain).then(quantiles["value"]).otherwise("value").alias("value")
    )
