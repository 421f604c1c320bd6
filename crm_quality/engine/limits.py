"""The limits of crmq.yml that stop a run before it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crm_quality.errors import LimitError
from crm_quality.store.golden import golden_table
from crm_quality.store.landing import ended_by_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.engine.config import Limits
    from crm_quality.engine.summary import Summary
    from crm_quality.store import Store


@dataclass
class Watch:
    """Holds what a run does against the limits.

    Attributes:
        limits: Of crmq.yml.
        planning: Only note what is exceeded; else it is raised.
        exceeded: What was, in words.
    """

    limits: Limits
    planning: bool = False
    exceeded: list[str] = field(default_factory=list)

    def tell(self, messages: Iterator[str]) -> None:
        """Raise the first limit that is exceeded, or note all of them.

        Raises:
            LimitError: One is, and this is no plan.
        """
        for message in messages:
            if not self.planning:
                raise LimitError(message)
            self.exceeded.append(message)


def ended(
    store: Store, limits: Limits, before: dict[str, int], entity: str, *, run_id: int
) -> Iterator[str]:
    """What a run ends of a source, where that is more than the limits allow.

    Args:
        store: Inside the run's transaction, records settled.
        limits: Of crmq.yml.
        before: Source → live records before the run.
        entity: What the records are.
        run_id: The run.
    """
    for source, count in ended_by_source(store, entity, run_id=run_id).items():
        live = before.get(source, 0)
        if live >= limits.ended_from and count > limits.ended_share * live:
            yield (
                f"{count:,} of the {live:,} records of {source} would end, more than the "
                f"{limits.ended_share:.0%} that crmq.yml allows (limits: ended_share); nothing "
                "was stored; is the file complete?"
            )


def customers(store: Store, entities: list[str]) -> int:
    """Golden records of some entities."""
    return sum(
        store.value(f"SELECT count(*) FROM {golden_table(entity)}")  # noqa: S608
        for entity in entities
    )


def overall(limits: Limits, summary: Summary, before: int) -> Iterator[str]:
    """What a run does to records and customers, where that is more than the limits allow.

    Args:
        limits: Of crmq.yml.
        summary: What it has done.
        before: Customers before the run.
    """
    records, golden = summary.records, summary.golden
    share = limits.quarantined_share
    enough = records.received >= limits.received_from
    if share is not None and enough and records.quarantined > share * records.received:
        yield (
            f"{records.quarantined:,} of the {records.received:,} rows would be quarantined, "
            f"more than the {share:.0%} that crmq.yml allows (limits: quarantined_share); "
            "nothing was stored; crmq check FILE says what is wrong with them"
        )
    if before < limits.customers_from:
        return
    vanished = before + golden.created + golden.split - golden.total
    for name, count, what, allowed in (
        ("merged_share", golden.merged, "be merged into others", limits.merged_share),
        ("split_share", golden.split, "be split off from others", limits.split_share),
        ("vanished_share", vanished, "be no more", limits.vanished_share),
        ("changed_share", golden.changed, "change", limits.changed_share),
    ):
        if allowed is not None and count > allowed * before:
            yield (
                f"{count:,} customers would {what}, of {before:,}: more than the {allowed:.0%} "
                f"that crmq.yml allows (limits: {name}); nothing was stored; look at it with "
                "--plan, and raise the limit in crmq.yml if it is right"
            )
