"""The rules of a project and what its store holds: judged by them, compared, used or not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from crm_quality.audit.usage import Usage, usage
from crm_quality.definitions import RuleSet
from crm_quality.engine.actor import user
from crm_quality.engine.attended import Attended
from crm_quality.engine.check import Run, as_run
from crm_quality.engine.recheck import RecheckRequest, recheck
from crm_quality.engine.rules_at import rules_at
from crm_quality.engine.rules_diff import RulesDiff, diff_rules
from crm_quality.engine.store_rules import StoreFindings, store_findings
from crm_quality.engine.summary import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crm_quality.engine.project import Project


class Rulebook:
    """What the rules say of the store; reached as ``project.rulebook``."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def check_store(self, *, as_of: date | None = None) -> StoreFindings:
        """Check the store against the rules about many records; nothing is written.

        Args:
            as_of: The day that counts as today; null = today.

        Returns:
            Issues in force and how each check ended; `crmq run` keeps the same.
        """
        with self._project.store() as store:
            return store_findings(
                store, self._project.rules, as_of=as_of or datetime.now(UTC).date()
            )

    def usage(self) -> Usage:
        """Which fields, accepted values and rules do anything in the store, see `Usage`."""
        with self._project.store() as store:
            return usage(store.connection, self._project.rules)

    def apply(
        self,
        *,
        requarantine: bool = False,
        everything: bool = False,
        as_of: date | None = None,
        command: str = "Project.rulebook.apply",
        progress: Callable[[str], None] | None = None,
    ) -> Run:
        """Judge what the store holds by today's rules, without its files, see `recheck`.

        Args:
            requarantine: Records in force that break a rule of severity error are set aside; else
                they get an issue and stay.
            everything: Also records that today's rules have judged already.
            as_of: The day that counts as today; null = today.
            command: How the run is recorded.
            progress: Called with the name of each stage as it begins.
        """
        project = self._project
        request = RecheckRequest(
            user(project.config.actor),
            command,
            as_of or datetime.now(UTC).date(),
            requarantine=requarantine,
            everything=everything,
        )
        with Attended(project, command) as attended:
            with project.store() as store:
                project.upkeep.before_run(store)
                outcome = recheck(store, project.rules, project.config, request, Clock(progress))
            return attended.done(as_run(outcome, []))

    def diff(
        self,
        old: str | Path | RuleSet = "last",
        new: str | Path | RuleSet | None = None,
        *,
        as_of: date | None = None,
    ) -> RulesDiff:
        """What other rules would do to the store; nothing is written.

        Args:
            old: The rules before: ``last`` (of the last run), ``default``, a folder, a git
                revision of the project's rules, or a rule set.
            new: The rules after, in the same words; null = the project's.
            as_of: The day that counts as today; null = today.

        Raises:
            NotFoundError: There are no such rules.
            DefinitionError: They are wrong; every fault with line and column.
        """
        with self._project.store() as store:
            before, after = (
                one
                if isinstance(one, RuleSet)
                else rules_at(str(one), project=self._project.folder, store=store)
                for one in (old, self._project.rules if new is None else new)
            )
            return diff_rules(
                store,
                before,
                after,
                country=self._project.config.country,
                as_of=as_of or datetime.now(UTC).date(),
            )
