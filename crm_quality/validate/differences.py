"""Two rule sets: what one has that the other has not, and what they say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.validate.catalogue import catalogue
from crm_quality.validate.rule import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crm_quality.definitions import Definition, EntityDefinition, RuleSet, Vocabulary
    from crm_quality.validate.rule import Rule

#: Columns of a frame of differences: ``kind`` is entity, field, rule, value, vocabulary, source or
#: matching; ``change`` is added, removed or changed; ``detail`` says what, null = the whole.
DIFFERENCES = pl.Schema(
    {
        "kind": pl.String(),
        "name": pl.String(),
        "change": pl.String(),
        "detail": pl.String(),
    }
)
_LONGEST = 60


def differences(old: RuleSet, new: RuleSet) -> pl.DataFrame:
    """What changes between two rule sets, in the order of kinds and names.

    Args:
        old: The rules before.
        new: The rules after.

    Returns:
        Frame of `DIFFERENCES`; empty for rules that mean the same.
    """
    rows = [
        *_named("entity", old.entities, new.entities, _entity_details),
        *_fields(old, new),
        *_rules(old, new),
        *_named("vocabulary", old.vocabularies, new.vocabularies, _vocabulary_details),
        *_values(old.vocabularies, new.vocabularies),
        *_named("source", old.sources, new.sources, _all_keys),
        *_named("matching", old.matching, new.matching, _all_keys),
    ]
    return pl.DataFrame(rows, schema=DIFFERENCES, orient="row")


def _named(
    kind: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    details: Any,  # noqa: ANN401
) -> Iterator[tuple[str, str, str, str | None]]:
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            yield kind, name, "added" if name in new else "removed", None
        elif said := details(old[name], new[name]):
            yield kind, name, "changed", said


def _entity_details(old: EntityDefinition, new: EntityDefinition) -> str:
    said = _changed_keys(old, new, leave={"fields", "rules"})
    return "; ".join(said)


def _vocabulary_details(old: Vocabulary, new: Vocabulary) -> str:
    return "; ".join(_changed_keys(old, new, leave={"values"}))


def _all_keys(old: Definition, new: Definition) -> str:
    return "; ".join(_changed_keys(old, new, leave=set()))


def _fields(old: RuleSet, new: RuleSet) -> Iterator[tuple[str, str, str, str | None]]:
    for entity in old.entities:
        if entity in new.entities:
            before, after = old.entities[entity].fields, new.entities[entity].fields
            for kind, name, change, detail in _named("field", before, after, _field_details):
                yield kind, f"{entity}.{name}", change, detail


def _field_details(old: Definition, new: Definition) -> str:
    # checks, and whether it is required, are rules of their own
    return "; ".join(_changed_keys(old, new, leave={"checks", "required", "unknown", "invalid"}))


def _rules(old: RuleSet, new: RuleSet) -> Iterator[tuple[str, str, str, str | None]]:
    before = {rule.code: rule for e in old.entities.values() for rule in catalogue(e)}
    after = {rule.code: rule for e in new.entities.values() for rule in catalogue(e)}
    for kind, name, change, detail in _named("rule", before, after, _rule_details):
        rule = after.get(name) or before[name]
        # what every field of a type is read by comes and goes with the field
        if change == "changed" or rule.origin is not Origin.NOTE or _stays(rule, old, new):
            yield kind, name, change, detail


def _stays(rule: Rule, old: RuleSet, new: RuleSet) -> bool:
    """Whether both rule sets have the field that a rule speaks of."""
    have = [rules.entities.get(rule.entity) for rules in (old, new)]
    return all(entity is not None and rule.field in entity.fields for entity in have)


def _rule_details(old: Rule, new: Rule) -> str:
    said = [
        f"{key}: {_short(getattr(old, key))} → {_short(getattr(new, key))}"
        for key in ("severity", "scope", "field", "owner", "title", "message")
        if getattr(old, key) != getattr(new, key)
    ]
    told = {"severity", "scope", "field", "owner", "title", "message", "code"}
    stated, states = old.check or old.record_rule, new.check or new.record_rule
    if stated is not None and states is not None and type(stated) is type(states):
        said.extend(_changed_keys(stated, states, leave=told))
    return "; ".join(said)


def _values(
    old: Mapping[str, Vocabulary], new: Mapping[str, Vocabulary]
) -> Iterator[tuple[str, str, str, str | None]]:
    for name in old:
        if name not in new:
            continue
        before, after = old[name].values, new[name].values
        for value in dict.fromkeys((*before, *after)):
            if value not in before or value not in after:
                yield "value", f"{name}.{value}", "added" if value in after else "removed", None
            elif said := _value_details(before[value], after[value]):
                yield "value", f"{name}.{value}", "changed", said


def _value_details(old: Any, new: Any) -> str:  # noqa: ANN401 - accepted values
    said = _changed_keys(old, new, leave={"synonyms"})
    for word, has, lacks in (("new", new, old), ("no longer", old, new)):
        words = [text for text in has.synonyms if text not in lacks.synonyms]
        if words:
            said.append(f"synonyms {word}: {_listed(words)}")
    return "; ".join(said)


def _changed_keys(old: Definition, new: Definition, *, leave: set[str]) -> list[str]:
    before = old.model_dump(mode="json", by_alias=True)
    after = new.model_dump(mode="json", by_alias=True)
    return [
        said
        for key in before
        if key not in leave
        for said in _changed(key, before.get(key), after.get(key))
    ]


def _changed(way: str, old: object, new: object) -> Iterator[str]:
    """Every part that differs, with the way to it: ``expect.at_least: today-2y → today-3y``."""
    if old == new:
        return
    before, after = _bare(old), _bare(new)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _changed(f"{way}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and _are_words(before + after):
        for word, words in (
            ("new", [text for text in after if text not in before]),
            ("no longer", [text for text in before if text not in after]),
        ):
            if words:
                yield f"{way} {word}: {_short(_listed(words))}"
        if sorted(before) == sorted(after):
            yield f"{way}: another order"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True), start=1):
            yield from _changed(f"{way}[{number}]", *pair)
    else:
        yield f"{way}: {_short(before)} → {_short(after)}"


def _bare(value: object) -> Any:  # noqa: ANN401 - any part of a definition
    """Without what says nothing: empty keys, and ``{value: x}`` for ``x``."""
    if not isinstance(value, dict):
        return value
    said = {key: part for key, part in value.items() if part is not None}
    return said["value"] if set(said) == {"value"} else said


def _are_words(parts: list[object]) -> bool:
    return all(isinstance(part, str) for part in parts)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _short(value: object) -> str:
    text = "none" if value in (None, "", [], {}) else _written(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _written(value: object) -> str:
    """As the rule language writes it, on one line."""
    value = _bare(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
