"""custmatch with 600 labels drawn from the truth, asked for as its README says.

Configuration: first name, middle initial, surname, birth date, street as ``address``, mailbox and
telephone are its standard columns; city, postcode, company, and what else a set has are
``extra_fields`` (``similarity`` for text, ``exact`` for codes), a mobile is an alias of the
telephone. Birth date and postcode, the first alone and with a name, are added to its blocking keys
(``extra_blocking``, for data that is "not shaped like a customer file"). Labels: 300 random
candidate pairs (``sample --n 300``), then three times 100 that its forest is least sure of
(``sample --active``), each answered by the truth. Then ``run``. Its seconds hold all of that.

Companies: it says that it is not made for them; the name stands for the first name, the only column
that it requires besides the key.
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import polars as pl
from custmatch import labels, pipeline

from .job import Job, close_job, open_job

if TYPE_CHECKING:
    from pathlib import Path

STANDARD = {
    "first_name": "first_name",
    "middle_name": "middle_initial",
    "last_name": "last_name",
    "date_of_birth": "date_of_birth",
    "street": "address",
    "email": "email",
    "phone": "phone",
    "name": "first_name",
}
SIMILAR = ("city", "company_name", "birth_place", "job_title")
EXACT = ("postcode", "state", "gender", "tax_id", "website", "name_suffix")
BLOCKS = (
    ("last_name", "date_of_birth"),
    ("first_name", "date_of_birth"),
    ("date_of_birth",),
    ("postcode",),
)
ALIASES = {"mobile": "phone", "other_emails": "email"}
AT_RANDOM, ACTIVE, ROUNDS = 300, 100, 3


def main() -> None:
    """Ask for labels, run, read the clusters."""
    job = open_job("custmatch")
    truth = job.oracle()
    config = configured(job)
    known = job.folder / "custmatch_labels.csv"
    more = job.folder / "custmatch_more.csv"
    labels.sample(config, AT_RANDOM, more)
    answered(more, known, truth)
    for turn in range(ROUNDS):
        labels.sample_active(config, known, ACTIVE, more, seed=turn)
        answered(more, known, truth)
    out = job.folder / "custmatch_out"
    pipeline.run(config, known, out)
    job.stop_clock()
    with known.open(encoding="utf-8") as file:
        job.facts["labels"] = sum(1 for _ in csv.DictReader(file))
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    job.facts["pairs"] = summary.get("candidate_pairs")
    job.facts["summary"] = {k: v for k, v in summary.items() if isinstance(v, int | float | str)}
    found = pl.read_csv(out / "clusters.csv", infer_schema=False)
    job.save(found.select("record_id", cluster_id=pl.col("customer_id")))
    close_job(job)


def configured(job: Job) -> Path:
    """Its configuration file, beside the records as text."""
    job.records.write_parquet(job.folder / "custmatch.parquet")
    columns = {"record_id": "record_id"}
    columns |= {STANDARD[name]: name for name in job.having(*STANDARD)}
    aliases: dict[str, list[str]] = {}
    for name in job.having(*ALIASES):
        columns[name] = name
        aliases.setdefault(ALIASES[name], []).append(name)
    extra = [{"name": name, "compare": "similarity"} for name in job.having(*SIMILAR)]
    extra += [{"name": name, "compare": "exact"} for name in job.having(*EXACT)]
    columns |= {str(told["name"]): str(told["name"]) for told in extra}
    blocks = [list(key) for key in BLOCKS if len(job.having(*key)) == len(key)]
    config = {
        "extra_blocking": blocks,
        "sources": [{"name": "all", "path": "custmatch.parquet", "columns": columns}],
        "extra_fields": extra,
        # reviews only; it would look for a list of words on the web
        "suspect_records": False,
    }
    if aliases:
        config["aliases"] = aliases
    path = job.folder / "custmatch.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def answered(asked: Path, known: Path, truth: dict[int, str]) -> None:
    """The truth answers what was asked; the answers are added to those already known."""
    with asked.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        left, right = (int(row[side].partition(":")[2]) for side in "ab")
        row["label"] = str(int(truth[left] == truth[right]))
    new = not known.exists()
    with known.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["a", "b", "label", "by", "record_a", "record_b"])
        if new:
            writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
