"""Scores by declared rules, each with its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import polars as pl

    from crm_quality.definitions.insight import Engagement, Score
    from crm_quality.store import Store

_SCORES = """
WITH done AS (
    SELECT contact_id{sums}
    FROM crm.event
    WHERE contact_id IS NOT NULL AND entity IN ({entities}) AND occurred_at < $as_of::DATE + 1
    GROUP BY contact_id
), parts AS (
    SELECT entity_id AS contact_id{parts}
    FROM (SELECT *, $as_of::DATE AS as_of FROM crm.contact) c
    LEFT JOIN done d ON d.contact_id = c.entity_id
)
SELECT contact_id, CASE WHEN len(known) > 0 THEN list_sum(known)::DECIMAL(12, 2) END AS total,
       {many} - len(known) AS unknown, * EXCLUDE (contact_id, known)
FROM (SELECT *, list_filter([{names}], lambda part: part IS NOT NULL) AS known FROM parts)
"""


def scored(store: Store, score: Score, *, as_of: date) -> pl.DataFrame:
    """Every contact's score.

    Args:
        store: Open; nothing is written.
        score: What counts, its conditions checked.
        as_of: The day that counts as today; later events do not count.

    Returns:
        ``contact_id``, ``total`` (null: nothing is known of it), ``unknown`` (so many parts are),
        and a column of points per part. Points have two decimals, and parts that are not null add
        up to the total. A part is null where nothing is known: a value that its condition needs is
        missing, or there is no row of its entity. The highest first, then by number.
    """
    query, values = score_query(score)
    return store.named(
        f"{query} ORDER BY total DESC NULLS LAST, contact_id",
        {"as_of": as_of, **values},
    )


def score_query(score: Score) -> tuple[str, Mapping[str, object]]:
    """The query of a score and the values of its parameters; ``$as_of`` is left to the caller."""
    values: dict[str, object] = {}
    sums, parts = [], []
    for number, (name, fit) in enumerate(score.fit.items()):
        values[f"fit{number}"] = fit.points
        # checked to be one expression over columns of the contact
        parts.append(
            f"CASE ({fit.condition}\n) WHEN true THEN $fit{number} WHEN false THEN 0 END"
            f"::DECIMAL(12, 2) AS {quoted(name)}"
        )
    for number, (name, engagement) in enumerate(score.engagement.items()):
        summed, more = _summed(number, engagement)
        values |= more
        sums.append(f"{summed} AS {quoted('sum ' + name)}")
        parts.append(f"{quoted('sum ' + name)}::DECIMAL(12, 2) AS {quoted(name)}")
    entities = sorted({of.entity for of in score.engagement.values()})
    query = _SCORES.format(
        sums="".join(f",\n           {one}" for one in sums),
        parts="".join(f",\n           {one}" for one in parts),
        entities=", ".join(f"'{entity}'" for entity in entities) or "''",
        names=", ".join(quoted(name) for name in score.parts),
        many=len(score.parts),
    )
    return query, values


def _summed(number: int, engagement: Engagement) -> tuple[str, dict[str, object]]:
    """SQL that adds up a part's rows, and its parameters."""
    values: dict[str, object] = {f"points{number}": engagement.points}
    one = f"$points{number}::DOUBLE"
    if engagement.half_life_days is not None:
        values[f"half{number}"] = engagement.half_life_days
        one += (
            f" * pow(2, -greatest(date_diff('day', occurred_at::DATE, $as_of::DATE), 0)"
            f" / $half{number}::DOUBLE)"
        )
    which = f"entity = '{engagement.entity}'"
    if engagement.what:
        values[f"what{number}"] = list(engagement.what)
        which += f" AND list_contains($what{number}::VARCHAR[], what)"
    summed = f"sum({one}) FILTER ({which})"
    if engagement.at_most is not None:
        values[f"most{number}"] = engagement.at_most
        least = "least" if engagement.points >= 0 else "greatest"
        limited = f"{least}({summed}, $most{number}::DOUBLE)"
        # least() would take the limit for a sum that is not there
        summed = f"CASE WHEN count(*) FILTER ({which}) > 0 THEN {limited} END"
    return summed, values
