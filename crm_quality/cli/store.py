"""``crmq store``: backup, restore, compaction, verification and the published copy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from crm_quality.cli.options import Format, OutputFormat, ProjectDir, Wait
from crm_quality.cli.output import as_table, console, counted, print_frame, print_object, say
from crm_quality.engine.project import Project

if TYPE_CHECKING:
    from crm_quality.engine.upkeep import Backup

Folder = Annotated[
    Path | None,
    typer.Argument(help="Folder of the backups; without it, as crmq.yml says, else backups/."),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(
        help="The store as a file: backup, restore, compact, verify, publish.",
        no_args_is_help=True,
    )
    for name, command in (
        ("backup", backup),
        ("list", list_backups),
        ("restore", restore),
        ("compact", compact),
        ("verify", verify),
        ("publish", publish),
        ("info", info),
    ):
        group.command(name)(command)
    app.add_typer(group, name="store")


def backup(
    folder: Folder = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Copy the store as it is, named by the time and the last run, and check the copy."""
    made = Project.open(project, wait=wait).upkeep.backup(folder)
    if output is Format.TABLE:
        say(f"wrote {made.file}, {_megabytes(made.size)}")
    else:
        print_object({"schema_version": 1, **_told(made)}, output)


def list_backups(
    folder: Folder = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
) -> None:
    """List the backups there are, the newest first."""
    upkeep = Project.open(project).upkeep
    found = upkeep.backups(folder)
    if output is Format.TABLE and not found:
        say(f"{folder or upkeep.backup_folder} has no backup; make one: crmq store backup")
        return
    shape = {"file": pl.String, "taken_at": pl.String, "run_id": pl.Int64, "why": pl.String}
    frame = pl.DataFrame([_told(one) for one in found], schema={**shape, "bytes": pl.Int64})
    if output is Format.TABLE:
        frame = frame.with_columns(
            pl.col("file").str.split("/").list.last(),
            pl.col("why").replace("", "asked for"),
            (pl.col("bytes") / 1e6).round(1).alias("MB"),
        ).drop("bytes")
    print_frame(frame, output, title=f"Backups in {folder or upkeep.backup_folder}")


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for the audit trail.")] = "",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Put a backup in the place of the store; it is verified first, and the store there is kept."""
    done = Project.open(project, wait=wait).upkeep.restore(file, reason=reason)
    if output is not Format.TABLE:
        kept = None if done.kept is None else str(done.kept)
        told = {"file": str(done.file), "run_id": done.run_id, "kept": kept}
        print_object({"schema_version": 1, **told}, output)
        return
    say(f"the store is that of {file.name} now, as of run {done.run_id}")
    if done.kept is not None:
        say(f"the store that was there is kept as {done.kept}")


def compact(
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Write the store into a new file without holes; drops what `retention` of crmq.yml lets go."""
    done = Project.open(project, wait=wait).upkeep.compact()
    if output is not Format.TABLE:
        sizes = {"bytes_before": done.size_before, "bytes_after": done.size_after}
        dropped = {"raw_rows_dropped": done.raw_rows_dropped}
        print_object({"schema_version": 1, **sizes, **dropped}, output)
        return
    if done.raw_rows_dropped:
        say(f"dropped {counted(done.raw_rows_dropped, 'row')} of versions that count no more")
    say(f"{_megabytes(done.size_before)} before, {_megabytes(done.size_after)} now")


def verify(
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Check the audit trail and all that must be true of a store; exit 1 when something is not."""
    verified = Project.open(project, wait=wait).upkeep.verify()
    if output is Format.TABLE:
        for check, says, violations, examples in verified.wrong.iter_rows():
            console().print(f"[red]bad[/] {check}: {says}", soft_wrap=True)
            shown = ", ".join(examples) + (" …" if violations > len(examples) else "")
            console().print(f"    {counted(violations, 'case')}: {shown}", soft_wrap=True)
        whole = verified.checks.height - verified.wrong.height
        say(f"{whole} of {verified.checks.height} checks passed")
        if not verified.is_whole:
            say("go back to a backup that passes: crmq store list, crmq store restore FILE")
    elif output is Format.JSON:
        checks = verified.checks.to_dicts()
        print_object({"schema_version": 1, "is_whole": verified.is_whole, "checks": checks}, output)
    else:
        print_frame(verified.checks, output)
    if not verified.is_whole:
        raise typer.Exit(1)


def publish(project: ProjectDir = Path(), wait: Wait = 0.0) -> None:
    """Renew store.published.duckdb, the copy for readers that must not wait."""
    say(f"wrote {Project.open(project, wait=wait).upkeep.publish()}")


def info(
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Say what the store holds, and how large it is."""
    found = Project.open(project, wait=wait).upkeep.info()
    if output is not Format.TABLE:
        print_object({"schema_version": 1, **found}, output)
        return
    last = found["last_run"]
    rows = [
        ("file", str(found["file"])),
        ("size", _megabytes(found["bytes"])),
        ("free within", _megabytes(found["bytes_free_within"])),
        ("last run", f"{last['run_id']}, {last['finished_at']:%Y-%m-%d %H:%M} UTC" if last else ""),
        ("backups", str(found["backups"])),
        ("published copy", str(found["published"] or "none")),
    ]
    console().print(as_table(pl.DataFrame(rows, schema=["store", "state"], orient="row")))
    tables = pl.DataFrame(
        list(found["rows"].items()), schema={"table": pl.String, "rows": pl.Int64}, orient="row"
    )
    print_frame(tables, output)


def _told(made: Backup) -> dict[str, object]:
    return {
        "file": str(made.file),
        "taken_at": f"{made.taken_at:%Y-%m-%dT%H:%M:%SZ}",
        "run_id": made.run_id,
        "why": made.why,
        "bytes": made.size,
    }


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
