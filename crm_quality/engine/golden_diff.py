"""Golden records under two rule sets, with the members that they have today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.golden import floors
from crm_quality.engine.store_rules import StoreFrames
from crm_quality.engine.trial import as_text
from crm_quality.merge import survive
from crm_quality.store.golden import membership
from crm_quality.store.landing import current_records
from crm_quality.store.overrides import overrides_in_force

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.definitions import RuleSet
    from crm_quality.engine.trial import Trial
    from crm_quality.store import Store

_NONE = pl.DataFrame(schema={"entity": pl.String, "entity_id": pl.Int64, "field": pl.String,
                             "old": pl.String, "new": pl.String})  # fmt: skip
_DOUBT = ["record_id", "field", "severity"]


class GoldenDiff:
    """Collects what golden records are made of, and derives those that may change.

    Golden records whose members are read alike and chosen by the same rules are not derived. The
    canonical values of the others are held in memory, twice.
    """

    def __init__(self, store: Store, old: RuleSet, new: RuleSet, *, as_of: date) -> None:
        self._store, self._rules, self._as_of = store, (old, new), as_of
        self._parts: dict[str, list[tuple[pl.DataFrame, pl.DataFrame]]] = {}
        self._changed: dict[str, list[pl.DataFrame]] = {}
        self._doubts: dict[str, list[tuple[pl.DataFrame, pl.DataFrame]]] = {}
        self._frames = (StoreFrames(store), StoreFrames(store))

    def note_values(self, entity: str, changed: pl.DataFrame) -> None:
        """Records (``record_id``) that are read otherwise."""
        self._changed.setdefault(entity, []).append(changed.select("record_id").unique())

    def keep(self, entity: str, before: Trial, after: Trial, whose: pl.DataFrame) -> None:
        """Hold the values of the rows in force, where golden records may change."""
        in_force = whose.filter(~pl.col("waiting")).select("version_id", "record_id")
        doubts = [_doubts(trial, in_force) for trial in (before, after)]
        self._doubts.setdefault(entity, []).append((doubts[0], doubts[1]))
        if before.standardised is after.standardised and self._chosen_alike(entity):
            return
        current = ~whose["waiting"]
        ids = ("record_id", "version_id", "source")
        pair = [trial.standardised.select(*ids, *trial.fields).filter(current)
                for trial in (before, after)]  # fmt: skip
        self._parts.setdefault(entity, []).append((pair[0], pair[1]))

    def compare(self, entity: str, old: RuleSet, new: RuleSet) -> pl.DataFrame:
        """``entity``, ``entity_id``, ``field``, ``old``, ``new`` of golden values that change."""
        parts = self._parts.pop(entity, [])
        held = self._doubts.pop(entity, [])
        none = pl.DataFrame(schema=dict.fromkeys(_DOUBT, pl.String) | {"record_id": pl.Int64})
        doubts = [pl.concat([none, *(pair[side] for pair in held)]) for side in (0, 1)]
        touched = membership(self._store, entity)
        if self._chosen_alike(entity):
            changed = [*self._changed.get(entity, []), _either(*doubts).select("record_id")]
            touched = touched.join(pl.concat(changed), on="record_id", how="semi")
        touched = touched.select("entity_id").unique()
        if touched.is_empty():
            return _NONE
        stored = current_records(self._store, entity, among=touched)
        zoned = pl.selectors.datetime().dt.replace_time_zone("UTC")
        before = after = stored.with_columns(zoned)
        if parts:
            order = stored.select("entity_id", "record_id", "arrival")
            before, after = (
                pl.concat((pair[side] for pair in parts), how="diagonal").join(
                    order, on="record_id"
                )
                for side in (0, 1)
            )
        overrides = overrides_in_force(self._store, entity, touched, self._as_of)
        pair = []
        for side, (frame, rules) in enumerate(((before, old), (after, new))):
            survived = survive(
                frame,
                rules.entities[entity],
                priorities={s.source: s.priority for s in rules.sources.values()},
                floors=floors(rules.sources),
                issues=doubts[side],
                overrides=overrides,
            ).golden
            self._frames[side].replace(entity, survived, frame)
            pair.append(survived)
        return _differing(entity, *pair)

    def store_issues(self) -> pl.DataFrame:
        """Issues of rules about many records that come or go; ``change`` fails or passes."""
        both = [
            self._frames[side].findings(rules, as_of=self._as_of)
            for side, rules in enumerate(self._rules)
        ]
        key = ["entity", "entity_id", "record_id", "segment", "rule", "field"]
        parts = [
            one.issues.join(other.issues, on=key, how="anti", nulls_equal=True).with_columns(
                pl.lit(change).alias("change"), pl.lit(value=False).alias("waiting")
            )
            for change, one, other in (("fails", both[1], both[0]), ("passes", both[0], both[1]))
        ]
        return pl.concat(parts)

    def _chosen_alike(self, entity: str) -> bool:
        def chosen(rules: RuleSet) -> object:
            fields = rules.entities[entity].fields
            trust = {s.source: (s.priority, s.least_priority) for s in rules.sources.values()}
            return {n: (f.type, f.survivorship) for n, f in fields.items()}, trust

        old, new = self._rules
        return chosen(old) == chosen(new)


def _doubts(trial: Trial, in_force: pl.DataFrame) -> pl.DataFrame:
    """What makes values of records in force doubtful: ``record_id``, ``field``, ``severity``."""
    counts = pl.col("severity").is_in(["warning", "error"]) & pl.col("field").is_not_null()
    found = trial.issues.filter(counts).join(in_force, on="version_id")
    return found.select(pl.col("record_id"), pl.col("field", "severity").cast(pl.String)).unique()


def _either(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Rows that only one of two frames has."""
    return pl.concat([one.join(other, on=_DOUBT, how="anti"),
                      other.join(one, on=_DOUBT, how="anti")])  # fmt: skip


def _differing(entity: str, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    both = old.select("entity_id").join(new, on="entity_id", how="left", maintain_order="left")
    parts = []
    for name in new.columns:
        if name in {"entity_id", "records", "sources"}:
            continue
        after = as_text(both[name])
        nothing = pl.repeat(None, old.height, dtype=pl.String, eager=True)
        before = as_text(old[name]) if name in old.columns else nothing
        rows = pl.DataFrame({"entity_id": old["entity_id"], "old": before, "new": after}).filter(
            before.ne_missing(after)
        )
        parts.append(rows.with_columns(pl.lit(name).alias("field"), pl.lit(entity).alias("entity")))
    whole = pl.concat([_NONE, *(part.select(_NONE.columns) for part in parts)])
    return whole.sort("entity_id", maintain_order=True)
