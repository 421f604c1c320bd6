"""The views of the CRM model, one SQL file each, in the order of their numbers."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from crm_quality.store import Store

_NEEDS = re.compile(r"^-- needs: (.+)$", re.MULTILINE)


def view_files() -> list[tuple[str, frozenset[str], str]]:
    """Every file of views as (name, entities that it reads, SQL), in order."""
    found = []
    for file in files("crm_quality.crm").joinpath("sql").iterdir():
        if file.name.endswith(".sql"):
            text = file.read_text(encoding="utf-8")
            needs = _NEEDS.search(text)
            names = needs[1].replace(",", " ").split() if needs else []
            found.append((file.name, frozenset(names), text))
    return sorted(found)


def make_views(store: Store, entities: Collection[str]) -> None:
    """Make the views again, as this version has them.

    Args:
        store: Inside a transaction; the tables of the entities are there.
        entities: What the rules define; views that read another entity are left out.
    """
    for _, needs, script in view_files():
        if needs <= set(entities):
            store.connection.execute(script).fetchall()
