"""The CRM model as a business works with it: pipeline, tickets, tasks, campaigns, leads."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from crm_quality.engine.fitting import fit_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.engine.project import Project
    from crm_quality.store import Store


class Crm:
    """What a business does with its customers; reached as ``project.crm``.

    Everything is read through views of the store (``crm.*``), so that a merge or its undoing moves
    nothing. Amounts of different currencies are never added up.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    @contextmanager
    def _reading(self, as_of: date | None) -> Iterator[Store]:
        """The store, fitted to the rules as they are now, at the end of a day or at this moment."""
        with self._project.store() as store:
            with store.transaction():
                fit_store(store, self._project.rules)
            moment = datetime.now(UTC).replace(tzinfo=None)
            if as_of is not None:
                moment = datetime.combine(as_of, time(12))
            store.execute("SET VARIABLE crm_now = ?::TIMESTAMP", [moment])
            yield store
