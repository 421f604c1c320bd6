"""Pairwise F1 of households against their truth.

    python benchmarks/households.py --data DIR [--results benchmarks/results]

DIR holds a folder ``pseudopeople_multi`` with ``records.parquet`` and ``households.parquet`` (the
household of the records of two sources). Two records of one person count as one member: pairs
are of different persons, as the truth knows them, who live together.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
from matching import MAPPINGS, load
from ruamel.yaml import YAML

from crm_quality.definitions import default_rules
from crm_quality.match import evaluate, match_records

NAME = "pseudopeople_multi"


def main() -> None:
    """Match the set, compare its groups with the households, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, help="folder to write households.md into")
    options = parser.parse_args()
    mapping = YAML(typ="safe").load((MAPPINGS / f"{NAME}.yml").read_text(encoding="utf-8"))
    frame, truth = load(options.data, NAME, mapping)
    definition = default_rules().entity(mapping["entity"])
    result = match_records(frame, definition)
    homes = households(options.data, truth)
    rows = []
    groups = result.groups.filter(pl.col("group") == "household")
    found = (
        homes.select("record_id")
        .join(groups.unique("record_id", keep="first"), on="record_id", how="left")
        .join(result.clusters, on="record_id")
        .select("record_id", home=pl.coalesce("group_id", "cluster_id"))
    )
    rows.append(("households", *scores(found, homes, truth)))
    clusters = result.clusters.rename({"cluster_id": "home"})
    rows.append(("customers alone", *scores(clusters, homes, truth)))
    people = evaluate(result.clusters, truth)
    text = report(rows, people, homes, result.groups)
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / "households.md").write_text(text, encoding="utf-8")


def households(folder: Path, truth: pl.DataFrame) -> pl.DataFrame:
    """``record_id`` (running, as `load` numbers them) and ``household``."""
    raw = pl.read_parquet(folder / NAME / "records.parquet").with_row_index("n", offset=1)
    known = pl.read_parquet(folder / NAME / "households.parquet")
    numbered = raw.select("record_id", pl.col("n").cast(pl.Int64)).join(
        known.select("record_id", "household_id"), on="record_id"
    )
    homes = numbered.select(
        pl.col("n").alias("record_id"), pl.col("household_id").alias("household")
    )
    return homes.join(truth, on="record_id", how="semi").unique("record_id")


def pairs_of(frame: pl.DataFrame, column: str, persons: pl.DataFrame) -> pl.DataFrame:
    """Pairs of different persons whose records share ``column``, each once."""
    members = frame.join(persons, on="record_id").select(column, "entity_id").unique()
    return (
        members.join(members, on=column, suffix="_r")
        .filter(pl.col("entity_id") < pl.col("entity_id_r"))
        .select("entity_id", "entity_id_r")
        .unique()
    )


def scores(
    found: pl.DataFrame, homes: pl.DataFrame, persons: pl.DataFrame
) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of persons that both frames know a home of."""
    known = found.join(homes, on="record_id", how="semi")
    ours = pairs_of(known, "home", persons)
    theirs = pairs_of(homes, "household", persons)
    hits = ours.join(theirs, on=["entity_id", "entity_id_r"], how="semi").height
    precision = hits / ours.height if ours.height else 1.0
    recall = hits / theirs.height if theirs.height else 1.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def report(
    rows: list[tuple[str, float, float, float]],
    people: dict[str, float],
    homes: pl.DataFrame,
    groups: pl.DataFrame,
) -> str:
    """The figures as Markdown."""
    sizes = groups.filter(pl.col("group") == "household").group_by("group_id").len()["len"]
    lines = [
        "# Households",
        (
            f"`python benchmarks/households.py --data DIR`, {NAME}: {homes.height:,} records whose "
            f"household is known, {homes['household'].n_unique():,} households. Pairs of persons "
            "who live together; persons as the truth knows them."
        ),
        "| groups | precision | recall | F1 |\n|---|---:|---:|---:|\n"
        + "\n".join(f"| {kind} | {p:.3f} | {r:.3f} | {f:.3f} |" for kind, p, r, f in rows),
        (
            f"{sizes.len():,} households were found, the largest of {int(sizes.max() or 0)} "
            f"records. Persons themselves: pairwise F1 {people['f1']:.3f}."
        ),
    ]
    return "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
