"""dedupe with 600 labelled pairs of the truth, handed over as its training file.

Configuration, after its CSV example and its list of variable types: names, streets, mailboxes and
companies are ``String``, numbers, dates and codes ``ShortString`` (``has_missing`` where a value
is missing), one category of few values (gender, state, country) is ``Exact``. ``prepare_training``
with the training file, ``train()`` and ``partition`` at 0.5, its defaults. People and companies
alike.
"""

from __future__ import annotations

import io
import json
import logging

import dedupe
import polars as pl

from .job import close_job, open_job

SHORT = {"phone", "mobile", "other_phones", "date_of_birth", "postcode", "tax_id", "name_suffix"}
SHORT |= {"registration_id", "vat_id", "middle_name"}
EXACT = {"gender", "state", "country"}
CORES = 2


def main() -> None:
    """Train on the labels, cluster."""
    logging.getLogger().setLevel(logging.ERROR)
    job = open_job("dedupe")
    fields = [c for c in job.records.columns if c != "record_id"]
    variables = []
    for name in fields:
        kind = dedupe.variables.String
        if name in EXACT:
            kind = dedupe.variables.Exact
        elif name in SHORT:
            kind = dedupe.variables.ShortString
        missing = job.records[name].null_count() > 0
        variables.append(kind(name, has_missing=missing))
    data = {row.pop("record_id"): row for row in job.records.to_dicts()}
    told: dict[str, list] = {"match": [], "distinct": []}
    for left, right, same in job.labels().iter_rows():
        pair = {"__class__": "tuple", "__value__": [data[left], data[right]]}
        told["match" if same else "distinct"].append(pair)
    deduper = dedupe.Dedupe(variables, num_cores=CORES)
    deduper.prepare_training(data, training_file=io.StringIO(json.dumps(told)))
    deduper.train()
    found = deduper.partition(data, threshold=0.5)
    job.stop_clock()
    job.facts["labels"] = len(told["match"]) + len(told["distinct"])
    records, clusters = [], []
    for number, (members, _scores) in enumerate(found):
        records.extend(int(member) for member in members)
        clusters.extend([number] * len(members))
    schema = {"record_id": pl.Int64, "cluster_id": pl.Int64}
    job.save(pl.DataFrame({"record_id": records, "cluster_id": clusters}, schema=schema))
    close_job(job)


if __name__ == "__main__":
    main()
