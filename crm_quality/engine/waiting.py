"""What waits in quarantine: since when, why, and who is to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import polars as pl
from rapidfuzz import process

from crm_quality.errors import NotFoundError
from crm_quality.store.quarantine import error_issues, waiting_records
from crm_quality.validate import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store

#: Columns of a frame of what waits, see `waiting`.
WAITING = (
    "entity",
    "record_id",
    "source",
    "source_key",
    "opened_at",
    "days",
    "in_force",
    "owners",
    "rules",
    "reasons",
)


@dataclass(frozen=True)
class Among:
    """Which waiting records are meant; null = all.

    Attributes:
        entity: Name of the entity.
        source: Name of the source.
        owner: Who answers for a rule that the record breaks.
        rule: Code of a rule that it breaks.
        days: It has waited for at least so many days.
    """

    entity: str | None = None
    source: str | None = None
    owner: str | None = None
    rule: str | None = None
    days: int | None = None


class Filters(TypedDict, total=False):
    """The same as keyword arguments, each of which may be left out."""

    entity: str | None
    source: str | None
    owner: str | None
    rule: str | None
    days: int | None


def waiting(store: Store, rules: RuleSet, among: Among, *, as_of: date) -> pl.DataFrame:
    """The records that wait, those that have waited longest first.

    Args:
        store: The open store.
        rules: Say who answers for which rule.
        among: Which records.
        as_of: The day that counts as today.

    Returns:
        ``entity``, ``record_id``, ``source``, ``source_key``, ``opened_at`` (UTC), ``days`` (since
        then), ``in_force`` (an earlier version is used meanwhile), and lists: ``owners``,
        ``rules`` and ``reasons`` of the errors that hold it.

    Raises:
        NotFoundError: There is no such entity, and no rule or owner of that name.
    """
    if among.entity is not None:
        rules.entity(among.entity)
    records = waiting_records(store, among.entity)
    errors = owned(error_issues(store, among.entity), rules)
    _check_names(among, errors, rules)
    held = errors.group_by("entity", "record_id", maintain_order=True).agg(
        pl.col("owner").unique(maintain_order=True).alias("owners"),
        pl.col("rule").alias("rules"),
        pl.col("message").alias("reasons"),
    )
    found = (
        records.join(held, on=["entity", "record_id"], how="left")
        .with_columns(
            (pl.lit(as_of) - pl.col("opened_at").dt.date()).dt.total_days().clip(0).alias("days")
        )
        .sort("opened_at", "record_id")
        .select(WAITING)
    )
    if among.source is not None:
        found = found.filter(pl.col("source") == among.source)
    if among.owner is not None:
        found = found.filter(pl.col("owners").list.contains(among.owner))
    if among.rule is not None:
        found = found.filter(pl.col("rules").list.contains(among.rule))
    if among.days is not None:
        found = found.filter(pl.col("days") >= among.days)
    return found


def owned(issues: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Issues with the ``owner`` of their rule; of a rule that is no more, that of its entity."""
    owners = [
        (entity, rule.code, rule.owner)
        for entity, definition in rules.entities.items()
        for rule in catalogue(definition)
    ]
    default = {entity: definition.owner for entity, definition in rules.entities.items()}
    known = pl.DataFrame(
        owners, schema=dict.fromkeys(("entity", "rule", "owner"), pl.String), orient="row"
    )
    return issues.join(
        known, on=["entity", "rule"], how="left", maintain_order="left"
    ).with_columns(
        pl.coalesce(
            pl.col("owner"),
            pl.col("entity").replace_strict(default, default="", return_dtype=pl.String),
        ).replace("", "nobody")
    )


def _check_names(among: Among, errors: pl.DataFrame, rules: RuleSet) -> None:
    codes, owners = set(errors["rule"]), set(errors["owner"])
    for definition in rules.entities.values():
        for rule in catalogue(definition):
            codes.add(rule.code)
            owners.add(rule.owner or "nobody")
    if among.rule is not None and among.rule not in codes:
        raise NotFoundError(f"there is no rule {among.rule!r}{nearest(among.rule, codes)}")
    if among.owner is not None and among.owner not in owners:
        listed = ", ".join(sorted(owners))
        raise NotFoundError(f"no rule has the owner {among.owner!r}; there are: {listed}")


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint at the word that was probably meant; empty when there is none like it."""
    best = process.extractOne(word, sorted(words), score_cutoff=60)
    return f"; did you mean {best[0]!r}?" if best else ""
