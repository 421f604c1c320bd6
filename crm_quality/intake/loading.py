"""A source definition from a file of its own, for ``--source FILE.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from crm_quality.definitions import SourceDefinition
from crm_quality.definitions.text import parse
from crm_quality.errors import DefinitionError, Fault, InputError

if TYPE_CHECKING:
    from crm_quality.definitions import RuleSet


def load_source(path: str | Path, rules: RuleSet) -> SourceDefinition:
    """Read one mapping file, the same format as ``rules/sources/*.yml``.

    Args:
        path: The file.
        rules: The definitions its entity and fields must be in.

    Raises:
        InputError: The file cannot be read.
        DefinitionError: It is wrong; every fault with line and column.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the mapping file cannot be read: {error}") from None
    document = parse(text, path)
    if document.faults:
        raise DefinitionError(document.faults)
    try:
        source = SourceDefinition.model_validate(document.tree)
    except ValidationError as error:
        raise DefinitionError(
            [
                document.fault(tuple(p for p in e["loc"] if p != "[key]"), e["msg"])
                for e in error.errors()
            ]
        ) from None
    faults = _reference_faults(source, rules, path)
    if faults:
        raise DefinitionError(faults)
    return source


def _reference_faults(source: SourceDefinition, rules: RuleSet, path: Path) -> list[Fault]:
    if source.entity not in rules.entities:
        known = ", ".join(sorted(rules.entities))
        return [Fault(path, 0, 0, f"there is no entity {source.entity!r}", f"there are: {known}")]
    fields = rules.entity(source.entity).fields
    return [
        Fault(path, 0, 0, f"there is no field {name!r}", f"possible: {', '.join(fields)}")
        for name in (*source.columns, *source.constants)
        if name not in fields
    ]


__all__ = ["load_source"]
