"""What each source brought, and how good it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.card import SourceLine, share
from crm_quality.audit.dimensions import overall, scores
from crm_quality.audit.drill import source_rows

if TYPE_CHECKING:
    from crm_quality.audit.measures import Measures
    from crm_quality.definitions import RuleSet


def source_lines(
    measures: Measures, rules: RuleSet, by_dimension: pl.DataFrame
) -> tuple[SourceLine, ...]:
    """One line per source, the one with most records first.

    Args:
        measures: The counts of one entity, by source.
        rules: Know the titles of sources.
        by_dimension: As `crm_quality.audit.dimensions.dimension_counts`.
    """
    population = measures.population
    shared = {
        source: row
        for source, *row in population.rows("""
            , part AS (
                SELECT entity_id, source, count(*) AS records, min(accepted_no) AS first_no
                FROM placed GROUP BY entity_id, source
            ), entity AS (
                SELECT entity_id, sum(records) AS records, count(*) AS sources,
                       arg_min(source, first_no) AS first_source
                FROM part GROUP BY entity_id
            )
            SELECT p.source, coalesce(sum(p.records) FILTER (e.records > 1), 0)::BIGINT,
                   sum(p.records - 1)::BIGINT,
                   count(*) FILTER (e.first_source = p.source),
                   count(*) FILTER (e.sources = 1)
            FROM part p JOIN entity e USING (entity_id) GROUP BY p.source
        """)
    }
    found = {
        source: row
        for source, *row in population.rows(
            "SELECT source, count(*), count(DISTINCT record_id) FROM finding GROUP BY source"
        )
    }
    lines = []
    for row in measures.records.filter(pl.col("source").is_not_null()).iter_rows(named=True):
        name = row["source"]
        behind, inside, first, only = shared.get(name, (0, 0, 0, 0))
        issues, with_issues = found.get(name, (0, 0))
        marks = scores(by_dimension, name)
        known = rules.sources.get(name)
        lines.append(
            SourceLine(
                source=name,
                title=known.title if known else "",
                received=row["received"],
                accepted=row["accepted"],
                quarantined=row["quarantined"],
                ended=row["ended"],
                issues=issues,
                with_issues=with_issues,
                shared=behind,
                duplicates=inside,
                duplicate_share=share(behind, row["accepted"]),
                first=first,
                only_here=only,
                score=overall(marks),
                dimensions=marks,
                rows=source_rows(population, name),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-line.received, line.source)))
