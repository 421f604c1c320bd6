"""Raw records → one canonical form per field, the raw text kept beside it."""

from crm_quality.standardise.column import NOTES, Note
from crm_quality.standardise.stage import standardise
from crm_quality.standardise.suggestion import suggested_values
from crm_quality.standardise.vocabulary import nearest

__all__ = ["NOTES", "Note", "nearest", "standardise", "suggested_values"]
