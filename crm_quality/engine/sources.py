"""Sources as their keeper sees them: which there are, and what one makes of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.check import Reading, check
from crm_quality.intake import recognise
from crm_quality.intake.recognition import normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.definitions import RuleSet, SourceDefinition
    from crm_quality.intake import Intake

_LISTED: dict[str, type[pl.DataType]] = {
    "source": pl.String,
    "title": pl.String,
    "entity": pl.String,
    "key": pl.String,
    "fields": pl.Int64,
    "recognised_by": pl.String,
}
_OWN_HEADER: dict[str, type[pl.DataType]] = {
    "source": pl.String,
    "recognised_as": pl.String,
    "says": pl.String,
}
_COLUMNS: dict[str, type[pl.DataType]] = {
    "entity": pl.String,
    "field": pl.String,
    "column": pl.String,
    "how": pl.String,
    "confidence": pl.Float64,
    "filled": pl.Int64,
    "issues": pl.Int64,
    "severest": pl.String,
}


@dataclass(frozen=True)
class SourceTest:
    """What a source makes of one file; nothing is stored.

    Attributes:
        origin: Name of the file.
        source: Under which name its records would be kept.
        recognised: The definition that was used; null = none fits, columns were guessed.
        rows: Rows of records.
        accepted: Rows that would be accepted.
        quarantined: Rows that would wait.
        skipped: Rows that the source says are no records.
        columns: One row per entity and field: ``field``, the file's ``column``, ``how`` it was
            found (given, source, canonical, guess), ``confidence``, rows where it is ``filled``,
            ``issues`` of the field and the ``severest`` of them (null = none).
        custom: Columns that are kept as custom fields.
        missing: Columns that every export of the source has, and this one has not.
        unknown: Columns that the source says nothing about.
        notes: What people should know.
    """

    origin: str
    source: str
    recognised: str | None
    rows: int
    accepted: int
    quarantined: int
    skipped: int
    columns: pl.DataFrame
    custom: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The test as plain data; no cell of the file is in it."""
        return {**self.__dict__, "columns": self.columns.to_dicts()}


class Sources:
    """The sources of some rules.

    Attributes:
        rules: The definitions.
    """

    def __init__(self, rules: RuleSet, *, country: str | None = None) -> None:
        """Look at sources.

        Args:
            rules: Of a project, or `crm_quality.default_rules`.
            country: Region of phone numbers that nothing else tells.
        """
        self.rules = rules
        self._country = country

    def known(self) -> pl.DataFrame:
        """Every source: ``source``, ``title``, ``entity``, ``key``, ``fields``, ``recognised_by``.

        ``entity`` names all that a row gives, ``fields`` counts the canonical fields that are
        mapped, ``recognised_by`` is null for a source that has to be named.
        """
        rows = [
            {
                "source": name,
                "title": source.title or None,
                "entity": " + ".join(self._entities(source)),
                "key": " + ".join(source.key) or "source_key",
                "fields": len(source.columns),
                "recognised_by": _header_words(source),
            }
            for name, source in sorted(self.rules.sources.items())
        ]
        return pl.DataFrame(rows, schema=_LISTED)

    def check_headers(self) -> pl.DataFrame:
        """Whether each source is recognised by its own header, and not taken for another.

        Returns:
            ``source``, ``recognised_as`` and what is wrong in ``says`` (null = nothing): one row
            for each source that says what it is recognised by, of its ways the first wrong one.
        """
        rows = []
        for name, source in sorted(self.rules.sources.items()):
            for signature in source.recognised_by:
                asked = [*signature.all_of, *signature.any_of[:1], *source.expects]
                barred = {normal(one) for one in signature.none_of}
                mapped = [mapping.names[0] for mapping in source.columns.values()]
                header = [*asked, *(one for one in mapped if normal(one) not in barred)]
                found = recognise(header, self.rules.sources)
                told = None if found is None else found.source
                says = None if told == name else f"its own header is taken for {told or 'nothing'}"
                rows.append({"source": name, "recognised_as": told, "says": says})
        tried = pl.DataFrame(rows, schema=_OWN_HEADER)
        return tried.sort("source", "says", nulls_last=True).unique("source", maintain_order=True)

    def test(
        self,
        data: Any,  # noqa: ANN401 - a path or any frame
        *,
        source: str | None = None,
        entity: str = "contact",
        key: Sequence[str] | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> SourceTest:
        """What a source makes of a file: fields, columns, how full they are, how many fit.

        Args:
            data: A path or frame.
            source: Name of a source or a mapping file (.yml); null = recognised by the header.
            entity: What a row of an unknown source is.
            key: Columns that identify a record; null = as the source declares.
            encoding: Of a text file; null = detected.
            delimiter: Of a text file; null = detected.

        Raises:
            InputError: It cannot be read, or a declared key column is missing.
        """
        reading = Reading(source, entity, key, encoding, delimiter)
        rules = reading.rules(self.rules)
        intakes = reading.read(data, rules)
        done = check(self.rules, [data], reading, country=self._country)
        counts, first = done.summary.records, intakes[0]
        return SourceTest(
            origin=first.origin,
            source=first.source,
            recognised=first.recognised,
            rows=counts.received,
            accepted=counts.accepted,
            quarantined=counts.quarantined,
            skipped=first.skipped,
            columns=_with_issues(pl.concat(map(_of_intake, intakes)), done.issues),
            custom=first.unmapped,
            missing=first.drift.missing,
            unknown=first.drift.unknown,
            notes=tuple(dict.fromkeys(done.summary.notes)),
        )

    def _entities(self, source: SourceDefinition) -> list[str]:
        others = [self.rules.sources[name].entity for name in source.also]
        return list(dict.fromkeys([source.entity, *others]))


def _header_words(source: SourceDefinition) -> str | None:
    ways = []
    for signature in source.recognised_by:
        words = [", ".join(signature.all_of)] if signature.all_of else []
        words += [" or ".join(signature.any_of)] if signature.any_of else []
        ways.append(" and ".join(words))
    return "; ".join(ways) or None


def _of_intake(intake: Intake) -> pl.DataFrame:
    rows = [
        {
            "entity": entity,
            "field": name,
            "column": " + ".join(mapped.columns),
            "how": mapped.how,
            "confidence": mapped.confidence,
            "filled": records.height - records[name].null_count(),
        }
        for entity, records in intake.records.items()
        for name, mapped in intake.mapping.items()
        if name in records.columns
    ]
    schema = {name: dtype for name, dtype in _COLUMNS.items() if name not in {"issues", "severest"}}
    return pl.DataFrame(rows, schema=schema)


def _with_issues(columns: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    gravity = pl.col("severity").cast(pl.String).replace_strict(
        {"error": 0, "warning": 1, "info": 2}, return_dtype=pl.Int8
    )  # fmt: skip
    told = issues.group_by("entity", "field").agg(
        pl.len().cast(pl.Int64).alias("issues"),
        pl.col("severity").cast(pl.String).sort_by(gravity).first().alias("severest"),
    )
    return (
        columns.join(told, on=["entity", "field"], how="left", maintain_order="left")
        .with_columns(pl.col("issues").fill_null(0))
        .select(pl.col(name).cast(dtype) for name, dtype in _COLUMNS.items())
    )
