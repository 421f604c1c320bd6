"""The DuckDB store: the only stage that opens a transaction."""

from crm_quality.store.connection import Store, open_store
from crm_quality.store.trail import verify_trail

__all__ = ["Store", "open_store", "verify_trail"]
