"""Every rule that a definition gives rise to, each with code, title, owner, message and advice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crm_quality.definitions import EntityDefinition, FieldDefinition, Severity
from crm_quality.errors import NotFoundError
from crm_quality.validate.note_texts import KINDS, NOTES, NOTES_OF, note_text
from crm_quality.validate.rule import Origin, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions import Check

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
    if note not in NOTES:
        raise NotFoundError(f"there is no note {note!r} (there are: {', '.join(NOTES)})")
    field = definition.fields[name]
    text = note_text(field.type, note)
    severity = {"invalid": field.invalid, "unknown": field.unknown}.get(note, text.severity)
    return Rule(
        code=f"{definition.entity}.{name}.{note}",
        entity=definition.entity,
        field=name,
        title=_in_words(text.title, name, field),
        owner=field.owner or definition.owner,
        severity=severity,
        message=_in_words(text.message, name, field),
        origin=Origin.NOTE,
        advice=text.advice,
        note=note,
        field_limits={str(kind): limits for kind, limits in field.limits.items()}.get(note),
    )


def _rules(definition: EntityDefinition) -> Iterator[Rule]:
    for problem in _PROBLEMS:
        yield problem_rule(definition, problem)
    for name, field in definition.fields.items():
        if field.required is not None:
            yield _required_rule(definition, name, field, field.required)
        for note in NOTES_OF[field.type]:
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
        field_limits=field.limits.get("required"),
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
    for short in ("url", "vat", "id", "mql", "sql"):
        words = " ".join(short.upper() if word == short else word for word in words.split())
    return words[:1].upper() + words[1:]


def _in_words(text: str, name: str, field: FieldDefinition) -> str:
    kind = KINDS.get(field.type, "what it should be")
    return text.replace("{label}", label(name)).replace("{kind}", kind)
