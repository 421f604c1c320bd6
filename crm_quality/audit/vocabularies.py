"""Vocabulary fields before and after: which texts became which accepted value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from crm_quality.audit.card import Spelling, ValueLine, VocabularyTable
from crm_quality.audit.drill import live_rows
from crm_quality.audit.masking import screened
from crm_quality.audit.rulebook import label
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from crm_quality.audit.population import Population
    from crm_quality.definitions import Vocabulary

SPELLINGS = 12
_LINES = 40
_LONGEST = 60
_JOINED = " + "


def vocabulary_tables(
    population: Population, *, show_personal: bool
) -> tuple[VocabularyTable, ...]:
    """One table per vocabulary field that is not personal and is filled at all.

    Args:
        population: One entity's records.
        show_personal: Leave addresses and numbers in the texts as they are.
    """
    mappings = _mappings(population)
    tables = []
    for name in population.fields:
        field = population.definition.fields[name]
        if field.vocabulary is None or field.personal:
            continue
        vocabulary = population.definition.vocabularies[field.vocabulary]
        table = _table(population, name, vocabulary, mappings, show_personal=show_personal)
        if table is not None:
            tables.append(table)
    # the longer the list of texts, the more there is to see
    return tuple(sorted(tables, key=lambda table: -table.texts))


def _mappings(population: Population) -> list[tuple[int, dict[str, Any]]]:
    rows = population.connection.execute(
        "SELECT batch_id, mapping FROM landing.batch WHERE entity = ?",
        [population.definition.entity],
    ).fetchall()
    return [(batch, json.loads(mapping)) for batch, mapping in rows]


def _pointers(mappings: list[tuple[int, dict[str, Any]]], field: str) -> dict[int, list[str]]:
    """Batch → JSON pointers to the cells in ``raw`` that the field was read from."""
    found = {}
    for batch, mapping in mappings:
        column = mapping.get(field)
        if isinstance(column, str):
            # a field that several columns gave stands as their names with a plus sign between
            names = dict.fromkeys([column, *column.split(_JOINED)])
            found[batch] = ["/" + n.replace("~", "~0").replace("/", "~1") for n in names]
    return found


def _table(
    population: Population,
    field: str,
    vocabulary: Vocabulary,
    mappings: list[tuple[int, dict[str, Any]]],
    *,
    show_personal: bool,
) -> VocabularyTable | None:
    pointers = _pointers(mappings, field)
    rows = population.rows(
        f"""
        , pointer AS (
            SELECT unnest($batches::BIGINT[]) AS batch_id,
                   unnest($paths::VARCHAR[][]) AS paths
        ), texts AS (
            SELECT l.{quoted(field)} AS canonical,
                   nullif(array_to_string(list_filter(
                       list_transform(p.paths, lambda path: trim(json_extract_string(l.raw, path))),
                       lambda cell: cell <> ''), ' + '), '') AS written,
                   count(*) AS records
            FROM live l LEFT JOIN pointer p USING (batch_id) GROUP BY ALL
        )
        SELECT canonical, sum(records)::BIGINT,
               count(*) FILTER (written IS NOT NULL),
               arg_max({{written: written, records: records}}, (records, written), $most)
        FROM texts GROUP BY canonical
        """,  # noqa: S608 - the field is the definition's
        batches=list(pointers),
        paths=list(pointers.values()),
        most=SPELLINGS,
    )
    if not any(canonical is not None for canonical, *_ in rows):
        return None
    show = (lambda text: text) if show_personal else screened
    lines = [
        ValueLine(
            value=canonical,
            label=_label(vocabulary, canonical),
            records=records,
            spellings=spellings,
            texts=tuple(
                Spelling(
                    None if t["written"] is None else show(t["written"])[:_LONGEST], t["records"]
                )
                for t in texts
            ),
        )
        for canonical, records, spellings, texts in rows
    ]
    lines.sort(key=lambda line: (line.value is None, -line.records, line.value or ""))
    unmapped = f"v.{quoted(field)} IS NULL"
    return VocabularyTable(
        field=field,
        label=label(field),
        records=sum(line.records for line in lines),
        texts=sum(line.spellings for line in lines),
        values=sum(line.value is not None for line in lines),
        lines=tuple(lines[:_LINES]),
        rows=live_rows(population, unmapped),
    )


def _label(vocabulary: Vocabulary, value: str | None) -> str:
    if value is None:
        return "no accepted value"
    accepted = vocabulary.values.get(value)
    return (accepted.label if accepted else "") or label(value)
