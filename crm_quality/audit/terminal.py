"""The scorecard on a terminal: what fits on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from crm_quality.audit.headline import money, percent
from crm_quality.audit.row_lines import row_issues, row_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from crm_quality.audit.card import Cost, EntityCard, IssueLine, Scorecard
    from crm_quality.audit.row_lines import RowLine

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_FAIR, _GOOD = 75.0, 90.0
_BAR = 20
_RULES = 8
#: So many columns has a terminal that shows all of them.
_WIDE = 96
_TEXTS = {"issue", "owner", "rule", "source", "quality", "target", "team", "cost", ""}


def render_terminal(card: Scorecard, console: Console) -> None:
    """Print the scorecard.

    Args:
        card: The scorecard.
        console: Where to; without colours where it has none.
    """
    if not card.entities:
        console.print("The store is empty: take in files with `crmq run FILE...`.")
        return
    for entity in card.customers:
        _print_entity(entity, console, card.currency)
        console.print()
    if card.row_entities:
        _print_rows(card, console)
    if card.gates:
        table = _table("target", "at least", "is", "")
        for gate in card.gates:
            actual = "-" if gate.actual is None else f"{gate.actual:.1f}"
            verdict = Text("met", "green") if gate.met else Text("missed", "red")
            table.add_row(gate.figure, f"{gate.target:g}", actual, verdict)
        console.print(_indented(table))
    masked = ", personal values masked" if card.masked else ""
    run = f"run {card.run_id}" if card.run_id is not None else "no run yet"
    console.print(Text(f"As of {card.as_of}, after {run}{masked}.", "dim"))


def _print_entity(entity: EntityCard, console: Console, currency: str) -> None:
    counts = entity.counts
    console.print(Text.assemble((entity.title, "bold"), "  ", entity.headline))
    for remark in entity.remarks:
        console.print(Text(f"  {remark}"))
    console.print()
    console.print(_indented(_scores(entity)))
    if entity.issues:
        console.print(_indented(_issues(entity.issues)))
    console.print(_indented(_sources(entity)))
    if entity.teams:
        console.print(_indented(_teams(entity)))
    priced = [cost for cost in entity.costs if cost.amount is not None]
    if priced:
        console.print(_indented(_costs(priced, currency)))
    if counts.ended:
        console.print(Text(f"  {counts.ended:,} records were deleted by their source.", "dim"))


def _scores(entity: EntityCard) -> Table:
    table = _table("quality", "score", "", "what is left to do")
    for line in entity.dimensions:
        if line.score is None:
            table.add_row(line.title, "-", "", Text("nothing to measure", "dim"))
            continue
        left = line.total - line.good
        table.add_row(
            line.title,
            f"{line.score:.1f}",
            _bar(line.score),
            Text(f"{left:,} of {line.total:,} {line.left}" if left else "nothing", "dim"),
        )
    if entity.score is not None:
        table.add_row(Text("All", "bold"), Text(f"{entity.score:.1f}", "bold"), _bar(entity.score))
    return table


def _print_rows(card: Scorecard, console: Console) -> None:
    rows = sum(entity.counts.accepted for entity in card.row_entities)
    title = Text.assemble(("Rows that hang on customers", "bold"), f"  {rows:,} are in force.")
    console.print(title)
    console.print()
    is_wide = console.width >= _WIDE
    console.print(_indented(_row_lines(row_lines(card), with_fault=is_wide)))
    if issues := row_issues(card):
        console.print(_indented(_issues(issues, with_share=False, with_owner=is_wide)))


def _row_lines(lines: Sequence[RowLine], *, with_fault: bool) -> Table:
    fault = ["usual fault"] if with_fault else []
    table = _table("rows of", "rows", "quarantined", "no customer", "lowest quality", *fault)
    for line in lines:
        table.add_row(
            line.title,
            f"{line.rows:,}",
            f"{line.quarantined:,}",
            "-" if line.unplaced is None else f"{line.unplaced:,}",
            line.quality,
            *([Text(line.usual, "dim")] if with_fault else []),
        )
    return table


def _issues(
    issues: Sequence[IssueLine], *, with_share: bool = True, with_owner: bool = True
) -> Table:
    more = [name for name, on in (("share", with_share), ("owner", with_owner)) if on]
    table = _table("issue", "records", *more, "rule")
    # a rule is copied into a command: it keeps its width, the words beside it are broken
    table.columns[-1].no_wrap = True
    for line in issues[:_RULES]:
        fault = Text.assemble(("● ", _COLOURS.get(line.severity, "")), line.fault)
        told = {"share": _short(percent(line.share)), "owner": line.owner}
        shown = [told[name] for name in more]
        table.add_row(fault, f"{line.records:,}", *shown, Text(line.rule, "dim"))
    if len(issues) > _RULES:
        left = len(issues) - _RULES
        table.add_row(Text(f"  and {left} more rules", "dim"))
    return table


def _short(share: str) -> str:
    return share.replace("less than ", "<").replace("more than ", ">")


def _sources(entity: EntityCard) -> Table:
    table = _table("source", "records", "quarantined", "shared", "new customers", "score")
    table.columns[4].header = f"new {entity.noun}"
    for line in entity.sources:
        score = "-" if line.score is None else f"{line.score:.0f}"
        table.add_row(
            line.source,
            f"{line.received:,}",
            f"{line.quarantined:,}",
            percent(line.duplicate_share),
            f"{line.first:,}",
            score,
        )
    return table


def _teams(entity: EntityCard) -> Table:
    table = _table("team", "records", "with issues", "score", "to mend")
    for line in entity.teams:
        table.add_row(
            line.team,
            f"{line.records:,}",
            f"{line.with_issues:,}",
            "-" if line.score is None else f"{line.score:.0f}",
            f"{line.to_mend:,}",
        )
    return table


def _costs(costs: Sequence[Cost], currency: str) -> Table:
    table = _table("cost", "count", "each", "amount")
    for cost in costs:
        each, amount = (money(value, currency) for value in (cost.unit_cost, cost.amount))
        table.add_row(cost.title, f"{cost.count:,}", each, amount)
    return table


def _table(*headers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for header in headers:
        numeric = header not in {
            "issue",
            "owner",
            "rule",
            "source",
            "quality",
            "target",
            "team",
            "cost",
            "",
        }
        right = numeric and not header.startswith(("what", "lowest", "usual", "rows of"))
        table.add_column(header, justify="right" if right else "left")
    return table


def _bar(score: float) -> Text:
    filled = round(score / 100 * _BAR)
    colour = "green" if score >= _GOOD else "yellow" if score >= _FAIR else "red"
    return Text.assemble(("━" * filled, colour), ("─" * (_BAR - filled), "bright_black"))


def _indented(renderable: RenderableType) -> Padding:
    return Padding(renderable, (0, 0, 1, 2))
