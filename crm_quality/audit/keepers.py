"""Who looks after the records (field ``owner``), alone and in teams, and how good theirs are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.dimensions import dimension_counts, overall, scores
from crm_quality.audit.drill import listed, live_rows, text_literal
from crm_quality.audit.measures import resliced
from crm_quality.audit.people import KeeperLine, TeamLine
from crm_quality.audit.population import Slices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from crm_quality.audit.measures import Measures
    from crm_quality.audit.people import OwnerLine

#: A column of keys mapped to ``owner`` by mistake has as many keepers as records.
KEEPERS = 50

_NAME = "coalesce(trim(v.owner), '')"
_FOLDED = "lower(trim(v.owner))"
_OTHERS = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class _Part:
    """What is counted of the records of one keeper or team."""

    records: int
    with_issues: int
    issues: int
    dimensions: dict[str, float]


def comparable(name: str) -> str:
    """A colleague's name as it is compared: without case and outer blanks."""
    return name.strip().lower()


def keeper_lines(
    measures: Measures, as_of: date, teams: Mapping[str, Sequence[str]]
) -> tuple[KeeperLine, ...]:
    """Records by the colleague who looks after them, the most records first.

    Args:
        measures: The counts of one entity.
        as_of: The day that counts as today.
        teams: Team → its people.

    Returns:
        At most `KEEPERS` of them, nobody (null) among them; none where no record names anybody.
    """
    population = measures.population
    if not population.has("owner"):
        return ()
    most = [
        name
        for (name,) in population.rows(
            f"SELECT {_NAME} AS name FROM live v GROUP BY ALL"  # noqa: S608
            " ORDER BY count(*) DESC, name LIMIT $most",
            most=KEEPERS,
        )
    ]
    if not any(most):
        return ()
    slices = Slices(
        f"CASE WHEN list_contains($keepers::VARCHAR[], {_NAME}) THEN {_NAME} ELSE $others END",
        of_values=True,
        parameters={"keepers": most, "others": _OTHERS},
    )
    parts = _parts(measures, slices, as_of)
    team_of = {comparable(name): team for team, names in teams.items() for name in names}
    return tuple(
        KeeperLine(
            keeper=name or None,
            team=team_of.get(comparable(name)),
            records=parts[name].records,
            with_issues=parts[name].with_issues,
            issues=parts[name].issues,
            score=overall(parts[name].dimensions),
            dimensions=parts[name].dimensions,
            rows=live_rows(population, kept_by(name)),
        )
        for name in most
    )


def team_lines(
    measures: Measures,
    as_of: date,
    teams: Mapping[str, Sequence[str]],
    owners: Sequence[OwnerLine],
) -> tuple[TeamLine, ...]:
    """What each team looks after, and what its people have to mend; teams in their order.

    Args:
        measures: The counts of one entity.
        as_of: The day that counts as today.
        teams: Team → its people, as records name their owner and rules theirs.
        owners: Who has how much to mend.
    """
    if not teams:
        return ()
    population = measures.population
    parts: dict[str, _Part] = {}
    if population.has("owner"):
        people = [(comparable(name), team) for team, names in teams.items() for name in names]
        slices = Slices(
            f"coalesce(($teams::VARCHAR[])[list_position($people::VARCHAR[], {_FOLDED})], '')",
            of_values=True,
            parameters={"people": [p for p, _ in people], "teams": [t for _, t in people]},
        )
        parts = _parts(measures, slices, as_of)
    lines = []
    for team, names in teams.items():
        part = parts.get(team, _Part(0, 0, 0, {}))
        members = {comparable(name) for name in names}
        mending = [line for line in owners if comparable(line.owner) in members]
        lines.append(
            TeamLine(
                team=team,
                people=tuple(names),
                records=part.records,
                with_issues=part.with_issues,
                issues=part.issues,
                score=overall(part.dimensions),
                dimensions=part.dimensions,
                to_mend=sum(line.errors + line.warnings + line.infos for line in mending),
                to_mend_errors=sum(line.errors for line in mending),
                rows=live_rows(population, kept_by_any(names)) if population.has("owner") else "",
            )
        )
    return tuple(lines)


def kept_by(name: str) -> str:
    """The condition that a record ``v`` is looked after by ``name``; empty = by nobody."""
    return f"{_NAME} = {text_literal(name.strip())}"


def kept_by_any(names: Sequence[str]) -> str:
    """The condition that a record ``v`` is looked after by one of ``names``, however written."""
    return f"{_FOLDED} IN ({listed([comparable(name) for name in names])})"


def _parts(measures: Measures, slices: Slices, as_of: date) -> dict[str, _Part]:
    sliced = resliced(measures, slices)
    counts = dimension_counts(sliced, as_of)
    found = {
        name: (records, issues)
        for name, records, issues in sliced.population.rows(
            "SELECT slice, count(DISTINCT record_id), count(*) FROM finding GROUP BY slice"
        )
    }
    live = sliced.fields.filter(pl.col("slice").is_not_null()).group_by("slice").first()
    return {
        name: _Part(records, *found.get(name, (0, 0)), scores(counts, name))
        for name, records in live.select("slice", "live").iter_rows()
        if name != _OTHERS
    }
