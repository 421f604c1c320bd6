"""Records of one entity → one golden record, every value traceable."""

from crm_quality.merge.anchors import Changes, changes, place
from crm_quality.merge.overriding import (
    OVERRIDES,
    RESTRICTING,
    kept_text,
    restrictiveness,
    typed,
)
from crm_quality.merge.survivorship import Survived, survive

__all__ = [
    "OVERRIDES",
    "RESTRICTING",
    "Changes",
    "Survived",
    "changes",
    "kept_text",
    "place",
    "restrictiveness",
    "survive",
    "typed",
]
