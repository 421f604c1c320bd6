"""SQL predicates in rules: one read-only expression over the fields of one record.

DuckDB parses and binds the expression when it is loaded, so a mistake is found before any data.
Allowed are columns, constants, operators and functions that give the same for the same values.
Left out are other rows (subqueries, windows, aggregates), parameters, the clock and chance, and
whatever could reach outside: a predicate sees one record and the day ``as_of``, nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb

from crm_quality.duck import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The day that a run takes for today, as a column of every predicate.
AS_OF = "as_of"

_OTHER_ROWS = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "a star",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
}
#: Functions that DuckDB calls consistent although one form of them reads the clock.
_CLOCK = frozenset({"age"})
_STABLE_FUNCTIONS = """
    SELECT function_name FROM duckdb_functions() WHERE function_type = 'scalar'
    GROUP BY function_name HAVING bool_and(stability = 'CONSISTENT')
"""


def predicate_fields(sql: str, columns: Mapping[str, str]) -> frozenset[str]:
    """The fields that a predicate reads.

    Args:
        sql: One expression, such as ``employees > 0 OR lifecycle_stage <> 'customer'``.
        columns: Field → its DuckDB type.

    Returns:
        Names of the fields, `AS_OF` left out.

    Raises:
        ValueError: It is no predicate over these fields; the message says why.
    """
    with connect(closed=True) as connection:
        node = _parsed(connection, sql)
        stable = {str(name) for (name,) in connection.execute(_STABLE_FUNCTIONS).fetchall()}
        typed = {**columns, AS_OF: "DATE"}
        names: set[str] = set()
        for part in _parts(node):
            names.update(_checked_part(part, typed, stable))
        _bind(connection, sql, {name: typed[name] for name in names})
    return frozenset(names - {AS_OF})


def _parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:  # noqa: ANN401 - JSON
    query = f"SELECT ({sql}\n)"
    answer = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()[0][0]
    parsed = json.loads(answer)
    if parsed["error"]:
        raise ValueError(f"the SQL cannot be read: {parsed['error_message']}")
    statements = [statement["node"] for statement in parsed["statements"]]
    clauses = ("where_clause", "group_expressions", "having", "sample", "qualify", "modifiers")
    if (
        len(statements) != 1
        or statements[0]["type"] != "SELECT_NODE"
        or len(statements[0]["select_list"]) != 1
        or statements[0]["from_table"]["type"] != "EMPTY"
        or any(statements[0][clause] for clause in clauses)
    ):
        raise ValueError("the SQL is more than one expression; write what stands after WHERE")
    return statements[0]["select_list"][0]


def _parts(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        if "class" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _parts(part)


def _checked_part(
    part: Mapping[str, Any], columns: Mapping[str, str], stable: set[str]
) -> Iterator[str]:
    """The field that a part of the expression names, if it is allowed at all."""
    if (kind := part["class"]) in _OTHER_ROWS:
        raise ValueError(f"the SQL holds {_OTHER_ROWS[kind]}; it may speak of one record only")
    if kind == "COLUMN_REF":
        name = ".".join(part["column_names"])
        found = next((column for column in columns if column.lower() == name.lower()), None)
        if found is None:
            raise ValueError(f"the SQL names {name!r}, which is no field (today is {AS_OF})")
        yield found
    if kind == "FUNCTION" and not part["is_operator"]:
        name = str(part["function_name"]).lower()
        if name not in stable or name in _CLOCK:
            raise ValueError(
                f"the SQL calls {name}(), which is not a function of one record's values alone"
            )


def _bind(connection: duckdb.DuckDBPyConnection, sql: str, columns: Mapping[str, str]) -> None:
    described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items()) or '"-" INTEGER'
    try:
        connection.execute(f"CREATE TEMP TABLE records ({described})")
        # an aggregate is refused in WHERE, and nowhere else
        connection.execute(f"SELECT 1 FROM records WHERE ({sql}\n)")  # noqa: S608 - parsed and found to be one expression
        found = connection.execute(
            f"DESCRIBE SELECT ({sql}\n) FROM records"  # noqa: S608
        ).fetchall()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"the SQL cannot be run: {reason}") from None
    if found[0][1] != "BOOLEAN":
        raise ValueError(f"the SQL gives {found[0][1]}, not true or false; compare it to something")
