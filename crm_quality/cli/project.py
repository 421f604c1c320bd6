"""``crmq init`` and ``crmq doctor``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from crm_quality.cli.options import Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import console, print_object, say
from crm_quality.engine.project import Project
from crm_quality.errors import CrmQualityError
from crm_quality.store import verify_trail

_PACKAGES = ("crm-quality", "duckdb", "splink", "polars", "phonenumbers", "pydantic")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("init")(init)
    app.command("doctor")(doctor)


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make the project in.")],
    name: Annotated[str | None, typer.Option("--name", help="What reports call it.")] = None,
) -> None:
    """Make a project: settings, the default rules, an empty store."""
    project = Project.create(folder, name=name)
    say(f"made a project in {project.folder}")
    say("  crmq.yml      its settings")
    say("  rules/        what every field means and how it is checked, yours to edit")
    say("  store.duckdb  the customer store")
    say(f"next: crmq run FILE... --project {project.folder}")


def doctor(
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Check versions, settings, rules and the store; exit 2 when something is wrong."""
    findings: list[dict[str, Any]] = []

    def found(what: str, problem: str | None, state: str) -> None:
        findings.append({"what": what, "ok": problem is None, "state": problem or state})

    found("python", None, platform.python_version())
    for package in _PACKAGES:
        try:
            found(package, None, version(package))
        except PackageNotFoundError:
            found(package, "not installed", "")
    try:
        opened = Project.open(project, wait=wait)
        entities = ", ".join(sorted(opened.rules.entities))
        found("settings", None, f"{opened.folder / 'crmq.yml'}")
        found("rules", None, f"{entities}; {len(opened.rules.sources)} sources")
    except CrmQualityError as error:
        found("project", str(error), "")
    else:
        _examine_store(opened, found)
    if output is Format.TABLE:
        for finding in findings:
            mark = "[green]ok[/]  " if finding["ok"] else "[red]bad[/] "
            console().print(f"{mark}{finding['what']:<14}{finding['state']}", soft_wrap=True)
    else:
        print_object({"schema_version": 1, "findings": findings}, output)
    if not all(finding["ok"] for finding in findings):
        raise typer.Exit(2)


def _examine_store(project: Project, found: Any) -> None:  # noqa: ANN401 - a local function
    try:
        with project.store() as store:
            records = store.value("SELECT count(*) FROM landing.record")
            runs = store.value("SELECT count(*) FROM audit.run")
            twice = store.value(
                "SELECT count(*) FROM (SELECT 1 FROM landing.record"
                " GROUP BY entity, source, source_key HAVING count(*) > 1)"
            )
            broken = verify_trail(store)
    except CrmQualityError as error:
        found("store", str(error), "")
        return
    size = project.store_path.stat().st_size / 1e6
    found("store", None, f"{records:,} records, {runs:,} runs, {size:,.1f} MB; nobody holds it")
    found("keys", f"{twice} source keys are there twice" if twice else None, "each is there once")
    found("audit trail", "; ".join(broken) or None, "whole")
