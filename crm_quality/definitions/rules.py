"""The rule language: conditions, checks of one field and rules about a whole record."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from crm_quality.definitions.model import Definition, Severity


class Condition(Definition):
    """A statement about one record: a test of one field, or a combination of statements.

    Attributes:
        field: The field that is tested, by its canonical name.
        present: True = the field has a value, False = it is missing.
        equals: The field's value is this text.
        among: The field's value is one of these texts.
        all_of: Every one of these holds.
        any_of: At least one of these holds.
        not_: This does not hold.
    """

    field: str | None = None
    present: bool | None = None
    equals: str | None = None
    among: tuple[str, ...] | None = Field(default=None, alias="in")
    all_of: tuple[Condition, ...] | None = Field(default=None, alias="all")
    any_of: tuple[Condition, ...] | None = Field(default=None, alias="any")
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Condition:
        tests = [self.present, self.equals, self.among]
        groups = [self.all_of, self.any_of, self.not_]
        stated = sum(part is not None for part in (*tests, *groups))
        if stated != 1:
            raise ValueError("a condition says exactly one of present, equals, in, all, any, not")
        if any(part is not None for part in tests) != (self.field is not None):
            raise ValueError("present, equals and in need a field; all, any and not have none")
        return self


class Check(Definition):
    """One check of one field's canonical value; a missing value passes every check."""

    check: Literal["length", "pattern", "range", "unique"]
    severity: Severity = Severity.WARNING
    code: str | None = None
    message: str | None = None
    min: str | None = None
    max: str | None = None
    regex: str | None = None


class RecordRule(Definition):
    """A rule about a whole record: where ``where`` holds, ``expect`` must hold."""

    code: str
    title: str
    expect: Condition
    where: Condition | None = None
    severity: Severity = Severity.WARNING
    message: str
    field: str | None = None
    owner: str = ""
