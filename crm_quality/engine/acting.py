"""What merge, unmerge and split come to: decisions to make and to withdraw, on whole customers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.match.decided import SAME
from crm_quality.store.acts import (
    MERGE,
    SPLIT,
    UNMERGE,
    Act,
    act_numbered,
    acts_on,
    decisions_of_act,
    members_of,
    records_of_act,
)
from crm_quality.store.decisions import decisions_in_force
from crm_quality.store.golden import customers_of, is_customer
from crm_quality.store.reference import CUSTOMER, RecordReference, record_named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from crm_quality.store import Store

#: In front of the number of an act, where a bare number would be that of a customer.
ACT = "act:"

#: So many pairs of records are told apart one by one; of larger customers each record is told
#: apart from the first of the other.
_EACH_PAIR = 400


@dataclass(frozen=True)
class Intent:
    """What a steward wants done to customers.

    Attributes:
        kind: merge, unmerge or split.
        entity: What the customers are.
        members: ``record_id``, ``entity_id``, ``source``, ``source_key``, ``live`` of all records
            in question.
        parts: The records that are to be one customer afterwards, each part apart from the others.
        same: Pairs of records to decide to be the same.
        different: Pairs of records to decide to be different.
        withdraw: Decisions to withdraw.
        homes: ``record_id``, ``entity_id``, see `RunUnderway.settle`; null = as they are.
        takes_back: The act that this one takes back.
    """

    kind: str
    entity: str
    members: pl.DataFrame
    parts: tuple[tuple[int, ...], ...]
    same: tuple[tuple[int, int], ...] = ()
    different: tuple[tuple[int, int], ...] = ()
    withdraw: tuple[int, ...] = ()
    homes: pl.DataFrame | None = None
    takes_back: Act | None = None

    @property
    def customers(self) -> list[int]:
        """Ids of the customers in question, the one accepted first first."""
        return self.members["entity_id"].unique().sort().to_list()


def merging(store: Store, names: Sequence[str], entity: str | None = None) -> Intent:
    """Customers to be joined, however their records are named.

    Raises:
        UsageError: Fewer than two customers, or of several kinds.
        RefusedError: One has no record in force.
    """
    named = [customer_named(store, name, entity) for name in names]
    customers = list(dict.fromkeys(one.entity_id for one in named))
    if len(named) > len(customers) or len(customers) < 2:  # noqa: PLR2004 - it takes two
        told = ", ".join(f"{one.record_id} is customer {one.entity_id}" for one in named)
        raise UsageError(f"name records of two different customers or more: {told}")
    if len({one.entity for one in named}) > 1:
        told = ", ".join(f"{one.record_id} is a {one.entity}" for one in named)
        raise UsageError(f"only customers of one kind can be merged: {told}")
    members = members_of(store, named[0].entity, customers)
    live = members.filter("live")
    for one in customers:
        if live.filter(pl.col("entity_id") == one).is_empty():
            raise RefusedError(
                f"customer {one} has no record in force: its sources have deleted them, or they "
                "wait in quarantine"
            )
    records = live["record_id"].to_list()
    return Intent(
        MERGE, named[0].entity, members, (tuple(records),), same=star(records[0], records)
    )


def splitting(store: Store, name: str, records: Sequence[str], entity: str | None = None) -> Intent:
    """A customer and the records that are to leave it together.

    Raises:
        UsageError: A record is none of the customer's, or nobody would stay.
    """
    customer = customer_named(store, name, entity)
    members = members_of(store, customer.entity, [customer.entity_id])
    leaving = {record_named(store, one, customer.entity).record_id for one in records}
    strangers = leaving.difference(members["record_id"])
    if strangers:
        told = ", ".join(map(str, sorted(strangers)))
        own = ", ".join(map(str, members["record_id"].head(20)))
        raise UsageError(f"not of customer {customer.entity_id}: {told}; its records are {own}")
    leaves = pl.col("record_id").is_in(sorted(leaving))
    live = members.filter("live")
    going, staying = live.filter(leaves)["record_id"], live.filter(~leaves)["record_id"]
    if going.is_empty() or staying.is_empty():
        raise UsageError(
            f"customer {customer.entity_id} has {live.height} record{'s' * (live.height != 1)} in "
            "force: name some of them to leave, not all and not none"
        )
    away, here = (members.filter(one)["record_id"].to_list() for one in (leaves, ~leaves))
    home = pl.when(leaves).then(int(going[0])).otherwise(int(staying[0]))
    return Intent(
        SPLIT,
        customer.entity,
        members,
        (tuple(going), tuple(staying)),
        same=star(int(going[0]), going),
        different=apart([away, here]),
        homes=members.select("record_id", home.cast(pl.Int64).alias("entity_id")),
    )


def unmerging(store: Store, name: str, entity: str | None = None) -> Intent:
    """The last merge of a customer, or the one of a number, to be taken back.

    Raises:
        NotFoundError: There is no such act.
        RefusedError: It was no merge that joined the customer, or it was taken back already.
    """
    act = _merge_numbered(store, name) if name.startswith(ACT) else _last_merge(store, name, entity)
    then = records_of_act(store, act.act_id)
    now = members_of(store, act.entity, customers_of(store, then))
    there = then.join(now, on="record_id", how="semi")
    parts = there.group_by("entity_before", maintain_order=True).agg("record_id")["record_id"]
    return Intent(
        UNMERGE,
        act.entity,
        now,
        tuple(tuple(part) for part in parts),
        different=apart(parts.to_list()),
        withdraw=tuple(decisions_of_act(store, act.act_id, "made", in_force=True)),
        homes=there.select("record_id", pl.col("entity_before").alias("entity_id")),
        takes_back=act,
    )


def _merge_numbered(store: Store, name: str) -> Act:
    number = name.removeprefix(ACT).strip()
    act = act_numbered(store, int(number)) if number.isdecimal() else None
    if act is None:
        raise NotFoundError(f"there is no act {number!r}; crmq history lists them")
    if act.kind != MERGE:
        raise RefusedError(
            f"act {act.act_id} is a {act.kind}, not a merge; take it back with: crmq undo "
            f"{act.run_id} --reason TEXT"
        )
    if act.taken_back_run is not None:
        raise RefusedError(f"act {act.act_id} was taken back already, in run {act.taken_back_run}")
    return act


def _last_merge(store: Store, name: str, entity: str | None) -> Act:
    customer = customer_named(store, name, entity)
    members = members_of(store, customer.entity, [customer.entity_id])
    for act in reversed(acts_on(store, customer.entity, members["record_id"].to_list())):
        if act.kind != MERGE or act.taken_back_run is not None:
            continue
        held = records_of_act(store, act.act_id).join(members, on="record_id", how="semi")
        if held["entity_before"].n_unique() > 1:
            return act
    told = f"customer {customer.entity_id}"
    if members.height < 2:  # noqa: PLR2004 - nothing to take apart
        raise RefusedError(f"{told} has one record; there is nothing to take apart")
    own = members["record_id"].implode()
    decided = decisions_in_force(store, customer.entity).filter(
        pl.col("verdict") == SAME,
        pl.col("record_id_l").is_in(own),
        pl.col("record_id_r").is_in(own),
    )
    if decided.height:
        numbers = " ".join(map(str, decided["decision_id"].head(10)))
        raise RefusedError(
            f"{told} was joined by decisions, not by a merge; take them back with: crmq review "
            f"withdraw {numbers} --reason TEXT"
        )
    raise RefusedError(
        f"{told} was joined by the matcher, not by a merge; let records leave it with: crmq split "
        f"{customer.entity_id} RECORD… --reason TEXT (crmq explain A B says why two were joined)"
    )


def customer_named(store: Store, name: str, entity: str | None = None) -> RecordReference:
    """A record of the customer that somebody named: by one of its records, or ``entity:NUMBER``.

    Raises:
        NotFoundError: There is no such record.
        RefusedError: It belongs to no customer yet.
    """
    found = record_named(store, name.strip().removeprefix(CUSTOMER), entity)
    if not is_customer(store, found.entity_id):
        raise RefusedError(
            f"record {found.record_id} waits in quarantine and belongs to no customer yet: crmq "
            f"quarantine show {found.record_id}"
        )
    return found


def star(centre: int, records: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Pairs of one record with each of the others."""
    return tuple((centre, other) for other in records if other != centre)


def apart(parts: Sequence[Collection[int]]) -> tuple[tuple[int, int], ...]:
    """Pairs that tell parts apart, so that it still holds when some of their records end."""
    pairs: list[tuple[int, int]] = []
    for ours, theirs in combinations(map(sorted, parts), 2):
        if len(ours) * len(theirs) <= _EACH_PAIR:
            pairs.extend((one, other) for one in ours for other in theirs)
        else:
            pairs.extend(star(ours[0], theirs))
            pairs.extend((one, theirs[0]) for one in ours[1:])
    return tuple(pairs)
