"""What both Splink configurations do alike: link, train what can be trained, cluster."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker, block_on

from .job import close_job, open_job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from splink import SettingsCreator

    from .job import Job

Rule = tuple[str, ...]


def answer(people: Callable[[Job], None], companies: Callable[[Job], None]) -> None:
    """Do the job that this process was given, by what its records are."""
    job = open_job("splink", "duckdb")
    (people if job.entity == "contact" else companies)(job)
    close_job(job)


def linked(
    frame: pl.DataFrame, settings: SettingsCreator
) -> tuple[Linker, duckdb.DuckDBPyConnection]:
    """A linker on a DuckDB of its own, in memory."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    connection = duckdb.connect()
    api = DuckDBAPI(connection)
    return Linker(
        api.register(frame.to_arrow(), dataset_display_name="records"), settings
    ), connection


def usable(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[Rule]:
    """Those rules whose columns this set has; a column may stand within a call, as in substr(…)."""
    return [
        rule
        for rule in rules
        if all(_column(part) in frame.columns and _filled(frame, _column(part)) for part in rule)
    ]


def any_pair(frame: pl.DataFrame, columns: Rule) -> bool:
    """Do any two records agree in the columns? Where none do, the default prior stands."""
    known = frame.select(columns).drop_nulls()
    return known.n_unique() < known.height


def _column(part: str) -> str:
    return part.partition("(")[2].partition(",")[0].strip() if "(" in part else part


def _filled(frame: pl.DataFrame, column: str) -> bool:
    return frame[column].null_count() < frame.height


def trained(
    linker: Linker,
    frame: pl.DataFrame,
    *,
    certain: Sequence[Rule],
    recall: float,
    sessions: Sequence[Rule],
    random_pairs: float,
    session_pairs: float | None = None,
) -> None:
    """Prior from strict rules, u from random pairs, m by EM within each kind of block."""
    strict = [rule for rule in usable(frame, certain) if any_pair(frame, rule)]
    if strict:
        linker.training.estimate_probability_two_random_records_match(
            [block_on(*rule) for rule in strict], recall=recall
        )
    linker.training.estimate_u_using_random_sampling(max_pairs=random_pairs, seed=11)
    cap = {} if session_pairs is None else {"max_pairs": session_pairs}
    for rule in usable(frame, sessions):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule), **cap)


def saved(
    job: Job,
    linker: Linker,
    connection: duckdb.DuckDBPyConnection,
    *,
    weight: float,
    others: Sequence[float] = (),
    least: float | None = None,
) -> None:
    """Predict, cluster at the weight, and at others for comparison."""
    predicted = linker.inference.predict(threshold_match_weight=least)
    name = predicted.physical_name
    pairs = connection.sql(f"select count(*) from {name}").fetchall()
    job.facts["pairs"] = int(pairs[0][0])
    for number, cut in enumerate((weight, *others)):
        clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_weight=cut
        )
        members = pl.from_arrow(
            connection.sql(
                f"select record_id, cluster_id from {clusters.physical_name}"
            ).to_arrow_table()
        )
        if number == 0:
            job.stop_clock()
        job.save(members, "clusters" if number == 0 else f"clusters_at_{cut:g}")
