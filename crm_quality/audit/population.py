"""Which records, versions and issues the figures are about, as SQL that every query begins with.

* ``record``: every source record of the entity.
* ``live``: the version that counts of every record that its source still has: the current one, or,
  of a record that was never accepted, the one that waits in quarantine.
* ``finding``: the issues of these versions, of versions that wait while an older one is current
  (``counted`` is false), and those of rules about many records, which have no version; an issue
  about a whole source has no record either, and an empty source.
* ``placed``: accepted live records with the entity that they belong to; ``member``: and values.

``head`` (live records without their values) and all that comes after it have a ``slice``: what the
records are told apart by, such as their source.

Nothing is materialised: a query reads the columns that it names, and no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.store.connection import quoted
from crm_quality.store.golden import golden_table
from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from crm_quality.definitions import EntityDefinition, RuleSet

_POPULATION = """
WITH record AS NOT MATERIALIZED (
    SELECT record_id, source, source_key, accepted_no, current_version, ended_at
    FROM landing.record WHERE entity = $entity
), waiting AS (
    SELECT record_id, version_id FROM quality.waiting WHERE entity = $entity
), head AS (
    SELECT r.record_id, r.source, r.source_key, r.accepted_no,
           r.current_version IS NOT NULL AS is_accepted,
           coalesce(r.current_version, w.version_id) AS version_id,
           w.version_id AS waiting_version, {slice} AS slice
    FROM record r LEFT JOIN waiting w USING (record_id) {values}
    WHERE r.ended_at IS NULL
), live AS NOT MATERIALIZED (
    SELECT h.source, h.source_key, h.slice, h.accepted_no, h.is_accepted, v.*
    FROM head h JOIN {versions} v USING (version_id)
), finding AS NOT MATERIALIZED (
    SELECT coalesce(h.source, i.segment, '') AS source, h.source_key,
           coalesce(h.slice, i.segment, '') AS slice,
           i.version_id IS NULL OR i.version_id = h.version_id AS counted, i.*
    FROM quality.issue i LEFT JOIN head h USING (record_id)
    WHERE i.entity = $entity AND (i.record_id IS NULL OR h.record_id IS NOT NULL)
      AND (i.version_id IS NULL OR i.version_id IN (h.version_id, h.waiting_version))
), placed AS NOT MATERIALIZED (
    SELECT m.entity_id, h.* FROM head h JOIN matching.membership m USING (record_id)
    WHERE h.is_accepted
), member AS NOT MATERIALIZED (
    SELECT p.entity_id, p.source, p.source_key, p.slice, v.*
    FROM placed p JOIN {versions} v USING (version_id)
)
"""
_VALUES = "LEFT JOIN {versions} v ON v.version_id = coalesce(r.current_version, w.version_id)"


@dataclass(frozen=True)
class Slices:
    """What records are told apart by.

    Attributes:
        sql: Of record ``r`` and, when ``of_values``, of its version ``v`` that counts.
        of_values: Whether it looks at a field's value.
        parameters: Named parameters of ``sql``.
    """

    sql: str
    of_values: bool = False
    parameters: Mapping[str, object] = field(default_factory=dict)


BY_SOURCE = Slices("r.source")


@dataclass(frozen=True)
class Population:
    """One entity's records in a store.

    Attributes:
        connection: The open store.
        definition: The entity.
        fields: Its fields that have a column in the store, in their declared order.
        hangs_on: Entity on which its rows hang, of which the store says whose each is; null = none.
        slices: What its records are told apart by.
    """

    connection: duckdb.DuckDBPyConnection
    definition: EntityDefinition
    fields: tuple[str, ...]
    slices: Slices = BY_SOURCE
    hangs_on: str | None = None

    @property
    def golden(self) -> str:
        """The quoted table of golden records."""
        return _table(golden_table(self.definition.entity))

    @property
    def versions(self) -> str:
        """The quoted table of versions."""
        return _table(version_table(self.definition.entity))

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Rows of ``query`` over ``record``, ``live``, ``finding`` and ``member``."""
        return self.connection.execute(self._whole(query), self._named(parameters)).fetchall()

    def frame(self, query: str, **parameters: object) -> pl.DataFrame:
        """The same as `rows`, as a frame."""
        relation = self.connection.sql(self._whole(query), params=self._named(parameters))
        return pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))

    def _whole(self, query: str) -> str:
        values = _VALUES.format(versions=self.versions) if self.slices.of_values else ""
        population = _POPULATION.format(
            versions=self.versions, slice=self.slices.sql, values=values
        )
        return population + query

    def _named(self, parameters: Mapping[str, object]) -> dict[str, object]:
        return {"entity": self.definition.entity, **self.slices.parameters, **parameters}

    def has(self, *fields: str) -> bool:
        """Whether the store has a column for each of ``fields``."""
        return set(fields) <= set(self.fields)

    def is_list(self, field: str) -> bool:
        """Whether ``field`` holds several values."""
        return self.definition.columns.get(field, "").endswith("[]")

    def filled(self, field: str, table: str = "") -> str:
        """SQL that is true where ``field`` (of ``table``) has a value."""
        column = f"{table}.{quoted(field)}" if table else quoted(field)
        return f"coalesce(len({column}), 0) > 0" if self.is_list(field) else f"{column} IS NOT NULL"


def populations(connection: duckdb.DuckDBPyConnection, rules: RuleSet) -> Iterable[Population]:
    """The entities of ``rules`` that the store has tables for, in the order of the rules."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()"
        " WHERE schema_name IN ('landing', 'crm')"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    # customers first: they are what the page is opened for
    names = sorted(rules.entities, key=lambda name: (name != "contact", name))
    for name in names:
        definition = rules.entities[name]
        stored = columns.get(version_table(name), set()) & columns.get(golden_table(name), set())
        fields = tuple(field for field in definition.columns if field in stored)
        if fields:
            whose = columns.get(golden_table(name), set())
            above = (one for one in definition.belongs_to if f"{one}_state" in whose)
            yield Population(connection, definition, fields, hangs_on=next(above, None))


def populated(connection: duckdb.DuckDBPyConnection, rules: RuleSet) -> Iterable[Population]:
    """Those of `populations` of which the store has heard of at least one record."""
    known = {
        row[0]
        for row in connection.execute("SELECT DISTINCT entity FROM landing.record").fetchall()
    }
    return (one for one in populations(connection, rules) if one.definition.entity in known)


def _table(name: str) -> str:
    schema, table = name.split(".")
    return f"{quoted(schema)}.{quoted(table)}"
