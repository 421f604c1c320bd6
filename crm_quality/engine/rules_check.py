"""All rule files and crmq.yml at once: mistakes, and what is hardly meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_quality.definitions.advice import advice
from crm_quality.definitions.loader import survey_rules
from crm_quality.engine.config import CONFIG_FILE, read_config
from crm_quality.errors import DefinitionError, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from crm_quality.errors import Fault


@dataclass(frozen=True)
class RulesReport:
    """What is to be said of the rules.

    Attributes:
        files: Every file that was read.
        faults: Mistakes; with any of them nothing runs.
        advice: What a reader should look at again; found only where there is no mistake.
    """

    files: tuple[Path, ...]
    faults: tuple[Fault, ...]
    advice: tuple[Fault, ...]

    def findings(self) -> Iterator[dict[str, Any]]:
        """``level`` (error, warning), ``file``, ``line``, ``column``, ``message``, ``hint``."""
        for level, told in (("error", self.faults), ("warning", self.advice)):
            for fault in told:
                yield {
                    "level": level,
                    "file": None if fault.file is None else str(fault.file),
                    "line": fault.line,
                    "column": fault.column,
                    "message": fault.message,
                    "hint": fault.hint,
                }


def check_rules(folder: Path, *, as_of: date | None = None) -> RulesReport:
    """Read everything that a project declares; its store is not opened.

    Args:
        folder: A project, or a folder of rules (with ``entities/`` in it).
        as_of: The day that ``today`` stands for in bounds; null = today in UTC.

    Raises:
        ProjectError: It is neither.
    """
    config = folder / CONFIG_FILE
    if not config.is_file():
        if (folder / "entities").is_dir():
            return _report((), (), folder, as_of)
        raise ProjectError(
            f"{folder} has neither a {CONFIG_FILE} nor rules (entities/*.yml); "
            "name a project with --project DIR, or a folder of rules"
        )
    try:
        read_config(folder)
    except DefinitionError as error:
        return _report((config,), error.faults, folder / "rules", as_of)
    return _report((config,), (), folder / "rules", as_of)


def _report(
    files: tuple[Path, ...], faults: tuple[Fault, ...], rules: Path, as_of: date | None
) -> RulesReport:
    try:
        survey = survey_rules(rules)
    except DefinitionError as error:
        return RulesReport(files, (*faults, *error.faults), ())
    return RulesReport(
        (*files, *survey.files), (*faults, *survey.faults), advice(survey, as_of=as_of)
    )
