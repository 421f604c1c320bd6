"""``crmq erase`` and ``crmq subject-access``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
import xlsxwriter  # type: ignore[import-untyped]

from crm_quality.cli.entities import Expect, KindOption, Reason, expected
from crm_quality.cli.export import flat
from crm_quality.cli.options import Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import as_table, console, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import InputError, UsageError

if TYPE_CHECKING:
    from crm_quality.engine.access import Dossier
    from crm_quality.engine.privacy import Erased


Person = Annotated[
    str,
    typer.Argument(
        help="A customer: its number, one of its records as SOURCE:KEY, or an e-mail address that "
        "nobody else has.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("erase")(erase)
    app.command("subject-access")(subject_access)


def erase(
    customer: Person,
    reason: Reason = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do it; without, only say what it would do.")
    ] = False,
    expect_version: Expect = None,
    entity: KindOption = None,
    compact: Annotated[
        bool,
        typer.Option(help="Write the store's file anew, so that no byte of the person is left."),
    ] = True,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Take a person's content out of the store for ever; sums hold, and imports stay out."""
    done = Project.open(project, wait=wait).privacy.erase(
        customer,
        reason=reason,
        entity=entity,
        expected=expected(expect_version, [customer]),
        dry_run=not yes,
        compact=compact,
    )
    if output is Format.TABLE:
        _print_erased(done)
    else:
        print_object(done.to_dict(), output)
    if done.run_id is None:
        say("nothing was written, and it could not be undone; to do it add --yes --reason TEXT")


def subject_access(
    customer: Person,
    out: Annotated[Path, typer.Argument(help="File to write: .json or .xlsx.")],
    entity: KindOption = None,
    project: ProjectDir = Path(),
    wait: Wait = 0.0,
) -> None:
    """Write down all that the store holds of a person, to be handed out."""
    if out.suffix.lower() not in {".json", ".xlsx"}:
        raise UsageError(f"{out} ends in neither .json nor .xlsx; name the kind of file so")
    told = Project.open(project, wait=wait).privacy.subject_access(customer, entity=entity)
    try:
        if out.suffix.lower() == ".json":
            text = json.dumps(told.to_dict(), default=str, ensure_ascii=False, indent=2)
            out.write_text(text + "\n", encoding="utf-8")
        else:
            _write_workbook(told, out)
    except (OSError, xlsxwriter.exceptions.XlsxWriterException) as error:
        raise InputError(f"{out} cannot be written: {error}") from error
    rows = sum(frame.height for frame in told.tables.values())
    say(f"wrote {rows:,} rows of {len(told.tables)} tables to {out}")


def _print_erased(done: Erased) -> None:
    word = "erased" if done.run_id is not None else "would be erased"
    numbers = ", ".join(map(str, done.records["record_id"]))
    rows = [(f"{done.entity} {done.entity_id}", word), ("records", numbers)]
    rows += [(f"{name} rows without anything personal", f"{n:,}") for name, n in done.rows.items()]
    if done.run_id is not None:
        anew = "written anew" if done.compacted else "not written anew: crmq store compact"
        rows += [("run", str(done.run_id)), ("store file", anew)]
    console().print(as_table(pl.DataFrame(rows, schema=["what", "says"], orient="row")))
    if done.backups:
        say("these files still hold the person; delete them when you may:")
        for file in done.backups:
            say(f"  {file}")


def _write_workbook(told: Dossier, out: Path) -> None:
    # a value such as "=1+1" stays the text that somebody typed
    options = {"strings_to_formulas": False, "strings_to_urls": False, "remove_timezone": True}
    with xlsxwriter.Workbook(str(out), options) as book:
        for name, frame in told.tables.items():
            flat(frame).write_excel(book, name[:31], autofit=True)
