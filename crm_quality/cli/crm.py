"""``crmq crm``: the CRM model as a business works with it."""

from __future__ import annotations

import typer

from crm_quality.cli import crm_insight, crm_segment

group = typer.Typer(
    help="The CRM on top of the customers: pipeline, tickets, tasks, campaigns, leads.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add this module's commands, and those of other modules that belong to the group."""
    for module in (crm_insight, crm_segment):
        module.register(group)
    app.add_typer(group, name="crm")
