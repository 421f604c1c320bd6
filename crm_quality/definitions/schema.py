"""What the models say of themselves: the model at a place, and JSON Schema for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from pathlib import Path

    from crm_quality.definitions.text import Way


def model_at(model: type[BaseModel], way: Way) -> type[BaseModel] | None:
    """The model that describes the part at ``way`` below ``model``; null when none does."""
    current: type[BaseModel] | None = model
    for part in way:
        if current is None:
            return None
        field = next(
            (info for name, info in current.model_fields.items() if part in (name, info.alias)),
            None,
        )
        if field is not None:
            current = _model_in(field.annotation)
        # else: a key or index inside a mapping or list, whose items have the same model
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        if (found := _model_in(part)) is not None:
            return found
    return None


def write_json_schemas(folder: Path) -> list[Path]:
    """Write one JSON Schema per kind of definition, for completion in editors.

    Args:
        folder: Where ``entities.schema.json`` and its siblings go; made if missing.

    Returns:
        The files written.
    """
    from crm_quality.definitions.loader import KINDS  # noqa: PLC0415 - loader knows this module

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, (model, _) in KINDS.items():
        file = folder / f"{kind}.schema.json"
        schema = model.model_json_schema(by_alias=True)
        file.write_text(json.dumps(schema, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        written.append(file)
    return written
