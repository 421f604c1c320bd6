"""Evidence as plain data: the shape that lookups and explanations share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm_quality.match.evidence import Evidence


def evidence_object(told: Evidence) -> dict[str, Any]:
    """The weight of a pair and its parts: ``prior``, those of ``evidence`` and ``remainder``."""
    return {
        "match_weight": told.weight,
        "match_probability": told.probability,
        "relation": told.relation,
        "relations": told.relations,
        "against": told.against,
        "prior": told.prior,
        "evidence": [
            {
                "comparison": part.comparison,
                "level": part.level,
                "agrees": part.agrees,
                "weight": part.weight,
            }
            for part in told.parts
        ],
        "remainder": told.remainder,
        "splink_weight": told.splink_weight,
    }
