"""The rows as Markdown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
HEAD = "| tool | F1 | precision | recall | B-cubed F1 | largest cluster | s | peak MB | pairs |"
RULE = "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
SAME_FOR_ALL = """\
Every tool gets the same records (canonical fields, lower-case text), runs in a process and an
environment of its own, and is scored by `crm_quality.match.evaluate` on the clusters that it
returns. *600 labels*: answered by the truth, which the others never see. What was chosen for each
tool stands at the top of its module in `benchmarks/peers/`. Bold: the best without labels."""
BEST_CUT = """\
*Best cut*: the threshold of the careful Splink chosen with the truth in hand, out of fifteen, set
by set. No user can do that; it shows how much of the difference is the threshold."""
UNITS = """\
Seconds are the tool's own, from the records to the clusters; of one that failed, until it did.
Memory is the resident memory of its process and the children of that. Pairs are those that it
compared (careful Splink: those of a weight above −8), where it tells."""


def markdown(rows: Sequence[Row], command: str, limits: str) -> str:
    """The table over all sets, then one for each set."""
    versions = {
        package: number
        for row in rows
        for package, number in (row.get("versions") or {}).items()
        if package != "crm-quality"
    }
    parts = [
        "# Matching side by side",
        f"`{command}`",
        f"{machine()}; {limits}. "
        + ", ".join(f"{p} {n}" for p, n in sorted(versions.items()))
        + ".",
        SAME_FOR_ALL,
        "## Pairwise F1",
        overview(rows),
        BEST_CUT,
        "## Set by set",
        UNITS,
    ]
    for name in _sets(rows):
        parts += [_heading(rows, name), table([row for row in rows if row["set"] == name])]
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """Cores, memory and load of this machine, now."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    return f"{os.cpu_count()} cores, {memory:.0f} GiB; load when written {load}"


def overview(rows: Sequence[Row]) -> str:
    """One line per set, one column per tool; the best without labels is bold."""
    shown = [tool for tool in TOOLS if any(row["tool"] == tool.name for row in rows)]
    heads = []
    for tool in shown:
        heads.append(tool.title)
        if tool.name == "careful":
            heads.append("… best cut")
    lines = [f"| set | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for name in _sets(rows):
        here = {row["tool"]: row for row in rows if row["set"] == name}
        free = [here[t.name].get("f1", 0) for t in shown if not t.labels and t.name in here]
        cells = []
        for tool in shown:
            row = here.get(tool.name)
            cells.append(_cell(row, bold=not tool.labels and bool(free), best=max(free, default=0)))
            if tool.name == "careful":
                cells.append(f"{row['best']['f1']:.4f}" if row and row.get("best") else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: Row | None, *, bold: bool, best: float) -> str:
    if row is None:
        return "not run"
    if row["failure"]:
        return "–"
    text = f"{row['f1']:.4f}"
    return f"**{text}**" if bold and row["f1"] == best else text


def table(rows: Sequence[Row]) -> str:
    """The tools on one set."""
    titles = {tool.name: tool.title for tool in TOOLS}
    order = {tool.name: place for place, tool in enumerate(TOOLS)}
    lines = [HEAD, RULE]
    for row in sorted(rows, key=lambda row: order[row["tool"]]):
        title = titles[row["tool"]]
        if row["failure"]:
            why = row["failure"].replace("|", "/")
            lines.append(
                f"| {title} | {why} | | | | | {row['seconds']:.0f} | {row['peak_mb']:,} | |"
            )
            continue
        pairs = f"{row['pairs']:,}" if row.get("pairs") is not None else ""
        rest = f"{row['seconds']:.1f} | {row['peak_mb']:,} | {pairs}"
        lines.append(f"| {title} | {_scores(row)} | {rest} |")
        if row.get("best"):
            lines.append(f"| … best cut, by the truth | {_scores(row['best'])} | | | |")
    return "\n".join(lines)


def _scores(row: Row) -> str:
    shares = " | ".join(f"{row[name]:.4f}" for name in ("f1", "precision", "recall", "bcubed_f1"))
    return f"{shares} | {row['largest_cluster']:,.0f}"


def _sets(rows: Sequence[Row]) -> list[str]:
    sizes = {row["set"]: row["records"] for row in rows}
    generated = [name for name in sizes if name.startswith("contacts_")]
    return sorted(set(sizes) - set(generated)) + sorted(generated, key=lambda name: sizes[name])


def _heading(rows: Sequence[Row], name: str) -> str:
    row = next(row for row in rows if row["set"] == name)
    return f"### {name} ({row['records']:,} records of {row['entities']:,})"
