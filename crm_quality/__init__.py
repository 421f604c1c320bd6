"""Data quality, deduplication and golden records for CRM data."""
