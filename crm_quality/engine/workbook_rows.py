"""The lines of a workbook of corrections: each value that is wrong, with its reasons."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.definitions import FieldType, MatchRole
from crm_quality.engine.fixing import texts_in_force
from crm_quality.engine.waiting import owned
from crm_quality.store.quarantine import mendable_issues
from crm_quality.validate import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crm_quality.definitions import Condition, EntityDefinition, RuleSet
    from crm_quality.store import Store
    from crm_quality.validate import Rule

#: Fields that a person knows a record by.
_KNOWN_BY = (
    MatchRole.GIVEN_NAME,
    MatchRole.SURNAME,
    MatchRole.COMPANY_NAME,
    MatchRole.EMAIL,
    MatchRole.PHONE,
)


@dataclass(frozen=True)
class Line:
    """One value of one record that somebody should look at.

    Attributes:
        owner: Who answers for the rules.
        entity: The record's entity.
        record_id: The record.
        source: Its source.
        source_key: Its key there.
        known_by: What a person knows it by.
        field: The field.
        value: Its text at present; null = empty.
        must: It holds the record in quarantine; else it is a warning.
        reasons: What is wrong, each once.
        suggestion: What was probably meant.
        seal: Tells later whether the row or this value has changed since.
    """

    owner: str
    entity: str
    record_id: int
    source: str
    source_key: str
    known_by: str
    field: str
    value: str | None
    must: bool
    reasons: tuple[str, ...]
    suggestion: str | None
    seal: str


def seal(content_hash: str, field: str, text: str | None) -> str:
    """A short digest of a source's row and of what one field says at present."""
    told = "\x1f".join((content_hash, field, "" if text is None else f"={text}"))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def lines_to_mend(store: Store, rules: RuleSet, records: pl.DataFrame) -> Iterator[Line]:
    """What each owner has to mend of the records that wait.

    An owner gets a record if a rule of theirs holds it; beside their errors they get their warnings
    on it. An issue of no single field gives a line for each field that its rule reads.

    Args:
        store: The open store.
        rules: The project's rules.
        records: ``entity``, ``record_id`` in the wanted order.

    Yields:
        The lines, record by record.
    """
    asked = mendable_issues(store).join(
        records, on=["entity", "record_id"], how="semi", maintain_order="left"
    )
    issues = owned(asked, rules)
    for (name,), part in records.group_by("entity", maintain_order=True):
        definition = rules.entity(str(name))
        ids = part["record_id"].to_list()
        by_rule = {rule.code: rule for rule in catalogue(definition)}
        texts = {
            row["record_id"]: row
            for row in texts_in_force(store, definition, ids).iter_rows(named=True)
        }
        found = issues.filter(pl.col("entity") == definition.entity).partition_by(
            "record_id", as_dict=True
        )
        for number in ids:
            if (number,) in found:
                own = found[number,].to_dicts()
                yield from _lines(definition, by_rule, texts[number], own)


def _lines(
    definition: EntityDefinition,
    by_rule: dict[str, Rule],
    text: dict[str, Any],
    issues: list[dict[str, Any]],
) -> Iterator[Line]:
    holders = dict.fromkeys(i["owner"] for i in issues if i["severity"] == "error")
    for owner in holders:
        by_field: dict[str, list[dict[str, Any]]] = {}
        for issue in issues:
            if issue["owner"] == owner:
                rule = by_rule.get(issue["rule"])
                for field in _fields_of(issue["field"], rule, definition, text):
                    by_field.setdefault(field, []).append(issue)
        for field, found in by_field.items():
            yield Line(
                owner=owner,
                entity=definition.entity,
                record_id=text["record_id"],
                source=text["source"],
                source_key=text["source_key"],
                known_by=_known_by(definition, text),
                field=field,
                value=text[field],
                must=any(issue["severity"] == "error" for issue in found),
                reasons=tuple(dict.fromkeys(issue["message"] for issue in found)),
                suggestion=next((i["suggestion"] for i in found if i["suggestion"]), None),
                seal=seal(text["content_hash"], field, text[field]),
            )


def _fields_of(
    field: str | None, rule: Rule | None, definition: EntityDefinition, text: dict[str, Any]
) -> list[str]:
    """The fields in which an issue can be mended."""
    if field in definition.fields and field != "source_key":
        return [field]
    named: Iterable[str] = ()
    stated = rule.record_rule if rule is not None else None
    if stated is not None and stated.expect is not None:
        named = _named_in(stated.expect)
    elif stated is not None and stated.sql is not None:
        named = re.findall(r"\w+", stated.sql)
    can = [name for name in definition.fields if name != "source_key"]
    chosen = [name for name in dict.fromkeys(named) if name in can]
    return chosen or [name for name in can if text[name] is not None]


def _named_in(condition: Condition) -> Iterator[str]:
    if condition.field is not None:
        yield condition.field
    for part in condition.parts:
        yield from _named_in(part)


def _known_by(definition: EntityDefinition, text: dict[str, Any]) -> str:
    names = [name for role in _KNOWN_BY for name in definition.fields_of_role(role)]
    names += definition.fields_of_type(FieldType.FULL_NAME, FieldType.COMPANY_NAME)
    return " · ".join(text[name] for name in dict.fromkeys(names) if text[name])
