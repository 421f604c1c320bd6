"""A source definition from a file of its own, for ``--source FILE.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from crm_quality.definitions import SourceDefinition
from crm_quality.definitions.loader import faults_of
from crm_quality.definitions.references import reference_faults
from crm_quality.definitions.rule_faults import unknown
from crm_quality.definitions.text import parse
from crm_quality.errors import DefinitionError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions import RuleSet
    from crm_quality.definitions.references import ReferenceFault


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
        raise DefinitionError(faults_of(document, SourceDefinition, error.errors())) from None
    faults = [document.fault(way, *told) for _, _, way, *told in _references(source, rules)]
    if faults:
        raise DefinitionError(faults)
    return source


def _references(source: SourceDefinition, rules: RuleSet) -> Iterator[ReferenceFault]:
    name = source.source
    yield from reference_faults(rules.entities, rules.vocabularies, {name: source}, {})
    fields = rules.entities[source.entity].fields if source.entity in rules.entities else {}
    for field in source.constants if fields else ():
        if field not in fields:
            yield "sources", name, ("constants", field), *unknown("field", field, fields)
