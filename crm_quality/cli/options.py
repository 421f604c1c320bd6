"""Options that several commands share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a command reports."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class FailOn(StrEnum):
    """The lowest severity of an issue that fails the gate."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


ProjectDir = Annotated[
    Path,
    typer.Option("--project", "-p", envvar="CRMQ_PROJECT", help="Folder of the project."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, help="Seconds to wait for another process to leave the store."),
]
OutputFormat = Annotated[
    Format, typer.Option("--format", "-f", help="How to report on standard output.")
]
ShowPersonal = Annotated[bool, typer.Option("--show-personal", help="Do not mask personal values.")]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        "-s",
        help="Source of the rows: a preset, a name of yours, or a mapping file (.yml). "
        "Without it the header decides.",
    ),
]
EntityOption = Annotated[
    str, typer.Option("--entity", "-e", help="What a row is, where no preset tells.")
]
KeyOption = Annotated[
    list[str] | None,
    typer.Option("--key", help="Column that identifies a record; repeat for several."),
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Of text files, such as cp1252; else detected.")
]
DelimiterOption = Annotated[
    str | None, typer.Option("--delimiter", help="Of text files, such as ';'; else detected.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day that counts as today."),
]
