"""JSON: an array of objects, one object a line, or an answer of a web service around them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.errors import InputError
from crm_quality.intake.frames import as_table

if TYPE_CHECKING:
    from pathlib import Path

    from crm_quality.intake.survey import Survey
    from crm_quality.intake.table import Table

#: Names under which web services give their records.
_AROUND = ("results", "records", "data", "items", "value", "rows", "entries", "members",
           "contacts", "companies", "customers", "leads", "accounts")  # fmt: skip


def read_json(path: Path, found: Survey) -> Table:
    """Read records from JSON.

    Args:
        path: The file.
        found: What `survey` says of it.

    Returns:
        The table: one column per name, nested objects as ``outer.inner``, lists of plain values
        joined by ``;``, other lists as JSON.

    Raises:
        InputError: It is not well formed, or holds no objects.
    """
    encoding = "utf-8" if found.encoding == "mixed" else found.encoding
    text = path.read_text(encoding=encoding, errors="replace").lstrip("\ufeff")
    rows = [_flat(row) for row in _objects(text, path)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise InputError(f"{path}: its JSON objects are empty; was the export finished?")
    frame = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )
    return as_table(frame, path.name, found.sha256)


def _objects(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        # Numbers stay as they are written: 1.10 is not 1.1, nor is a long id rounded.
        document = json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("["):
            raise _malformed(path, error.lineno, error) from None
        return _one_a_line(text, path)
    if isinstance(document, dict):
        document = _list_within(document)
    if not all(isinstance(row, dict) for row in document):
        raise InputError(f"{path}: JSON must be an array of objects, or one object a line")
    return list(document)


def _one_a_line(text: str, path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_int=str, parse_float=str)
        except json.JSONDecodeError as error:
            raise _malformed(path, number, error) from None
        if not isinstance(row, dict):
            raise InputError(f"{path}: line {number} holds no JSON object")
        rows.append(row)
    return rows


def _malformed(path: Path, line: int, error: json.JSONDecodeError) -> InputError:
    return InputError(
        f"{path}: not well-formed JSON at line {line}, column {error.colno}: {error.msg}; "
        "give an array of objects, or one object a line"
    )


def _list_within(document: dict[str, Any]) -> list[Any]:
    """The records of an answer like ``{"results": [...], "next": ...}``; else the object itself."""
    for name in _AROUND:
        records = document.get(name)
        if isinstance(records, list) and all(isinstance(row, dict) for row in records):
            return records
    return [document]


def _flat(row: dict[str, Any], before: str = "") -> dict[str, str | None]:
    flat: dict[str, str | None] = {}
    for name, value in row.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = _text(value)
    return flat


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever JSON holds
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(value)
    return json.dumps(value, ensure_ascii=False)
