"""Merges, unmerges and splits by stewards: what they did, and the decisions they rest on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from crm_quality.store.connection import Store

MERGE, UNMERGE, SPLIT = "merge", "unmerge", "split"

_COLUMNS = """
act_id, run_id, entity, kind, entity_id, actor, reason, acted_at, takes_back, taken_back_run
"""


@dataclass(frozen=True)
class Act:
    """What a steward did to whole customers.

    Attributes:
        act_id: Its number.
        run_id: The run that applied it.
        entity: What the customers are.
        kind: merge, unmerge or split.
        entity_id: Of a merge the customer that stays, else the one that was divided.
        actor: Who.
        reason: Why.
        acted_at: When, UTC.
        takes_back: Of an unmerge the merge that it takes back.
        taken_back_run: The run in which it was taken back; null = it stands.
    """

    act_id: int
    run_id: int
    entity: str
    kind: str
    entity_id: int
    actor: str
    reason: str
    acted_at: datetime
    takes_back: int | None
    taken_back_run: int | None


def keep_act(store: Store, act: Act, records: pl.DataFrame, decisions: pl.DataFrame) -> None:
    """Keep an act.

    Args:
        store: Inside its transaction.
        act: The act.
        records: ``record_id``, ``entity_before``, ``entity_after`` of all records of the customers
            in question.
        decisions: ``decision_id``, ``effect`` (made, withdrawn).
    """
    store.append("matching.act", pl.DataFrame([asdict(act)]))
    number = pl.lit(act.act_id, pl.Int64).alias("act_id")
    store.append("matching.act_record", records.with_columns(number))
    store.append("matching.act_decision", decisions.with_columns(number))


def next_act(store: Store) -> int:
    """The number of the next act."""
    return store.next_id("act_id", "matching.act")


def act_numbered(store: Store, act_id: int) -> Act | None:
    """The act of that number; null = there is none."""
    return next(iter(_acts(store, "act_id = ?", [act_id])), None)


def act_of_run(store: Store, run_id: int) -> Act | None:
    """The act that a run applied; null = it applied none."""
    return next(iter(_acts(store, "run_id = ?", [run_id])), None)


def acts_on(store: Store, entity: str, record_ids: Collection[int]) -> list[Act]:
    """Acts that had to do with some records, the first first."""
    ids = pl.DataFrame({"record_id": sorted(record_ids)}, schema={"record_id": pl.Int64})
    with store.staged(ids, "asked"):
        return _acts(
            store,
            "entity = ? AND act_id IN (SELECT act_id FROM matching.act_record"
            " SEMI JOIN asked USING (record_id))",
            [entity],
        )


def all_acts(store: Store) -> pl.DataFrame:
    """Every act: the columns of `Act`, the last first."""
    return store.frame(f"SELECT {_COLUMNS} FROM matching.act ORDER BY act_id DESC")  # noqa: S608


def _acts(store: Store, condition: str, parameters: list[object]) -> list[Act]:
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM matching.act WHERE {condition} ORDER BY act_id",  # noqa: S608
        parameters,
    )
    return [Act(*row) for row in rows]


def records_of_act(store: Store, act_id: int) -> pl.DataFrame:
    """``record_id``, ``entity_before``, ``entity_after`` of an act."""
    return store.frame(
        "SELECT record_id, entity_before, entity_after FROM matching.act_record"
        " WHERE act_id = ? ORDER BY record_id",
        [act_id],
    )


def decisions_of_act(store: Store, act_id: int, effect: str, *, in_force: bool) -> list[int]:
    """Decisions that an act made or withdrew (``effect``) and that are in force, or are not."""
    rows = store.rows(
        """
        SELECT decision_id FROM matching.decision SEMI JOIN (
            SELECT decision_id FROM matching.act_decision WHERE act_id = ? AND effect = ?
        ) USING (decision_id)
        WHERE (withdrawn_at IS NULL) = ? ORDER BY decision_id
        """,
        [act_id, effect, in_force],
    )
    return [decision_id for (decision_id,) in rows]


def acts_behind(store: Store, decision_ids: Collection[int]) -> dict[int, Act]:
    """Decision → the act that made it, of those that an act made."""
    ids = pl.DataFrame({"decision_id": sorted(decision_ids)}, schema={"decision_id": pl.Int64})
    with store.staged(ids, "asked"):
        rows = store.rows(
            "SELECT decision_id, act_id FROM matching.act_decision SEMI JOIN asked"
            " USING (decision_id) WHERE effect = 'made'"
        )
    acts = {act_id: act_numbered(store, act_id) for act_id in {number for _, number in rows}}
    return {decision: act for decision, number in rows if (act := acts[number]) is not None}


def take_back(store: Store, act_id: int, *, run_id: int) -> None:
    """Note that an act stands no longer, since run ``run_id``."""
    store.execute("UPDATE matching.act SET taken_back_run = ? WHERE act_id = ?", [run_id, act_id])


def give_back(store: Store, act_id: int) -> None:
    """Note that an act stands again."""
    store.execute("UPDATE matching.act SET taken_back_run = NULL WHERE act_id = ?", [act_id])


def members_of(store: Store, entity: str, entity_ids: Collection[int]) -> pl.DataFrame:
    """The records of some customers, those that gave out included.

    Returns:
        ``record_id``, ``entity_id``, ``source``, ``source_key``, ``live`` (in force: accepted, and
        not deleted by its source), ordered by ``record_id``.
    """
    ids = pl.DataFrame({"entity_id": sorted(entity_ids)}, schema={"entity_id": pl.Int64})
    with store.staged(ids, "asked"):
        return store.frame(
            """
            SELECT r.record_id, m.entity_id, r.source, r.source_key,
                   r.current_version IS NOT NULL AND r.ended_at IS NULL AS live
            FROM matching.membership m SEMI JOIN asked USING (entity_id)
            JOIN landing.record r USING (record_id)
            WHERE r.entity = ? ORDER BY r.record_id
            """,
            [entity],
        )


def homes_of(store: Store, members: pl.DataFrame) -> pl.DataFrame:
    """Where records have gone since.

    Args:
        store: The open store.
        members: ``record_id``, ``entity_id`` as they were.

    Returns:
        ``record_id``, ``entity_before``, ``entity_after`` of those that are in a customer now.
    """
    with store.staged(members.select("record_id", "entity_id"), "acted_on"):
        return store.frame(
            "SELECT a.record_id, a.entity_id AS entity_before, m.entity_id AS entity_after"
            " FROM acted_on a JOIN matching.membership m USING (record_id) ORDER BY record_id"
        )
