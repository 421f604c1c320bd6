"""The commands put together, and what happens when one cannot go on."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from crm_quality.cli import (
    audit,
    crm,
    enrich,
    entities,
    evaluate,
    explain,
    export,
    lookup,
    pin,
    privacy,
    profile,
    project,
    quarantine,
    review,
    rules,
    run,
    sources,
    store,
    train,
    undo,
    values,
)
from crm_quality.cli.output import complain
from crm_quality.errors import CrmQualityError, LimitError

app = typer.Typer(
    name="crmq",
    help="One trusted customer list out of many messy ones.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crmq {installed_version('crm-quality')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which one."),
    ] = False,
) -> None:
    """One trusted customer list out of many messy ones."""


for module in (
    project,
    run,
    profile,
    quarantine,
    audit,
    rules,
    sources,
    values,
    lookup,
    explain,
    review,
    pin,
    enrich,
    entities,
    undo,
    evaluate,
    train,
    store,
    privacy,
    export,
    crm,
):
    module.register(app)


def main() -> None:
    """Run ``crmq``; ends with 0 fine, 1 a gate failed, 2 could not run."""
    sys.exit(_code())


def _code() -> int:
    try:
        app()
    except SystemExit as stop:
        # typer always ends so; going on lets what the command held be freed before Python ends
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except CrmQualityError as error:
        complain(str(error))
        return 1 if isinstance(error, LimitError) else 2
    except KeyboardInterrupt:
        complain("interrupted; the store is as it was before")
        return 130
    except BrokenPipeError:
        # the reader of our output has gone, as `crmq … | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
