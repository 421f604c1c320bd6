"""Every tool on every set, each in its own process, all scored by the same few lines."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match import evaluate

from .labels import drawn
from .process import run
from .tools import BENCHMARKS, Tool, environment_of, python_of

if TYPE_CHECKING:
    from pathlib import Path

    from .sets import LabelledSet

LABELS = 600
SEED = 7
SCORES = ("f1", "precision", "recall", "bcubed_f1", "largest_cluster")


@dataclass(frozen=True)
class Limits:
    """Of one tool on one set."""

    seconds: float
    gigabytes: float


def measured(tool: Tool, data: LabelledSet, cache: Path, limits: Limits) -> dict[str, object]:
    """Run a tool on a set; its row of the table, or why there is none."""
    folder = cache / "jobs" / data.name / tool.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    hand_over(tool, data, folder)
    outcome = run(
        [str(python_of(tool, cache)), "-m", f"peers.{tool.module}", str(folder)],
        folder=BENCHMARKS,
        log=folder / "log.txt",
        environment=environment_of(tool, cache / "home" / tool.name),
        seconds=limits.seconds,
        gigabytes=limits.gigabytes,
    )
    row: dict[str, object] = {
        "set": data.name,
        "records": data.frame.height,
        "entities": data.truth["entity_id"].n_unique(),
        "tool": tool.name,
        "seconds": round(outcome.seconds, 1),
        "peak_mb": outcome.peak_mb,
        "failure": outcome.failure,
    }
    if outcome.failure:
        return row
    row |= json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    row |= scored(folder / "clusters.parquet", data.truth)
    others = [scored(path, data.truth) for path in sorted(folder.glob("clusters_at_*.parquet"))]
    if others:
        row["best"] = max([*others, {k: row[k] for k in SCORES}], key=lambda each: each["f1"])
    return row


def hand_over(tool: Tool, data: LabelledSet, folder: Path) -> None:
    """Write what the tool gets: the truth only if it asks for labels."""
    text = data.as_text()
    text.write_parquet(folder / "records.parquet")
    (folder / "job.json").write_text(json.dumps({"entity": data.entity}), encoding="utf-8")
    if not tool.packages:
        data.frame.write_parquet(folder / "canonical.parquet")
    if tool.labels:
        drawn(text, data.truth, LABELS, SEED).write_parquet(folder / "labels.parquet")
        data.truth.write_parquet(folder / "oracle.parquet")


def scored(clusters: Path, truth: pl.DataFrame) -> dict[str, float]:
    """Our own scores, for all tools alike."""
    scores = evaluate(pl.read_parquet(clusters), truth)
    return {name: scores[name] for name in SCORES}
