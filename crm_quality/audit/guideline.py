"""The entry guideline: what each field wants, in short sentences, written from the definitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from crm_quality.audit.headline import title_of
from crm_quality.definitions import FieldType, Severity
from crm_quality.validate import Origin, catalogue
from crm_quality.validate.catalogue import label
from crm_quality.validate.wording import in_words

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.definitions import EntityDefinition, FieldDefinition, RuleSet, Vocabulary
    from crm_quality.validate import Rule

#: A longer list of accepted values is told by its number and its first few.
MOST_VALUES = 40
_FEW, _WORDS = 6, 8

_HOW = {
    FieldType.EMAIL: ("One address.", ("ann.lee@example.com",)),
    FieldType.EMAILS: ("A semicolon between two of them.", ("ann@example.com; a.lee@example.net",)),
    FieldType.PHONE: (
        "With the country's code and a plus in front. Blanks do no harm.",
        ("+44 20 7946 0018", "+1 202 555 0143"),
    ),
    FieldType.PHONES: ("A semicolon between two of them.", ("+44 20 7946 0018; +1 202 555 0143",)),
    FieldType.DATE: ("Year, month, day.", ("1985-07-31",)),
    FieldType.DATETIME: ("Year, month, day, then the time.", ("2025-03-14 09:30",)),
    FieldType.BOOLEAN: ("Yes or no. Leave it empty when you do not know.", ("yes", "no")),
    FieldType.INTEGER: ("A whole number, without words.", ("120",)),
    FieldType.DECIMAL: ("A number, without a sign of a currency.", ("1250.50",)),
    FieldType.URL: ("The whole web address.", ("https://www.example.com",)),
    FieldType.DOMAIN: ("What stands after the @ of their addresses.", ("example.com",)),
    FieldType.COUNTRY: ("The name of the country or its two letters.", ("Germany", "DE")),
    FieldType.POSTCODE: ("As the post of that country writes it.", ("SW1A 1AA", "10115")),
    FieldType.STATE: ("The name or the short form.", ("California", "CA")),
    FieldType.GIVEN_NAME: ("As the person writes it, not in capitals.", ("Ann", "Jean-Luc")),
    FieldType.SURNAME: ("As the person writes it, not in capitals.", ("van der Berg", "O'Neill")),
    FieldType.FULL_NAME: ("Given name, then family name.", ("Ann van der Berg",)),
    FieldType.COMPANY_NAME: ("The full name with its legal form.", ("Acme Widgets Ltd",)),
    FieldType.CITY: ("The town alone, without its postal code.", ("Bergen",)),
    FieldType.STREET: ("Street and number.", ("14 Mill Lane",)),
    FieldType.IDENTIFIER: ("As it stands on the document.", ()),
    FieldType.KEY: ("Systems fill this; do not change it.", ()),
}  # fmt: skip
#: What becomes of a record that breaks a rule, in one word; the page explains the words once.
CONSEQUENCES = {Severity.ERROR: "waits", Severity.WARNING: "to mend", Severity.INFO: "counted"}


@dataclass(frozen=True)
class ValueGuide:
    """One accepted value: what people see, when to use it, what else is understood as it."""

    label: str
    meaning: str
    words: tuple[str, ...]
    remark: str


@dataclass(frozen=True)
class RuleGuide:
    """One thing that must hold, what happens when it does not, and what to do then."""

    code: str
    title: str
    consequence: str
    advice: str


@dataclass(frozen=True)
class FieldGuide:
    """One field, for the person who fills it.

    Attributes:
        name: Its name in files.
        label: Its name in words.
        meaning: What it says.
        owner: Who answers for it.
        personal: Whether it holds personal data.
        filled: When people fill it; empty = when they know it.
        must: When it has to be filled; empty = it may stay empty.
        missing: What happens when it has to be and is not.
        how: How to write it.
        examples: Values that are right; invented.
        values: Accepted values.
        unlisted: Accepted values beyond those in ``values``.
        unknown: What happens to a value that is not accepted.
        rules: What else must hold.
    """

    name: str
    label: str
    meaning: str
    owner: str
    personal: bool
    filled: str
    must: str
    missing: str
    how: str
    examples: tuple[str, ...]
    values: tuple[ValueGuide, ...]
    unlisted: int
    unknown: str
    rules: tuple[RuleGuide, ...]


@dataclass(frozen=True)
class EntityGuide:
    """One kind of record: its fields and what must hold of the whole."""

    entity: str
    title: str
    meaning: str
    owner: str
    placeholders: tuple[str, ...]
    fields: tuple[FieldGuide, ...]
    rules: tuple[RuleGuide, ...]


def guideline(rules: RuleSet) -> tuple[EntityGuide, ...]:
    """What people who enter data need to know, of each entity, contacts first.

    A pure function of the definitions: the same rules give the same guideline.
    """
    names = sorted(rules.entities, key=lambda name: (name != "contact", name))
    return tuple(_entity(rules.entities[name]) for name in names)


def render_guideline(rules: RuleSet, *, html: bool = False) -> str:
    """The guideline as Markdown, or as one self-contained page for a browser."""
    template = _environment().get_template("guideline.html.j2" if html else "guideline.md.j2")
    return template.render(entities=guideline(rules)).rstrip("\n") + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("crm_quality.audit"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = lambda text: text.replace("|", "\\|").replace("\n", " ")
    return environment


def _entity(definition: EntityDefinition) -> EntityGuide:
    rules = catalogue(definition)
    told = [rule for rule in rules if rule.origin in {Origin.CHECK, Origin.RECORD}]
    of_field: dict[str | None, list[RuleGuide]] = {}
    for rule in told:
        of_field.setdefault(rule.field, []).append(_rule(rule, definition))
    return EntityGuide(
        entity=definition.entity,
        title=title_of(definition.entity),
        meaning=definition.meaning,
        owner=definition.owner,
        placeholders=definition.placeholders,
        fields=tuple(
            _field(name, field, definition, of_field.get(name, []))
            for name, field in definition.fields.items()
        ),
        rules=tuple(of_field.get(None, [])),
    )


def _field(
    name: str, field: FieldDefinition, definition: EntityDefinition, rules: list[RuleGuide]
) -> FieldGuide:
    must = ""
    if field.required is not None:
        must = "always" if field.required_when is None else _when(field, definition)
    how, examples = _HOW.get(field.type, ("", ()))
    vocabulary = definition.vocabularies.get(field.vocabulary or "")
    values, unlisted = _values(vocabulary)
    if field.type is FieldType.VOCABULARY:
        how, examples = "Choose one of the values below.", ()
    return FieldGuide(
        name=name,
        label=label(name),
        meaning=field.meaning,
        owner=field.owner or definition.owner,
        personal=field.personal,
        filled=field.populated_when.rstrip("."),
        must=must,
        missing=CONSEQUENCES[field.required] if field.required is not None else "",
        how=how,
        examples=examples,
        values=values,
        unlisted=unlisted,
        unknown=CONSEQUENCES[field.unknown] if vocabulary is not None else "",
        rules=tuple(rules),
    )


def _when(field: FieldDefinition, definition: EntityDefinition) -> str:
    condition = field.required_when
    return "" if condition is None else f"when {in_words(condition, definition)}"


def _values(vocabulary: Vocabulary | None) -> tuple[tuple[ValueGuide, ...], int]:
    if vocabulary is None:
        return (), 0
    most = MOST_VALUES if len(vocabulary.values) <= MOST_VALUES else _FEW
    guides = tuple(
        ValueGuide(
            label=details.label or value,
            meaning=details.meaning,
            words=details.synonyms[:_WORDS],
            remark=_remark(vocabulary, details.valid_from, details.valid_to, details.replaced_by),
        )
        for value, details in list(vocabulary.values.items())[:most]
    )
    return guides, len(vocabulary.values) - len(guides)


def _remark(
    vocabulary: Vocabulary, first: date | None, last: date | None, replaced_by: str | None
) -> str:
    parts = []
    if replaced_by is not None:
        parts.append(f"use {vocabulary.values[replaced_by].label or replaced_by} instead")
    if first is not None:
        parts.append(f"from {first.isoformat()}")
    if last is not None:
        parts.append(f"until {last.isoformat()}")
    return ", ".join(parts)


def _rule(rule: Rule, definition: EntityDefinition) -> RuleGuide:
    stated = rule.check or rule.record_rule
    where = stated.where if stated is not None else None
    when = f" when {in_words(where, definition)}" if where is not None else ""
    consequence = CONSEQUENCES[rule.severity]
    if rule.scope == "store" and rule.severity is Severity.ERROR:
        # a rule about many records quarantines none of them
        consequence = CONSEQUENCES[Severity.WARNING]
    _, _, advice = rule.message.partition("; ")
    return RuleGuide(rule.code, rule.title + when, consequence, _sentence(advice))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
