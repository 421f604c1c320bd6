"""``crmq rules``: right, listed, explained."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from crm_quality.audit.guideline import render_guideline
from crm_quality.cli.annotations import github, junit, shown_path
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import console, counted, print_frame, print_object, progress, say
from crm_quality.cli.rules_diff import diff
from crm_quality.cli.rules_usage import usage
from crm_quality.cli.run import print_rules, print_summary
from crm_quality.definitions import RuleSet, Severity, default_rules
from crm_quality.engine.config import CONFIG_FILE
from crm_quality.engine.project import Project
from crm_quality.engine.rules_check import RulesReport, check_rules
from crm_quality.errors import InputError, UsageError
from crm_quality.validate import catalogue

group = typer.Typer(
    help="The rules themselves: right, listed, explained, compared.", no_args_is_help=True
)


class CheckFormat(StrEnum):
    """How ``crmq rules check`` reports."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    GITHUB = "github"
    JUNIT = "junit"


class Strictness(StrEnum):
    """What fails the gate of ``crmq rules check``."""

    ERROR = "error"
    WARNING = "warning"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group.command("check")(check)
    group.command("list")(list_rules)
    group.command("docs")(docs)
    group.command("usage")(usage)
    group.command("diff")(diff)
    group.command("apply")(apply)
    app.add_typer(group, name="rules")


def check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of rules; without it the project's.")
    ] = None,
    fail_on: Annotated[
        Strictness, typer.Option("--fail-on", help="Exit 1 from this level on.")
    ] = Strictness.ERROR,
    project: ProjectDir = Path(),
    output: Annotated[
        CheckFormat,
        typer.Option(
            "--format", "-f", help="How to report; github and junit are for continuous integration."
        ),
    ] = CheckFormat.TABLE,
) -> None:
    """Tell every mistake of all rule files and crmq.yml at its line; exit 1 when there is any.

    Warnings are what is well formed and hardly meant: a vocabulary that no field uses, a test that
    can never hold. The store is not needed. Exit 2 means that there were no rules to read.
    """
    report = check_rules(folder or project)
    _print_report(report, output)
    say(
        f"{counted(len(report.files), 'file')} read: {counted(len(report.faults), 'mistake')}, "
        f"{counted(len(report.advice), 'warning')}"
    )
    if report.faults or (report.advice and fail_on is Strictness.WARNING):
        raise typer.Exit(1)


def _print_report(report: RulesReport, output: CheckFormat) -> None:
    if output is CheckFormat.GITHUB:
        for line in github(report):
            typer.echo(line)
    elif output is CheckFormat.JUNIT:
        typer.echo(junit(report))
    elif output is CheckFormat.JSON:
        findings = list(report.findings())
        files = [str(file) for file in report.files]
        print_object({"schema_version": 1, "files": files, "findings": findings}, Format.JSON)
    elif output is CheckFormat.JSONL:
        for finding in report.findings():
            print_object(finding, Format.JSONL)
    else:
        for level, colour, told in (
            ("error", "red", report.faults),
            ("warning", "yellow", report.advice),
        ):
            for fault in told:
                place = f"{shown_path(fault.file)}:{fault.line}:{fault.column}"
                console().print(f"[{colour}]{level}[/] ", end="")
                hint = f" ({fault.hint})" if fault.hint else ""
                console().print(f"{place}: {fault.message}{hint}", markup=False, soft_wrap=True)


def list_rules(
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Only rules of this entity.")
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only rules of this owner.")] = None,
    severity: Annotated[
        Severity | None, typer.Option("--severity", help="Only rules of this severity.")
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
) -> None:
    """Every rule with its code, severity and owner; outside a project those of the default pack."""
    rules = rules_of(project)
    every = sorted(rules.entities, key=lambda name: (name != "contact", name))
    rows = [
        {
            "code": rule.code,
            "severity": rule.severity.value,
            "scope": rule.scope,
            "owner": rule.owner,
            "entity": rule.entity,
            "field": rule.field,
            "title": rule.title,
            "message": rule.message,
        }
        for name in ([entity] if entity is not None else every)
        for rule in catalogue(rules.entity(name))
        if owner in (None, rule.owner) and severity in (None, rule.severity)
    ]
    columns = ["code", "severity", "scope", "owner", "entity", "field", "title", "message"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))
    if output is Format.TABLE:
        shown = frame.select("code", "severity", "scope", "owner", "title")
        print_frame(shown, output, most=shown.height)
    else:
        print_frame(frame, output)


def docs(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the page here; else it is printed.")
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="One self-contained page instead of Markdown.")
    ] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when the file is out of date.")
    ] = False,
    project: ProjectDir = Path(),
) -> None:
    """Write the entry guideline for people: each field, what it means, when and how to fill it.

    It is made from the definitions alone, so the same rules give the same page.
    """
    if check_only and out is None:
        raise UsageError("--check needs the file that it compares with: --out FILE")
    page = render_guideline(rules_of(project), html=html)
    if out is None:
        typer.echo(page, nl=False)
    elif check_only:
        if not out.is_file() or out.read_text(encoding="utf-8") != page:
            say(f"{out} is out of date; write it again: crmq rules docs --out {out}")
            raise typer.Exit(1)
    else:
        try:
            out.write_text(page, encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"{out} cannot be written: {error.strerror or error}") from error
        say(f"wrote {out}")


def apply(
    requarantine: Annotated[
        bool,
        typer.Option(
            "--requarantine", help="Set records aside that break a rule of severity error now."
        ),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also records that these rules have judged: a rule may speak of today."
        ),
    ] = False,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Judge the store by today's rules, without its files.

    Only records that were last judged by other rules are looked at. Records in force get issues and
    stay in force, unless --requarantine; what waits and passes now is released.
    """
    opened = Project.open(project, wait=wait)
    with progress() as listener:
        done = opened.rulebook.apply(
            requarantine=requarantine,
            everything=everything,
            as_of=None if as_of is None else as_of.date(),
            command="crmq rules apply",
            progress=listener,
        )
    for note in done.summary.notes:
        say(note)
    if output is Format.TABLE:
        print_summary(done.summary, judged_again=True)
        print_rules(done)
    else:
        print_object(done.summary.model_dump(), output)


def rules_of(project: Path) -> RuleSet:
    """The project's rules; those of the default pack where there is no project."""
    if (project / CONFIG_FILE).exists():
        return Project.open(project).rules
    say("no project here: these are the default rules")
    return default_rules()
