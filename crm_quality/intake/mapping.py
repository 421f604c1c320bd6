"""Which column gives which canonical field, and how that was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rapidfuzz import process

from crm_quality.definitions.source import ColumnMapping
from crm_quality.errors import InputError
from crm_quality.intake.guessing import LEAST_CONFIDENCE, guess_mapping
from crm_quality.intake.recognition import mapped_names, matches, normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crm_quality.definitions import EntityDefinition, SourceDefinition


@dataclass(frozen=True, slots=True)
class MappedField:
    """Where one canonical field comes from in one file.

    Attributes:
        columns: The file's columns, as its header says; several are joined.
        how: ``given`` by the caller, declared by the ``source``, the field's ``canonical`` name
            itself, or a ``guess``.
        confidence: 1 unless guessed.
        mapping: What is done to the cells.
    """

    columns: tuple[str, ...]
    how: Literal["given", "source", "canonical", "guess"]
    confidence: float = 1.0
    mapping: ColumnMapping = field(default_factory=lambda: ColumnMapping(any_of=("",)))


@dataclass(frozen=True, slots=True)
class Drift:
    """How a file differs from what its source declares.

    Attributes:
        missing: Columns that every export of the source has, and this one has not.
        unknown: Columns that the source says nothing about.
    """

    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.unknown)


def map_fields(
    headers: Sequence[str],
    definition: EntityDefinition,
    source: SourceDefinition | None,
    given: Mapping[str, str | Sequence[str]] | None,
) -> dict[str, MappedField]:
    """Find the columns of each canonical field.

    What is given wins, then what the source declares, then columns that bear a field's own name;
    columns of a file without a source, or whose source maps none, are guessed.

    Returns:
        Canonical field → where it comes from, in the order of the definition.

    Raises:
        InputError: A given field or column does not exist.
    """
    by_name = {normal(header): header for header in reversed(headers)}
    found = _given(by_name, definition, given or {})
    if source is not None:
        for name, mapping in source.columns.items():
            if name not in found and (columns := present(mapping, by_name)):
                found[name] = MappedField(columns, "source", mapping=mapping)
    used = {column for mapped in found.values() for column in mapped.columns}
    for header in headers:
        name = header.strip()
        if name in definition.fields and name not in found and header not in used:
            found[name] = MappedField((header,), "canonical")
            used.add(header)
    if source is None or not source.columns:
        left = [header for header in headers if header not in used]
        for name, guess in guess_mapping(left, definition).items():
            if name not in found and guess.confidence >= LEAST_CONFIDENCE:
                mapping = ColumnMapping(join=guess.columns, separator=" ")
                found[name] = MappedField(guess.columns, "guess", guess.confidence, mapping)
    return {name: found[name] for name in definition.fields if name in found}


def _given(
    by_name: Mapping[str, str],
    definition: EntityDefinition,
    given: Mapping[str, str | Sequence[str]],
) -> dict[str, MappedField]:
    found = {}
    for name, columns in given.items():
        if name not in definition.fields:
            raise InputError(
                f"mapping: the entity {definition.entity} has no field {name!r}"
                f"{_nearest(name, definition.fields)}"
            )
        asked = (columns,) if isinstance(columns, str) else tuple(columns)
        for column in asked:
            if normal(column) not in by_name:
                raise InputError(
                    f"mapping: there is no column {column!r} for {name}"
                    f"{_nearest(column, by_name.values())}"
                )
        mapping = ColumnMapping(join=asked) if len(asked) > 1 else ColumnMapping(any_of=asked)
        found[name] = MappedField(
            tuple(by_name[normal(column)] for column in asked), "given", mapping=mapping
        )
    return found


def _nearest(word: str, words: Iterable[str]) -> str:
    names = list(words)
    best = process.extractOne(word, names, score_cutoff=60)
    return f"; did you mean {best[0]!r}?" if best else f"; there are: {', '.join(names)}"


def present(mapping: ColumnMapping, by_name: Mapping[str, str]) -> tuple[str, ...]:
    """The file's columns that a mapping can use, best first."""
    there = (by_name[normal(name)] for name in mapping.names if normal(name) in by_name)
    return tuple(dict.fromkeys(there))


def drift_of(headers: Sequence[str], source: SourceDefinition, unmapped: Sequence[str]) -> Drift:
    """What a file lacks of its source's columns, and what it has beyond them."""
    have = {normal(header) for header in headers}
    missing = tuple(name for name in source.expects if normal(name) not in have)
    named, patterns = mapped_names(source), (*source.known, *source.ignore)
    unknown = tuple(
        name
        for name in unmapped
        if normal(name) not in named and not matches(patterns, normal(name))
    )
    return Drift(missing, unknown)


def is_ignored(source: SourceDefinition | None, header: str) -> bool:
    """True when the source says that a column tells nothing about the record."""
    return source is not None and matches(source.ignore, normal(header))
