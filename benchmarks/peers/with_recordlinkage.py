"""recordlinkage without labels: block, compare, its unsupervised ECM classifier, components.

Configuration, after its guide to deduplication: standard blocks on one field each (names, mailbox,
number, birth date, postcode; companies: name, number, mailbox, street, the first letters of the
name), Jaro-Winkler above 0.85 for text and equality for dates, numbers and codes, missing values do
not agree. ``ECMClassifier`` is the classifier it recommends when there are no labels. It stops
at pairs: they are joined to connected components. A block shared by more than 500 records is left
out, since the toolkit has no limit of its own.
"""

from __future__ import annotations

import pandas as pd
import polars as pl
import recordlinkage

from .job import Job, close_job, components, open_job

LARGEST_BLOCK = 500
TEXT = ("first_name", "last_name", "street", "city", "company_name", "name", "email", "birth_place")
SAME = ("date_of_birth", "phone", "mobile", "postcode", "state", "gender", "tax_id", "website")
BLOCKS = {
    "contact": ("first_name", "last_name", "email", "phone", "mobile", "date_of_birth", "postcode"),
    "company": ("name", "phone", "email", "street", "name_start"),
}


def main() -> None:
    """Pairs of all blocks, ECM, components."""
    job = open_job("recordlinkage")
    frame = job.records
    if "name" in frame.columns:
        frame = frame.with_columns(name_start=pl.col("name").str.head(5))
    table = pd.DataFrame(frame.to_dict(as_series=False)).set_index("record_id")
    pairs = candidates(job, frame, table)
    compare = recordlinkage.Compare()
    for name in job.having(*TEXT):
        compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
    for name in job.having(*SAME):
        compare.exact(name, name, label=name)
    vectors = compare.compute(pairs, table)
    found = recordlinkage.ECMClassifier().fit_predict(vectors)
    clusters = components((int(a), int(b)) for a, b in found)
    job.stop_clock()
    job.facts["pairs"] = len(pairs)
    job.save(clusters)
    close_job(job)


def candidates(job: Job, frame: pl.DataFrame, table: pd.DataFrame) -> pd.MultiIndex:
    """The pairs that share a block."""
    index: pd.MultiIndex | None = None
    for key in BLOCKS[job.entity]:
        if key not in frame.columns:
            continue
        rare = frame.filter(pl.len().over(key) <= LARGEST_BLOCK)["record_id"].to_list()
        part = table.loc[rare]
        part = part[part[key].notna()]
        indexer = recordlinkage.Index()
        indexer.block(key)
        pairs = indexer.index(part)
        # which of the two comes first depends on the order of the block
        low = pairs.get_level_values(0).to_numpy()
        high = pairs.get_level_values(1).to_numpy()
        ordered = pd.MultiIndex.from_arrays([low.clip(max=high), high.clip(min=low)])
        index = ordered if index is None else index.union(ordered)
    if index is None:
        raise SystemExit("no field to block on")
    return index.drop_duplicates()


if __name__ == "__main__":
    main()
