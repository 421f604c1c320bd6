"""The tables and the view of an entity: made, and widened, as its definition says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.errors import RefusedError
from crm_quality.store.connection import quoted
from crm_quality.store.landing import add_column, retype_column, table_columns, version_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.definitions.entity import Belonging
    from crm_quality.store.connection import Store

_VERSIONS = """
CREATE TABLE {table} (
    version_id   BIGINT NOT NULL,            -- increasing in order of arrival
    record_id    BIGINT NOT NULL,
    run_id       BIGINT NOT NULL,
    batch_id     BIGINT NOT NULL,
    row_number   BIGINT,                     -- 1-based data row in its file
    status       VARCHAR NOT NULL,           -- accepted, quarantined
    content_hash VARCHAR NOT NULL,
    rules_hash   VARCHAR NOT NULL,           -- of the definitions that standardised it
    raw          VARCHAR USING COMPRESSION zstd,  -- JSON: header → text, the row as it came
    custom       VARCHAR                     -- JSON: unmapped columns that were filled
    {columns}
)
"""
_GOLDEN = """
CREATE TABLE {table} (
    entity_id BIGINT NOT NULL,
    version   BIGINT NOT NULL,               -- goes up by one with every change
    run_id    BIGINT NOT NULL,               -- the run that last changed it
    records   BIGINT NOT NULL,               -- live source records behind it
    sources   VARCHAR[] NOT NULL{columns}
)
"""
_ROWS = """
CREATE TABLE {table} (
    entity_id  BIGINT NOT NULL,              -- the record's number: a row stands for itself
    version    BIGINT NOT NULL,              -- goes up by one with every change
    run_id     BIGINT NOT NULL,              -- the run that last changed it
    source     VARCHAR NOT NULL,
    source_key VARCHAR NOT NULL{columns}
)
"""
_VIEW = """
CREATE OR REPLACE VIEW crm.{name} AS
SELECT d.*, 1::BIGINT AS records, [d.source] AS sources{columns}
FROM {table} d{joins}
"""
_WHOSE = """,
       coalesce({found}) AS {id},
       CASE {how} END AS {by},
       CASE WHEN coalesce({found}) IS NOT NULL THEN 'linked'
            WHEN d.{record} IS NOT NULL THEN 'waiting'
            WHEN {named} THEN 'unknown' ELSE 'none' END AS {state}"""
_BY_KEY = """
LEFT JOIN matching.membership {key} ON {key}.record_id = d.{record}"""
_BY_POINT = """
LEFT JOIN crm.point_owner {alias} ON {alias}.entity = {other} AND {alias}.kind = '{kind}'
      AND {alias}.value = d.{column}"""
#: Visitors who have told who they are, where all their rows tell of one customer.
_BY_VISITOR = """
LEFT JOIN (
    SELECT d.{column} AS visitor, min(coalesce({found})) AS entity_id
    FROM {table} d{joins}
    WHERE d.{column} IS NOT NULL AND coalesce({found}) IS NOT NULL
    GROUP BY d.{column} HAVING min(coalesce({found})) = max(coalesce({found}))
) {alias} ON {alias}.visitor = d.{column}"""


def linked_column(other: str) -> str:
    """The column of rows with the record of kind ``other`` that their key names; null = none."""
    return f"{other}_record"


def row_table(entity: str) -> str:
    """The table of the rows in force of an entity whose records stand for themselves.

    ``crm.<entity>`` is a view over it that says whose each row is.
    """
    return f"crm.{entity}_row"


def written_table(definition: EntityDefinition) -> str:
    """The table of what is in force of an entity: golden records, or rows."""
    entity = definition.entity
    return f"crm.{entity}" if definition.is_customer else row_table(entity)


def fit_tables(
    store: Store,
    definition: EntityDefinition,
    columns: Mapping[str, str],
    *,
    retype: bool | None = False,
) -> None:
    """Make what tables of an entity are missing, and give every field a column of its own.

    Args:
        store: Inside its transaction.
        definition: The entity.
        columns: Column → DuckDB type of all that it must have.
        retype: Columns of another type are changed; what has no reading in the new one is null
            in former versions. Rows in force and rows that wait must be read again then. Null =
            they are left as they are.

    Raises:
        RefusedError: A column has another type, and ``retype`` is false.
    """
    changed = False
    shapes = {
        version_table(definition.entity): _VERSIONS,
        written_table(definition): _GOLDEN if definition.is_customer else _ROWS,
    }
    for table, shape in shapes.items():
        have = table_columns(store, table)
        wanted = {"updated_at": "TIMESTAMP", **columns}  # it decides which version is current
        if table == row_table(definition.entity):
            wanted |= {linked_column(other): "BIGINT" for other in definition.belongs_to}
        if not have:
            own = "".join(f",\n    {quoted(name)} {kind}" for name, kind in wanted.items())
            store.execute(shape.format(table=_quoted_table(table), columns=own))
            have = table_columns(store, table)
            changed = True
        for name, kind in wanted.items():
            if name not in have:
                add_column(store, _quoted_table(table), name, kind)
            elif have[name] == kind or retype is None:
                continue
            elif retype:
                retype_column(store, _quoted_table(table), name, have[name], kind)
            else:
                raise _other_type(definition, name, have[name])
            changed = True
    if not definition.is_customer and (
        changed or not table_columns(store, f"crm.{definition.entity}")
    ):
        store.execute(_view(definition))


def _other_type(definition: EntityDefinition, name: str, stored: str) -> RefusedError:
    now = definition.fields[name].type if name in definition.fields else "another type"
    return RefusedError(
        f"the field {name} of {definition.entity} is of type {now} now, and the store still holds "
        f"it as {stored}; `crmq rules apply` reads the rows that were kept by the new type "
        "(`crmq rules diff` says what that changes)"
    )


def _view(definition: EntityDefinition) -> str:
    """The view that says whose each row is, found when it is read: it is never out of date."""
    columns, joins = "", ""
    for other, belonging in definition.belongs_to.items():
        more, joined = _belonging(definition, other, belonging)
        columns, joins = columns + more, joins + joined
    return _VIEW.format(
        name=quoted(definition.entity),
        table=_quoted_table(row_table(definition.entity)),
        columns=columns,
        joins=joins,
    )


def _belonging(definition: EntityDefinition, other: str, belonging: Belonging) -> tuple[str, str]:
    """Columns and joins that find the customer of kind ``other``."""
    key, record = quoted(f"{other} by key"), quoted(linked_column(other))
    text = "'" + other.replace("'", "''") + "'"
    joins = _BY_KEY.format(key=key, record=record)
    found, how = [f"{key}.entity_id"], [f"WHEN {key}.entity_id IS NOT NULL THEN 'key'"]
    for kind, field in (("email", belonging.email), ("phone", belonging.phone)):
        if field is not None:
            alias = quoted(f"{other} by {kind}")
            joins += _BY_POINT.format(alias=alias, other=text, kind=kind, column=quoted(field))
            found.append(f"{alias}.entity_id")
            how.append(f"WHEN {alias}.entity_id IS NOT NULL THEN '{kind}'")
    if belonging.visitor is not None:
        alias = quoted(f"{other} by visitor")
        joins += _BY_VISITOR.format(
            alias=alias,
            column=quoted(belonging.visitor),
            found=", ".join([*found, "NULL"]),
            table=_quoted_table(row_table(definition.entity)),
            joins=joins,
        )
        found.append(f"{alias}.entity_id")
        how.append(f"WHEN {alias}.entity_id IS NOT NULL THEN 'visitor'")
    named = [belonging.key, belonging.email, belonging.phone]
    columns = _WHOSE.format(
        found=", ".join(found),
        how=" ".join(how),
        record=record,
        named=" OR ".join(f"d.{quoted(field)} IS NOT NULL" for field in named if field),
        id=quoted(f"{other}_id"),
        by=quoted(f"{other}_by"),
        state=quoted(f"{other}_state"),
    )
    return columns, joins


def _quoted_table(table: str) -> str:
    schema, name = table.split(".", 1)
    return f"{quoted(schema)}.{quoted(name)}"
