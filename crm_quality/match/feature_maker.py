"""Features of a few records, equal to those that they have among all records of a store.

What the features of a record are depends on a frame only by which of its fields are filled at all
and by whether enough of its records tell their region. Both are learnt once; a witness row, filled
in every field that the store fills, makes a frame of two rows look like the store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.match.features import TOLD, features, present
from crm_quality.match.frequency import (
    CLASSED,
    TermFrequencies,
    with_frequencies,
    with_regions_by_name,
)
from crm_quality.match.regions import region

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from crm_quality.definitions import EntityDefinition

#: Roles of which every field gives evidence; of the others the first that is filled does.
_EVERY_FIELD = frozenset(
    {
        MatchRole.EMAIL,
        MatchRole.PHONE,
        MatchRole.MOBILE,
        MatchRole.IDENTIFIER,
        MatchRole.DOMAIN,
        MatchRole.COUNTRY,
    }
)

#: A mailbox tells a company, and with a surname a given name, where the record is silent; both
#: names together tell where they are at home.
_NAMES = frozenset({MatchRole.GIVEN_NAME, MatchRole.SURNAME})

#: Up to so many records only their own terms are looked up, not the whole of the tables.
_FEW = 2_000

_WITNESS = -1


def witness(records: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """One row with a value in every field that is evidence and that any record fills.

    Args:
        records: Standardised records; other columns are left out.
        definition: The entity.

    Returns:
        One row, one column for each such field.
    """
    names = [name for role in MatchRole for name in present(records, definition, role)]
    return records.select(pl.col(name).drop_nulls().first() for name in dict.fromkeys(names))


def tells_region(records: pl.DataFrame, definition: EntityDefinition) -> bool:
    """Whether enough of the records tell their region for it to be looked at."""
    countries, mobiles, phones, mails = (
        present(records, definition, role)
        for role in (MatchRole.COUNTRY, MatchRole.MOBILE, MatchRole.PHONE, MatchRole.EMAIL)
    )
    if not (countries or mobiles or phones or mails):
        return False
    told = region(records, countries, [*mobiles, *phones], mails)
    return told.null_count() <= (1 - TOLD) * told.len()


@dataclass(frozen=True)
class FeatureMaker:
    """What the features of a record are in one store, under one model.

    Attributes:
        definition: The entity.
        terms: Which values are common, of the model.
        witness: As `witness` makes it of all records.
        has_region: As `tells_region` says of all records.
        blank: Features of a record without any value, one row.
    """

    definition: EntityDefinition
    terms: TermFrequencies
    witness: pl.DataFrame
    has_region: bool
    blank: pl.DataFrame

    @classmethod
    def of_store(
        cls,
        definition: EntityDefinition,
        terms: TermFrequencies,
        witness_row: pl.DataFrame,
        *,
        has_region: bool,
    ) -> FeatureMaker:
        """A maker for a store of which no more is known than a witness.

        Args:
            definition: The entity.
            terms: Of the model.
            witness_row: As `witness` makes it.
            has_region: As `tells_region` says.
        """
        unfinished = cls(definition, terms, witness_row, has_region, pl.DataFrame())
        return replace(unfinished, blank=unfinished._features(witness_row.clear(1), MatchRole))

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Features of ``rows``, as they would be among all records of the store.

        Args:
            rows: Standardised records; ``record_id`` and any fields. Fields that no record of the
                store fills are no evidence.

        Returns:
            One row per record, with all columns that features of the store have, ``id`` first.
        """
        filled = {role for role in MatchRole if self._tells(rows, role)}
        if MatchRole.EMAIL in filled:
            filled.add(MatchRole.COMPANY_NAME)
        if filled & _NAMES:
            filled |= _NAMES
        made = self._features(rows, filled)
        if self.has_region and not filled & _NAMES:
            made = made.with_columns(pl.col("region").fill_null(pl.lit(self.blank["region"][0])))
        lacking = [name for name in self.blank.columns if name not in made.columns]
        if lacking:
            made = made.join(self.blank.select(lacking), how="cross")
        return made.select(pl.col(name).cast(dtype) for name, dtype in self.blank.schema.items())

    def _tells(self, rows: pl.DataFrame, role: MatchRole) -> bool:
        names = [n for n in self.definition.fields_of_role(role) if n in self.witness.columns]
        # a text that could not be read still shows what it holds
        unread = any(f"{name}__raw" in rows.columns for name in names)
        return unread or any(name in names for name in present(rows, self.definition, role))

    def _features(self, rows: pl.DataFrame, roles: Iterable[MatchRole]) -> pl.DataFrame:
        """Features of ``rows`` from the fields of ``roles`` alone."""
        fields = self._fields(set(roles))
        beside = [
            f"{name}__{part}"
            for name in fields
            for part in ("raw", "note")
            if f"{name}__{part}" in rows.columns
        ]
        schema = {name: self.witness.schema[name] for name in fields}
        absent = [
            pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in schema.items()
            if name not in rows.columns
        ]
        number = pl.col("record_id") if "record_id" in rows.columns else pl.lit(0, dtype=pl.Int64)
        own = rows.with_columns(number.alias("record_id"), *absent).select(
            "record_id", *(pl.col(name).cast(dtype) for name, dtype in schema.items()), *beside
        )
        shown = self.witness.select(fields).with_columns(
            pl.lit(_WITNESS, dtype=pl.Int64).alias("record_id")
        )
        made = features(pl.concat([own, shown], how="diagonal"), self.definition)
        if self.has_region and "region" not in made.columns:
            made = made.with_columns(pl.lit(None, dtype=pl.String).alias("region"))
        elif not self.has_region and "region" in made.columns:
            made = made.drop("region")
        terms = restricted(self.terms, made) if made.height <= _FEW else self.terms
        made = made.filter(pl.col("id") != _WITNESS)
        return with_frequencies(with_regions_by_name(made, terms), terms)

    def _fields(self, roles: Collection[MatchRole]) -> list[str]:
        names: list[str] = []
        for role in roles:
            filled = [n for n in self.definition.fields_of_role(role) if n in self.witness.columns]
            names += filled if role in _EVERY_FIELD else filled[:1]
        order = list(self.witness.columns)
        return sorted(names, key=order.index)


def restricted(terms: TermFrequencies, features: pl.DataFrame) -> TermFrequencies:
    """The same classes and rarities, of the values in ``features`` alone: quick to look up."""
    classes = {}
    for name in CLASSED:
        if name not in terms.classes:
            continue
        values = features[name].unique().to_list() if name in features.columns else []
        classes[name] = {
            place: {value: table[value] for value in values if value in table}
            for place, table in terms.classes[name].items()
        }
    words = features["company_t"].explode().unique() if "company_t" in features.columns else ()
    return replace(
        terms,
        classes=classes,
        words={word: terms.words[word] for word in words if word in terms.words},
    )
