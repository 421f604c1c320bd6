"""crmq.yml: what a project is called, where it works and what stops its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from crm_quality.audit import Terms
from crm_quality.audit.keepers import comparable
from crm_quality.crm import Service
from crm_quality.definitions import Definition
from crm_quality.definitions.loader import faults_of
from crm_quality.definitions.text import parse
from crm_quality.engine.nightly import NIGHTLY_YML, Backups, Retention
from crm_quality.errors import DefinitionError, Fault, ProjectError

if TYPE_CHECKING:
    from pathlib import Path

    from crm_quality.definitions import RuleSet
    from crm_quality.definitions.text import Document

CONFIG_FILE = "crmq.yml"


class Limits(Definition):
    """What stops a run before it is stored.

    Attributes:
        ended_share: Greatest share of a source's live records that one run may end.
        ended_from: The limit applies to sources with at least so many live records.
        quarantined_share: Greatest share of its rows that a run may quarantine; null = any.
        received_from: That limit applies to runs of at least so many rows.
        merged_share: Greatest share of the customers that a run may merge into others.
        split_share: Greatest number of customers that a run may split off, as a share of all.
        vanished_share: Greatest share of the customers that may be no more after a run.
        changed_share: Greatest share of the customers that a run may change; null = any.
        customers_from: The limits on customers apply where there are at least so many before.
    """

    ended_share: float = Field(default=0.1, ge=0, le=1)
    ended_from: int = Field(default=20, ge=0)
    quarantined_share: float | None = Field(default=None, ge=0, le=1)
    received_from: int = Field(default=100, ge=0)
    merged_share: float | None = Field(default=0.25, ge=0, le=1)
    split_share: float | None = Field(default=0.25, ge=0, le=1)
    vanished_share: float | None = Field(default=0.25, ge=0, le=1)
    changed_share: float | None = Field(default=None, ge=0, le=1)
    customers_from: int = Field(default=100, ge=0)


class ProjectConfig(Definition):
    """The settings of a project.

    Attributes:
        name: What reports call it.
        country: ISO 3166-1 alpha-2; the region of phone numbers that nothing else tells.
        actor: Who runs are recorded as; null = the user of the operating system.
        merging: ``auto`` joins what matches, ``propose`` leaves every join to the steward.
        fail_on: Lowest severity of an issue that makes ``crmq run`` exit with 1.
        limits: What stops a run before it is stored.
        targets: Figure of the audit → its least value, 0 to 100.
        teams: Team → its people, as records name their owner and rules theirs.
        unit_costs: ``<entity>.<cost>`` of the audit → what one of them costs.
        currency: Of the unit costs.
        backups: Copies of the store, and whether runs take one first.
        retention: What ``crmq store compact`` lets go of.
        publish: Renew ``store.published.duckdb`` after each change.
        service: Working time, and what is promised for tickets.
        stale_after: Entity (contact, deal, ticket, task) → days after which a record that nobody
            touched is stale.
    """

    name: str = "customers"
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    actor: str | None = None
    merging: Literal["auto", "propose"] = "auto"
    fail_on: Literal["error", "warning", "never"] = "never"
    limits: Limits = Limits()
    targets: dict[str, Annotated[float, Field(ge=0, le=100)]] = Field(default={})
    teams: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default={})
    unit_costs: dict[str, Annotated[float, Field(ge=0)]] = Field(default={})
    currency: str = ""
    backups: Backups = Backups()
    retention: Retention = Retention()
    publish: bool = False
    service: Service = Service()
    stale_after: dict[Literal["contact", "deal", "ticket", "task"], Annotated[int, Field(ge=0)]] = (
        Field(default={"contact": 365, "deal": 30, "ticket": 7, "task": 30})
    )

    @field_validator("teams")
    @classmethod
    def _nobody_is_in_two_teams(
        cls, teams: dict[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        team_of: dict[str, str] = {}
        for team, names in teams.items():
            for name in names:
                other = team_of.setdefault(comparable(name), team)
                if other != team:
                    raise ValueError(f"{name!r} is in two teams: {other} and {team}")
        return teams

    @property
    def terms(self) -> Terms:
        """What the audit holds the data to."""
        return Terms(
            targets=self.targets,
            teams=self.teams,
            unit_costs=self.unit_costs,
            currency=self.currency,
        )


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
  # greatest share of the customers that one run may merge, split off, or leave without a record,
  # where there are 100 or more
  merged_share: 0.25
  split_share: 0.25
  vanished_share: 0.25
  # greatest share of the rows of a file that may be quarantined, and of customers that may change
  # quarantined_share: 0.5
  # changed_share: 0.5

# Least values of figures of the audit, 0 to 100; `crmq audit` exits with 1 when one is missed.
# targets:
#   contact.completeness: 80
#   contact.email.valid: 98

# Who belongs together, as records name their owner and rules theirs.
# teams:
#   Sales North: [Ann Lee, Bo Berg]
#   Marketing: [marketing-ops]

# What one of each costs you; the audit then says how much poor data costs.
# currency: EUR
# unit_costs:
#   contact.double_sends: 0.02

# When the company works (first-response and resolution times count working time only), and what is
# promised for tickets, in working hours, by priority.
# service:
#   time_zone: Europe/Oslo
#   days: [mon, tue, wed, thu, fri]
#   hours: 09:00-17:00            # or [08:00-12:00, 13:00-17:00]
#   holidays: [2026-12-25, 2026-12-26]
#   targets:
#     urgent: {{first_response: 1, resolution: 8}}
#     other: {{first_response: 8, resolution: 40}}

# Days after which a record that nobody has touched is stale.
# stale_after: {{contact: 365, deal: 30, ticket: 7, task: 30}}

{NIGHTLY_YML}"""


def read_config(folder: Path) -> ProjectConfig:
    """Read a project's crmq.yml.

    Raises:
        ProjectError: The folder has none.
        DefinitionError: It is wrong; every fault with line and column.
    """
    document = _document(folder)
    try:
        return ProjectConfig.model_validate(document.tree)
    except ValidationError as error:
        raise DefinitionError(faults_of(document, ProjectConfig, error.errors())) from error


def check_figures(folder: Path, config: ProjectConfig, rules: RuleSet) -> None:
    """Refuse targets and unit costs of figures that the rules do not give.

    Raises:
        DefinitionError: There are some; each with line, column and the nearest name.
    """
    if found := list(config.terms.faults(rules)):
        document = _document(folder)
        raise DefinitionError([document.fault(way, what, hint) for way, what, hint in found])


def _document(folder: Path) -> Document:
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
    return document
