"""How records of one entity are matched: blocking, relations, thresholds."""

from __future__ import annotations

from crm_quality.definitions.model import Definition


class MatchingDefinition(Definition):
    """The matching of one entity.

    Attributes:
        matching: Name of the entity.
    """

    matching: str
