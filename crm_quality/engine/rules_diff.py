"""What other rules would do to a store: judged on the rows that it kept, nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.golden_diff import GoldenDiff
from crm_quality.engine.kept_rows import KeptReader
from crm_quality.engine.trial import Trials, reads_alike
from crm_quality.store.kept import versions_in_force
from crm_quality.store.store_issues import stored_entities
from crm_quality.validate.differences import differences
from crm_quality.validate.issues import ISSUES

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.trial import Trial
    from crm_quality.store import Store

#: Rows that are judged at once: what bounds the memory, since both readings are held.
AT_ONCE = 250_000

_WHOSE = {
    "entity": pl.String(),
    "record_id": pl.Int64(),
    "source": pl.String(),
    "source_key": pl.String(),
}
#: Columns of `RulesDiff.issues`.
ISSUE_CHANGES = pl.Schema(
    {
        "change": pl.String(),
        **_WHOSE,
        "entity_id": pl.Int64(),
        "waiting": pl.Boolean(),
        **{name: ISSUES[name] for name in ("field", "rule", "severity", "value", "message")},
    }
)
#: Columns of `RulesDiff.values`.
VALUE_CHANGES = pl.Schema({**_WHOSE, "field": pl.String(), "old": pl.String(), "new": pl.String()})
#: Columns of `RulesDiff.golden`.
GOLDEN_CHANGES = pl.Schema(
    {
        "entity": pl.String(),
        "entity_id": pl.Int64(),
        "field": pl.String(),
        "old": pl.String(),
        "new": pl.String(),
    }
)
#: Columns of `RulesDiff.quarantine`.
QUARANTINE_CHANGES = pl.Schema({"change": pl.String(), **_WHOSE, "rules": pl.List(pl.String())})


@dataclass(frozen=True)
class RulesDiff:
    """What the store would look like under other rules.

    Attributes:
        definitions: What the rules themselves say otherwise; see `differences`.
        issues: Records that would newly fail a rule (``change`` = ``fails``) or newly pass
            (``passes``); of rules about many records with ``entity_id``. ``waiting``: the row
            waits in quarantine. ``value`` as it came.
        values: Canonical values that would be rewritten, by record and field; null = none.
        golden: Values of golden records that would change, with the memberships of today.
        quarantine: Records in force that break an error now (``change`` = ``quarantined``; they
            stay in force unless asked) and rows that wait and would pass (``released``), with the
            rules that make the difference.
        records: Versions that were judged: those in force, and those that wait.
        notes: What the diff does not foresee.
    """

    definitions: pl.DataFrame
    issues: pl.DataFrame
    values: pl.DataFrame
    golden: pl.DataFrame
    quarantine: pl.DataFrame
    records: int
    notes: tuple[str, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """The counts of each frame, as ``crmq rules diff --format json`` prints them."""
        fails, passes = (self.issues.filter(change=change) for change in ("fails", "passes"))
        changes = dict(self.quarantine.group_by("change").len().iter_rows())
        return {
            "records": self.records,
            "definitions": self.definitions.height,
            "newly_failing": {"issues": fails.height, "records": fails["record_id"].n_unique()},
            "newly_passing": {"issues": passes.height, "records": passes["record_id"].n_unique()},
            "rewritten": {
                "values": self.values.height,
                "records": self.values["record_id"].n_unique(),
            },
            "golden": {
                "values": self.golden.height,
                "entities": self.golden.select("entity", "entity_id").n_unique(),
            },
            "quarantined": changes.get("quarantined", 0),
            "released": changes.get("released", 0),
        }


def diff_rules(
    store: Store, old: RuleSet, new: RuleSet, *, country: str | None, as_of: date
) -> RulesDiff:
    """Judge what the store holds by two rule sets and compare.

    The versions in force and those that wait are read again from the rows as they came, under both
    rule sets, so that nothing but the rules makes a difference. Corrections and waivers of
    stewards apply on both sides.

    Args:
        store: The open store; nothing is written.
        old: The rules before.
        new: The rules after.
        country: The project's country, null if it has none.
        as_of: The day that ``today`` stands for.
    """
    told = _Told(definitions=differences(old, new))
    golden = GoldenDiff(store, old, new, as_of=as_of)
    both = [name for name in old.entities if name in new.entities]
    both = [name for name in both if not _judged_alike(old, new, name)]
    for name in stored_entities(store, both):
        _compare_entity(store, (old, new), name, told, golden, country=country, as_of=as_of)
    told.issues.append(golden.store_issues())
    return told.whole()


def _judged_alike(old: RuleSet, new: RuleSet, name: str) -> bool:
    """Whether both rule sets give every row of an entity the same values, issues and trust."""
    trust = [
        {s.source: (s.priority, s.least_priority) for s in rules.sources.values()}
        for rules in (old, new)
    ]
    return (
        old.entities[name].fingerprint == new.entities[name].fingerprint
        and old.entities[name].matching == new.entities[name].matching
        and trust[0] == trust[1]
        and reads_alike(old, new, name)
    )


@dataclass
class _Told:
    """What was found so far."""

    definitions: pl.DataFrame
    issues: list[pl.DataFrame] = field(default_factory=list)
    values: list[pl.DataFrame] = field(default_factory=list)
    golden: list[pl.DataFrame] = field(default_factory=list)
    quarantine: list[pl.DataFrame] = field(default_factory=list)
    records: int = 0
    notes: list[str] = field(default_factory=list)

    def whole(self) -> RulesDiff:
        def one(parts: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
            shaped = [part.select(schema.names()).cast(schema) for part in parts]
            return pl.concat([schema.to_frame(), *shaped])

        return RulesDiff(
            definitions=self.definitions,
            issues=one(self.issues, ISSUE_CHANGES),
            values=one(self.values, VALUE_CHANGES),
            golden=one(self.golden, GOLDEN_CHANGES),
            quarantine=one(self.quarantine, QUARANTINE_CHANGES),
            records=self.records,
            notes=tuple(self.notes),
        )


def _compare_entity(
    store: Store,
    rules: tuple[RuleSet, RuleSet],
    name: str,
    told: _Told,
    golden: GoldenDiff,
    *,
    country: str | None,
    as_of: date,
) -> None:
    every = versions_in_force(store, name)
    reader = KeptReader(store, name)
    old, new = (reader.rules(one) for one in rules)
    alike = reads_alike(old, new, name)
    trials = Trials(store, reader, name, country=country, as_of=as_of)
    judged = 0
    for reading, kept in reader.parts(every, most=AT_ONCE):
        waiting = every.filter("waiting").select("version_id", "waiting")
        before = trials.of(reading, kept, old)
        after = trials.again(before, new) if alike else trials.of(reading, kept, new)
        judged += before.rows.height
        failed = [note for note in after.notes if note not in before.notes]
        told.notes.extend(note for note in failed if note not in told.notes)
        whose = before.whose.join(waiting, on="version_id", how="left").with_columns(
            pl.col("waiting").fill_null(value=False)
        )
        told.issues.extend(_issues(before, after, whose))
        told.quarantine.extend(_quarantine(before, after, whose))
        if not alike:
            changed = _values(before, after, whose)
            told.values.append(changed)
            golden.note_values(name, changed)
        golden.keep(name, before, after, whose)
    told.records += judged
    if judged < every.height:
        erased = every.height - judged
        told.notes.append(f"{name}: {erased:,} rows were left out: they are no longer kept")
    told.golden.append(golden.compare(name, old, new))
    told.notes.extend(_matching_notes(name, old.entities[name], new.entities[name], told.values))


def _issues(before: Trial, after: Trial, whose: pl.DataFrame) -> list[pl.DataFrame]:
    key = ["version_id", "rule", "field"]
    parts = []
    for change, one, other in (("fails", after, before), ("passes", before, after)):
        found = one.issues.join(other.issues, on=key, how="anti", nulls_equal=True)
        parts.append(
            found.select(*key, "severity", "value", "message")
            .join(whose, on="version_id", maintain_order="left")
            .with_columns(pl.lit(change).alias("change"), pl.lit(None, pl.Int64).alias("entity_id"))
        )
    return parts


def _quarantine(before: Trial, after: Trial, whose: pl.DataFrame) -> list[pl.DataFrame]:
    """Records in force that break an error now, and rows that wait and break none any more."""
    errors = pl.col("severity") == "error"
    parts = []
    for change, one, other, waits in (
        ("quarantined", after, before, False),
        ("released", before, after, True),
    ):
        fails, passes = one.issues.filter(errors), other.issues.filter(errors)
        parts.append(
            fails.join(passes, on="version_id", how="anti")
            .group_by("version_id", maintain_order=True)
            .agg(pl.col("rule").alias("rules"))
            .join(whose.filter(waiting=waits), on="version_id", maintain_order="left")
            .with_columns(pl.lit(change).alias("change"))
        )
    return parts


def _values(before: Trial, after: Trial, whose: pl.DataFrame) -> pl.DataFrame:
    """Values that are read otherwise, one row per record and field."""
    parts = []
    for name in dict.fromkeys((*before.fields, *after.fields)):
        if name not in after.definition.fields:
            # the field itself is gone, which the definitions say
            continue
        old, new = before.text(name), after.text(name)
        differs = old.ne_missing(new)
        if differs.any():
            rows = pl.DataFrame(
                {"version_id": before.rows["version_id"], "old": old, "new": new}
            ).filter(differs)
            parts.append(rows.with_columns(pl.lit(name).alias("field")))
    if not parts:
        return VALUE_CHANGES.to_frame()
    return (
        pl.concat(parts)
        .join(whose, on="version_id", maintain_order="left")
        .select(VALUE_CHANGES.names())
    )


def _matching_notes(
    name: str, old: EntityDefinition, new: EntityDefinition, values: list[pl.DataFrame]
) -> list[str]:
    roles = (
        {f: of.match for f, of in old.fields.items()},
        {f: of.match for f, of in new.fields.items()},
    )
    foresees = "is not foreseen here"
    if roles[0] != roles[1] or old.matching != new.matching:
        return [f"{name}: matching changes as well; who belongs together then {foresees}"]
    evidence = [f for f, role in roles[1].items() if role is not None]
    touched = any(
        not part.filter(pl.col("entity") == name, pl.col("field").is_in(evidence)).is_empty()
        for part in values
    )
    if touched:
        return [f"{name}: matched values change; which records that joins or parts {foresees}"]
    return []
