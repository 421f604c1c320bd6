"""Out again: the change feed, merges and updates for the systems that records came from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import InputError, NotFoundError, UsageError
from crm_quality.store.export import EXPORTS, export_frame
from crm_quality.store.feed import changes_since, cursor_now, run_of_cursor
from crm_quality.store.landing import current_records, rows_as_they_came
from crm_quality.store.twins import records_of, sources_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from crm_quality.definitions import EntityDefinition, SourceDefinition
    from crm_quality.engine.project import Project
    from crm_quality.store import Store

#: Salesforce merges a record with two others at most in one call.
_DUPLICATES_PER_CALL = 2

#: Fields that a system keeps itself, or that point to another of its objects.
_NOT_WRITTEN = {
    "source_key",
    "full_name",
    "owner",
    "created_at",
    "updated_at",
    "company_name",
    "parent_source_key",
}
#: Fields that are only ever written as true: an update must not widen what somebody allows.
_ONLY_TRUE = {"email_opt_out", "do_not_call"}

#: Name of a system → what its sources' names begin with, and its own name of a record's id.
SYSTEMS: Mapping[str, tuple[str, str]] = {
    "salesforce": ("salesforce", "Id"),
    "hubspot": ("hubspot", "Record ID"),
    "dynamics": ("dynamics", "(Do Not Modify) Contact"),
}
#: Systems that merge as told; the others take updates.
MERGING = ("salesforce", "hubspot")
#: What an update must give back as it came: Dynamics knows by it that nothing has changed since.
_AS_IT_CAME = {
    "dynamics": (
        re.compile(r"^\((?:Do Not Modify|Ne pas modifier)\) (?:Row Checksum|Somme)", re.IGNORECASE),
        re.compile(r"^\((?:Do Not Modify|Ne pas modifier)\) Modif", re.IGNORECASE),
    )
}


@dataclass(frozen=True)
class Feed:
    """Changes, and where to go on.

    Attributes:
        changes: Frame of `crm_quality.store.feed.FEED`.
        cursor: Give it as ``since`` the next time.
    """

    changes: pl.DataFrame
    cursor: str


class Exchange:
    """What goes out of a project to other systems; see `Project.exchange`."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def changes(self, since: str | int = 0) -> Feed:
        """What became of customers since a run or cursor, with golden values as they are now.

        A copy that is kept by it agrees with the golden records after each time: for every row,
        write ``golden`` under ``entity_id`` where ``is_live``, else delete that id; and delete
        ``former_id`` where ``former_is_live`` is false. The order of rows does not matter, and
        taking rows twice does no harm.

        Args:
            since: ``Feed.cursor`` of the time before, or the number of a run; 0 = everything.

        Raises:
            UsageError: It is neither.
            RefusedError: The store was restored from a backup since: start again at 0.
        """
        with self._project.store() as store:
            run_id = run_of_cursor(store, str(since))
            customers = [
                name for name, one in self._project.rules.entities.items() if one.is_customer
            ]
            return Feed(changes_since(store, run_id, customers), cursor_now(store))

    def merges(self, system: str, sources: Sequence[str] = ()) -> pl.DataFrame:
        """The merges that make a system agree with the crosswalk.

        The record that was accepted first stays.

        Args:
            system: ``salesforce`` or ``hubspot``.
            sources: Whose records; empty = sources whose name begins with the system's.

        Returns:
            For Salesforce one row per call of merge, at most three records each, to be made in
            this order: ``source``, ``entity_id``, ``call`` (1, 2 … of its customer),
            ``MasterRecordId``, ``DuplicateRecordId1``, ``DuplicateRecordId2`` (null where there
            is one). For HubSpot one row per pair, in this order: ``source``, ``entity_id``,
            ``primary_id``, ``id_to_merge``.

        Raises:
            UsageError: There is no such system.
            NotFoundError: There are no records of such a source.
        """
        if system in SYSTEMS and system not in MERGING:
            raise UsageError(
                f"{system} takes no merges from a file; choose from {', '.join(MERGING)}"
            )
        with self._project.store() as store:
            found = records_of(store, _sources(store, system, sources))
        master = pl.col("source_key").first().over("entity", "source", "entity_id").alias("master")
        pairs = found.with_columns(master).filter(pl.col("place") > 1)
        if system == "hubspot":
            return pairs.select(
                "source",
                "entity_id",
                pl.col("master").alias("primary_id"),
                pl.col("source_key").alias("id_to_merge"),
            )
        call = ((pl.col("place") - 2) // _DUPLICATES_PER_CALL + 1).alias("call")
        return (
            pairs.with_columns(call)
            .group_by("entity", "source", "entity_id", "call", "master", maintain_order=True)
            .agg(
                pl.col("source_key").get(0).alias("DuplicateRecordId1"),
                pl.col("source_key").get(1, null_on_oob=True).alias("DuplicateRecordId2"),
            )
            .select(
                "source",
                "entity_id",
                "call",
                pl.col("master").alias("MasterRecordId"),
                "DuplicateRecordId1",
                "DuplicateRecordId2",
            )
        )

    def updates(self, system: str, source: str | None = None) -> pl.DataFrame:
        """What the records of one source lack of their golden record.

        Args:
            system: ``salesforce``, ``hubspot`` or ``dynamics``.
            source: Whose records; null = the only source of that system.

        Returns:
            The system's own columns, as the source's definition names them: its id (for Dynamics
            the checksum and time of the row too, as they came), and those with a change; null =
            leave as it is. One row per customer, of the record that the merges keep. Nothing is
            emptied, and an opt-out is only ever written as true.

        Raises:
            UsageError: There is no such system, or it has several sources.
            NotFoundError: There are no records of such a source.
        """
        project = self._project
        with project.store() as store:
            names = _sources(store, system, [source] if source else [])
            if len(names) > 1:
                raise UsageError(f"choose one with --source: {', '.join(names)}")
            found = records_of(store, names).filter(pl.col("place") == 1)
            definition = project.rules.entity(found["entity"][0])
            held = current_records(store, definition.entity, records=found)
            golden = store.frame(f'SELECT * FROM crm."{definition.entity}"')  # noqa: S608
            came = rows_as_they_came(store, definition.entity, found)
        mapping = project.rules.sources.get(names[0])
        fields = _written(mapping, definition)
        both = found.join(held, on="record_id").join(golden, on="entity_id", suffix="_golden")
        changed = [_change(both, name).alias(column) for name, column in fields.items()]
        told = both.select(
            pl.col("source_key").alias(_id_column(mapping, system)),
            *_as_it_came(came, both["record_id"], system),
            *changed,
        )
        columns = [column for column in fields.values() if told[column].null_count() < told.height]
        changes = told.select(*told.columns[: told.width - len(changed)], *columns)
        if not columns:
            return changes.clear()
        return changes.filter(pl.any_horizontal(pl.col(columns).is_not_null()))

    def write_all(self, folder: Path) -> dict[str, int]:
        """Write every export as Parquet into a folder, all of the same moment.

        Args:
            folder: Made if missing; files of the same names are replaced.

        Returns:
            File → rows.

        Raises:
            InputError: The folder takes none.
        """
        written = {}
        with self._project.store() as store:
            for name in EXPORTS:
                frame, file = export_frame(store, name), folder / f"{name}.parquet"
                made = folder / f".{name}.parquet.partial"
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                    frame.write_parquet(made)
                    made.replace(file)
                except OSError as error:
                    raise InputError(
                        f"{file} cannot be written: {error.strerror or error}"
                    ) from error
                written[str(file)] = frame.height
        return written


def _sources(store: Store, system: str, asked: Iterable[str]) -> list[str]:
    if system not in SYSTEMS:
        raise UsageError(f"there is no system {system!r}; choose from {', '.join(SYSTEMS)}")
    names = list(asked) or sources_named(store, SYSTEMS[system][0])
    if not names:
        raise NotFoundError(f"no source of the store is called {system}…; name yours with --source")
    for name in names:
        if records_of(store, [name]).is_empty():
            raise NotFoundError(f"the source {name} has no records in force")
    return names


def _written(source: SourceDefinition | None, definition: EntityDefinition) -> dict[str, str]:
    """Field → the system's column, of fields that may be written back."""
    columns = {} if source is None else source.columns
    return {
        name: columns[name].any_of[0]
        for name in definition.columns
        if name in columns and columns[name].any_of and name not in _NOT_WRITTEN
    }


def _id_column(source: SourceDefinition | None, system: str) -> str:
    key = None if source is None else source.columns.get("source_key")
    return key.any_of[0] if key is not None and key.any_of else SYSTEMS[system][1]


def _as_it_came(came: pl.DataFrame, records: pl.Series, system: str) -> list[pl.Series]:
    """Columns of the rows themselves that an update must give back; null = the row had none."""
    if system not in _AS_IT_CAME:
        return []
    raw = records.to_frame().join(came, on="record_id", how="left", maintain_order="left")["raw"]
    told = [json.loads(text) if text else {} for text in raw]
    found = []
    for name in _AS_IT_CAME[system]:
        header = next((key for row in told for key in row if name.match(key)), None)
        if header is not None:
            found.append(pl.Series(header, [row.get(header) for row in told], pl.String))
    return found


def _change(both: pl.DataFrame, name: str) -> pl.Series:
    """The golden value as text where the record has another; else null."""
    own, golden = _text(both[name]), _text(both[f"{name}_golden"])
    differs = golden.is_not_null() & own.ne_missing(golden)
    if name in _ONLY_TRUE:
        differs &= golden == "true"
    return pl.select(pl.when(differs).then(golden)).to_series()


def _text(values: pl.Series) -> pl.Series:
    if isinstance(values.dtype, pl.List):
        return values.list.eval(pl.element().cast(pl.String)).list.join(";")
    if values.dtype == pl.Datetime:
        return values.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return values.cast(pl.String)
