"""Making a project: a folder with crmq.yml, a copy of the default rules and an empty store."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crm_quality.definitions import default_rules_dir, load_rules, write_json_schemas
from crm_quality.engine.actor import user
from crm_quality.engine.config import CONFIG_FILE, default_config
from crm_quality.engine.fitting import fit_store, usual_rules
from crm_quality.errors import ProjectError
from crm_quality.store import open_store
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from pathlib import Path

STORE_FILE = "store.duckdb"


def create_project(folder: Path, name: str | None) -> None:
    """Make a project in ``folder``, see `crm_quality.engine.project.Project.create`."""
    if (folder / CONFIG_FILE).exists():
        raise ProjectError(f"{folder} is a crm-quality project already; nothing was changed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rules = folder / "rules"
        own = rules.exists()
        if not own:
            shutil.copytree(default_rules_dir(), rules)
        write_json_schemas(rules / "schemas")
        text = default_config(name or folder.resolve().name or "customers")
        now = datetime.now(UTC).replace(tzinfo=None)
        with open_store(folder / STORE_FILE, create=True) as store, store.transaction():
            record_event(store, "project.created", {}, actor=user(None), occurred_at=now)
            fit_store(store, load_rules(rules) if own else usual_rules())
        (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProjectError(
            f"no project could be made in {folder}: {error.strerror or error}; "
            "choose a folder that you may write to"
        ) from error
