"""Versions in force with the row they were made from: what it takes to judge them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store

#: An issue, but for the version that has it.
FINDING = ("field", "rule", "severity", "value", "message", "suggestion")


_IN_FORCE = """
    FROM {versions} v JOIN landing.record r USING (record_id)
    LEFT JOIN quality.waiting w ON w.record_id = v.record_id AND w.version_id = v.version_id
    WHERE r.entity = ? AND r.ended_at IS NULL
      AND (v.version_id = r.current_version OR w.version_id IS NOT NULL)
"""


def hashes_in_force(store: Store, entity: str) -> pl.DataFrame:
    """``source``, ``rules_hash`` of what is in force or waits, each once."""
    return store.frame(
        f"SELECT DISTINCT r.source, v.rules_hash {_in_force(entity)} ORDER BY ALL",
        [entity],
    )


def versions_in_force(store: Store, entity: str) -> pl.DataFrame:
    """The current version of every live record, and the version that waits, if one does.

    Returns:
        ``version_id``, ``record_id``, ``source``, ``batch_id``, ``rules_hash``, ``waiting``
        (Boolean); in order of the versions.
    """
    return store.frame(
        "SELECT v.version_id, v.record_id, r.source, v.batch_id, v.rules_hash,"
        f" w.version_id IS NOT NULL AS waiting {_in_force(entity)} ORDER BY v.version_id",
        [entity],
    )


def _in_force(entity: str) -> str:
    # the entity's name is checked against the definitions
    return _IN_FORCE.format(versions=version_table(entity))


def kept_rows(store: Store, entity: str, versions: pl.DataFrame) -> pl.DataFrame:
    """What was kept of some versions.

    Args:
        store: The open store.
        entity: Name of the entity.
        versions: ``version_id``.

    Returns:
        In order of the versions: every column of the version, ``source``, ``source_key`` and
        ``problem`` (why its row could not be read, null = it could). ``raw`` is null where the
        row has been erased.
    """
    with store.staged(versions.select("version_id"), "wanted"):
        return store.frame(
            f"""
            SELECT v.*, r.source, r.source_key, p.problem
            FROM {version_table(entity)} v JOIN landing.record r USING (record_id)
            LEFT JOIN (
                SELECT version_id, min(split_part(rule, '.', 3)) AS problem FROM quality.issue
                WHERE entity = ? AND starts_with(rule, ?) AND version_id IS NOT NULL
                GROUP BY version_id
            ) p ON p.version_id = v.version_id
            WHERE v.version_id IN (SELECT version_id FROM wanted) ORDER BY v.version_id
            """,  # noqa: S608
            [entity, f"{entity}.row."],
        )


def batch_readings(store: Store, entity: str) -> pl.DataFrame:
    """How the batches of an entity were read.

    Returns:
        ``batch_id``, ``mapping`` (JSON: field → column), ``definition`` (JSON of the source's
        definition, null = there was none), ``rules`` (JSON of the rules that its run went by,
        null = they were not kept).
    """
    return store.frame(
        """
        SELECT b.batch_id, b.mapping::VARCHAR AS mapping, b.source_definition AS definition,
               s.content::VARCHAR AS rules
        FROM landing.batch b JOIN audit.run a USING (run_id)
        LEFT JOIN audit.rule_set s ON s.fingerprint = a.rules_fingerprint
        WHERE b.entity = ? ORDER BY b.batch_id
        """,
        [entity],
    )


def first_rows(store: Store, entity: str, versions: pl.DataFrame) -> dict[int, str]:
    """Batch → one row of it as it came; of the batches of ``versions`` (``version_id``)."""
    with store.staged(versions.select("version_id"), "wanted"):
        return dict(
            store.rows(
                f"SELECT batch_id, arg_min(raw, version_id) FROM {version_table(entity)}"  # noqa: S608
                " WHERE raw IS NOT NULL AND version_id IN (SELECT version_id FROM wanted)"
                " GROUP BY batch_id ORDER BY batch_id"
            )
        )


def issues_of(store: Store, entity: str, versions: pl.DataFrame) -> pl.DataFrame:
    """The issues of some versions: ``version_id`` and the columns of `FINDING`."""
    with store.staged(versions.select("version_id"), "wanted"):
        return store.frame(
            f"""
            SELECT version_id, {", ".join(FINDING)} FROM quality.issue
            WHERE entity = ? AND version_id IN (SELECT version_id FROM wanted)
            """,  # noqa: S608 - names of this module
            [entity],
        )


def versions_with_errors(store: Store, entity: str) -> list[int]:
    """Versions that have an issue of severity error."""
    found = store.rows(
        "SELECT DISTINCT version_id FROM quality.issue"
        " WHERE entity = ? AND severity = 'error' AND version_id IS NOT NULL ORDER BY ALL",
        [entity],
    )
    return [version for (version,) in found]


def mark_checked(store: Store, entity: str, versions: pl.DataFrame) -> None:
    """Note that versions were found the same under other rules.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        versions: ``version_id``, ``rules_hash``.
    """
    with store.staged(versions.select("version_id", "rules_hash"), "checked"):
        store.execute(
            f"UPDATE {version_table(entity)} v SET rules_hash = c.rules_hash"  # noqa: S608
            " FROM checked c WHERE v.version_id = c.version_id"
        )


def accepted_versions(store: Store, entity: str, records: pl.DataFrame) -> pl.DataFrame:
    """``version_id`` of every accepted version of some records (``record_id``)."""
    with store.staged(records.select("record_id"), "wanted"):
        return store.frame(
            f"SELECT version_id FROM {version_table(entity)} WHERE status = 'accepted'"  # noqa: S608
            " AND record_id IN (SELECT record_id FROM wanted) ORDER BY version_id"
        )


def follow_waived(store: Store, entity: str, versions: pl.DataFrame) -> None:
    """Let the waivers that keep versions in force keep those that take their place.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        versions: ``version_id``, ``next``.
    """
    with store.staged(versions.select("version_id", "next"), "followed"):
        store.execute(
            "UPDATE quality.quarantine q SET became = f.next FROM followed f"
            " WHERE q.entity = ? AND q.status = 'waived' AND q.became = f.version_id",
            [entity],
        )


# the rules that runs went by ---------------------------------------------------------------------


def keep_rule_set(store: Store, fingerprint: str, content: str, *, run_id: int) -> None:
    """Keep a rule set that is not known yet; call `knows_rule_set` first."""
    store.execute("INSERT INTO audit.rule_set VALUES (?, ?, ?)", [fingerprint, run_id, content])


def knows_rule_set(store: Store, fingerprint: str) -> bool:
    """Whether the rule set with this fingerprint has been kept."""
    return bool(store.rows("SELECT 1 FROM audit.rule_set WHERE fingerprint = ?", [fingerprint]))


def rule_sets(store: Store) -> list[str]:
    """Every rule set that was kept, as JSON, the latest first."""
    found = store.rows("SELECT content::VARCHAR FROM audit.rule_set ORDER BY first_run DESC")
    return [content for (content,) in found]


def last_rule_set(store: Store) -> str | None:
    """The rule set of the last run, as JSON; null = it was not kept, or there was no run."""
    content: str | None = store.value(
        "SELECT s.content::VARCHAR FROM audit.run a LEFT JOIN audit.rule_set s"
        " ON s.fingerprint = a.rules_fingerprint ORDER BY a.run_id DESC LIMIT 1"
    )
    return content
