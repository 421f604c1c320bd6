"""Features of a few records, equal to those that they have among all records of a store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.match.contact_points import mailbox_kind
from crm_quality.match.features import REGION, features, present
from crm_quality.match.frequency import (
    CLASSED,
    TermFrequencies,
    with_frequencies,
    with_regions_by_name,
)
from crm_quality.match.mailboxes import with_company_of_mailbox, with_given_name_of_mailbox
from crm_quality.match.one_frequency import with_one_frequency
from crm_quality.match.one_name import (
    GIVEN,
    SURNAME,
    Cells,
    given_name_cells,
    is_plain,
    surname_cells,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition

_NAMES = frozenset({MatchRole.GIVEN_NAME, MatchRole.SURNAME})

#: Up to so many records only their own terms are looked up, not the whole of the tables.
_FEW = 2_000


@dataclass(frozen=True)
class FeatureMaker:
    """What the features of a record are in one store, under one model.

    Attributes:
        definition: The entity.
        terms: Which values are common, of the model.
        fields: The fields that are evidence, see `crm_quality.match.features.fields_at_hand`.
        blank: Features of a record without any value, one row; without frequencies.
        schema: Columns and types of the features that are made.
    """

    definition: EntityDefinition
    terms: TermFrequencies
    fields: Sequence[str]
    blank: pl.DataFrame
    schema: Mapping[str, pl.DataType]

    @classmethod
    def of_model(
        cls, definition: EntityDefinition, terms: TermFrequencies, fields: Sequence[str]
    ) -> FeatureMaker:
        """A maker for all records that are matched by ``fields``.

        Args:
            definition: The entity.
            terms: Of the model.
            fields: Of the model, or where it has none of its own those of the records at hand.
        """
        nobody = pl.DataFrame({"record_id": [0]}, schema={"record_id": pl.Int64})
        blank = features(nobody, definition, fields)
        whole = with_frequencies(with_regions_by_name(blank, terms), terms)
        return cls(definition, terms, tuple(fields), blank, dict(whole.schema))

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Features of ``rows``, as they would be among all records of the store.

        Those of fields that none of the rows fills are not made but taken from ``blank``, so a
        record with three fields costs a third of one with nine.

        Args:
            rows: Standardised records; ``record_id`` and any fields.

        Returns:
            One row per record, with all columns that features of the store have, ``id`` first.
        """
        filled = {role for role in MatchRole if self._tells(rows, role)}
        names = self._plain_names(rows, filled)
        left = filled - _NAMES if names is not None else filled
        named = {name for role in left for name in self.definition.fields_of_role(role)}
        used = [name for name in self.fields if name in named or name == REGION]
        made = features(rows, self.definition, used)
        if names is not None:
            made = made.hstack(names)
            if "local" in made.columns:
                made = made.with_columns(mailbox_kind(made.columns))
        lacking = [name for name in self.blank.columns if name not in made.columns]
        if lacking and rows.height == 1:
            made = made.hstack(self.blank.select(lacking))
        elif lacking:
            made = made.join(self.blank.select(lacking), how="cross")
        made = self._told_by_mail(made, left)
        if made.height == 1:
            made = with_one_frequency(made, self.terms)
        else:
            terms = restricted(self.terms, made) if made.height <= _FEW else self.terms
            made = with_frequencies(with_regions_by_name(made, terms), terms)
        return made.select(pl.col(name).cast(dtype) for name, dtype in self.schema.items())

    def _tells(self, rows: pl.DataFrame, role: MatchRole) -> bool:
        names = [n for n in self.definition.fields_of_role(role) if n in self.fields]
        # a text that could not be read still shows what it holds
        unread = any(f"{name}__raw" in rows.columns for name in names)
        return unread or any(name in names for name in present(rows, self.definition, role))

    def _plain_names(
        self, rows: pl.DataFrame, filled: Collection[MatchRole]
    ) -> pl.DataFrame | None:
        """Features of the names of one record, where all that it has are plain; else null."""
        if rows.height != 1 or not _NAMES.intersection(filled):
            return None
        matching = self.definition.matching
        cells: Cells = {}
        schema: dict[str, pl.DataType | type[pl.DataType]] = {}
        for role, columns in ((MatchRole.GIVEN_NAME, GIVEN), (MatchRole.SURNAME, SURNAME)):
            fields = [n for n in self.definition.fields_of_role(role) if n in self.fields]
            if not fields:
                continue
            text = rows[fields[0]][0] if fields[0] in rows.columns else None
            if text is not None and not is_plain(text):
                return None
            schema |= columns
            if text is None:
                cells |= dict.fromkeys(columns)
            elif role is MatchRole.SURNAME:
                cells |= surname_cells(text)
            else:
                cells |= given_name_cells(text, matching.nicknames if matching else {})
        return pl.DataFrame({name: [cell] for name, cell in cells.items()}, schema=schema)

    def _told_by_mail(self, made: pl.DataFrame, filled: Collection[MatchRole]) -> pl.DataFrame:
        """What mailboxes tell of fields that no row fills; of others `features` has seen to it."""
        if MatchRole.EMAIL not in filled:
            return made
        columns = set(made.columns)
        if not _NAMES.issubset(filled) and {"given", "surname", "letters"} <= columns:
            matching = self.definition.matching
            made = with_given_name_of_mailbox(made, matching.nicknames if matching else {})
        if MatchRole.COMPANY_NAME not in filled and {"company", "mail_domains"} <= columns:
            made = with_company_of_mailbox(made)
        return made


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
