"""Every rule that a definition gives rise to, each with code, title, owner, message and advice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crm_quality.definitions import EntityDefinition, FieldDefinition, FieldType, Severity
from crm_quality.errors import NotFoundError
from crm_quality.validate.rule import Origin, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions import Check

_FREE_TEXT = frozenset(
    {FieldType.TEXT, FieldType.KEY, FieldType.GIVEN_NAME, FieldType.SURNAME, FieldType.NAME_SUFFIX,
     FieldType.STREET, FieldType.CITY}
)  # fmt: skip
_WORDS_OF_A_LIST = frozenset({FieldType.VOCABULARY, FieldType.COUNTRY, FieldType.STATE})

_DOUBTS = {
    FieldType.EMAIL: ("doubtful",),
    FieldType.EMAILS: ("doubtful",),
    FieldType.PHONE: ("ambiguous", "doubtful"),
    FieldType.PHONES: ("ambiguous", "doubtful"),
    FieldType.DATE: ("ambiguous",),
    FieldType.DATETIME: ("ambiguous",),
}

#: Note → (title, message, advice); ``{label}`` is the field in words.
_NOTES = {
    "placeholder": (
        "{label} holds no placeholder",
        "{label} holds a word for nothing; it counts as missing",
        "Leave the field empty when the value is not known.",
    ),
    "invalid": (
        "{label} can be read as {kind}",
        "{label} cannot be read as {kind} and was set aside",
        "Correct the value in its source; the text as it came is kept with the record.",
    ),
    "unknown": (
        "{label} is an accepted value",
        "{label} is not an accepted value",
        "Choose an accepted value, or add this text to the vocabulary as a synonym of one.",
    ),
    "ambiguous": (
        "{label} can be read in one way only",
        "{label} can be read in more than one way and was set aside",
        "State the order of day and month, or the country, of this source in its definition.",
    ),
    "doubtful": (
        "{label} is of a kind that is known to exist",
        "{label} is well formed, but nothing of its kind is known to exist; it was kept",
        "Look whether it is mistyped; tell the source if it is.",
    ),
    "repaired": (
        "{label} needs no repair",
        "{label} was repaired; the suggestion is what was understood",
        "Nothing, if the repair is right; correct the source so that it stays right.",
    ),
}
_PROBLEMS = {
    "ragged_row": (
        "A row has as many cells as the header",
        "the row has more or fewer cells than the header, so its cells cannot be told apart",
        "Look for an unquoted delimiter or line break in the row, and send it again.",
    ),
    "encoding": (
        "A row's characters can be read",
        "the row holds bytes that are no characters in the encoding of its file",
        "Save the file as UTF-8 and send it again.",
    ),
}
_OTHER_PROBLEM = (
    "A row can be read",
    "the row could not be read: {problem}",
    "Mend the row in its file and send it again.",
)
_KINDS = {
    FieldType.EMAIL: "an e-mail address",
    FieldType.EMAILS: "a list of e-mail addresses",
    FieldType.PHONE: "a phone number",
    FieldType.PHONES: "a list of phone numbers",
    FieldType.FULL_NAME: "a person's name",
    FieldType.COMPANY_NAME: "a company's name",
    FieldType.POSTCODE: "a postal code",
    FieldType.COUNTRY: "a country",
    FieldType.STATE: "a state or region",
    FieldType.URL: "a web address",
    FieldType.DOMAIN: "a domain",
    FieldType.IDENTIFIER: "an identification number",
    FieldType.DATE: "a date",
    FieldType.DATETIME: "a date and time",
    FieldType.BOOLEAN: "yes or no",
    FieldType.INTEGER: "a whole number",
    FieldType.DECIMAL: "a number",
}


def catalogue(definition: EntityDefinition) -> tuple[Rule, ...]:
    """All rules of one entity: of rows, of its fields in their order, and about whole records.

    Args:
        definition: The entity.

    Returns:
        The rules; no two have one code.
    """
    return tuple(_rules(definition))


def problem_rule(definition: EntityDefinition, problem: str) -> Rule:
    """The rule that reports rows that intake could not read because of ``problem``."""
    title, message, advice = _PROBLEMS.get(problem, _OTHER_PROBLEM)
    return Rule(
        code=f"{definition.entity}.row.{problem}",
        entity=definition.entity,
        field=None,
        title=title,
        owner=definition.owner,
        severity=Severity.ERROR,
        message=message.replace("{problem}", problem),
        origin=Origin.PROBLEM,
        advice=advice,
        note=problem,
    )


def note_rule(definition: EntityDefinition, name: str, note: str) -> Rule:
    """The rule that reports what standardising noted about the field ``name``.

    Raises:
        NotFoundError: There is no such note.
    """
    if note not in _NOTES:
        raise NotFoundError(f"there is no note {note!r} (there are: {', '.join(_NOTES)})")
    field = definition.fields[name]
    title, message, advice = (_in_words(text, name, field) for text in _NOTES[note])
    severity = {
        "invalid": field.invalid,
        "unknown": field.unknown,
        "ambiguous": Severity.WARNING,
    }.get(note, Severity.INFO)
    return Rule(
        code=f"{definition.entity}.{name}.{note}",
        entity=definition.entity,
        field=name,
        title=title,
        owner=field.owner or definition.owner,
        severity=severity,
        message=message,
        origin=Origin.NOTE,
        advice=advice,
        note=note,
    )


def _rules(definition: EntityDefinition) -> Iterator[Rule]:
    for problem in _PROBLEMS:
        yield problem_rule(definition, problem)
    for name, field in definition.fields.items():
        if field.required is not None:
            yield _required_rule(definition, name, field, field.required)
        for note in _notes_of(field.type):
            yield note_rule(definition, name, note)
        yield from _vocabulary_rules(definition, name, field)
        for check in field.checks:
            yield _check_rule(definition, name, field, check)
    for rule in definition.rules:
        field_owner = definition.fields[rule.field].owner if rule.field else ""
        yield Rule(
            code=rule.code,
            entity=definition.entity,
            field=rule.field,
            title=rule.title,
            owner=rule.owner or field_owner or definition.owner,
            severity=rule.severity,
            message=rule.message,
            origin=Origin.RECORD,
            advice="Correct the fields that the rule names in the record's source.",
            scope=rule.scope,
            record_rule=rule,
        )


def _notes_of(kind: FieldType) -> tuple[str, ...]:
    """The notes that standardising a field of this type can leave."""
    if kind is FieldType.KEY:
        return ()
    if kind in _FREE_TEXT:
        return ("placeholder",)
    if kind in _WORDS_OF_A_LIST:
        return ("placeholder", "unknown")
    return ("placeholder", "invalid", *_DOUBTS.get(kind, ()), "repaired")


def _required_rule(
    definition: EntityDefinition, name: str, field: FieldDefinition, severity: Severity
) -> Rule:
    filled = field.populated_when.rstrip(".")
    return Rule(
        code=f"{definition.entity}.{name}.required",
        entity=definition.entity,
        field=name,
        title=f"{label(name)} is filled" + (" where it must be" if field.required_when else ""),
        owner=field.owner or definition.owner,
        severity=severity,
        message=f"{label(name)} is missing" + (f"; to be filled: {filled}" if filled else ""),
        origin=Origin.REQUIRED,
        advice=f"Fill it: {field.meaning}",
    )


def _vocabulary_rules(
    definition: EntityDefinition, name: str, field: FieldDefinition
) -> Iterator[Rule]:
    vocabulary = definition.vocabularies.get(field.vocabulary or "")
    if vocabulary is None:
        return
    owner = field.owner or vocabulary.owner or definition.owner
    values = vocabulary.values.values()
    if any(value.valid_from or value.valid_to for value in values):
        yield Rule(
            code=f"{definition.entity}.{name}.expired",
            entity=definition.entity,
            field=name,
            title=f"{label(name)} was valid when the record was last changed",
            owner=owner,
            severity=field.unknown,
            message=f"{label(name)} was not valid yet, or no longer, when it was last changed",
            origin=Origin.VOCABULARY,
            advice="Choose a value that is valid, or extend its validity in the vocabulary.",
            note="expired",
        )
    if any(value.replaced_by for value in values):
        yield Rule(
            code=f"{definition.entity}.{name}.deprecated",
            entity=definition.entity,
            field=name,
            title=f"{label(name)} is not deprecated",
            owner=owner,
            severity=Severity.INFO,
            message=f"{label(name)} is deprecated; the suggestion replaces it",
            origin=Origin.VOCABULARY,
            advice="Use the replacing value in the source.",
            note="deprecated",
        )


def _check_rule(
    definition: EntityDefinition, name: str, field: FieldDefinition, check: Check
) -> Rule:
    title, message = _described(name, check)
    return Rule(
        code=check.code or f"{definition.entity}.{name}.{check.check}",
        entity=definition.entity,
        field=name,
        title=check.title or title,
        owner=check.owner or field.owner or definition.owner,
        severity=check.severity,
        message=check.message or message,
        origin=Origin.CHECK,
        advice="Correct the value in the record's source.",
        scope="store" if check.check == "unique" else "record",
        check=check,
    )


def _described(name: str, check: Check) -> tuple[str, str]:
    """Title and message of a check that gives none."""
    words = label(name)
    if check.check == "unique":
        return f"{words} occurs once", f"{words} occurs more than once"
    if check.check in {"pattern", "excludes"}:
        return f"{words} has its form", f"{words} does not have the form that is asked for"
    unit = " characters" if check.check == "length" else ""
    bounds = f"from {check.min} to {check.max}"
    if check.min is None or check.max is None:
        bounds = f"at most {check.max}" if check.min is None else f"at least {check.min}"
    has = "has" if check.check == "length" else "is"
    return f"{words} {has} {bounds}{unit}", f"{words} {has} not {bounds}{unit}"


def label(name: str) -> str:
    """A field's name in words: ``date_of_birth`` → ``Date of birth``."""
    words = re.sub(r"\bemail", "e-mail", name.replace("_", " "))
    for short in ("url", "vat", "id"):
        words = " ".join(short.upper() if word == short else word for word in words.split())
    return words[:1].upper() + words[1:]


def _in_words(text: str, name: str, field: FieldDefinition) -> str:
    kind = _KINDS.get(field.type, "what it should be")
    return text.replace("{label}", label(name)).replace("{kind}", kind)
