"""Comparison vectors of given pairs, by the same SQL as Splink's but without its preparation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from crm_quality.match.levels import Comparison


def vectors(
    connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison], pairs: pl.DataFrame
) -> pl.DataFrame:
    """The comparison vectors of a few pairs, by the same SQL, without Splink's preparation.

    Args:
        connection: Holds the table ``features``.
        comparisons: What is compared.
        pairs: ``left_id`` and ``right_id``.

    Returns:
        ``left_id``, ``right_id`` and the ``gamma_*`` columns.
    """
    if pairs.is_empty():  # to plan the SQL takes a tenth of a second
        ids = {"left_id": pl.Int64, "right_id": pl.Int64}
        return pl.DataFrame(schema={**ids, **{c.gamma: pl.Int8 for c in comparisons}})
    columns = [row[0] for row in connection.execute("DESCRIBE features").fetchall()]
    sides = ", ".join(f'{side}."{c}" AS "{c}_{side}"' for side in "lr" for c in columns)
    gammas = ", ".join(f'({c.sql()})::TINYINT AS "{c.gamma}"' for c in comparisons)
    connection.register("asked_pairs", pairs.select("left_id", "right_id").to_arrow())
    # a relation would plan the SQL twice, and to plan it is most of the time
    found = connection.execute(
        f"SELECT id_l AS left_id, id_r AS right_id, {gammas} FROM ("  # noqa: S608 - own names
        f"SELECT {sides} FROM asked_pairs p JOIN features l ON l.id = p.left_id "
        "JOIN features r ON r.id = p.right_id)"
    ).fetchnumpy()
    connection.unregister("asked_pairs")
    return pl.DataFrame(found)
