"""What a tool gets and what it hands back, as files in a folder.

``records.parquet``: Int64 ``record_id`` and the matched fields as lower-case text, null where
empty. ``labels.parquet`` and ``oracle.parquet`` (the truth itself) only for tools that learn from
labels. A tool writes ``clusters*.parquet`` (``record_id``, ``cluster_id``) and ``facts.json``.

This module runs in the tools' environments: it knows Polars and nothing of ``crm_quality``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Job:
    """One tool's work on one set."""

    folder: Path
    entity: str
    records: pl.DataFrame
    facts: dict[str, object] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def having(self, *columns: str) -> list[str]:
        """Those of the columns that this set has."""
        return [column for column in columns if column in self.records.columns]

    def labels(self) -> pl.DataFrame:
        """``record_id_l``, ``record_id_r``, ``same``."""
        return pl.read_parquet(self.folder / "labels.parquet")

    def oracle(self) -> dict[int, str]:
        """The entity of each record, for tools that choose what they ask."""
        truth = pl.read_parquet(self.folder / "oracle.parquet")
        return dict(zip(truth["record_id"], truth["entity_id"].cast(pl.String), strict=True))

    def stop_clock(self) -> None:
        """What follows (writing the result) is not the tool's time."""
        self.facts["seconds"] = round(time.perf_counter() - self.started, 1)

    def save(self, clusters: pl.DataFrame, name: str = "clusters") -> None:
        """Write a clustering; a record that is not in it is a cluster of its own."""
        every = self.records.select("record_id").join(
            clusters.select(
                pl.col("record_id").cast(pl.Int64),
                pl.col("cluster_id").cast(pl.String),
            ),
            on="record_id",
            how="left",
        )
        alone = pl.concat_str(pl.lit("alone "), pl.col("record_id").cast(pl.String))
        every = every.with_columns(pl.coalesce("cluster_id", alone).alias("cluster_id"))
        every.write_parquet(self.folder / f"{name}.parquet")


def open_job(*packages: str) -> Job:
    """The job whose folder is the only argument; notes the versions and starts the clock."""
    folder = Path(sys.argv[1])
    told = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    job = Job(folder, told["entity"], pl.read_parquet(folder / "records.parquet"))
    job.facts["versions"] = {package: version(package) for package in packages}
    job.started = time.perf_counter()
    return job


def close_job(job: Job) -> None:
    """Write what was noted beside the clusters."""
    if "seconds" not in job.facts:
        job.stop_clock()
    (job.folder / "facts.json").write_text(json.dumps(job.facts, default=str), encoding="utf-8")


def components(pairs: Iterable[tuple[int, int]]) -> pl.DataFrame:
    """Connected components of pairs, for tools that stop at pairs."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in pairs:
        a, b = root(left), root(right)
        parent[max(a, b)] = min(a, b)
    nodes = list(parent)
    return pl.DataFrame(
        {"record_id": nodes, "cluster_id": [root(node) for node in nodes]},
        schema={"record_id": pl.Int64, "cluster_id": pl.Int64},
    )
