"""Profiling a file or frame, and writing a first definition for it."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from crm_quality.audit.file_profile import FileProfile, profile_table
from crm_quality.definitions import RuleSet, default_rules
from crm_quality.errors import InputError, UsageError
from crm_quality.intake import read
from crm_quality.validate.intervals import deviate
from crm_quality.validate.suggestion import Confidence, suggested_definition

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.intake import Table


def profile(
    data: Any,  # noqa: ANN401 - a path or any frame
    *,
    rules: RuleSet | None = None,
    entity: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> FileProfile:
    """What is in a file or frame, and which fields its columns probably are.

    Args:
        data: A path (CSV and the like, Parquet, XLSX, JSON), ``-`` for standard input, or a
            Polars, pandas or Arrow frame.
        rules: Known entities and sources; null = the default rules.
        entity: What a row is; null = what the header tells.
        encoding: Of a text file; null = detected.
        delimiter: Of a text file; null = detected.

    Returns:
        The profile; its frames hold values of the data, which may be personal: `FileProfile.masked`
        hides them.

    Raises:
        InputError: It cannot be read.
        NotFoundError: There is no such entity.
    """
    table = read(data, encoding=encoding, delimiter=delimiter)
    return profile_table(table, rules or default_rules(), entity=entity)


def suggest(
    table: Table,
    found: FileProfile,
    rules: RuleSet,
    *,
    name: str | None = None,
    as_of: date | None = None,
    confidence: float = 0.95,
    coming: int | None = None,
) -> dict[str, str]:
    """A first definition for a table, see `crm_quality.validate.suggested_definition`.

    Args:
        table: The table.
        found: Its profile, not masked.
        rules: Their entities lend meaning and types to fields that they know.
        name: Name of the entity; null = what the profile found, else the file's name.
        as_of: The day that counts as today; null = today.
        confidence: Of the two-sided intervals that limits come from, between 0 and 1.
        coming: Rows of the files to come; null = as many as in this one.

    Returns:
        Path below a ``rules`` folder → YAML.

    Raises:
        UsageError: The table has no rows or no column with a name, or the name is none.
    """
    if table.frame.is_empty():
        raise UsageError(f"{table.name} has no rows to suggest rules from")
    entity = name or found.entity or _slug(PurePath(table.name).stem)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", entity):
        raise UsageError(f"{entity!r} is no name for an entity; write --name in a-z, 0-9 and _")
    like = rules.entities.get(found.entity or entity)
    return suggested_definition(
        table,
        found.seen,
        entity,
        fields=found.fields,
        like=like,
        source=_slug(found.source or PurePath(table.name).stem) or entity,
        as_of=as_of,
        confidence=Confidence(deviate(confidence), coming),
    )


def write_definitions(files: dict[str, str], folder: Path) -> list[Path]:
    """Write definition files below ``folder``, none over another.

    Returns:
        The files written.

    Raises:
        UsageError: One of them is there already; nothing was written.
        InputError: The folder cannot be written.
    """
    there = [str(folder / name) for name in files if (folder / name).exists()]
    if there:
        raise UsageError(f"{', '.join(there)} is there already; choose an empty folder")
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return [folder / name for name in files]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
