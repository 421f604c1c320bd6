"""Rules find issues; an error quarantines its record, a warning travels with it."""

from crm_quality.validate.catalogue import catalogue, note_rule
from crm_quality.validate.checks import CHECKS
from crm_quality.validate.issues import ISSUES
from crm_quality.validate.meanings import METHODS
from crm_quality.validate.profile import Profile, profile
from crm_quality.validate.records import Validation, check_records, validate
from crm_quality.validate.reference import rules_reference
from crm_quality.validate.rule import Origin, Rule, Status
from crm_quality.validate.store import StoreValidation, check_store
from crm_quality.validate.suggestion import suggested_definition
from crm_quality.validate.values import cluster_values, suggest_targets

__all__ = [
    "CHECKS",
    "ISSUES",
    "METHODS",
    "Origin",
    "Profile",
    "Rule",
    "Status",
    "StoreValidation",
    "Validation",
    "catalogue",
    "check_records",
    "check_store",
    "cluster_values",
    "note_rule",
    "profile",
    "rules_reference",
    "suggest_targets",
    "suggested_definition",
    "validate",
]
