"""Broken rules with a few examples, who has to mend them, and texts outside the vocabularies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.audit.card import Example, IssueLine, UnknownValue, share
from crm_quality.audit.drill import finding_rows, of_rules
from crm_quality.audit.masking import mask_of, screened
from crm_quality.audit.people import OwnerLine
from crm_quality.audit.rulebook import label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crm_quality.audit.measures import Measures
    from crm_quality.definitions import RuleSet

EXAMPLES = 3
UNKNOWN_VALUES = 25
_LONGEST = 80
_RANK = {"error": 0, "warning": 1, "info": 2}


def issue_lines(
    measures: Measures, rules: RuleSet, *, show_personal: bool
) -> tuple[IssueLine, ...]:
    """One line per broken rule: errors first, then by the number of records.

    Args:
        measures: The counts of one entity.
        rules: Say what is personal.
        show_personal: Leave values as they are.
    """
    entity = measures.population.definition.entity
    live = measures.live
    by_source: dict[str, dict[str, int]] = {}
    for source, rule, issues in measures.rules.select("slice", "rule", "issues").iter_rows():
        if source is not None:
            by_source.setdefault(rule, {})[source] = issues
    examples = _examples(measures, rules, show_personal=show_personal)
    everywhere = measures.rules.filter(pl.col("slice").is_null())
    lines = []
    for row in everywhere.iter_rows(named=True):
        words = measures.book[row["rule"]]
        lines.append(
            IssueLine(
                rule=words.code,
                field=row["field"],
                label=label(row["field"]) if row["field"] else "",
                severity=row["severity"],
                dimension=words.dimension.value,
                title=words.title,
                fault=words.fault,
                advice=words.advice,
                owner=words.owner,
                issues=row["issues"],
                records=row["records"],
                share=share(row["records"], live),
                by_source=dict(
                    sorted(by_source[words.code].items(), key=lambda item: (-item[1], item[0]))
                ),
                examples=examples.get(words.code, ()),
                rows=finding_rows(entity, of_rules([words.code])),
            )
        )
    return tuple(sorted(lines, key=lambda i: (_RANK.get(i.severity, 3), -i.records, i.rule)))


def owner_lines(measures: Measures) -> tuple[OwnerLine, ...]:
    """Who has how much to mend, the most first."""
    owned: dict[str, list[str]] = {}
    for code in sorted(set(measures.rules["rule"])):
        owned.setdefault(measures.book[code].owner, []).append(code)
    everywhere = measures.rules.filter(pl.col("slice").is_null())
    lines = []
    for owner, codes in owned.items():
        theirs = everywhere.filter(pl.col("rule").is_in(codes))
        counts = dict(theirs.group_by("severity").agg(pl.col("issues").sum()).iter_rows())
        affected = measures.population.rows(
            "SELECT count(DISTINCT record_id) FROM finding WHERE rule IN (SELECT unnest($codes))",
            codes=codes,
        )
        lines.append(
            OwnerLine(
                owner=owner,
                rules=len(codes),
                errors=counts.get("error", 0),
                warnings=counts.get("warning", 0),
                infos=counts.get("info", 0),
                records=affected[0][0],
                rows=finding_rows(measures.population.definition.entity, of_rules(codes)),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-line.errors, -line.warnings, -line.infos)))


def unknown_values(
    measures: Measures, rules: RuleSet, *, show_personal: bool
) -> tuple[tuple[UnknownValue, ...], int]:
    """Texts that are not in their field's vocabulary, the most frequent first.

    Returns:
        At most `UNKNOWN_VALUES` of them, and how many there are.
    """
    codes = [code for code in set(measures.rules["rule"]) if code.endswith(".unknown")]
    if not codes:
        return (), 0
    found = measures.population.frame(
        """
        SELECT field, value, count(DISTINCT record_id) AS records,
               list_sort(list(DISTINCT source)) AS sources,
               min(suggestion) AS suggestion, count(*) OVER () AS kinds
        FROM finding
        WHERE rule IN (SELECT unnest($codes)) AND value IS NOT NULL AND field IS NOT NULL
        GROUP BY field, value ORDER BY records DESC, field, value LIMIT $most
        """,
        codes=codes,
        most=UNKNOWN_VALUES,
    )
    entity = measures.population.definition.entity
    lines = []
    for row in found.iter_rows(named=True):
        show = _shown(rules, entity, row["field"], show_personal=show_personal)
        lines.append(
            UnknownValue(
                field=row["field"],
                value=show(row["value"]),
                records=row["records"],
                sources=tuple(row["sources"]),
                suggestion=row["suggestion"],
            )
        )
    return tuple(lines), int(found["kinds"][0]) if lines else 0


def _examples(
    measures: Measures, rules: RuleSet, *, show_personal: bool
) -> Mapping[str, tuple[Example, ...]]:
    """Rule → its first few findings."""
    found = measures.population.rows(
        """
        SELECT rule, field, arg_min(
            {record_id: record_id, source: source, source_key: source_key, value: value,
             suggestion: suggestion}, record_id, $most)
        FROM finding WHERE record_id IS NOT NULL GROUP BY rule, field ORDER BY rule, field
        """,
        most=EXAMPLES,
    )
    entity = measures.population.definition.entity
    examples: dict[str, tuple[Example, ...]] = {}
    for rule, field, first in found:
        if not first:  # an issue about a whole source has no record to show
            continue
        show = _shown(rules, entity, field, show_personal=show_personal)
        key = _cut if show_personal else _key
        lines = tuple(_example(item, show, key) for item in first)
        examples[rule] = (*examples.get(rule, ()), *lines)[:EXAMPLES]
    return examples


def _example(
    item: dict[str, Any], show: Callable[[str], str], key: Callable[[str], str]
) -> Example:
    value, suggestion = item["value"], item["suggestion"]
    return Example(
        record_id=item["record_id"],
        source=item["source"],
        source_key=key(item["source_key"]),
        value=None if value is None else show(value),
        suggestion=None if suggestion is None else show(suggestion),
    )


def _shown(
    rules: RuleSet, entity: str, field: str | None, *, show_personal: bool
) -> Callable[[str], str]:
    if show_personal:
        return _cut
    mask = mask_of(rules, entity, field)
    return lambda text: _cut(mask(text))


def _key(text: str) -> str:
    return _cut(screened(text) if "@" in text else text)


def _cut(text: str) -> str:
    """A cell of a broken file can be a megabyte long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
