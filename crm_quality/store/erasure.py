"""Taking a person's content out of every table; numbers stay, so that ids go on resolving."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.connection import quoted
from crm_quality.store.landing import table_columns, version_table
from crm_quality.store.suppression import ERASED, digest_sql, digest_withdrawn, secret_of
from crm_quality.store.tables import linked_column, row_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crm_quality.definitions import EntityDefinition
    from crm_quality.store.connection import Store

#: Tables with numbers of records and nothing about the person: they say where ids went.
_NUMBERS_ONLY = frozenset(
    {"landing.record", "landing.record_end", "matching.membership", "matching.act_record",
     "audit.move"}
)  # fmt: skip
_UNCORRECTED = """
DELETE FROM quality.version_correction WHERE entity = ? AND version_id IN (
    SELECT version_id FROM {versions} SEMI JOIN of_person USING (record_id))
"""
_TOMBSTONES = """
UPDATE landing.record r SET current_version = NULL, erased_at = $moment,
       source_key = CASE WHEN starts_with(source_key, $erased) THEN source_key ELSE {digest} END
WHERE record_id IN (SELECT record_id FROM of_person)
"""
#: What takes the place of words that somebody wrote about the person.
GONE = "erased"
#: Texts shorter than this are not looked for in the audit trail.
_TELLING = 4


@dataclass(frozen=True)
class Person:
    """Who is erased.

    Attributes:
        entity: What they are.
        entity_id: The customer.
        records: ``record_id``, ``source``, ``source_key`` of all its records.
    """

    entity: str
    entity_id: int
    records: pl.DataFrame


def texts_of(store: Store, person: Person) -> list[str]:
    """Texts that tell of the person alone: addresses, numbers and keys, of any version."""
    with store.staged(person.records.select("record_id"), "of_person"):
        found = store.rows(
            "SELECT DISTINCT unnest([value, value_raw]) FROM landing.contact_point"
            " SEMI JOIN of_person USING (record_id)"
        )
    keys = person.records["source_key"].to_list()
    return sorted({text for text in (*(row[0] for row in found), *keys)
                   if text and len(text) >= _TELLING})  # fmt: skip


def erase_rows(store: Store, definition: EntityDefinition, person: Person) -> pl.DataFrame:
    """Let rows that hang on the person hold nothing personal, and point to the tombstone.

    Args:
        store: Inside its transaction, the person still there.
        definition: An entity whose rows belong to such customers.
        person: Who is erased.

    Returns:
        ``record_id`` of the rows.
    """
    entity = definition.entity
    belonging = definition.belongs_to[person.entity]
    mine = store.frame(
        f'SELECT entity_id AS record_id, "{person.entity}_by" AS found_by'  # noqa: S608
        f' FROM crm.{quoted(entity)} WHERE "{person.entity}_id" = ?',
        [person.entity_id],
    )
    if mine.is_empty():
        return mine.select("record_id")
    anchor = person.records.filter(pl.col("record_id") == person.entity_id)
    source, key = anchor.select("source", "source_key").row(0)
    tables = (version_table(entity), row_table(entity))
    own = f"coalesce(d.{quoted(belonging.source)}, r.source)" if belonging.source else ("r.source")
    secret = secret_of(store)
    keyed = digest_sql("$other", own, f"d.{quoted(belonging.key)}")
    by_point = digest_sql("$other", "$source", "$key")
    with store.staged(mine, "rows_of_person"):
        for table in tables:
            have = table_columns(store, table)
            number = "record_id" if "record_id" in have else "entity_id"
            gone = [n for n in (*sorted(definition.personal_fields), "raw", "custom") if n in have]
            gone = [n for n in gone if n not in {belonging.key, belonging.source}]
            sets = [f"{quoted(name)} = NULL" for name in gone]
            link = linked_column(person.entity)
            if link in have:
                sets.append(f"{quoted(link)} = coalesce(d.{quoted(link)}, {person.entity_id})")
            sets.append(
                f"{quoted(belonging.key)} = CASE WHEN p.found_by = 'key' AND"
                f" d.{quoted(belonging.key)} IS NOT NULL THEN {keyed} ELSE {by_point} END"
            )
            if belonging.source:
                sets.append(
                    f"{quoted(belonging.source)} = CASE WHEN p.found_by = 'key' AND"
                    f" d.{quoted(belonging.key)} IS NOT NULL THEN {own} ELSE $source END"
                )
            store.connection.execute(
                f"UPDATE {table} d SET {', '.join(sets)} FROM rows_of_person p"  # noqa: S608
                f" JOIN landing.record r USING (record_id) WHERE p.record_id = d.{number}",
                {"secret": secret, "other": person.entity, "source": source, "key": key},
            ).fetchall()
        named = ", ".join(f"'{name}'" for name in definition.personal_fields) or "''"
        store.execute(
            f"UPDATE quality.issue SET value = NULL WHERE entity = ? AND field IN ({named})"  # noqa: S608
            " AND record_id IN (SELECT record_id FROM rows_of_person)",
            [entity],
        )
        store.execute(
            "UPDATE quality.quarantine SET given = NULL, problem = NULL, reason = NULL"
            " WHERE entity = ? AND record_id IN (SELECT record_id FROM rows_of_person)",
            [entity],
        )
        store.execute(
            "UPDATE crm.workflow_action SET name = ?, value = NULL"
            " WHERE entity = ? AND record_id IN (SELECT record_id FROM rows_of_person)",
            [GONE, entity],
        )
        for table in ("quality.correction", "quality.waiver"):
            store.execute(
                f"DELETE FROM {table} WHERE entity = ? AND (source, source_key) IN ("  # noqa: S608
                " SELECT (source, source_key) FROM landing.record"
                " SEMI JOIN rows_of_person USING (record_id))",
                [entity],
            )
    return mine.select("record_id")


def bring_back(store: Store, record_id: int) -> None:
    """Make a record that an undone run had brought one again, without content, to be erased.

    Args:
        store: Inside its transaction.
        record_id: Its number.
    """
    store.execute(
        "INSERT INTO landing.record (record_id, entity, source, source_key, first_run)"
        " SELECT record_id, entity, source, source_key, withdrawn_run"
        " FROM landing.withdrawn_record WHERE record_id = ?",
        [record_id],
    )
    store.execute("DELETE FROM landing.withdrawn_record WHERE record_id = ?", [record_id])


def erase_person(store: Store, person: Person, *, moment: datetime) -> None:
    """Delete what the store holds of a person's records, and put digests in place of their keys.

    Rows that hang on the person are let go of before, see `erase_rows`; golden records follow when
    the run derives them again.

    Args:
        store: Inside its transaction.
        person: Who is erased.
        moment: When, UTC.
    """
    entity, texts = person.entity, texts_of(store, person)
    digest_withdrawn(store)
    with store.staged(person.records, "of_person"):
        store.execute(
            _UNCORRECTED.format(versions=version_table(entity)),
            [entity],
        )
        for table in tables_with(store, "record_id") - _NUMBERS_ONLY:
            store.execute(
                f"DELETE FROM {table} WHERE record_id IN (SELECT record_id FROM of_person)"  # noqa: S608
            )
        store.execute(
            "DELETE FROM matching.pair WHERE record_id_l IN (SELECT record_id FROM of_person)"
            " OR record_id_r IN (SELECT record_id FROM of_person)"
        )
        store.execute(
            "DELETE FROM crm.value_origin WHERE entity = ? AND entity_id = ?",
            [entity, person.entity_id],
        )
        for table in ("quality.correction", "quality.waiver"):
            store.execute(
                f"DELETE FROM {table} WHERE entity = ? AND (source, source_key) IN"  # noqa: S608
                " (SELECT (source, source_key) FROM of_person)",
                [entity],
            )
        store.execute(
            "UPDATE crm.segment_change SET seen = NULL"
            " WHERE contact_id IN (SELECT record_id FROM of_person)"
        )
        _digest_decisions(store, entity)
        store.execute(
            "UPDATE matching.act SET reason = ? WHERE act_id IN ("
            " SELECT act_id FROM matching.act_record SEMI JOIN of_person USING (record_id))",
            [GONE],
        )
        store.connection.execute(
            _TOMBSTONES.format(digest=digest_sql("r.entity", "r.source", "r.source_key")),
            {"secret": secret_of(store), "moment": moment, "erased": ERASED},
        ).fetchall()
    _erase_events(store, person, texts)


def _digest_decisions(store: Store, entity: str) -> None:
    """Decisions on the person stay, so that ids stay where they are; keys and reasons go."""
    for side in "lr":
        digest = digest_sql("entity", f"source_{side}", f"source_key_{side}")
        store.connection.execute(
            f"UPDATE matching.decision SET reason = $gone, source_key_{side} = {digest}"  # noqa: S608
            f" WHERE entity = $entity AND record_id_{side} IN"
            " (SELECT record_id FROM of_person)",
            {"secret": secret_of(store), "entity": entity, "gone": GONE},
        ).fetchall()


def _erase_events(store: Store, person: Person, texts: Sequence[str]) -> None:
    """Empty the payloads that tell of the person; the chain of hashes goes over their digests.

    Events of runs have counts only; of all others those go that name one of the person's records.
    """
    numbers = "|".join(str(one) for one in person.records["record_id"])
    store.execute(
        "UPDATE audit.event SET payload = NULL WHERE payload IS NOT NULL"
        " AND kind NOT LIKE 'run.%' AND kind NOT LIKE 'project.%' AND kind NOT LIKE 'store.%'"
        " AND regexp_matches(payload::VARCHAR, ?)",
        [rf"\b({numbers})\b"],
    )
    escaped = [re.escape(text) for text in texts]
    for start in range(0, len(escaped), 100):
        store.execute(
            "UPDATE audit.event SET payload = NULL WHERE payload IS NOT NULL"
            " AND regexp_matches(payload::VARCHAR, ?)",
            ["|".join(escaped[start : start + 100])],
        )


def keep_erasure(
    store: Store, person: Person, *, run_id: int, rows: int, moment: datetime, actor: str,
    reason: str,
) -> None:  # fmt: skip
    """Note that a customer was erased, in the feed of changes too."""
    store.execute(
        "INSERT INTO audit.erasure VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [run_id, person.entity, person.entity_id, person.records.height, rows, moment, actor,
         reason],
    )  # fmt: skip
    store.execute(
        "INSERT INTO audit.change (run_id, entity, kind, entity_id) VALUES (?, ?, 'erased', ?)",
        [run_id, person.entity, person.entity_id],
    )


def tables_with(store: Store, column: str) -> set[str]:
    """Every table (not view) with a column of that name, as ``schema.table``."""
    rows = store.rows(
        "SELECT DISTINCT c.schema_name || '.' || c.table_name FROM duckdb_columns() c"
        " JOIN duckdb_tables() t USING (schema_name, table_name)"
        " WHERE c.column_name = ? AND NOT t.temporary",
        [column],
    )
    return {row[0] for row in rows}
