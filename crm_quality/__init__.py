"""Data quality, deduplication and golden records for CRM data."""

from crm_quality.definitions import RuleSet, default_rules, load_rules
from crm_quality.engine.check import Run
from crm_quality.engine.dedupe import dedupe
from crm_quality.engine.profiling import profile
from crm_quality.engine.project import Project
from crm_quality.engine.summary import Summary
from crm_quality.errors import CrmQualityError
from crm_quality.intake import read, take_in
from crm_quality.standardise import standardise
from crm_quality.validate import validate

__all__ = [
    "CrmQualityError",
    "Project",
    "RuleSet",
    "Run",
    "Summary",
    "dedupe",
    "default_rules",
    "load_rules",
    "profile",
    "read",
    "standardise",
    "take_in",
    "validate",
]
