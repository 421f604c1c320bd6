"""The catalogue of rules as a page for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.validate.catalogue import catalogue
from crm_quality.validate.rule import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.validate.rule import Rule

_HEAD = """\
# Rules

Every rule of the default pack. This page is made from `rules/entities/*.yml` and
`rules/vocabularies/*.yml`; change a rule there. How rules are written stands in
[the rule language](rule-language.md).

An issue of severity **error** quarantines its record, **warning** and **info** travel with it.
Rules of scope *store* look at many records at once, run over the golden records and quarantine
nothing. A check ends as

| Status | Meaning |
| --- | --- |
| passed | no record breaks the rule, or no more than its limits let pass |
| warned | records break it, and its severity is warning or info |
| failed | records break it, and its severity is error, or they are more than its limits bear |
| errored | it could not be carried out |
| skipped | there was nothing to check: no such column, or no value in it |
"""
_TITLES = {
    "rows": "Rows",
    "records": "Whole records",
}
_COLUMNS = "| Code | What holds | Severity | Owner | What people are told | What to do |"


def rules_reference(rules: RuleSet) -> str:
    """The rules of every entity as Markdown.

    Args:
        rules: The rule set.

    Returns:
        The page; each rule's code is an anchor (``#contact.email.invalid``), which reports link
        to.
    """
    parts = [_HEAD]
    for name in sorted(rules.entities, reverse=True):
        parts.extend(_entity(rules.entity(name)))
    return "\n".join(parts)


def _entity(definition: EntityDefinition) -> Iterator[str]:
    yield f"## {definition.entity}\n\n{definition.meaning}\n"
    rules = catalogue(definition)
    sections: dict[str, list[Rule]] = {}
    for rule in rules:
        sections.setdefault(_section(rule), []).append(rule)
    for section, members in sections.items():
        field = definition.fields.get(section)
        title = _TITLES.get(section, f"`{section}`") if field is None else f"`{section}`"
        about = f"\n{field.meaning}\n" if field is not None else ""
        yield f"### {definition.entity}: {title}\n{about}"
        yield _COLUMNS
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from (_row(rule) for rule in members)
        yield ""


def _section(rule: Rule) -> str:
    if rule.origin is Origin.PROBLEM:
        return "rows"
    return "records" if rule.origin is Origin.RECORD else rule.field or "records"


def _row(rule: Rule) -> str:
    severity = rule.severity.value + (", store" if rule.scope == "store" else "")
    code = f'<a id="{rule.code}"></a>`{rule.code}`'
    cells = (code, rule.title, severity, rule.owner, rule.message, rule.advice)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
