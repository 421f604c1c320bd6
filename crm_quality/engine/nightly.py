"""What crmq.yml says of a store that runs by itself: backups, retention, a published copy."""

from __future__ import annotations

from pydantic import Field

from crm_quality.definitions import Definition


class Backups(Definition):
    """Copies of the store.

    Attributes:
        before_runs: Take one before every run.
        keep: So many of those are kept, the newest.
        folder: Where they go, seen from the project.
    """

    before_runs: bool = False
    keep: int = Field(default=7, ge=1)
    folder: str = Field(default="backups", min_length=1)


class Retention(Definition):
    """What ``crmq store compact`` lets go of.

    Attributes:
        superseded_versions: ``365 days``: versions that count no more and arrived before that lose
            their row as it came; null = all rows are kept.
    """

    superseded_versions: str | None = Field(default=None, pattern=r"^[1-9]\d* days?$")

    @property
    def days(self) -> int | None:
        """Days after which rows as they came are dropped; null = never."""
        text = self.superseded_versions
        return None if text is None else int(text.split()[0])


#: Their place in a new project's crmq.yml.
NIGHTLY_YML = """\
# For a job that runs every night: `crmq run` takes a backup first and keeps the newest of them.
# backups: {before_runs: true, keep: 7, folder: backups}

# What `crmq store compact` lets go of: rows as they came, of versions that count no more.
# retention: {superseded_versions: 365 days}

# After each change store.published.duckdb is made anew, for readers that must not wait.
# publish: true
"""
