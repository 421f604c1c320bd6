"""Crosswalk and golden records: read and written by whole frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Collection

    from crm_quality.store.connection import Store


def golden_table(entity: str) -> str:
    """The table that holds the golden records of ``entity``."""
    return f"crm.{entity}"


def with_golden(store: Store, entity: str, entities: pl.DataFrame) -> pl.DataFrame:
    """Those of ``entities`` (``entity_id``) that have a golden record."""
    with store.staged(entities.select("entity_id"), "asked"):
        return store.frame(
            f"SELECT entity_id FROM {golden_table(entity)}"  # noqa: S608
            " WHERE entity_id IN (SELECT entity_id FROM asked) ORDER BY entity_id"
        )


def golden_of(store: Store, entity: str, entity_ids: Collection[int]) -> pl.DataFrame:
    """Golden records of some customers: ``entity_id``, ``version`` … and the fields, by id."""
    ids = pl.DataFrame({"entity_id": sorted(entity_ids)}, schema={"entity_id": pl.Int64})
    with store.staged(ids, "asked"):
        return store.frame(
            f"SELECT * EXCLUDE (run_id) FROM {golden_table(entity)} SEMI JOIN asked"  # noqa: S608
            " USING (entity_id) ORDER BY entity_id"
        )


def membership(store: Store, entity: str, *, among: pl.DataFrame | None = None) -> pl.DataFrame:
    """``record_id``, ``entity_id`` of every record of ``entity`` that was ever accepted.

    Args:
        store: The open store.
        entity: Name of the entity.
        among: ``record_id``: only of these; null = of all.
    """
    if among is not None:
        with store.staged(among.select("record_id"), "asked"):
            return store.frame(
                "SELECT record_id, entity_id FROM matching.membership"
                " WHERE record_id IN (FROM asked) ORDER BY record_id"
            )
    return store.frame(
        "SELECT m.record_id, m.entity_id FROM matching.membership m"
        " JOIN landing.record r USING (record_id) WHERE r.entity = ?",
        [entity],
    )


def is_customer(store: Store, entity_id: int) -> bool:
    """Whether any record belongs to a customer of that id."""
    return bool(
        store.rows("SELECT 1 FROM matching.membership WHERE entity_id = ? LIMIT 1", [entity_id])
    )


def customers_of(store: Store, records: pl.DataFrame) -> list[int]:
    """Ids of the customers that records (``record_id``) belong to."""
    with store.staged(records.select("record_id"), "asked"):
        rows = store.rows(
            "SELECT DISTINCT entity_id FROM matching.membership WHERE record_id IN (FROM asked)"
        )
    return [entity_id for (entity_id,) in rows]


def largest_customer(store: Store, entity: str, without: pl.DataFrame) -> tuple[int, int]:
    """How many golden records there are, and the most records of one, but for some of them."""
    with store.staged(without.select("entity_id"), "aside"):
        found: tuple[int, int] = store.rows(
            f"SELECT count(*), coalesce(max(records), 0) FROM {golden_table(entity)}"  # noqa: S608
            " ANTI JOIN aside USING (entity_id)"
        )[0]
    return found


def write_membership(store: Store, current: pl.DataFrame, *, run_id: int) -> None:
    """Make the crosswalk say what ``current`` (``record_id``, ``entity_id``) says."""
    with store.staged(current.select("record_id", "entity_id"), "placed"):
        store.execute(
            """
            MERGE INTO matching.membership m USING placed p ON m.record_id = p.record_id
            WHEN MATCHED AND m.entity_id <> p.entity_id
                THEN UPDATE SET entity_id = p.entity_id, run_id = ?
            WHEN NOT MATCHED THEN INSERT (record_id, entity_id, run_id)
                VALUES (p.record_id, p.entity_id, ?)
            """,
            [run_id, run_id],
        )


def note_moves(
    store: Store, entity: str, former: pl.DataFrame, current: pl.DataFrame, *, run_id: int
) -> None:
    """Keep which records went from one customer to another.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        former: ``record_id``, ``entity_id`` before.
        current: ``record_id``, ``entity_id`` now.
        run_id: This run.
    """
    moved = former.join(current, on="record_id", suffix="_after").filter(
        pl.col("entity_id") != pl.col("entity_id_after")
    )
    store.append(
        "audit.move",
        moved.select(
            "record_id",
            pl.col("entity_id").alias("entity_before"),
            pl.col("entity_id_after").alias("entity_after"),
            pl.lit(entity).alias("entity"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
        ),
    )


def lone_records(store: Store, entity: str, among: pl.DataFrame) -> pl.DataFrame:
    """Customers with one live record and nothing that stands in place of what it says.

    Args:
        store: Open store, membership up to date.
        entity: Name of the entity.
        among: ``entity_id`` of the customers in question.

    Returns:
        ``entity_id``, ``version_id`` (in force) and ``source`` of that record.
    """
    with store.staged(among.select("entity_id"), "among"):
        return store.frame(
            """
            WITH member AS (
                SELECT entity_id, record_id FROM matching.membership
                SEMI JOIN among USING (entity_id)
            )
            SELECT m.entity_id, min(r.current_version) AS version_id, min(r.source) AS source
            FROM member m JOIN landing.record r USING (record_id)
            WHERE r.entity = ? AND r.ended_at IS NULL AND r.current_version IS NOT NULL
              AND m.entity_id NOT IN (
                  SELECT entity_id FROM member SEMI JOIN crm.override USING (record_id))
            GROUP BY m.entity_id HAVING count(*) = 1 ORDER BY m.entity_id
            """,
            [entity],
        )


def write_golden(
    store: Store,
    entity: str,
    golden: pl.DataFrame,
    lone: pl.DataFrame,
    gone: pl.DataFrame,
    *,
    run_id: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace the golden records that changed, and drop those of entities that are gone.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        golden: Derived golden records of touched entities, by ``entity_id``.
        lone: As `lone_records` gives them: touched entities whose golden record says what their
            record says.
        gone: ``entity_id`` of entities that have no live record any more.
        run_id: This run.

    Returns:
        ``entity_id`` of new golden records, and of those whose values or records changed.
    """
    table = golden_table(entity)
    fields = [name for name in golden.columns if name != "entity_id"]
    differs = " OR ".join(f'o."{name}" IS DISTINCT FROM g."{name}"' for name in fields)
    own = ", ".join(f'v."{name}"' for name in fields if name not in {"records", "sources"})
    derived = f"""(
        SELECT l.entity_id, 1::BIGINT AS records, [l.source] AS sources, {own}
        FROM {version_table(entity)} v JOIN lone l USING (version_id)
        UNION ALL BY NAME FROM several
    )"""  # noqa: S608
    if lone.is_empty():
        derived = "several"
    with (
        store.staged(golden, "several"),
        store.staged(lone, "lone"),
        store.staged(gone.select("entity_id"), "gone"),
    ):
        store.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE rewritten AS
            SELECT g.entity_id, o.entity_id IS NULL AS is_new,
                   coalesce(o.version, f.version, 0) + 1 AS version
            FROM {derived} g LEFT JOIN {table} o USING (entity_id)
            LEFT JOIN crm.former_version f ON f.entity = ? AND f.entity_id = g.entity_id
            WHERE o.entity_id IS NULL OR {differs}
            """,  # noqa: S608
            [entity],
        )
        note_gone(store, entity, table)
        store.execute(
            "DELETE FROM crm.former_version WHERE entity = ?"
            " AND entity_id IN (SELECT entity_id FROM rewritten)",
            [entity],
        )
        store.execute(
            f"DELETE FROM {table} WHERE entity_id IN"  # noqa: S608
            " (SELECT entity_id FROM rewritten UNION ALL SELECT entity_id FROM gone)"
        )
        store.execute(
            f"""
            INSERT INTO {table} BY NAME
            SELECT g.*, w.version, ?::BIGINT AS run_id
            FROM {derived} g JOIN rewritten w USING (entity_id)
            """,  # noqa: S608
            [run_id],
        )
    written = store.frame("SELECT entity_id, is_new FROM rewritten ORDER BY entity_id")
    store.execute("DROP TABLE rewritten")
    return (
        written.filter("is_new").select("entity_id"),
        written.filter(~pl.col("is_new")).select("entity_id"),
    )


def note_gone(store: Store, entity: str, table: str) -> None:
    """Remember the versions of golden records that are about to go.

    Args:
        store: Inside its transaction; ``gone`` has the ``entity_id`` of those.
        entity: Name of the entity.
        table: Where they are.
    """
    store.execute(
        f"INSERT INTO crm.former_version SELECT ?, entity_id, version FROM {table}"  # noqa: S608
        " WHERE entity_id IN (SELECT entity_id FROM gone)",
        [entity],
    )


def write_origins(
    store: Store, entity: str, origins: pl.DataFrame, touched: pl.DataFrame, *, run_id: int
) -> None:
    """Replace where the values of ``touched`` entities come from.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        origins: ``entity_id``, ``field``, ``record_id``, ``rule``, ``override_id``.
        touched: ``entity_id`` of every entity derived again or gone.
        run_id: This run. An origin that was so before keeps the run that it had.
    """
    same = """o.entity_id = f.entity_id AND o.field = f.field
        AND o.record_id = f.record_id AND o.rule = f.rule
        AND o.override_id IS NOT DISTINCT FROM f.override_id"""
    with store.staged(touched.select("entity_id"), "derived"), store.staged(origins, "fresh"):
        store.execute(
            """
            CREATE OR REPLACE TEMP TABLE held AS
            SELECT rowid AS row, entity_id, field, record_id, rule, override_id
            FROM crm.value_origin SEMI JOIN derived USING (entity_id) WHERE entity = ?
            """,
            [entity],
        )
        store.execute(
            "DELETE FROM crm.value_origin WHERE rowid IN ("  # noqa: S608 - constants
            f" SELECT o.row FROM held o ANTI JOIN fresh f ON {same})"
        )
        store.execute(
            f"""
            INSERT INTO crm.value_origin BY NAME
            SELECT f.*, ?::VARCHAR AS entity, ?::BIGINT AS run_id FROM fresh f
            ANTI JOIN held o ON {same}
            """,  # noqa: S608
            [entity, run_id],
        )
        store.execute("DROP TABLE held")
