"""Who is who: blocking under a budget, Splink's vectors, relations, clusters without chains."""

from crm_quality.match.evaluate import evaluate
from crm_quality.match.model import MatchModel
from crm_quality.match.records import MatchResult, match_records

__all__ = ["MatchModel", "MatchResult", "evaluate", "match_records"]
