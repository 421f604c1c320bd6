"""Who is who: blocking under a budget, Splink's vectors, relations, clusters without chains."""

from crm_quality.match.evaluate import evaluate
from crm_quality.match.incremental import ChangedMatch, cluster_again, match_changes
from crm_quality.match.model import MatchModel
from crm_quality.match.records import MatchResult, match_records, to_review
from crm_quality.match.state import MatchState, StateChange

__all__ = [
    "ChangedMatch",
    "MatchModel",
    "MatchResult",
    "MatchState",
    "StateChange",
    "cluster_again",
    "evaluate",
    "match_changes",
    "match_records",
    "to_review",
]
