"""goldenmatch without labels: its zero-config call, which chooses fields, blocks and threshold.

Configuration: none, as its README recommends (`dedupe_df(table)`), for people and companies alike,
but for two things. Fields of which more than 80 % are null are left out (``exclude_columns``): its
own linter warns of them, and it blocked on one that hardly any record has. ``planning_effort`` is
``thinking``, since its search for a configuration stops after a number of seconds, which a busy
machine would cut short. It refuses to go on from 100,000 records when it doubts its own choice;
then it is called again with the two switches that its message names. Paid models stay off (the
default), and what it learnt of an earlier set is not reused.
"""

from __future__ import annotations

import os

os.environ["GOLDENMATCH_AUTOCONFIG_MEMORY"] = "0"

import goldenmatch
import polars as pl

from .job import close_job, open_job

MOST_NULLS = 0.8
EFFORT = "thinking"


def main() -> None:
    """Match; its clusters name the rows by their place."""
    job = open_job("goldenmatch", "goldenmatch-native")
    frame = job.records.drop("record_id")
    sparse = [c for c in frame.columns if frame[c].null_count() > MOST_NULLS * frame.height]
    chosen = {"exclude_columns": sparse, "planning_effort": EFFORT}
    try:
        result = goldenmatch.dedupe_df(frame, **chosen)
    except Exception as error:  # its class is not part of the public names
        if "Confident" not in type(error).__name__:
            raise
        job.facts["note"] = "not confident of its own configuration; run all the same"
        result = goldenmatch.dedupe_df(
            frame, **chosen, confidence_required=False, allow_red_config=True
        )
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
