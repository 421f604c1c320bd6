"""The SQL of a view over a part of its tables: one customer's answer without reading everybody's.

A view that says whose rows are reads all of them before it can tell. Where the rows of one customer
are known, the same SQL is run over these alone, so that there is one definition of what it says.
Which words of it are tables is what sqlglot's parser says; the text stays as it is written.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from crm_quality.crm.views import view_files

if TYPE_CHECKING:
    from collections.abc import Mapping

_VIEW = re.compile(r"^CREATE OR REPLACE VIEW (\w+\.\w+) AS\n(.*?);$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r'"part of (\w+\.\w+)"')


@cache
def view_definitions() -> dict[str, str]:
    """Name of each view (``crm.<name>``) → its query."""
    return {name: query for _, _, script in view_files() for name, query in _VIEW.findall(script)}


def view_over(name: str, parts: Mapping[str, str]) -> str:
    """The query of a view with some of its tables replaced, also in the views that it reads.

    Args:
        name: The view, such as ``crm.event``.
        parts: Table → the query of the rows that count.
    """
    pattern = _pattern(name, frozenset(parts))
    return _MARK.sub(lambda found: f"({parts[found[1]]})", pattern)


@cache
def _pattern(name: str, replaced: frozenset[str]) -> str:
    """The query of a view with marks in place of the tables that are replaced.

    Parsing takes some tens of milliseconds, so it is done once for each set of tables.
    """
    query = view_definitions()[name]
    for start, end, table, is_named in reversed(_tables(query)):
        if table in replaced:
            instead = f'"part of {table}"'
        elif table in view_definitions():
            instead = f"({_pattern(table, replaced)})"
        else:
            continue
        # a table keeps its name where the query does not give it another
        alias = "" if is_named else f" AS {table.partition('.')[2]}"
        query = f"{query[:start]}{instead}{alias}{query[end:]}"
    return query


def _tables(query: str) -> list[tuple[int, int, str, bool]]:
    """Tables that a query names with their schema: start, end, name, whether it renames them."""
    from sqlglot import exp, parse_one  # noqa: PLC0415 - only a customer's page needs it

    found = []
    for table in parse_one(query, dialect="duckdb").find_all(exp.Table):
        schema, word = table.args.get("db"), table.this
        if schema is not None:
            span = schema.meta["start"], word.meta["end"] + 1
            found.append((*span, f"{schema.name}.{word.name}", bool(table.alias)))
    return sorted(found)
