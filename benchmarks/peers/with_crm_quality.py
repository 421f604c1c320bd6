"""This project: no labels, the default rules of the entity, as ``crmq run`` matches."""

from __future__ import annotations

import polars as pl

from crm_quality import default_rules
from crm_quality.match import match_records

from .job import close_job, open_job


def main() -> None:
    """Match the typed canonical records."""
    job = open_job("crm-quality")
    frame = pl.read_parquet(job.folder / "canonical.parquet")
    result = match_records(frame, default_rules().entity(job.entity))
    job.stop_clock()
    job.save(result.clusters)
    job.facts["pairs"] = result.report["candidate_pairs"]
    job.facts["note"] = f"model: {result.model.origin}"
    close_job(job)


if __name__ == "__main__":
    main()
