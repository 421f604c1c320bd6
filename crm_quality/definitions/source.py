"""Sources: how one system's export maps to canonical fields."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm_quality.definitions.model import Definition


class SourceDefinition(Definition):
    """One system's export.

    Attributes:
        source: Its name; it is part of every record's key.
        entity: The entity that one row gives.
        title: The system and the export, for people.
        key: Columns that together identify a record in the source.
        columns: Canonical field → the export's column names, first match wins.
        country: ISO 3166-1 alpha-2 region of its phone numbers without a country.
        date_order: Order of day and month in its dates; null = ISO dates only, or by evidence.
        time_zone: IANA zone of its times without one.
        priority: Trust when values conflict: the greater, the more trusted.
    """

    source: str
    entity: str = "contact"
    title: str = ""
    key: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = Field(default={})
    country: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    time_zone: str = "UTC"
    priority: int = 0
