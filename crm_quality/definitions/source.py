"""Sources: how one system's export maps to canonical fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from crm_quality.definitions.model import Definition


class ColumnMapping(Definition):
    """Where one canonical field comes from.

    In YAML a name or a list of names may stand for ``{any_of: [...]}``.

    Attributes:
        any_of: The export's names for the column, best first; in each row the first filled cell
            of those that the file has is taken.
        join: Columns whose filled cells are joined, in this order (two address lines, or
            several numbers of one list field).
        separator: Stands between joined cells.
        split: Text between the items of a list in one cell; they come out with ``;`` between them.
        first_of: Text between the items of a list in one cell; only the first one is taken.
        strip_prefix: Texts taken off the beginning of a cell (``p:``, ``l:``, ``'``).
        values: Text in the file (without case) → text of the field. In a field with a vocabulary
            a text that is not listed stays as it came, so that it is an accepted value or is
            reported; in any other field it gives no value: what a source does not say outright
            stays unknown.
        blank: Texts that mean "nothing" in this column, besides blanks.
    """

    any_of: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    separator: str = ", "
    split: str = ""
    first_of: str = ""
    strip_prefix: tuple[str, ...] = ()
    values: dict[str, str] | None = None
    blank: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_columns(self) -> ColumnMapping:
        if bool(self.any_of) == bool(self.join):
            raise ValueError("a mapping names its columns under any_of or under join, not both")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every column name that this mapping can use."""
        return self.any_of or self.join


def _bare_names(data: object) -> object:
    if isinstance(data, str):
        return {"any_of": [data]}
    return {"any_of": data} if isinstance(data, (list, tuple)) else data


Mapped = Annotated[
    ColumnMapping,
    BeforeValidator(_bare_names),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                ColumnMapping.model_json_schema(),
            ]
        }
    ),
]


class Signature(Definition):
    """A header that tells of a source. Names are compared without case and outer blanks.

    Attributes:
        all_of: Columns that must all be there (``all``).
        any_of: At least one of these must be there (``any``); empty = nothing asked.
        none_of: None of these may be there (``none``).
    """

    all_of: tuple[str, ...] = Field(default=(), alias="all")
    any_of: tuple[str, ...] = Field(default=(), alias="any")
    none_of: tuple[str, ...] = Field(default=(), alias="none")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Signature:
        if not self.all_of and not self.any_of:
            raise ValueError("a signature names at least one column under all or any")
        return self


class SourceDefinition(Definition):
    """One system's export.

    Column names are compared without regard to case, a byte order mark, surrounding blanks and
    order. In ``known`` and ``ignore`` a ``*`` stands for any text.

    Attributes:
        source: Its name; it is part of every record's key.
        entity: The entity that one row gives.
        title: The system and the export, for people.
        key: Columns that together identify a record in the source; a canonical field name
            stands for the column mapped to it. Empty = ``source_key`` where the file has one,
            else a hash of the row.
        columns: Canonical field → the export's columns.
        constants: Canonical field → the text it has wherever the file gives none
            (``lead_source: purchase`` for a payment system).
        recognised_by: Headers that tell of this source; any one of them will do.
        expects: Columns that every export has; one that is missing is drift.
        known: Columns kept as custom fields without being reported as drift.
        ignore: Columns that say nothing about the record: neither custom fields nor part of the
            content hash. They stay in the row as it came.
        on_drift: What missing and unknown columns do: ``warn`` or ``fail``.
        deleted_when: Column → texts (without case) that mark a row as deleted in the source.
        merged_into: Columns that hold the key of the record this one was merged into.
        skip_when: Column → texts (without case) that mark a row as no record at all, such as
            a test lead; skipped rows are counted and said.
        when_filled: A row is a record only where one of these columns is filled; empty = always.
        stands_in_for: Another source, whose records its rows stand in for: they are kept as records
            of that source, and only where nothing is known of the key yet.
        also: Other sources that read the same file, each for an entity of its own: a booking
            gives a meeting and its contact.
        country: ISO 3166-1 alpha-2 region of its phone numbers without a country.
        date_order: Order of day and month in its dates; null = ISO dates only, or by evidence.
        time_zone: IANA zone of its times without one.
        priority: Trust when values conflict: the greater, the more trusted.
        least_priority: What is left of that trust at least where issues lower it (fields whose
            survivorship says ``doubtful: lowered``); null = nothing need be left.
        mode: ``delta``: a file holds what is new or changed; ``snapshot``: a file holds every
            record that there is, so one that is missing has been deleted in the source.
    """

    source: str
    entity: str = "contact"
    title: str = ""
    key: tuple[str, ...] = ()
    columns: dict[str, Mapped] = Field(default={})
    constants: dict[str, str] = Field(default={})
    recognised_by: tuple[Signature, ...] = ()
    expects: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    on_drift: Literal["warn", "fail"] = "warn"
    deleted_when: dict[str, tuple[str, ...]] = Field(default={})
    merged_into: Mapped | None = None
    skip_when: dict[str, tuple[str, ...]] = Field(default={})
    when_filled: tuple[str, ...] = ()
    stands_in_for: str | None = None
    also: tuple[str, ...] = ()
    country: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    time_zone: str = "UTC"
    priority: int = 0
    least_priority: int | None = None
    mode: Literal["delta", "snapshot"] = "delta"
