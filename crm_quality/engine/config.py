"""crmq.yml: what a project is called, where it works and what stops its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from crm_quality.definitions import Definition
from crm_quality.definitions.loader import faults_of
from crm_quality.definitions.text import parse
from crm_quality.errors import DefinitionError, Fault, ProjectError

if TYPE_CHECKING:
    from pathlib import Path

CONFIG_FILE = "crmq.yml"


class Limits(Definition):
    """What stops a run before it is stored.

    Attributes:
        ended_share: Greatest share of a source's live records that one run may end.
        ended_from: The limit applies to sources with at least so many live records.
    """

    ended_share: float = Field(default=0.1, ge=0, le=1)
    ended_from: int = Field(default=20, ge=0)


class ProjectConfig(Definition):
    """The settings of a project.

    Attributes:
        name: What reports call it.
        country: ISO 3166-1 alpha-2; the region of phone numbers that nothing else tells.
        actor: Who runs are recorded as; null = the user of the operating system.
        merging: ``auto`` joins what matches, ``propose`` leaves every join to the steward.
        fail_on: Lowest severity of an issue that makes ``crmq run`` exit with 1.
        limits: What stops a run before it is stored.
    """

    name: str = "customers"
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    actor: str | None = None
    merging: Literal["auto", "propose"] = "auto"
    fail_on: Literal["error", "warning", "never"] = "never"
    limits: Limits = Limits()


def default_config(name: str) -> str:
    """The text of a new project's crmq.yml."""
    return f"""\
# Settings of this crm-quality project.
name: {name}

# Region of phone numbers that neither the record nor its source tells (ISO 3166-1 alpha-2).
# country: US

# auto: records that match are joined, every join can be taken back.
# propose: joins wait for a steward.
merging: auto

# Lowest severity of an issue that makes `crmq run` exit with 1: error, warning or never.
fail_on: never

# What stops a run before anything is stored (exit 1).
limits:
  # greatest share of a source's records that one run may end, for sources of 20 records or more
  ended_share: 0.1
"""


def read_config(folder: Path) -> ProjectConfig:
    """Read a project's crmq.yml.

    Raises:
        ProjectError: The folder has none.
        DefinitionError: It is wrong; every fault with line and column.
    """
    file = folder / CONFIG_FILE
    if not file.is_file():
        raise ProjectError(
            f"{folder} is no crm-quality project: it has no {CONFIG_FILE}; "
            "run `crmq init DIR`, or name a project with --project DIR"
        )
    try:
        document = parse(file.read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError([Fault(file, 0, 0, f"cannot be read: {error}")]) from error
    if document.faults:
        raise DefinitionError(document.faults)
    try:
        return ProjectConfig.model_validate(document.tree)
    except ValidationError as error:
        raise DefinitionError(faults_of(document, ProjectConfig, error.errors())) from error
