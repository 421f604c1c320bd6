"""How well each field is filled, how much of it is valid, and where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.card import FieldLine, share
from crm_quality.audit.drill import golden_rows, missing_rows, wrong_value_rows
from crm_quality.audit.rulebook import label
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from crm_quality.audit.measures import Measures

#: From so many records on, distinct values are estimated: exact counts of thirty columns cost more
#: than all other figures together.
ESTIMATE_FROM = 250_000


def field_lines(measures: Measures) -> tuple[FieldLine, ...]:
    """One line per field that the store has a column for, in their declared order."""
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
        if row["slice"] is None:
            everywhere[row["field"]] = row
        else:
            by_source.setdefault(row["field"], {})[row["slice"]] = share(row["filled"], row["live"])
    issues = dict(
        measures.rules.filter(pl.col("slice").is_null())
        .group_by("field")
        .agg(pl.col("issues").sum())
        .iter_rows()
    )
    spoiling: dict[str, list[str]] = {}
    for code, name in measures.rules.select("rule", "field").unique().sort("rule").iter_rows():
        if name is not None and measures.book[code].spoils_value:
            spoiling.setdefault(name, []).append(code)
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
                wrong_rows=wrong_value_rows(definition.entity, spoiling.get(name, []), [name]),
                golden_rows=golden_rows(population, f"NOT ({population.filled(name)})"),
            )
        )
    return tuple(lines)
