"""rules/*.yml → frozen models that every stage reads."""

from crm_quality.definitions.entity import (
    EntityDefinition,
    FieldDefinition,
    FieldType,
    MatchRole,
    Survivorship,
)
from crm_quality.definitions.folding import fold, folded
from crm_quality.definitions.loader import (
    RuleSet,
    default_rules,
    default_rules_dir,
    definition_file,
    load_rules,
    rules_of,
)
from crm_quality.definitions.matching import MatchingDefinition
from crm_quality.definitions.model import Definition, Severity
from crm_quality.definitions.replacing import replace_file
from crm_quality.definitions.rules import Check, Condition, RecordRule
from crm_quality.definitions.schema import write_json_schemas
from crm_quality.definitions.source import SourceDefinition
from crm_quality.definitions.vocabulary import AcceptedValue, Vocabulary
from crm_quality.definitions.vocabulary_text import with_spellings

__all__ = [
    "AcceptedValue",
    "Check",
    "Condition",
    "Definition",
    "EntityDefinition",
    "FieldDefinition",
    "FieldType",
    "MatchRole",
    "MatchingDefinition",
    "RecordRule",
    "RuleSet",
    "Severity",
    "SourceDefinition",
    "Survivorship",
    "Vocabulary",
    "default_rules",
    "default_rules_dir",
    "definition_file",
    "fold",
    "folded",
    "load_rules",
    "replace_file",
    "rules_of",
    "with_spellings",
    "write_json_schemas",
]
