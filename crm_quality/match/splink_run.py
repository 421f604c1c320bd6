"""Splink on a connection of its own: u from random pairs, comparison vectors, its own weight."""

from __future__ import annotations

import contextlib
import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from splink import DuckDBAPI, Linker

from crm_quality.duck import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crm_quality.match.levels import Comparison

    Probabilities = Mapping[str, Sequence[float]]

#: Pairs that Splink is given at a time: it lays the compared columns of both sides beside each
#: other, some kilobytes a pair.
_AT_A_TIME = 500_000

#: Splink refuses probabilities of zero.
_LEAST = 1e-12


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Splink logs advice about training to the root of its loggers; none of it is for our users."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def settings(
    comparisons: Sequence[Comparison],
    u: Probabilities,
    m: Probabilities,
    prior: float = 1e-4,
) -> dict[str, Any]:
    """A Splink model of ``comparisons``.

    Args:
        comparisons: What is compared.
        u: Comparison → probability of each gamma, from 0 upwards, among random pairs.
        m: The same among pairs that are the same.
        prior: Probability that two random records are the same.
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": ["l.id = r.id"],
        "comparisons": [
            c.to_splink(_above_zero(u[c.name]), _distinct(u[c.name], m[c.name]))
            for c in comparisons
        ],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


class SplinkRun:
    """Features registered with Splink in an in-memory DuckDB."""

    def __init__(self, features: pl.DataFrame, comparisons: Sequence[Comparison]) -> None:
        self.comparisons = tuple(comparisons)
        self.connection = connect()
        self.connection.execute("SET preserve_insertion_order = false")
        self._features = features.to_arrow()
        self.connection.register("features_frame", self._features)
        self.connection.execute("CREATE TABLE features AS SELECT * FROM features_frame")
        self.connection.unregister("features_frame")

    def close(self) -> None:
        """Give the memory back."""
        self.connection.close()

    def vectors(
        self, pairs: pl.DataFrame, u: Probabilities, m: Probabilities, prior: float
    ) -> pl.DataFrame:
        """Splink's comparison vectors and match weight of given pairs.

        Args:
            pairs: ``left_id`` and ``right_id``.
            u: Of `random_agreement`.
            m: Of pairs that are the same.
            prior: Probability that two random records are the same.

        Returns:
            ``left_id``, ``right_id``, one ``gamma_*`` (Int8) for each comparison and
            ``splink_weight``, in no particular order.
        """
        if pairs.is_empty():
            ids = {"left_id": pl.Int64, "right_id": pl.Int64}
            gammas = {c.gamma: pl.Int8 for c in self.comparisons}
            return pl.DataFrame(schema={**ids, **gammas, "splink_weight": pl.Float64})
        found = [
            self._some_vectors(some, u, m, prior)
            for some in pairs.select("left_id", "right_id").iter_slices(_AT_A_TIME)
        ]
        frame = pl.concat(found)
        return frame.with_columns(
            _gamma_of(frame[c.gamma], u[c.name], m[c.name]) for c in self.comparisons
        )

    def _some_vectors(
        self, pairs: pl.DataFrame, u: Probabilities, m: Probabilities, prior: float
    ) -> pl.DataFrame:
        """As `vectors`, with the weight of each level in place of its gamma."""
        given = pairs.select(
            pl.lit("0").alias("match_key"),
            pl.col("left_id").alias("join_key_l"),
            pl.col("right_id").alias("join_key_r"),
        ).to_arrow()
        self.connection.register("pairs_frame", given)
        self.connection.execute("CREATE OR REPLACE TABLE given_pairs AS FROM pairs_frame")
        self.connection.unregister("pairs_frame")
        with _quiet():
            api = DuckDBAPI(self.connection)
            model = settings(self.comparisons, u, m, prior)
            model["retain_intermediate_calculation_columns"] = True
            linker = Linker(api.register("features"), model, log_level=None)
            linker.table_management.register_blocked_pairs_for_predict(api.register("given_pairs"))
            predicted = linker.inference.predict(warning_mode="never")
            weights = ", ".join(f'"mw_{c.name}"::FLOAT AS "{c.gamma}"' for c in self.comparisons)
            found = self.connection.sql(
                f"SELECT id_l AS left_id, id_r AS right_id, {weights}, "  # noqa: S608 - own names
                f"match_weight AS splink_weight FROM {predicted.physical_name}"
            ).to_arrow_table()
            linker.table_management.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
        frame = pl.from_arrow(found)
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        return frame


def _distinct(u: Sequence[float], m: Sequence[float]) -> list[float]:
    """m, moved by less than a thousandth where two levels of a comparison would weigh the same."""
    made: list[float] = []
    taken = {0.0}
    for one_u, one_m in zip(_above_zero(u), _above_zero(m), strict=True):
        moved = one_m
        while round(float(np.log2(moved / one_u)), 4) in taken:
            moved *= 0.9997
        taken.add(round(float(np.log2(moved / one_u)), 4))
        made.append(moved)
    return made


def _gamma_of(weights: pl.Series, u: Sequence[float], m: Sequence[float]) -> pl.Series:
    """The level behind each weight.

    Splink 5 gives a level's weight without the columns compared, its gamma only with them, and
    those would need gigabytes.
    """
    levels = np.log2(np.array(_distinct(u, m)) / np.array(_above_zero(u)))
    choices = np.concatenate([[0.0], levels])
    seen = weights.unique().to_numpy()
    gammas = np.abs(seen[:, None] - choices[None, :]).argmin(axis=1) - 1
    return weights.replace_strict(seen, gammas, return_dtype=pl.Int8)


def _above_zero(probabilities: Sequence[float]) -> list[float]:
    return [max(x, _LEAST) for x in probabilities]
