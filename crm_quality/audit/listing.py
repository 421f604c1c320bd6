"""Every figure of a scorecard by its name, and the rows behind it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
from rapidfuzz import process

from crm_quality.audit.drill import live_rows, of_rules
from crm_quality.audit.keepers import kept_by, kept_by_any
from crm_quality.audit.masking import masked_rows
from crm_quality.audit.population import populations
from crm_quality.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import duckdb

    from crm_quality.audit.card import EntityCard, Scorecard
    from crm_quality.audit.population import Population
    from crm_quality.definitions import RuleSet

#: Name of a count → what its rows are.
_COUNTS = {
    "received": "records ever received",
    "accepted": "accepted records",
    "quarantined": "records that were never accepted and wait in quarantine",
    "waiting": "accepted records with a later version that waits in quarantine",
    "ended": "records that their source has deleted",
    "golden": "golden records",
    "duplicates": "records beyond the first of their golden record",
    "merged": "golden records with more than one record behind them",
    "with_issues": "records with an issue of any severity",
    "issues": "issues of every severity",
    "errors": "issues of severity error",
    "warnings": "issues of severity warning",
    "infos": "issues of severity info",
    "unplaced": "rows that name a customer who is not known or waits in quarantine",
}
#: Every kind of rows has one of these columns.
_ORDER = ("entity_id", "record_id", "field", "missing", "rule")
_LEFT = {
    "completeness": "values that are asked for and missing",
    "validity": "values that are wrong",
    "consistency": "records whose fields contradict each other or leave a doubt",
    "uniqueness": "records beyond the first of their golden record",
    "timeliness": "records that nobody has touched for two years",
    "integrity": "links that lead nowhere",
}


@dataclass(frozen=True)
class Figure:
    """A figure of the scorecard.

    Attributes:
        figure: Its name, ``<entity>.<what>``; a broken rule goes by its code.
        value: A count, or a score or percentage from 0 to 100; null = nothing to measure.
        unit: ``count``, ``score`` or ``percent``.
        rows_are: What its rows are.
        count: How many rows there are.
        rows: SQL that gives them.
    """

    figure: str
    value: float | None
    unit: str
    rows_are: str
    count: int
    rows: str

    def to_dict(self) -> dict[str, Any]:
        """The figure as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True)
class FigureRows:
    """Rows behind a figure.

    Attributes:
        figure: The figure.
        rows: No more than were asked for.
        total: How many there are of those that were chosen.
    """

    figure: Figure
    rows: pl.DataFrame
    total: int


@dataclass(frozen=True)
class Choice:
    """Which of a figure's rows are wanted; null = all.

    Attributes:
        source: Of records of this source.
        keeper: Of records that this colleague looks after; empty = of nobody's.
        team: Of records that the people of this team look after.
        owner: Issues of rules that this person or role answers for.
    """

    source: str | None = None
    keeper: str | None = None
    team: str | None = None
    owner: str | None = None


def figure_index(card: Scorecard) -> dict[str, Figure]:
    """Name → figure, of every figure that has rows; in the order of the report."""
    found: dict[str, Figure] = {}
    for entity in card.entities:
        for figure in _figures(entity):
            found.setdefault(figure.figure, figure)
    return found


def _figures(card: EntityCard) -> Iterator[Figure]:
    entity = card.entity

    def count(name: str, value: int, rows_are: str, rows: str) -> Figure:
        return Figure(name, value, "count", rows_are, value, rows)

    for name, rows in card.rows.items():
        yield count(f"{entity}.{name}", getattr(card.counts, name), _COUNTS[name], rows)
    for mark in card.dimensions:
        left = mark.total - mark.good
        name = f"{entity}.{mark.dimension}"
        yield Figure(name, mark.score, "score", _LEFT[mark.dimension], left, mark.rows)
    live = card.counts.accepted + card.counts.quarantined
    for field in card.fields:
        name = f"{entity}.{field.field}"
        for figure, rate, rows_are, rows_count, rows in (
            ("filled", field.fill_rate, "records without a value", live - field.filled, field.rows),
            ("valid", field.validity, "wrong values", field.given - field.valid, field.wrong_rows),
            (
                "golden_filled",
                field.golden_fill_rate,
                "golden records without a value",
                card.counts.golden - field.golden_filled,
                field.golden_rows,
            ),
        ):
            percent = None if rate is None else 100.0 * rate
            yield Figure(f"{name}.{figure}", percent, "percent", rows_are, rows_count, rows)
    for cost in card.costs:
        yield count(f"{entity}.{cost.cost}", cost.count, cost.title.lower(), cost.rows)
    for line in card.issues:
        yield count(line.rule, line.issues, f"issues of this rule ({line.severity})", line.rows)


def figure_rows(
    connection: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    card: Scorecard,
    figure: str,
    choice: Choice | None = None,
    *,
    limit: int | None = None,
) -> FigureRows:
    """The rows behind a figure.

    Args:
        connection: The open store that ``card`` is of.
        rules: The project's rules.
        card: The scorecard; as it masks personal values, so do the rows.
        figure: Its name, as in `figure_index`, or the code of a rule that is broken.
        choice: Which of its rows are wanted.
        limit: Give no more rows than this; null = all.

    Returns:
        The rows; where the card masks personal values, columns of personal fields are masked, and
        the row as it came is left out.

    Raises:
        NotFoundError: There is no such figure, source, team or owner; the nearest is named.
        UsageError: The figure's rows cannot be told apart by what is chosen.
    """
    known = figure_index(card)
    if figure in {f"{one.entity}.score" for one in card.entities}:
        raise NotFoundError(
            f"{figure} is the mean of its dimensions, which have the rows: "
            f"{', '.join(figure.replace('score', name) for name in _LEFT)}"
        )
    if figure not in known:
        hint = _nearest(figure, known) or "; `crmq audit rows` lists them"
        raise NotFoundError(f"there is no figure {figure!r}{hint}")
    chosen = known[figure]
    cards = {one.entity: one for one in card.entities}
    entity = cards[figure.split(".", maxsplit=1)[0]]
    query = chosen.rows.removesuffix(";")
    columns = connection.sql(query).columns
    tests, named = _tests(connection, rules, entity, chosen, choice or Choice(), columns)
    if tests:
        query = f"SELECT * FROM ({query}) WHERE {' AND '.join(tests)}"  # noqa: S608
    total = connection.execute(f"SELECT count(*) FROM ({query})", named).fetchall()[0][0]  # noqa: S608
    order = ", ".join(name for name in _ORDER if name in columns)
    query = f"SELECT * FROM ({query}) ORDER BY {order}"  # noqa: S608
    if limit is not None:
        query += f" LIMIT {limit:d}"
    relation = connection.sql(query, params=named)
    frame = pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))
    shown = masked_rows(frame, rules, entity.entity) if card.masked else frame
    return FigureRows(chosen, shown, total)


def _tests(
    connection: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    card: EntityCard,
    figure: Figure,
    choice: Choice,
    columns: list[str],
) -> tuple[list[str], dict[str, object]]:
    tests: list[str] = []
    named: dict[str, object] = {}
    if choice.source is not None:
        _known(choice.source, [line.source for line in card.sources], "source")
        has = "source = $source" if "source" in columns else "list_contains(sources, $source)"
        if not {"source", "sources"} & set(columns):
            raise UsageError(f"rows of {figure.figure} come from several sources each")
        tests.append(has)
        named["source"] = choice.source
    people: list[str] = []
    if choice.keeper is not None:
        people.append(kept_by(choice.keeper))
    if choice.team is not None:
        teams = {line.team: line.people for line in card.teams}
        _known(choice.team, teams, "team")
        people.append(kept_by_any(teams[choice.team]))
    for condition in people:
        kept = live_rows(_population(connection, rules, card.entity), condition)
        of_records = f"SELECT record_id FROM ({kept.removesuffix(';')})"  # noqa: S608
        if "record_id" in columns:
            tests.append(f"record_id IN ({of_records})")
        else:
            of_entities = (
                "SELECT entity_id FROM matching.membership"  # noqa: S608
                f" WHERE record_id IN ({of_records})"
            )
            tests.append(f"entity_id IN ({of_entities})")
    if choice.owner is not None:
        _known(choice.owner, [line.owner for line in card.owners], "owner of rules")
        if "rule" not in columns:
            raise UsageError(
                f"rows of {figure.figure} are no issues: --owner says who answers for a rule; "
                "for the colleague who looks after records use --keeper"
            )
        codes = [line.rule for line in card.issues if line.owner == choice.owner]
        tests.append(of_rules(codes).removeprefix("i."))
    return tests, named


def _population(connection: duckdb.DuckDBPyConnection, rules: RuleSet, entity: str) -> Population:
    found = next(p for p in populations(connection, rules) if p.definition.entity == entity)
    if not found.has("owner"):
        raise UsageError(f"{entity} has no field owner, so nobody is known to look after a record")
    return found


def _known(name: str, names: Iterable[str] | Mapping[str, object], kind: str) -> None:
    known = list(names)
    if name not in known:
        there = f"; there are: {', '.join(known[:20])}" if known else "; there are none"
        raise NotFoundError(f"there is no {kind} {name!r}{_nearest(name, known) or there}")


def _nearest(name: str, names: Iterable[str]) -> str:
    near = [found for found, *_ in process.extract(name, list(names), limit=3, score_cutoff=60)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
