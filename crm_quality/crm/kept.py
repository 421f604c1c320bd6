"""Answers that take long to find, kept until anything in the store changes.

The views find whose each row is whenever they are read, which takes seconds where there are
millions. So what they say is kept in tables beside them, with the last change that it knows of; as
soon as there is a later one it is made anew. Nothing personal is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.fitted import fitted_for
from crm_quality.store.run_keys import last_change

if TYPE_CHECKING:
    from crm_quality.store import Store

#: Views that are kept, in an order in which each may be made.
KEPT = (
    "event_bucket",
    "contact_money",
    "rfm",
    "cohort",
    "attribution",
    "product_pair",
    "customer_figures",
)
_EXISTING = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'crm'"


def kept(view: str) -> str:
    """The table that holds what ``crm.<view>`` says."""
    return f"crm.kept_{view}"


#: ``crm.customer`` of the figures that are kept.
KEPT_CUSTOMERS = """(SELECT c.* EXCLUDE (run_id), f.* EXCLUDE (entity_id)
    FROM crm.contact c JOIN crm.kept_customer_figures f ON f.entity_id = c.entity_id)"""


def keep(store: Store) -> bool:
    """Keep what the views say now, unless that is kept already.

    Args:
        store: Inside a transaction, fitted to the rules.

    Returns:
        Whether anything was made anew.
    """
    known = f"{last_change(store)} {fitted_for(store)}"
    if store.value("SELECT known FROM crm.kept") == known:
        return False
    views = {name for (name,) in store.rows(_EXISTING)}
    for name in KEPT:
        if name in views:
            store.execute(f"CREATE OR REPLACE TABLE {kept(name)} AS SELECT * FROM crm.{name}")  # noqa: S608 - constants
    store.execute("DELETE FROM crm.kept")
    store.execute("INSERT INTO crm.kept VALUES (?)", [known])
    return True
