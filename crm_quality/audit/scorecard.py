"""From a store to its scorecard; every figure by SQL, no table is loaded."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.card import (
    Checks,
    ClusterSize,
    Counts,
    DimensionScore,
    EntityCard,
    Scorecard,
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
    faulty_rows,
    finding_rows,
    golden_rows,
    live_rows,
    quarantine_rows,
    record_rows,
    surplus_rows,
    text_literal,
    unplaced_rows,
)
from crm_quality.audit.fields import field_lines
from crm_quality.audit.findings import issue_lines, owner_lines, unknown_values
from crm_quality.audit.gates import gates
from crm_quality.audit.headline import headline, nouns_of, remarks, title_of
from crm_quality.audit.history import drift, history, previous_scores
from crm_quality.audit.keepers import keeper_lines, team_lines
from crm_quality.audit.measures import measure
from crm_quality.audit.population import populated
from crm_quality.audit.rulebook import Dimension
from crm_quality.audit.sources import source_lines
from crm_quality.audit.terms import Terms
from crm_quality.audit.vocabularies import vocabulary_tables

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from crm_quality.audit.measures import Measures
    from crm_quality.audit.population import Population
    from crm_quality.definitions import RuleSet

_SIZES = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, 50), (51, None))


def scorecard(
    connection: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    *,
    as_of: date,
    show_personal: bool = False,
    terms: Terms | None = None,
) -> Scorecard:
    """The state of a store: how much of it is good, what is wrong, where, and what it costs.

    Args:
        connection: The open store; nothing is written.
        rules: The project's rules.
        as_of: The day that counts as today.
        show_personal: Leave personal values in examples as they are.
        terms: The project's targets, teams and unit costs; null = none.

    Returns:
        The scorecard of every entity that has records.

    Raises:
        UsageError: A target or unit cost names a figure that does not exist.
    """
    terms = terms or Terms()
    terms.check(rules)
    cards = tuple(
        _card(measured, rules, as_of, terms, show_personal=show_personal)
        for measured in map(measure, populated(connection, rules))
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
        gates=gates(cards, terms),
        currency=terms.currency,
    )


def _card(
    measures: Measures, rules: RuleSet, as_of: date, terms: Terms, *, show_personal: bool
) -> EntityCard:
    population = measures.population
    definition = population.definition
    entity = definition.entity
    one, noun = nouns_of(entity)
    by_dimension = dimension_counts(measures, as_of)
    marks = scores(by_dimension)
    before = previous_scores(population.connection, entity)
    counts = _counts(measures)
    customer = definition.is_customer
    issues = issue_lines(measures, rules, show_personal=show_personal)
    unknown, unknown_total = unknown_values(measures, rules, show_personal=show_personal)
    paid = costs(population, noun, terms.unit_costs)
    owners = owner_lines(measures)
    return EntityCard(
        entity=entity,
        title=title_of(entity),
        noun=noun,
        noun_one=one,
        meaning=definition.meaning,
        owner=definition.owner,
        headline=headline(counts, noun, is_customer=customer),
        remarks=remarks(counts, issues, paid, noun, is_customer=customer),
        counts=counts,
        score=overall(marks),
        # a mean over other dimensions than today's says nothing about better or worse
        previous_score=before.get("score") if set(before) >= set(marks) else None,
        dimensions=_dimensions(measures, by_dimension, before, as_of),
        cluster_sizes=_cluster_sizes(measures),
        sources=source_lines(measures, rules, by_dimension),
        fields=field_lines(measures),
        issues=issues,
        checks=_checks(measures),
        owners=owners,
        keepers=keeper_lines(measures, as_of, terms.teams),
        teams=team_lines(measures, as_of, terms.teams, owners),
        unknown_values=unknown,
        unknown_total=unknown_total,
        vocabularies=vocabulary_tables(population, show_personal=show_personal),
        costs=paid,
        history=history(population.connection, entity),
        drift=drift(population.connection, entity),
        rows=_count_rows(population),
        is_customer=customer,
    )


def _counts(measures: Measures) -> Counts:
    everywhere = measures.rules.filter(pl.col("slice").is_null())
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
        unplaced=_unplaced(measures.population),
    )


def _count_rows(population: Population) -> dict[str, str]:
    """SQL for the rows behind each of `Counts`, by its name."""
    entity = population.definition.entity
    severities = {"errors": "error", "warnings": "warning", "infos": "info"}
    unplaced = unplaced_rows(population)
    return {
        "received": record_rows(entity),
        "accepted": live_rows(population, "r.current_version IS NOT NULL"),
        "quarantined": quarantine_rows(entity, "r.current_version IS NULL"),
        "waiting": quarantine_rows(entity, "r.current_version IS NOT NULL"),
        "ended": record_rows(entity, "r.ended_at IS NOT NULL"),
        "golden": golden_rows(population),
        "duplicates": surplus_rows(population),
        "merged": golden_rows(population, "records > 1"),
        "with_issues": faulty_rows(population),
        "issues": finding_rows(entity),
        **{
            name: finding_rows(entity, f"i.severity = {text_literal(severity)}")
            for name, severity in severities.items()
        },
        **({} if unplaced is None else {"unplaced": unplaced}),
    }


def _unplaced(population: Population) -> int | None:
    rows = unplaced_rows(population)
    if rows is None:
        return None
    counted = f"SELECT count(*) FROM ({rows.removesuffix(';')})"  # noqa: S608 - as it is shown
    return int(population.connection.execute(counted).fetchall()[0][0])


def _checks(measures: Measures) -> Checks:
    """How rules ended, over all runs: what is not broken may have had nothing to look at."""
    ended = {
        rule: (looked, last)
        for rule, looked, last in measures.population.connection.execute(
            """
            SELECT rule, bool_or(checked > 0), bool_or(status = 'errored') FROM (
                SELECT *, run_id = max(run_id) OVER (PARTITION BY rule) AS is_last
                FROM quality.check_result WHERE entity = ?
            ) WHERE checked > 0 OR is_last GROUP BY rule
            """,
            [measures.population.definition.entity],
        ).fetchall()
    }
    broken = set(measures.rules["rule"])
    whole = measures.book.keys() - broken
    failed = sorted(code for code in whole if ended.get(code, (False, False))[1])
    kept = sum(ended[code][0] for code in whole & ended.keys() if code not in failed)
    return Checks(
        rules=len(measures.book),
        kept=kept,
        broken=len(broken),
        idle=len(whole) - len(failed) - kept,
        failed=tuple(failed),
    )


def _dimensions(
    measures: Measures, counts: pl.DataFrame, before: dict[str, float], as_of: date
) -> tuple[DimensionScore, ...]:
    everywhere = counts.filter(pl.col("slice").is_null())
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
                left=words.left,
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


def _product_version() -> str:
    try:
        return version("crm-quality")
    except PackageNotFoundError:
        return "unknown"
