"""The rule language: conditions, checks of one field and rules about whole records."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from crm_quality.definitions.model import Definition, Severity
from crm_quality.definitions.moments import is_span
from crm_quality.definitions.pattern import checked_pattern

Pattern = Annotated[str, AfterValidator(checked_pattern)]
#: A count of records such as ``10``, or a share of them such as ``0.5%``.
Allowance = Annotated[str, Field(pattern=r"^\d+$|^(100(\.0+)?|\d{1,2}(\.\d+)?)%$")]

Part = Literal["domain", "local_part", "length", "year"]


def _checked_span(text: str) -> str:
    if not is_span(text):
        raise ValueError(f"{text!r} is no length of time; write a count and d, w, mo or y: 18mo")
    return text


Span = Annotated[str, AfterValidator(_checked_span)]


def _or_text(schema: dict[str, Any]) -> None:
    """Tell editors that the bare text stands for ``{value: text}``."""
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, whole]


class Operand(Definition):
    """What a value is compared with: a text as it stands, or another field of the record.

    Attributes:
        value: A text, number, truth value or day: ``today``, ``today-16y``, ``2024-01-31``.
            Written bare: ``at_most: today`` means ``at_most: {value: today}``.
        field: The other field.
        plus: A length of time that is added to the other field: ``30d``, ``2w``, ``18mo``, ``1y``.
    """

    model_config = ConfigDict(json_schema_extra=_or_text)

    value: str | None = None
    field: str | None = None
    plus: Span | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, data: object) -> object:
        return data if isinstance(data, dict | Operand) else {"value": data}

    @model_validator(mode="after")
    def _says_one_thing(self) -> Operand:
        if (self.value is None) == (self.field is None):
            raise ValueError("compare with a value, or with {field: NAME}")
        if self.plus is not None and self.field is None:
            raise ValueError("plus is added to a field; write today+30d for a moving day")
        return self


class Condition(Definition):
    """A statement about one record: tests of one field, or a combination of statements.

    A test other than ``present`` has no answer where a value is missing, and an expectation
    without an answer is not broken: say ``present: true`` where absence is a fault.
    Days are compared with times by their day in UTC.

    Attributes:
        field: The field that is tested, by its canonical name; or ``source``.
        part: What of it is tested: ``domain`` (of an e-mail address or URL, without ``www``),
            ``local_part`` (of an e-mail address), ``length`` (in characters), ``year``.
        present: True = the field has a value, False = it is missing.
        equals: The value is this one.
        among: The value is one of these texts.
        matches: The value holds this pattern (Rust syntax; anchor it with ^ and $).
        at_least: The value is this or more, or this day or later.
        at_most: The value is this or less, or this day or earlier.
        above: The value is more than this, or later.
        below: The value is less than this, or earlier.
        agrees_with: The other field says the same in its own way: a phone number and a country,
            an e-mail address and a website, two texts but for case and accents.
        all_of: Every one of these holds.
        any_of: At least one of these holds.
        not_: This does not hold.
    """

    field: str | None = None
    part: Part | None = None
    present: bool | None = None
    equals: Operand | None = None
    among: tuple[str, ...] | None = Field(default=None, alias="in", min_length=1)
    matches: Pattern | None = None
    at_least: Operand | None = None
    at_most: Operand | None = None
    above: Operand | None = None
    below: Operand | None = None
    agrees_with: str | None = None
    all_of: tuple[Condition, ...] | None = Field(default=None, alias="all", min_length=1)
    any_of: tuple[Condition, ...] | None = Field(default=None, alias="any", min_length=1)
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Condition:
        groups = sum(part is not None for part in (self.all_of, self.any_of, self.not_))
        on_field = self.field is not None or bool(self.tests) or self.part is not None
        if groups + on_field != 1:
            raise ValueError("a condition is tests of one field, or one of all, any, not")
        if on_field and (self.field is None or not self.tests):
            raise ValueError(
                "a test needs a field, and a field a test: present, equals, in, matches, "
                "at_least, at_most, above, below or agrees_with"
            )
        return self

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the tests that are stated, in their declared order."""
        names = ("present", "equals", "among", "matches", *self.comparisons, "agrees_with")
        return tuple(name for name in names if getattr(self, name) is not None)

    @property
    def comparisons(self) -> tuple[str, ...]:
        """Names of the stated tests that compare by size."""
        names = ("at_least", "at_most", "above", "below")
        return tuple(name for name in names if getattr(self, name) is not None)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The statements that this one combines."""
        return (*(self.all_of or ()), *(self.any_of or ()), *((self.not_,) if self.not_ else ()))


class Limits(Definition):
    """How many failing records change what a check ends as; each record keeps its issue.

    Attributes:
        pass_up_to: With no more failing records than this the check has passed: ``10``, ``0.5%``.
        fail_above: With more failing records than this it has failed, whatever its severity.
        by: Count within each value of this field or of ``source``; the worst one decides.
    """

    pass_up_to: Allowance | None = None
    fail_above: Allowance | None = None
    by: str | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Limits:
        if self.pass_up_to is None and self.fail_above is None:
            raise ValueError("limits need pass_up_to or fail_above")
        return self


class Check(Definition):
    """One check of one field's canonical value; a missing value passes every check.

    Attributes:
        check: ``length`` (characters, ``min`` and ``max``), ``range`` (numbers, or days such as
            ``today-16y``, ``min`` and ``max`` both allowed), ``pattern`` (the value holds
            ``regex``), ``excludes`` (it does not), ``unique`` (no other entity of the store has
            the value).
        severity: What a failing value does to its record.
        code: Stable code; null = ``<entity>.<field>.<check>``.
        title: What holds when the check passes; null = made from the check.
        message: What to tell the person who entered the value; null = made from the check.
        owner: Who answers for it; empty = the field's owner.
        where: Only records where this holds are checked.
        min: Least length, number or day.
        max: Greatest length, number or day.
        regex: The pattern, Rust syntax.
        limits: How many failing records are too many.
    """

    check: Literal["length", "pattern", "excludes", "range", "unique"]
    severity: Severity = Severity.WARNING
    code: str | None = None
    title: str | None = None
    message: str | None = None
    owner: str = ""
    where: Condition | None = None
    min: str | None = None
    max: str | None = None
    regex: Pattern | None = None
    limits: Limits | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Check:
        bounded = self.min is not None or self.max is not None
        if (self.check in {"length", "range"}) != bounded:
            raise ValueError("length and range, and no others, need min or max")
        if (self.check in {"pattern", "excludes"}) != (self.regex is not None):
            raise ValueError("pattern and excludes, and no others, need regex")
        return self


class Reference(Definition):
    """Every value of a field is the key of a record of some entity.

    With ``agrees`` the rule asks instead that a record which is found says the same: it does not
    speak of values that lead nowhere.

    Attributes:
        field: The field that holds the key; names of companies are compared without legal form.
        entity: The entity that it points to.
        key: The field there that it is compared with.
        agrees: Field here → field there that says the same in its own way, as ``agrees_with``.
    """

    field: str
    entity: str
    key: str = "source_key"
    agrees: dict[str, str] = Field(default={})


class Children(Definition):
    """How many records of another entity point here.

    Attributes:
        entity: The other entity.
        field: The field there that holds this record's key.
        key: The field here that it is compared with.
        where: Only those there count for which this holds; null = all.
        min: At least this many.
        max: At most this many.
    """

    entity: str
    field: str
    key: str = "source_key"
    where: Condition | None = None
    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_bounded(self) -> Children:
        if self.min is None and self.max is None:
            raise ValueError("children need min or max")
        return self


class Freshness(Definition):
    """Something new has come lately: the latest day of a field is not too long ago.

    Attributes:
        field: A date or time.
        within: The greatest age of its latest value: ``2d``, ``1mo``.
        by: Look at each value of this field or of ``source`` by itself.
    """

    field: str
    within: Span
    by: str | None = None


class RecordRule(Definition):
    """A rule about whole records: where ``where`` holds, what it states must hold.

    Exactly one of ``expect``, ``sql``, ``unique``, ``references``, ``children`` and ``fresh`` is
    stated; the last four speak of many records at once and have scope ``store``.

    Attributes:
        code: Stable code, ``<entity>.<name>`` or ``<entity>.<field>.<name>``.
        title: What holds when the rule is kept.
        message: What to tell the person who entered the record. ``{name}`` stands for the value
            of that field, which must not be personal.
        expect: What must hold of each record.
        sql: The same as one SQL expression over the record's fields, read-only; null passes.
        unique: These fields together occur once; records without any of them are left out.
        references: A field points to a record that exists.
        children: Other records point to this one.
        fresh: Something new has come lately.
        where: Only records where this holds are checked.
        severity: What a broken rule does to its record; rules of scope ``store`` raise issues and
            quarantine nothing.
        field: The field to mend; null = no single one.
        owner: Who answers for it; empty = the entity's owner.
        scope: ``record`` = checked on each record as it comes; ``store`` = on the golden records.
        limits: How many failing records are too many.
    """

    code: str
    title: str
    message: str
    expect: Condition | None = None
    sql: str | None = None
    unique: tuple[str, ...] | None = Field(default=None, min_length=1)
    references: Reference | None = None
    children: Children | None = None
    fresh: Freshness | None = None
    where: Condition | None = None
    severity: Severity = Severity.WARNING
    field: str | None = None
    owner: str = ""
    scope: Literal["record", "store"] = "record"
    limits: Limits | None = None

    @model_validator(mode="before")
    @classmethod
    def _rules_about_many_records_are_store_rules(cls, data: object) -> object:
        many = {"unique", "references", "children", "fresh"}
        if isinstance(data, dict) and many & data.keys() and "scope" not in data:
            return {**data, "scope": "store"}
        return data

    @model_validator(mode="after")
    def _states_one_thing(self) -> RecordRule:
        many = (self.unique, self.references, self.children, self.fresh)
        stated = sum(part is not None for part in (self.expect, self.sql, *many))
        if stated != 1:
            raise ValueError(
                "a rule states exactly one of expect, sql, unique, references, children, fresh"
            )
        if self.scope == "record" and any(part is not None for part in many):
            raise ValueError("unique, references, children and fresh need scope: store")
        return self
