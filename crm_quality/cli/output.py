"""Data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm_quality.cli.options import Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

#: What each stage is called while it runs.
_STAGES = {
    "intake": "reading",
    "standardise": "standardising",
    "validate": "validating",
    "match": "matching",
    "merge": "merging",
    "store": "storing",
}


def console() -> Console:
    """Standard output, as wide as the terminal; 100 columns where there is none."""
    width = None if sys.stdout.isatty() else 100
    return Console(width=width, highlight=False)


def say(message: str) -> None:
    """Tell the user something that is not data."""
    typer.echo(message, err=True)


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def complain(message: str) -> None:
    """Say what went wrong, on standard error."""
    typer.secho("error: ", fg=typer.colors.RED, bold=True, nl=False, err=True)
    typer.echo(message, err=True)


def print_object(value: dict[str, Any], output: Format) -> None:
    """One JSON object: indented for ``json``, on one line for ``jsonl``."""
    indent = 2 if output is Format.JSON else None
    typer.echo(json.dumps(value, indent=indent, default=str, ensure_ascii=False))


def print_frame(frame: pl.DataFrame, output: Format, *, title: str = "", most: int = 50) -> None:
    """A frame as a table of at most ``most`` rows, one JSON array, or one object per line."""
    if output is Format.TABLE:
        console().print(as_table(frame.head(most), title=title))
        if frame.height > most:
            say(f"… and {frame.height - most:,} more rows; use --format jsonl for all of them")
        return
    rows = frame.to_dicts()
    if output is Format.JSON:
        typer.echo(json.dumps(rows, indent=2, default=str, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(json.dumps(row, default=str, ensure_ascii=False))


def as_table(frame: pl.DataFrame, *, title: str = "") -> Table:
    """A frame as a table for the terminal; numbers to the right, null as nothing."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for name, dtype in frame.schema.items():
        # the name of a rule is copied into other commands: it is never cut
        side: Literal["left", "right"] = "right" if dtype.is_numeric() else "left"
        table.add_column(name, justify=side, no_wrap=name == "rule")
    for row in frame.iter_rows():
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A line on standard error that names the stage at work; nothing where there is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _stage: None
        return
    columns: Sequence[Any] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda stage: bar.update(task, description=_STAGES.get(stage, stage))
