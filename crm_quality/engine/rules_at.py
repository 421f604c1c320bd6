"""Which rules are meant: a folder, the default pack, those of the last run, or a git revision."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from crm_quality.definitions import RuleSet, default_rules, load_rules
from crm_quality.definitions.loader import rules_from_json
from crm_quality.errors import NotFoundError
from crm_quality.store.kept import last_rule_set

if TYPE_CHECKING:
    from crm_quality.store import Store

DEFAULT, LAST = "default", "last"


def rules_at(name: str, *, project: Path, store: Store) -> RuleSet:
    """The rules that ``name`` stands for.

    Args:
        name: ``default`` (the pack), ``last`` (the rules that the last run went by), a folder of
            rules or of a project, or a git revision of the project's rules.
        project: The project's folder.
        store: The open store.

    Raises:
        NotFoundError: It is none of these.
        DefinitionError: The rules are wrong; every fault with line and column.
    """
    if name == DEFAULT:
        return default_rules()
    if name == LAST:
        content = last_rule_set(store)
        if content is None:
            raise NotFoundError(
                "the store does not know the rules of its last run; name the old rules: a folder, "
                "`default`, or a git revision"
            )
        return rules_from_json(content)
    folder = Path(name)
    if folder.is_dir():
        inside = folder / "rules"
        return load_rules(inside if (inside / "entities").is_dir() else folder)
    return _rules_of_revision(name, project / "rules")


def _rules_of_revision(revision: str, rules: Path) -> RuleSet:
    """The rules as git has them; the folder is unpacked for the time of reading."""
    packed = _git(
        rules, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if packed is None:
        raise NotFoundError(
            f"{revision!r} is no folder, neither `{DEFAULT}` nor `{LAST}`, and no git revision of "
            f"{rules}"
        )
    archive = _git(rules, "archive", "--format=tar", packed.decode().strip(), ".")
    if archive is None:
        raise NotFoundError(f"git has no {rules} at {revision!r}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        return load_rules(folder)


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; null where it fails or is not installed."""
    git = shutil.which("git")
    if git is None or not folder.is_dir():
        return None
    done = subprocess.run(  # noqa: S603 - no shell; a revision cannot be an option
        [git, "-C", str(folder), *arguments], capture_output=True, check=False
    )
    return done.stdout if done.returncode == 0 else None
