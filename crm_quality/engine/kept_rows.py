"""Rows that the store kept as they came, read again as any rules would read them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType, RuleSet, SourceDefinition
from crm_quality.definitions.loader import rules_from_json
from crm_quality.errors import DefinitionError
from crm_quality.intake.rereading import headers_of, reread
from crm_quality.standardise.date import leans_on_other_rows
from crm_quality.store.kept import batch_readings, first_rows, kept_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.store import Store

_BOOKKEEPING = ("version_id", "record_id", "batch_id", "source", "source_key", "row_number",
                "problem", "custom", "raw", "content_hash")  # fmt: skip
_READ_AS = {FieldType.DATE: "%Y-%m-%d", FieldType.DATETIME: "%Y-%m-%dT%H:%M:%S%.fZ"}


@dataclass(frozen=True)
class Reading:
    """How the rows of some batches are read: all of one header, mapping and definition."""

    headers: tuple[str, ...]
    mapping: str
    definition: str | None
    is_own: bool


class KeptReader:
    """Reads kept rows of one entity again.

    The definition of a source is that of the rules where the batch was read by the rules of its
    day, so that a correction of a source shows; a batch that was read by a mapping file is read by
    that file's definition again.
    """

    def __init__(self, store: Store, entity: str) -> None:
        """Look up how the entity's batches were read."""
        self._store, self._entity = store, entity
        self._batches: dict[int, tuple[str, str | None, bool]] = {
            batch: (mapping, definition, _is_own(definition, rules))
            for batch, mapping, definition, rules in batch_readings(store, entity).iter_rows()
        }

    def rules(self, rules: RuleSet) -> RuleSet:
        """``rules``, with the sources of mapping files that the batches came with among them."""
        borrowed = {}
        for _, definition, is_own in self._batches.values():
            if definition is not None and not is_own:
                source = _source(definition)
                borrowed[source.source] = source
        more = {name: of for name, of in borrowed.items() if name not in rules.sources}
        return replace(
            rules, sources={**rules.sources, **more}, borrowed=rules.borrowed | more.keys()
        )

    def parts(
        self, versions: pl.DataFrame, *, most: int | None = None
    ) -> Iterator[tuple[Reading, pl.DataFrame]]:
        """What was kept of versions, in parts whose rows were read in one way.

        A rule is not asked of a file that has no column for it, so rows of different files must
        not be put into one frame.

        Args:
            versions: ``version_id``, ``batch_id``. Those whose whole batch was erased are left out.
            most: Rows of one part at most; null = any number.

        Yields:
            How the rows were read, and frames as `crm_quality.store.kept.kept_rows` gives them.
        """
        readings: dict[Reading, list[int]] = {}
        for batch, raw in first_rows(self._store, self._entity, versions).items():
            readings.setdefault(Reading(headers_of(raw), *self._batches[batch]), []).append(batch)
        for reading, batches in readings.items():
            own = versions.filter(pl.col("batch_id").is_in(batches))
            for part in own.iter_slices(most or max(own.height, 1)):
                yield reading, kept_rows(self._store, self._entity, part)

    def rows(
        self, reading: Reading, kept: pl.DataFrame, definition: EntityDefinition, rules: RuleSet
    ) -> pl.DataFrame:
        """The RAW frame that intake would make of kept rows.

        Dates whose reading leaned on other rows of their file are given as they were read then,
        unless the rules now say how their source writes them.

        Args:
            reading: How they were read.
            kept: One part, see `parts`.
            definition: The entity, as it is to be read.
            rules: The rules, see `rules`.

        Returns:
            Canonical fields as text, and ``version_id``, ``record_id``, ``batch_id`` and the
            bookkeeping of RAW frames; in the order of ``kept``, without rows that were erased.
        """
        there = kept.filter(pl.col("raw").is_not_null())
        then = _source(reading.definition) if reading.definition is not None else None
        now = rules.sources.get(then.source) if then is not None else None
        follow = reading.is_own and now is not None
        fields = reread(
            there["raw"],
            definition,
            now if follow else then,
            json.loads(reading.mapping),
            follow=follow,
        )
        texts = [
            pl.col(name).list.join(";") if isinstance(dtype, pl.List) else pl.col(name)
            for name, dtype in fields.schema.items()
        ]
        rows = pl.concat([fields.select(texts), there.select(_BOOKKEEPING)], how="horizontal")
        return _with_dates_as_read(rows, there, definition, rules.sources)


def _with_dates_as_read(
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    definition: EntityDefinition,
    sources: Mapping[str, SourceDefinition],
) -> pl.DataFrame:
    declared = [name for name, of in sources.items() if of.date_order is not None]
    for name in definition.fields_of_type(*_READ_AS):
        if name not in rows.columns or name not in stored.columns:
            continue
        if not stored.schema[name].is_temporal():
            continue
        read = stored[name].dt.strftime(_READ_AS[definition.fields[name].type])
        leans = leans_on_other_rows(pl.col(name)) & ~pl.col("source").is_in(declared)
        rows = rows.with_columns(
            pl.when(leans & pl.lit(read).is_not_null())
            .then(pl.lit(read))
            .otherwise(name)
            .alias(name)
        )
    return rows


@cache
def _source(text: str) -> SourceDefinition:
    return SourceDefinition.model_validate_json(text)


def _is_own(definition: str | None, rules: str | None) -> bool:
    """Whether the batch was read by a definition of the rules of its day."""
    if definition is None or rules is None:
        return False
    source = _source(definition)
    kept = _rules(rules)
    return kept is not None and kept.sources.get(source.source) == source


@cache
def _rules(text: str) -> RuleSet | None:
    try:
        return rules_from_json(text)
    except DefinitionError:
        return None
