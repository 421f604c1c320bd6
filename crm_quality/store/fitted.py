"""Which rules the tables and views of a store were last fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.migrate import migrations

if TYPE_CHECKING:
    from crm_quality.store.connection import Store


def fitted_for(store: Store) -> str | None:
    """The mark of what it was fitted to; null = an earlier version fitted it, or none has."""
    found: str | None = store.value(
        "SELECT rules_fingerprint FROM main.fitted WHERE migration = ?", [migrations()[-1][0]]
    )
    return found


def mark_fitted(store: Store, mark: str) -> None:
    """Remember what it was fitted to, inside the transaction that fitted the store to them."""
    store.execute("DELETE FROM main.fitted")
    store.execute("INSERT INTO main.fitted VALUES (?, ?)", [mark, migrations()[-1][0]])
