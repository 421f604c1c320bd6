"""Entities and their fields: what each means, how it is cleaned, checked, matched and merged."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from crm_quality.definitions.matching import MatchingDefinition
from crm_quality.definitions.model import Definition, Severity
from crm_quality.definitions.rules import Check, Condition, Limits, RecordRule
from crm_quality.definitions.vocabulary import Vocabulary


class FieldType(StrEnum):
    """What a field holds; it decides the standardiser and the type of its column.

    ``DATE``, ``DATETIME`` (UTC), ``BOOLEAN``, ``INTEGER`` and ``DECIMAL`` (18 digits, 2 of them
    after the point) have columns of their own kind; ``EMAILS`` and ``PHONES`` are lists of text;
    every other type is text.
    """

    TEXT = "text"
    KEY = "key"
    GIVEN_NAME = "given_name"
    SURNAME = "surname"
    FULL_NAME = "full_name"
    NAME_SUFFIX = "name_suffix"
    COMPANY_NAME = "company_name"
    EMAIL = "email"
    EMAILS = "emails"
    PHONE = "phone"
    PHONES = "phones"
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTCODE = "postcode"
    COUNTRY = "country"
    URL = "url"
    DOMAIN = "domain"
    IDENTIFIER = "identifier"
    VOCABULARY = "vocabulary"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"


#: DuckDB types of the fields that are not text.
COLUMN_TYPES = {
    FieldType.DATE: "DATE",
    FieldType.DATETIME: "TIMESTAMP",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(18, 2)",
    FieldType.EMAILS: "VARCHAR[]",
    FieldType.PHONES: "VARCHAR[]",
}

#: Names that the store's own columns have, so that no field can.
TAKEN = frozenset(
    {"batch_id", "content_hash", "custom", "entity", "entity_id", "raw", "record_id", "records",
     "row_number", "rules_hash", "run_id", "source", "sources", "status", "version", "version_id"}
)  # fmt: skip

#: Fields that intake reads but no record stores: the key names it, the name is in its parts.
INTAKE_ONLY = frozenset({"source_key", "full_name"})


class MatchRole(StrEnum):
    """What a field is evidence of when two records are compared."""

    GIVEN_NAME = "given_name"
    MIDDLE_NAME = "middle_name"
    SURNAME = "surname"
    NAME_SUFFIX = "name_suffix"
    GENDER = "gender"
    DATE_OF_BIRTH = "date_of_birth"
    BIRTH_PLACE = "birth_place"
    EMAIL = "email"
    PHONE = "phone"
    MOBILE = "mobile"
    COMPANY_NAME = "company_name"
    JOB_TITLE = "job_title"
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTCODE = "postcode"
    COUNTRY = "country"
    DOMAIN = "domain"
    IDENTIFIER = "identifier"
    PARENT = "parent"


#: Types whose values come from a vocabulary; a country has ISO 3166-1 where it names none.
_FROM_A_LIST = frozenset({FieldType.VOCABULARY, FieldType.COUNTRY})


class Survivorship(Definition):
    """How the golden value of a field is chosen among the records of one entity.

    Attributes:
        strategy: ``most_recent`` (greatest updated_at), ``oldest`` (least created_at),
            ``most_frequent``, ``longest``, ``most_complete`` (the record with most fields filled),
            ``source_priority`` (order of ``sources``, or the trust that each source declares as its
            ``priority``), ``verified_first`` (what ``verified_by`` vouches for), ``winner_of``
            (the record that gives the field ``of``), ``min``, ``max``, ``sum``, ``union`` (lists),
            ``any_true``, ``most_restrictive`` (the first in ``order``) and ``first_record`` (the
            anchor's value).
        sources: Names of sources, most trusted first, for ``source_priority``.
        of: The other field, for ``winner_of``. Where no record has that one, the most recent value
            is taken.
        verified_by: For ``verified_first``: a field that is true, or holds the day or time of its
            verification, where the record's value was verified; null = a value is verified when no
            rule found anything about it.
        order: Values, the most restrictive first, for ``most_restrictive``.
        group: Fields of one group come from one record, so that an address survives whole.
        lead: A record without this field gives its group only if no other record has it.
        at_least: Texts with fewer letters (initials) count as absent where another record has more.
        doubtful: What becomes of a value that a warning or error was found about: ``last`` (any
            value without one goes before it), ``lowered`` (it lowers the trust that
            ``source_priority`` goes by, never below the source's ``least_priority``) or
            ``ignored``. Flags that restrict, sums, lists and ``first_record`` heed no issue.
        lowered_by: Severity → points of trust that such an issue costs, for ``lowered``.
    """

    strategy: Literal[
        "most_recent",
        "oldest",
        "most_frequent",
        "longest",
        "most_complete",
        "source_priority",
        "verified_first",
        "winner_of",
        "union",
        "min",
        "max",
        "sum",
        "any_true",
        "most_restrictive",
        "first_record",
    ] = "most_recent"
    sources: tuple[str, ...] = ()
    of: str | None = None
    verified_by: str | None = None
    order: tuple[str, ...] = ()
    group: str | None = None
    lead: bool = False
    at_least: int = 1
    doubtful: Literal["last", "lowered", "ignored"] = "last"
    lowered_by: dict[Literal["warning", "error"], int] = Field(default={"warning": 1, "error": 2})


#: What is found of a field's own accord, without a check or rule: absence, and the notes of
#: standardising.
Finding = Literal[
    "required", "placeholder", "invalid", "unknown", "ambiguous", "repaired", "doubtful"
]
_BareLimits = Annotated[
    Limits,
    BeforeValidator(lambda data: {"pass_up_to": data} if isinstance(data, str) else data),
]


class FieldDefinition(Definition):
    """One field of one entity.

    Attributes:
        meaning: What the value says, for people.
        type: What it holds, see `FieldType`.
        owner: Who answers for its quality; empty = the entity's owner.
        personal: True for personal data; masked in reports and logs unless asked for.
        populated_when: When people fill it, in words.
        required: Severity of its absence; null = may be absent.
        required_when: Makes ``required`` hold only where this condition does.
        vocabulary: Name of the vocabulary of a field of type ``vocabulary``; a field of type
            ``country`` may name one whose values are ISO 3166-1 alpha-2 codes.
        unknown: Severity of a value outside the vocabulary.
        invalid: Severity of a value that cannot be read as ``type``.
        checks: Checks of the canonical value.
        limits: Kind of finding → how many are too many; a bare ``2%`` stands for
            ``{pass_up_to: 2%}``.
        survivorship: How the golden value is chosen.
        match: What the field is evidence of; null = not used in matching.
    """

    meaning: str
    type: FieldType = FieldType.TEXT
    owner: str = ""
    personal: bool = False
    populated_when: str = ""
    required: Severity | None = None
    required_when: Condition | None = None
    vocabulary: str | None = None
    unknown: Severity = Severity.WARNING
    invalid: Severity = Severity.WARNING
    checks: tuple[Check, ...] = ()
    limits: dict[Finding, _BareLimits] = Field(default={})
    survivorship: Survivorship = Survivorship()
    match: MatchRole | None = None

    @model_validator(mode="after")
    def _vocabulary_is_named(self) -> FieldDefinition:
        if self.type is FieldType.VOCABULARY and self.vocabulary is None:
            raise ValueError("a field of type vocabulary names its vocabulary")
        if self.vocabulary is not None and self.type not in _FROM_A_LIST:
            raise ValueError("only a field of type vocabulary or country names a vocabulary")
        if self.required_when is not None and self.required is None:
            raise ValueError("required_when needs required: error, warning or info")
        return self

    @model_validator(mode="after")
    def _limits_speak_of_what_can_be_found(self) -> FieldDefinition:
        if "required" in self.limits and self.required is None:
            raise ValueError("limits of required need required: error, warning or info")
        if "unknown" in self.limits and self.type not in _FROM_A_LIST:
            raise ValueError("limits of unknown need a field of type vocabulary or country")
        if any(limits.by is not None for limits in self.limits.values()):
            raise ValueError("limits by segment are for checks and rules")
        return self


#: What of an entity and of a vocabulary neither reads a row nor is in any issue of it.
_IN_WORDS: Final[dict[str, Any]] = {
    "meaning": True,
    "owner": True,
    "fields": {
        "__all__": {
            "meaning": True,
            "owner": True,
            "personal": True,
            "checks": {"__all__": {"owner": True, "title": True}},
        }
    },
    "rules": {"__all__": {"owner": True, "title": True}},
}
_VALUES_IN_WORDS: Final[dict[str, Any]] = {
    "meaning": True,
    "owner": True,
    "values": {"__all__": {"meaning": True}},
}


class Belonging(Definition):
    """Which fields of a row say whose it is.

    The key counts where a record has it; else the address or number, where exactly one live
    customer owns it; else the visitor, where other rows of theirs say that it is one customer.

    Attributes:
        key: Field with the customer's key in the source that the row names.
        source: Field that names that source; where it is empty, the row's own source is meant.
        email: Field with an e-mail address of the customer.
        phone: Field with a phone number of the customer.
        visitor: Field with what a website knows a visitor by before they say who they are.
    """

    key: str
    source: str | None = None
    email: str | None = None
    phone: str | None = None
    visitor: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Part → field, of those that are declared."""
        return {part: name for part, name in self.model_dump().items() if name is not None}


class EntityDefinition(Definition):
    """One entity: its fields, its record rules and, bound when loaded, all it refers to.

    Attributes:
        entity: Its name, such as ``contact``.
        meaning: What one record stands for.
        owner: Who answers for its quality.
        fields: Canonical field name → definition, in the order of reports.
        rules: Rules about whole records.
        belongs_to: Entity → the fields by which a row says which one of these it belongs to.
        placeholders: Texts that people type for "nothing"; they count as missing in every field.
        vocabularies: Name → vocabulary, of all fields; filled by the loader.
        matching: How records of this entity are matched; filled by the loader, null = they are not.
    """

    entity: str
    meaning: str = ""
    owner: str = ""
    fields: dict[str, FieldDefinition] = Field(min_length=1)
    rules: tuple[RecordRule, ...] = ()
    belongs_to: dict[str, Belonging] = Field(default={})
    placeholders: tuple[str, ...] = ()
    vocabularies: dict[str, Vocabulary] = Field(default={}, exclude=True)
    matching: MatchingDefinition | None = Field(default=None, exclude=True)

    def fields_of_role(self, role: MatchRole) -> tuple[str, ...]:
        """Names of the fields that are evidence of ``role``, in their declared order."""
        return tuple(name for name, field in self.fields.items() if field.match is role)

    def fields_of_type(self, *types: FieldType) -> tuple[str, ...]:
        """Names of the fields that hold one of ``types``, in their declared order."""
        return tuple(name for name, field in self.fields.items() if field.type in types)

    @model_validator(mode="after")
    def _names_are_free(self) -> EntityDefinition:
        taken = [name for name in self.fields if name in TAKEN or "__" in name]
        if taken:
            raise ValueError(
                f"{', '.join(taken)}: the store uses such names itself; call the field "
                f"{self.entity}_{taken[0].replace('__', '_')}, say"
            )
        return self

    @property
    def is_customer(self) -> bool:
        """Whether records of it can be one and the same: a field is evidence of who they are.

        The rows of any other entity (deals, tickets, consents …) stand for themselves.
        """
        return any(field.match is not None for field in self.fields.values())

    @property
    def columns(self) -> dict[str, str]:
        """Stored field → DuckDB type: all fields but those that only intake reads."""
        return {
            name: COLUMN_TYPES.get(field.type, "VARCHAR")
            for name, field in self.fields.items()
            if name not in INTAKE_ONLY
        }

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what standardises, checks and merges a record.

        What only people read is left out: meanings, titles, owners. Labels of values are in it,
        since they are spellings of them too, and so are messages, which issues carry.
        """
        plain = {
            "entity": self.model_dump(mode="json", exclude=_IN_WORDS),
            "vocabularies": {
                name: vocabulary.model_dump(mode="json", exclude=_VALUES_IN_WORDS)
                for name, vocabulary in self.vocabularies.items()
            },
        }
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    @property
    def personal_fields(self) -> frozenset[str]:
        """Names of the fields that hold personal data."""
        return frozenset(name for name, field in self.fields.items() if field.personal)
