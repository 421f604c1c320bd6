"""goldenmatch without labels: its zero-config call, which chooses fields, blocks and threshold.

Configuration: none, as its README recommends (`dedupe_df(table)`), for people and companies alike,
but for one thing: fields of which more than 80 % are null are left out (``exclude_columns``), since
its own linter warns of them and it otherwise blocks on a field that hardly any record has.
It refuses to go on from 100,000 records when it doubts its own choice; then it is called again with
``confidence_required=False``, the way out that its documentation names. Paid models stay off (the
default), and what it learnt of an earlier set is not reused.
"""

from __future__ import annotations

import os

os.environ["GOLDENMATCH_AUTOCONFIG_MEMORY"] = "0"

import goldenmatch
import polars as pl

from .job import close_job, open_job

MOST_NULLS = 0.8


def main() -> None:
    """Match; its clusters name the rows by their place."""
    job = open_job("goldenmatch", "goldenmatch-native")
    frame = job.records.drop("record_id")
    sparse = [c for c in frame.columns if frame[c].null_count() > MOST_NULLS * frame.height]
    try:
        result = goldenmatch.dedupe_df(frame, exclude_columns=sparse)
    except Exception as error:  # its class is not part of the public names
        if "Confident" not in type(error).__name__:
            raise
        job.facts["note"] = "not confident of its own configuration; run all the same"
        result = goldenmatch.dedupe_df(frame, exclude_columns=sparse, confidence_required=False)
    places, clusters = [], []
    for cluster, told in result.clusters.items():
        places.extend(told["members"])
        clusters.extend([cluster] * len(told["members"]))
    job.stop_clock()
    job.save(
        job.records.select("record_id")[places].with_columns(
            cluster_id=pl.Series(clusters, dtype=pl.Int64)
        )
    )
    close_job(job)


if __name__ == "__main__":
    main()
