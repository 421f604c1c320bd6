from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Protocol

import pytest

from crm_quality.definitions import EntityDefinition, default_rules, load_rules

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = """
    entity: person
    owner: steward
    fields:
      name: {meaning: Name., type: surname, personal: true}
      mail: {meaning: Mail., type: email, personal: true, invalid: warning}
      mails: {meaning: More mail., type: emails, personal: true}
      phone: {meaning: Phone., type: phone, personal: true}
      site: {meaning: Site., type: url}
      born: {meaning: Day of birth., type: date, personal: true}
      made: {meaning: Created., type: datetime}
      seen: {meaning: Last seen., type: datetime}
      amount: {meaning: Amount., type: integer}
      price: {meaning: Price., type: decimal}
      active: {meaning: Active., type: boolean}
      land: {meaning: Country., type: country}
      stage: {meaning: Stage., type: vocabulary, vocabulary: stage}
      parent: {meaning: Parent's key., type: key}
      source_key: {meaning: Key., type: key}
"""
STAGES = "{vocabulary: stage, values: {lead: [Prospect], won: {}, lost: {}}}"


class Person(Protocol):
    def __call__(
        self, rules: str = "", *, fields: str = "", files: dict[str, str] | None = None
    ) -> EntityDefinition: ...


@pytest.fixture
def person(tmp_path: Path) -> Person:
    """The entity ``person`` with further rules and fields, as YAML."""

    def defined(
        rules: str = "", *, fields: str = "", files: dict[str, str] | None = None
    ) -> EntityDefinition:
        text = textwrap.dedent(FIELDS)
        if fields:
            text += textwrap.indent(textwrap.dedent(fields).strip(), "  ") + "\n"
        if rules:
            text += "rules:\n" + textwrap.indent(textwrap.dedent(rules).strip(), "  ") + "\n"
        every = {"entities/person.yml": text, "vocabularies/stage.yml": STAGES, **(files or {})}
        for name, content in every.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(content), encoding="utf-8")
        return load_rules(tmp_path).entity("person")

    return defined


@pytest.fixture(scope="session")
def contact() -> EntityDefinition:
    return default_rules().entity("contact")


@pytest.fixture(scope="session")
def company() -> EntityDefinition:
    return default_rules().entity("company")
