"""From a store to its scorecard; every figure by SQL, no table is loaded."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.card import (
    ClusterSize,
    Counts,
    DimensionScore,
    EntityCard,
    FieldLine,
    Scorecard,
    SourceLine,
    share,
)
from crm_quality.audit.costs import costs
from crm_quality.audit.dimensions import (
    WORDS,
    dimension_counts,
    dimension_rows,
    overall,
    scores,
)
from crm_quality.audit.drill import (
    golden_rows,
    live_rows,
    missing_rows,
    quarantine_rows,
    source_rows,
)
from crm_quality.audit.findings import issue_lines, keeper_lines, owner_lines, unknown_values
from crm_quality.audit.gates import gates
from crm_quality.audit.headline import headline, nouns_of, remarks, title_of
from crm_quality.audit.history import drift, history, previous_scores
from crm_quality.audit.measures import measure
from crm_quality.audit.population import populations
from crm_quality.audit.rulebook import Dimension, label
from crm_quality.audit.vocabularies import vocabulary_tables
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import duckdb

    from crm_quality.audit.measures import Measures
    from crm_quality.definitions import RuleSet

#: From so many records on, distinct values are estimated: exact counts of thirty columns cost more
#: than all other figures together.
ESTIMATE_FROM = 250_000
_SIZES = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, 50), (51, None))


def scorecard(
    connection: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    *,
    as_of: date,
    show_personal: bool = False,
    targets: Mapping[str, float] | None = None,
) -> Scorecard:
    """The state of a store: how much of it is good, what is wrong, where, and what it costs.

    Args:
        connection: The open store; nothing is written.
        rules: The project's rules.
        as_of: The day that counts as today.
        show_personal: Leave personal values in examples as they are.
        targets: Figure → least score, see `crm_quality.audit.gates`.

    Returns:
        The scorecard of every entity that has records.

    Raises:
        UsageError: A target names a figure that does not exist.
    """
    cards = tuple(
        _card(measured, rules, as_of, show_personal=show_personal)
        for measured in map(measure, populations(connection, rules))
        if measured.total("received")
    )
    runs = connection.execute(
        "SELECT run_id, finished_at, count(*) OVER () FROM audit.run ORDER BY run_id DESC LIMIT 1"
    ).fetchall()
    run_id, finished_at, count = runs[0] if runs else (None, None, 0)
    return Scorecard(
        as_of=as_of,
        run_id=run_id,
        finished_at=finished_at,
        runs=count,
        rules_fingerprint=rules.fingerprint,
        product_version=_product_version(),
        masked=not show_personal,
        entities=cards,
        gates=gates(cards, targets or {}),
    )


def _card(measures: Measures, rules: RuleSet, as_of: date, *, show_personal: bool) -> EntityCard:
    population = measures.population
    definition = population.definition
    entity = definition.entity
    one, noun = nouns_of(entity)
    by_dimension = dimension_counts(measures, as_of)
    marks = scores(by_dimension)
    before = previous_scores(population.connection, entity)
    counts = _counts(measures)
    issues = issue_lines(measures, rules, show_personal=show_personal)
    unknown, unknown_total = unknown_values(measures, rules, show_personal=show_personal)
    paid = costs(population, noun)
    return EntityCard(
        entity=entity,
        title=title_of(entity),
        noun=noun,
        noun_one=one,
        meaning=definition.meaning,
        owner=definition.owner,
        headline=headline(counts, noun),
        remarks=remarks(counts, issues, paid, noun),
        counts=counts,
        score=overall(marks),
        # a mean over other dimensions than today's says nothing about better or worse
        previous_score=before.get("score") if set(before) >= set(marks) else None,
        dimensions=_dimensions(measures, by_dimension, before, as_of),
        cluster_sizes=_cluster_sizes(measures),
        sources=_sources(measures, rules, by_dimension),
        fields=_fields(measures),
        issues=issues,
        owners=owner_lines(measures),
        keepers=keeper_lines(measures),
        unknown_values=unknown,
        unknown_total=unknown_total,
        vocabularies=vocabulary_tables(population, show_personal=show_personal),
        costs=paid,
        history=history(population.connection, entity),
        drift=drift(population.connection, entity),
        rows={
            "accepted": live_rows(population, "r.current_version IS NOT NULL"),
            "golden": golden_rows(population, "TRUE"),
            "duplicates": golden_rows(population, "records > 1"),
            "quarantined": quarantine_rows(entity),
        },
    )


def _counts(measures: Measures) -> Counts:
    everywhere = measures.rules.filter(pl.col("segment").is_null())
    severities = dict(everywhere.group_by("severity").agg(pl.col("issues").sum()).iter_rows())
    accepted = measures.total("accepted")
    several = measures.sizes.filter(pl.col("records") > 1)
    waiting = measures.population.rows(
        "SELECT count(*) FILTER (is_accepted AND waiting_version IS NOT NULL),"
        " (SELECT count(DISTINCT record_id) FROM finding) FROM head"
    )[0]
    return Counts(
        received=measures.total("received"),
        accepted=accepted,
        quarantined=measures.total("quarantined"),
        waiting=waiting[0],
        ended=measures.total("ended"),
        golden=measures.entities,
        duplicates=measures.duplicates,
        duplicate_share=share(measures.duplicates, accepted),
        merged=int(several["entities"].sum()),
        largest=int(measures.sizes["records"].cast(pl.Int64).max() or 0),  # type: ignore[arg-type]
        with_issues=waiting[1],
        errors=severities.get("error", 0),
        warnings=severities.get("warning", 0),
        infos=severities.get("info", 0),
    )


def _dimensions(
    measures: Measures, counts: pl.DataFrame, before: dict[str, float], as_of: date
) -> tuple[DimensionScore, ...]:
    everywhere = counts.filter(pl.col("segment").is_null())
    known = {
        dimension: (good, total)
        for dimension, good, total in everywhere.select("dimension", "good", "total").iter_rows()
    }
    lines = []
    for dimension in Dimension:
        words = WORDS[dimension]
        good, total = known.get(dimension.value, (0, 0))
        lines.append(
            DimensionScore(
                dimension=dimension.value,
                title=words.title,
                score=100.0 * good / total if total else None,
                good=good,
                total=total,
                counts=words.counts,
                formula=words.formula,
                rows=dimension_rows(measures, dimension, as_of),
                previous=before.get(dimension.value),
            )
        )
    return tuple(lines)


def _cluster_sizes(measures: Measures) -> tuple[ClusterSize, ...]:
    lines = []
    for least, most in _SIZES:
        inside = measures.sizes.filter(
            pl.col("records") >= least, pl.lit(most is None) | (pl.col("records") <= (most or 0))
        )
        if inside.height:
            records = (inside["records"] * inside["entities"]).sum()
            lines.append(ClusterSize(least, most, int(inside["entities"].sum()), int(records)))
    return tuple(lines)


def _sources(
    measures: Measures, rules: RuleSet, by_dimension: pl.DataFrame
) -> tuple[SourceLine, ...]:
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
                completeness=marks.get(Dimension.COMPLETENESS.value),
                validity=marks.get(Dimension.VALIDITY.value),
                rows=source_rows(population, name),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-line.received, line.source)))


def _fields(measures: Measures) -> tuple[FieldLine, ...]:
    population = measures.population
    definition = population.definition
    live = measures.live
    estimate = live >= ESTIMATE_FROM
    count = "approx_count_distinct({})" if estimate else "count(DISTINCT {})"
    counted = ", ".join(count.format(quoted(name)) for name in population.fields)
    distinct = dict(
        zip(
            population.fields,
            population.rows(f"SELECT {counted} FROM live")[0],  # noqa: S608 - names are quoted
            strict=True,
        )
    )
    golden = {name: row for name, *row in measures.golden.select("field", "filled").iter_rows()}
    by_source: dict[str, dict[str, float | None]] = {}
    everywhere = {}
    for row in measures.fields.iter_rows(named=True):
        if row["segment"] is None:
            everywhere[row["field"]] = row
        else:
            by_source.setdefault(row["field"], {})[row["segment"]] = share(
                row["filled"], row["live"]
            )
    issues = dict(
        measures.rules.filter(pl.col("segment").is_null())
        .group_by("field")
        .agg(pl.col("issues").sum())
        .iter_rows()
    )
    lines = []
    for name in population.fields:
        field = definition.fields[name]
        row = everywhere[name]
        asked = "" if not field.required else "sometimes" if field.required_when else "always"
        lines.append(
            FieldLine(
                field=name,
                label=label(name),
                meaning=field.meaning,
                owner=field.owner or definition.owner,
                personal=field.personal,
                asked_for=asked,
                filled=row["filled"],
                fill_rate=share(row["filled"], row["live"]),
                given=row["given"],
                valid=row["valid"],
                validity=share(row["valid"], row["given"]),
                distinct=distinct[name],
                distinct_is_estimate=estimate,
                golden_filled=golden[name][0],
                golden_fill_rate=share(golden[name][0], measures.entities),
                issues=issues.get(name, 0),
                by_source=dict(sorted(by_source.get(name, {}).items())),
                rows=missing_rows(population, name),
            )
        )
    return tuple(lines)


def _product_version() -> str:
    try:
        return version("crm-quality")
    except PackageNotFoundError:
        return "unknown"
