"""What a row was read and checked by, as one hash: results are kept by content and this."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition, SourceDefinition

#: What of a source decides how its rows are read.
_READ_BY = {"columns", "constants", "country", "date_order", "time_zone"}


def rules_hash(
    definition: EntityDefinition, sources: Mapping[str, SourceDefinition], country: str | None
) -> pl.Expr:
    """The hash of what reads and checks a row, as an expression over the column ``source``.

    Args:
        definition: The entity.
        sources: Known sources; a row of another one depends on the entity and country alone.
        country: The project's country, null if it has none.

    Returns:
        String, SHA-256 in hex: equal hashes and equal contents give equal values and issues, on
        the same day.
    """
    base: list[object] = [definition.fingerprint, country]
    by_source = {
        name: _sha256([*base, source.model_dump(mode="json", by_alias=True, include=_READ_BY)])
        for name, source in sources.items()
        if source.entity == definition.entity
    }
    if not by_source:
        return pl.lit(_sha256(base))
    return pl.col("source").replace_strict(by_source, default=_sha256(base), return_dtype=pl.String)


def _sha256(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
