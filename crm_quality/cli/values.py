"""``crmq values``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from crm_quality.audit.masking import mask_of
from crm_quality.cli.options import Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import console, counted, print_frame, print_object, progress, say
from crm_quality.engine.project import Project
from crm_quality.engine.value_sheet import read_sheet, write_sheet
from crm_quality.engine.values import SURE_ENOUGH
from crm_quality.errors import UsageError
from crm_quality.validate import METHODS

if TYPE_CHECKING:
    from crm_quality.engine.check import Run
    from crm_quality.engine.values import Acceptance

_LONGEST = 30


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("values")(values)


def values(
    field: Annotated[
        str | None, typer.Argument(help="A field with a vocabulary; without it all are listed.")
    ] = None,
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Whose field, where it is not clear.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method", help=f"What finds clusters and suggestions: all, {', '.join(METHODS)}."
        ),
    ] = "all",
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help='"TEXT=VALUE": the text means this value; repeat at will.'),
    ] = None,
    accept_suggested: Annotated[
        bool, typer.Option("--accept-suggested", help="Accept what is suggested and sure enough.")
    ] = False,
    at_least: Annotated[
        float, typer.Option("--at-least", min=0, max=100, help="The score that is sure enough.")
    ] = SURE_ENOUGH,
    new_value: Annotated[
        list[str] | None,
        typer.Option("--new-value", help='"VALUE" or "VALUE=Label": accept one more value.'),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write a sheet to decide in: .xlsx or .csv."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--from", help="Accept what was decided in such a sheet."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit trail.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing.")
    ] = False,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply",
            help="Let the store's records take what is accepted by now, as `crmq rules apply`.",
        ),
    ] = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """List values that are not in their vocabulary, and accept them.

    Accepted words go into rules/vocabularies/, comments and layout kept, and into the audit trail.
    """
    opened = Project.open(project, wait=wait)
    writes = bool(accept or accept_suggested or new_value or sheet)
    if apply and dry_run:
        raise UsageError("--apply changes records; leave it out of a --dry-run")
    if field is None:
        if writes or out is not None:
            raise UsageError("name the field: crmq values FIELD …")
        if not apply:
            _list_fields(opened, output)
    elif writes:
        place = opened.values.place(field, entity=entity)
        meanings: dict[str, str] = {}
        if accept_suggested:
            meanings |= opened.values.sure(field, at_least=at_least, entity=entity, method=method)
        meanings |= read_sheet(sheet, place) if sheet else {}
        meanings |= _pairs(accept or [])
        done = opened.values.accept(
            field,
            meanings,
            reason=reason,
            entity=entity,
            new_values=dict(_with_label(text) for text in new_value or []),
            dry_run=dry_run,
        )
        _report(done, output, dry_run=dry_run, applies=apply)
    elif out is not None:
        _write_sheet(opened, field, entity, method, out, show_personal=show_personal)
    elif not apply:
        _list_values(opened, field, entity, method, output, show_personal=show_personal)
    if apply:
        with progress() as listener:
            ran = opened.values.apply(command="crmq values --apply", progress=listener)
        _report_run(ran, output, alone=not writes)


def _list_fields(project: Project, output: Format) -> None:
    found = project.values.fields()
    print_frame(found, output, title="Fields with a vocabulary")
    if output is Format.TABLE:
        if found["unknown"].sum():
            say("see what they are: crmq values FIELD")
        _tell_of_waiting(int(found["waiting"].sum()))


def _list_values(
    project: Project,
    field: str,
    entity: str | None,
    method: str,
    output: Format,
    *,
    show_personal: bool,
) -> None:
    found = project.values.unknown(field, entity=entity, method=method)
    owner, _, name = project.values.place(field, entity=entity).partition(".")
    if not show_personal:
        mask = mask_of(project.rules, owner, name)
        masked = pl.Series([mask(text) for text in found["value"]], dtype=pl.String)
        found = found.with_columns(masked.alias("value"))
    vocabulary = project.rules.entity(owner).fields[name].vocabulary
    if output is Format.JSON:
        head = {"schema_version": 1, "entity": owner, "field": name, "vocabulary": vocabulary}
        print_object({**head, "values": found.to_dicts()}, output)
        return
    if output is Format.JSONL:
        print_frame(found, output)
        return
    unknown = found.filter(~pl.col("is_accepted"))
    if unknown.is_empty():
        say(f"every value of {owner}.{name} is in the vocabulary {vocabulary}")
    else:
        print_frame(_shown(unknown), output, title=f"Not in the vocabulary {vocabulary}")
        records = counted(int(unknown["records"].sum()), "record")
        say(
            f"{counted(unknown.height, 'text')} in {records}. "
            f'Accept one with: crmq values {name} --accept "TEXT=VALUE" --reason WHY'
        )
    _tell_of_waiting(int(found.filter("is_accepted")["records"].sum()))


def _shown(unknown: pl.DataFrame) -> pl.DataFrame:
    """What fits a terminal, one line a text."""
    short = [pl.col(name).str.slice(0, _LONGEST).alias(name) for name in ("value", "sources")]
    return unknown.with_columns(pl.col("sources").list.join(", ")).select(
        pl.col("cluster").alias("#"),
        short[0],
        "records",
        pl.col("suggestion").alias("suggested"),
        pl.col("score").round(0).cast(pl.Int64),
        "method",
        short[1],
        pl.col("last_seen").dt.date().alias("last seen"),
    )


def _tell_of_waiting(records: int) -> None:
    if records:
        say(
            f"{records:,} records hold a text that is accepted by now; they change when their file "
            "is run again, or with: crmq values --apply"
        )


def _write_sheet(
    project: Project,
    field: str,
    entity: str | None,
    method: str,
    out: Path,
    *,
    show_personal: bool,
) -> None:
    found = project.values.unknown(field, entity=entity, method=method)
    place = project.values.place(field, entity=entity)
    owner, _, name = place.partition(".")
    if not show_personal:
        # a masked text could not be decided about, nor read back
        mask = mask_of(project.rules, owner, name)
        open_ones = pl.Series([mask(text) == text for text in found["value"]], dtype=pl.Boolean)
        if hidden := found.height - int(open_ones.sum()):
            say(f"{hidden:,} texts may be personal and were left out; --show-personal has them")
        found = found.filter(open_ones)
    vocabulary = project.rules.entity(owner).vocabularies[
        project.rules.entity(owner).fields[name].vocabulary or ""
    ]
    write_sheet(found, place, vocabulary, out)
    say(
        f"wrote {found.filter(~pl.col('is_accepted')).height:,} texts to {out}; fill in the column "
        f"decision, then: crmq values {name} --from {out} --reason WHY"
    )


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        # what people typed may hold the sign, the name of an accepted value hardly does
        word, sign, value = text.rpartition("=")
        if not sign or not word.strip() or not value.strip():
            raise UsageError(f'--accept {text!r} is not of the form "TEXT=VALUE"')
        if pairs.setdefault(word, value.strip()) != value.strip():
            raise UsageError(f"--accept: {word!r} cannot mean two values")
    return pairs


def _with_label(text: str) -> tuple[str, str]:
    value, _, label = text.partition("=")
    return value.strip(), label.strip()


def _report(done: Acceptance, output: Format, *, dry_run: bool, applies: bool) -> None:
    if output is not Format.TABLE:
        print_object({"schema_version": 1, **asdict(done)}, output)
        return
    if done.diff:
        console().print(done.diff, end="", soft_wrap=True, markup=False)
    if done.already:
        say(f"accepted already: {', '.join(done.already)}")
    if not done.diff:
        say("there is nothing to accept; no file was written")
        return
    words = sum(map(len, done.synonyms.values()))
    what = f"{words:,} synonyms and {len(done.new_values):,} new values"
    say(f"{'would write' if dry_run else 'wrote'} {what} to {done.file}")
    if not applies:
        say(
            f"{done.records:,} records of the store hold them; they change when their file is run "
            "again, or with: crmq values --apply"
        )


def _report_run(run: Run, output: Format, *, alone: bool) -> None:
    summary = run.summary
    for note in summary.notes:
        say(note)
    if output is not Format.TABLE:
        if alone:
            print_object(summary.model_dump(), output)
        return
    records, golden = summary.records, summary.golden
    if not records.received:
        say("every record was judged by today's rules already: nothing to apply")
        return
    say(
        f"run {summary.run_id}: {records.received:,} records judged by today's rules, "
        f"{records.received - records.unchanged:,} records changed; {golden.changed:,} golden "
        f"records changed, {golden.created:,} new, {golden.merged:,} merged, {golden.split:,} split"
    )
