"""What of the definitions is used: fields, accepted values and rules that do nothing are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.population import populations
from crm_quality.definitions import FieldType
from crm_quality.store.connection import quoted
from crm_quality.validate import Origin, catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from crm_quality.audit.population import Population
    from crm_quality.definitions import RuleSet

#: Columns of `Usage.fields`.
FIELDS = pl.Schema(
    {
        "entity": pl.String(),
        "field": pl.String(),
        "owner": pl.String(),
        "records": pl.Int64(),
        "filled": pl.Int64(),
        "fill_rate": pl.Float64(),
        "distinct": pl.Int64(),
        "golden_filled": pl.Int64(),
        "use": pl.String(),
    }
)
#: Columns of `Usage.values`.
VALUES = pl.Schema(
    {
        "entity": pl.String(),
        "field": pl.String(),
        "value": pl.String(),
        "label": pl.String(),
        "records": pl.Int64(),
        "use": pl.String(),
    }
)
#: Columns of `Usage.rules`.
RULES = pl.Schema(
    {
        "entity": pl.String(),
        "rule": pl.String(),
        "severity": pl.String(),
        "owner": pl.String(),
        "declared": pl.Boolean(),
        "checked": pl.Int64(),
        "in_force": pl.Int64(),
        "ever": pl.Int64(),
        "last_run": pl.Int64(),
        "use": pl.String(),
    }
)
#: Columns of `Usage.columns`.
COLUMNS = pl.Schema({"entity": pl.String(), "column": pl.String(), "records": pl.Int64()})


@dataclass(frozen=True)
class Usage:
    """How much of the definitions does anything in a store.

    Attributes:
        fields: One row per field: live records, those with a value, distinct values, golden records
            with a value; ``use`` is ``unused`` (none has a value), ``one value`` or ``used``.
            ``fill_rate`` is a share of the live records, null where there are none.
        values: One row per accepted value of a vocabulary field: live records that have it;
            ``use`` is ``unused`` or ``used``. Countries are left out: nobody means to use all.
        rules: One row per rule: records it spoke of in its last check (null = it was never
            checked), issues in force, issues ever found, the last run that found one; ``use`` is
            ``never applied`` (it never spoke of a record), ``never fired`` or ``fires``. One that
            is not ``declared`` comes with the type of its field.
        columns: Columns of files that no field takes, kept as custom fields: live records with a
            value.
    """

    fields: pl.DataFrame
    values: pl.DataFrame
    rules: pl.DataFrame
    columns: pl.DataFrame


def usage(connection: duckdb.DuckDBPyConnection, rules: RuleSet) -> Usage:
    """Count what is used; entities without a live record are left out.

    Args:
        connection: The open store; nothing is written.
        rules: The project's rules.
    """
    fields, values, fired, columns = [], [], [], []
    for population in populations(connection, rules):
        live = population.rows("SELECT count(*) FROM live")[0][0]
        if not live:
            continue
        fields.append(_fields(population, live))
        values.append(_values(population))
        fired.append(_rules(population))
        columns.append(_columns(population))
    return Usage(
        fields=pl.concat([FIELDS.to_frame(), *fields]),
        values=pl.concat([VALUES.to_frame(), *values]),
        rules=pl.concat([RULES.to_frame(), *fired]),
        columns=pl.concat([COLUMNS.to_frame(), *columns]),
    )


def _fields(population: Population, live: int) -> pl.DataFrame:
    definition = population.definition
    counts = ", ".join(
        f"count(*) FILTER ({population.filled(name)}), count(DISTINCT {quoted(name)})"
        for name in population.fields
    )
    counted = population.rows(f"SELECT {counts} FROM live")[0]  # noqa: S608 - names are quoted
    filled = ", ".join(f"count(*) FILTER ({population.filled(name)})" for name in population.fields)
    golden = population.rows(
        f"SELECT {filled} FROM {population.golden} WHERE $entity IS NOT NULL"  # noqa: S608
    )[0]
    rows = []
    for number, name in enumerate(population.fields):
        field = definition.fields[name]
        there, distinct = counted[2 * number], counted[2 * number + 1]
        use = "one value" if distinct == 1 and there > 1 else "used"
        if not there and not golden[number]:
            use = "unused"
        owner = field.owner or definition.owner
        rows.append(
            (
                definition.entity,
                name,
                owner,
                live,
                there,
                there / live,
                distinct,
                golden[number],
                use,
            )
        )
    return pl.DataFrame(rows, schema=FIELDS, orient="row")


def _values(population: Population) -> pl.DataFrame:
    definition = population.definition
    rows: list[tuple[str, str, str, str, int, str]] = []
    for name in population.fields:
        field = definition.fields[name]
        if field.type is not FieldType.VOCABULARY:
            continue
        counts = dict(
            population.rows(f"SELECT {quoted(name)}, count(*) FROM live GROUP BY ALL")  # noqa: S608
        )
        for value, details in definition.vocabularies[field.vocabulary or ""].values.items():
            if details.replaced_by is not None:
                # what is written so becomes the value that replaces it
                continue
            records = counts.get(value, 0)
            use = "used" if records else "unused"
            rows.append((definition.entity, name, value, details.label or value, records, use))
    return pl.DataFrame(rows, schema=VALUES, orient="row")


def _rules(population: Population) -> pl.DataFrame:
    connection, entity = population.connection, population.definition.entity
    in_force = dict(population.rows("SELECT rule, count(*) FROM finding GROUP BY rule"))
    ever = {
        rule: (count, last)
        for rule, count, last in connection.execute(
            "SELECT rule, count(*), max(run_id) FROM quality.issue WHERE entity = ? GROUP BY rule",
            [entity],
        ).fetchall()
    }
    checked = {
        rule: (last, most)
        for rule, last, most in connection.execute(
            "SELECT rule, arg_max(checked, run_id), max(checked) FROM ("
            "  SELECT rule, run_id, sum(checked)::BIGINT AS checked FROM quality.check_result"
            "  WHERE entity = ? GROUP BY rule, run_id) GROUP BY rule",
            [entity],
        ).fetchall()
    }
    rows = []
    for rule in catalogue(population.definition):
        last_checked, most = checked.get(rule.code, (None, 0))
        found, run = ever.get(rule.code, (0, None))
        use = "fires" if found else "never fired" if most else "never applied"
        rows.append(
            (
                entity,
                rule.code,
                rule.severity.value,
                rule.owner,
                rule.origin not in {Origin.NOTE, Origin.PROBLEM},
                last_checked,
                in_force.get(rule.code, 0),
                found,
                run,
                use,
            )
        )
    return pl.DataFrame(rows, schema=RULES, orient="row")


def _columns(population: Population) -> pl.DataFrame:
    return pl.DataFrame(list(_custom_columns(population)), schema=COLUMNS, orient="row")


def _custom_columns(population: Population) -> Iterator[tuple[str, str, int]]:
    entity = population.definition.entity
    for column, records in population.rows(
        ", kept AS (SELECT unnest(json_keys(custom)) AS name FROM live WHERE custom IS NOT NULL)"
        " SELECT name, count(*) FROM kept GROUP BY name ORDER BY count(*) DESC, name"
    ):
        yield entity, column, records
