"""The audit of a project: its store, under the terms of its crmq.yml."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from crm_quality.audit import Choice, FigureRows, Scorecard, figure_rows, scorecard

if TYPE_CHECKING:
    from crm_quality.engine.project import Project


def audit(
    project: Project,
    *,
    as_of: date | None = None,
    show_personal: bool = False,
    fail_under: float | None = None,
) -> Scorecard:
    """The scorecard of the store as it is, see `crm_quality.audit.scorecard`.

    Args:
        project: What is audited.
        as_of: The day that counts as today; null = today.
        show_personal: Leave personal values in examples as they are.
        fail_under: Least overall score of every entity, besides the targets of crmq.yml.
    """
    with project.store() as store:
        return scorecard(
            store.connection,
            project.rules,
            as_of=as_of or datetime.now(UTC).date(),
            show_personal=show_personal,
            terms=replace(project.config.terms, fail_under=fail_under),
        )


def audit_rows(
    project: Project,
    figure: str,
    choice: Choice,
    *,
    as_of: date | None = None,
    show_personal: bool = False,
    limit: int | None = None,
) -> FigureRows:
    """The rows behind one figure of the scorecard, see `crm_quality.audit.figure_rows`.

    Args:
        project: What is audited.
        figure: Its name, or the code of a rule that is broken.
        choice: Which of its rows are wanted.
        as_of: The day that counts as today; null = today.
        show_personal: Leave personal values as they are.
        limit: Give no more rows than this; null = all.
    """
    card = audit(project, as_of=as_of, show_personal=show_personal)
    with project.store() as store:
        return figure_rows(store.connection, project.rules, card, figure, choice, limit=limit)
