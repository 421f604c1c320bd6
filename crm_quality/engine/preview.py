"""Customers before and after an act: golden values, ids, and what the business counts on them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.business import Reckoned, reckon
from crm_quality.engine.lookup import safe
from crm_quality.store.acts import homes_of
from crm_quality.store.changes import entities_changed
from crm_quality.store.golden import golden_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from crm_quality.definitions import RuleSet
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.store import Store

_OWN = ("entity_id", "version", "records", "sources")


@dataclass(frozen=True)
class Picture:
    """Some customers at one moment.

    Attributes:
        golden: Entity id → ``version``, ``records``, ``sources`` and the fields; an id that is none
            at that moment is left out.
        figures: What the business counts on them.
    """

    golden: Mapping[int, Mapping[str, Any]]
    figures: tuple[Reckoned, ...]


def picture(
    store: Store, entity: str, entity_ids: Collection[int], *, reckoned: bool = True
) -> Picture:
    """Some customers as they are now; figures only where ``reckoned``."""
    rows = golden_of(store, entity, entity_ids)
    golden = {row["entity_id"]: row for row in rows.iter_rows(named=True)}
    return Picture(golden, reckon(store, entity, entity_ids) if reckoned else ())


@dataclass(frozen=True)
class Lost:
    """A golden value that no customer has after an act.

    Attributes:
        entity_id: The customer that had it.
        field: Its field.
        value: The value.
        now: What the customer that its records belong to has instead.
    """

    entity_id: int
    field: str
    value: Any
    now: Any


@dataclass(frozen=True)
class Preview:
    """What an act changes, or would change.

    Attributes:
        entity: What the customers are.
        before: The customers in question as they were.
        after: Those that their records belong to afterwards.
        went: Customer before → customers that its records belong to afterwards.
        others: Further customers that changed, as evidence weighs otherwise now.
    """

    entity: str
    before: Picture
    after: Picture
    went: Mapping[int, tuple[int, ...]]
    others: tuple[int, ...]

    @property
    def stays(self) -> list[int]:
        """Ids that are customers before and after."""
        return sorted(self.before.golden.keys() & self.after.golden.keys())

    @property
    def goes(self) -> list[int]:
        """Ids that are customers no longer; each still resolves."""
        return sorted(self.before.golden.keys() - self.after.golden.keys())

    @property
    def comes(self) -> list[int]:
        """Ids that are customers now and were not."""
        return sorted(self.after.golden.keys() - self.before.golden.keys())

    def fields(self) -> list[str]:
        """Fields that differ between any two of the customers, in the order of the definition."""
        rows = [*self.before.golden.values(), *self.after.golden.values()]
        names = [name for name in (rows[0] if rows else ()) if name not in _OWN]
        return [name for name in names if any(row[name] != rows[0][name] for row in rows)]

    def lost(self) -> list[Lost]:
        """Golden values of before that are in none of the customers that their records are in."""
        found = []
        for entity_id, row in self.before.golden.items():
            heirs = [
                self.after.golden[one] for one in self.went[entity_id] if one in self.after.golden
            ]
            for name in self.fields():
                value = row[name]
                if value is None or not heirs:
                    continue
                kept = [item for heir in heirs for item in _items(heir, row, name)]
                if any(item not in kept for item in _as_list(value)):
                    found.append(Lost(entity_id, name, value, heirs[0][name]))
        return found

    def to_dict(self, rules: RuleSet, *, show_personal: bool = False) -> dict[str, Any]:
        """As JSON tells it: ids, golden records of both sides, lost values, figures."""

        def shown(row: Mapping[str, Any]) -> dict[str, Any]:
            own = {name: row[name] for name in _OWN if name in row}
            return own | {
                name: safe(rules, self.entity, name, value, show=show_personal)
                for name, value in row.items()
                if name not in _OWN
            }

        return {
            "ids": {"stay": self.stays, "go": self.goes, "come": self.comes},
            "others_changed": list(self.others),
            "golden": {
                side: [shown(row) for row in of.golden.values()]
                for side, of in (("before", self.before), ("after", self.after))
            },
            "fields": self.fields(),
            "lost": [
                {
                    "entity_id": one.entity_id,
                    "field": one.field,
                    "value": safe(rules, self.entity, one.field, one.value, show=show_personal),
                    "now": safe(rules, self.entity, one.field, one.now, show=show_personal),
                }
                for one in self.lost()
            ],
            "figures": [
                {
                    "figure": one.name,
                    "title": one.title,
                    "currency": one.currency,
                    "before": _plain(one.value),
                    "after": _plain(other),
                }
                for one, other in both_sides(self.before.figures, self.after.figures)
            ],
        }


def previewed(
    store: Store,
    entity: str,
    members: pl.DataFrame,
    do: Callable[[], RunOutcome],
    *,
    reckoned: bool,
) -> tuple[Preview, RunOutcome, pl.DataFrame]:
    """Do something to customers, and say what it changed.

    Args:
        store: Inside a transaction or a rehearsal.
        entity: What the customers are.
        members: ``record_id``, ``entity_id`` of all their records.
        do: Does it, as a run.
        reckoned: Tell what the business counts, too, which reads more of the store.

    Returns:
        What it changed, the run, and ``record_id``, ``entity_before``, ``entity_after``.
    """
    ids_before = members["entity_id"].unique().to_list()
    before = picture(store, entity, ids_before, reckoned=reckoned)
    outcome = do()
    went = homes_of(store, members)
    ids_after = went["entity_after"].unique().to_list()
    others = entities_changed(store, entity, int(outcome.summary.run_id or 0))
    heirs = went.group_by("entity_before").agg(pl.col("entity_after").unique().sort())
    preview = Preview(
        entity,
        before,
        picture(store, entity, ids_after, reckoned=reckoned),
        {int(one): tuple(ids) for one, ids in heirs.iter_rows()},
        tuple(sorted(others.difference(ids_before, ids_after))),
    )
    return preview, outcome, went


def both_sides(
    before: Iterable[Reckoned], after: Iterable[Reckoned]
) -> list[tuple[Reckoned, int | float | Decimal]]:
    """Figures of before with their value of after; what one side lacks is 0 there."""
    known = {one.key: one for one in after}
    paired: list[tuple[Reckoned, int | float | Decimal]] = [
        (one, known[one.key].value if one.key in known else 0) for one in before
    ]
    seen = {one.key for one, _ in paired}
    new = [(one.nothing(), one.value) for key, one in known.items() if key not in seen]
    return [*paired, *new]


def _plain(value: float | Decimal) -> int | float:
    return float(value) if isinstance(value, Decimal) else value


def _items(heir: Mapping[str, Any], row: Mapping[str, Any], name: str) -> list[Any]:
    """What counts as ``name`` being kept: an address that became one of the others is not lost."""
    kept = _as_list(heir[name])
    value = row[name]
    also = [other for other in heir if isinstance(heir[other], list) and other not in _OWN]
    if not isinstance(value, list):
        kept += [item for other in also for item in _as_list(heir[other])]
    else:
        kept += [item for other in heir if other not in _OWN for item in _as_list(heir[other])]
    return kept


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - any cell
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
