"""The SQL of a view over a part of its tables: one customer's answer without reading everybody's.

A view that says whose rows are reads all of them before it can tell. Where the rows of one customer
are known, the same SQL is run over these alone, so that there is one definition of what it says.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from crm_quality.crm.views import view_files

if TYPE_CHECKING:
    from collections.abc import Mapping

_VIEW = re.compile(r"^CREATE OR REPLACE VIEW (\w+\.\w+) AS\n(.*?);$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"\b(FROM|JOIN) (\w+\.\w+)\b")


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
    defined = view_definitions()

    def replaced(found: re.Match[str]) -> str:
        word, table = found[1], found[2]
        if table in parts:
            return f"{word} ({parts[table]})"
        if table in defined:
            return f"{word} ({view_over(table, parts)})"
        return found[0]

    # a table keeps its name where the query does not give it another
    query = re.sub(r"\b(FROM|JOIN) (\w+\.)(\w+)(?=\s*(?:$|WHERE|GROUP|JOIN|LEFT|,|\)|UNION))",
                   r"\1 \2\3 \3", defined[name], flags=re.MULTILINE)  # fmt: skip
    return _TABLE.sub(replaced, query)
