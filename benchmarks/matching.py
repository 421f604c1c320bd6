"""Pairwise F1 of matching on labelled sets: ``python benchmarks/matching.py --data DIR [NAME...]``.

DIR holds a folder for each set with ``records.parquet`` (text columns, ``record_id``, the truth in
``entity_id``); ``benchmarks/mappings/NAME.yml`` says which column is which canonical field.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import polars as pl
from ruamel.yaml import YAML

from crm_quality.definitions import default_rules
from crm_quality.match import evaluate, match_records

MAPPINGS = Path(__file__).parent / "mappings"


def load(folder: Path, name: str, mapping: dict) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records in canonical fields, with a running ``record_id``, and their truth."""
    raw = pl.read_parquet(folder / name / "records.parquet").with_row_index("n", offset=1)
    made = [pl.col("n").cast(pl.Int64).alias("record_id")]
    for field, columns in mapping["columns"].items():
        listed = [columns] if isinstance(columns, str) else columns
        texts = pl.concat_str([pl.col(c) for c in listed], separator=" ", ignore_nulls=True)
        made.append(pl.when(texts.str.strip_chars() != "").then(texts).alias(field))
    frame = raw.select(made)
    if "date_of_birth" in frame.columns:
        text = pl.col("date_of_birth")
        forms = ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d-%m-%Y")
        frame = frame.with_columns(
            pl.coalesce([text.str.to_date(f, strict=False) for f in forms]).alias("date_of_birth"),
            text.alias("date_of_birth__raw"),
        )
    truth = raw.select(pl.col("n").cast(pl.Int64).alias("record_id"), "entity_id")
    return frame, truth


def run(folder: Path, name: str, verbose: bool) -> dict:
    """Match one labelled set; its scores, sizes and seconds."""
    mapping = YAML(typ="safe").load((MAPPINGS / f"{name}.yml").read_text(encoding="utf-8"))
    frame, truth = load(folder, name, mapping)
    definition = default_rules().entity(mapping["entity"])
    start = time.perf_counter()
    result = match_records(frame, definition)
    seconds = time.perf_counter() - start
    scores = evaluate(result.clusters, truth)
    entity = truth.rename({"record_id": "record_id_l", "entity_id": "a"})
    other = truth.rename({"record_id": "record_id_r", "entity_id": "b"})
    hits = result.pairs.join(entity, on="record_id_l").join(other, on="record_id_r")
    sizes = truth.group_by("entity_id").len()["len"].cast(pl.Float64)
    true = float((sizes * (sizes - 1) / 2).sum())
    blocking = hits.filter(pl.col("a") == pl.col("b")).height / true
    if verbose:
        print(json.dumps(result.report, indent=1, default=str)[:6000])
    return {
        "set": name,
        "f1": scores["f1"],
        "precision": scores["precision"],
        "recall": scores["recall"],
        "bcubed_f1": scores["bcubed_f1"],
        "largest": int(scores["largest_cluster"]),
        "pairs": result.report["candidate_pairs"],
        "blocking": round(blocking, 4),
        "estimated": result.report["estimated_recall"],
        "model": result.model.origin,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Match the named sets, or all there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    names = options.names or sorted(
        p.stem
        for p in MAPPINGS.glob("*.yml")
        if (options.data / p.stem / "records.parquet").exists()
    )
    rows = []
    for name in names:
        rows.append(run(options.data, name, options.verbose))
        print(rows[-1], flush=True)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200):
        print(pl.DataFrame(rows))
    print("peak MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
