"""Generated contacts, cleaned as a run would clean them, and a model of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from crm_quality import default_rules, read, standardise, take_in
from crm_quality.match import match_records

GENERATOR = Path(__file__).parents[2] / "benchmarks" / "generate.py"


@pytest.fixture(scope="session")
def contact():
    return default_rules().entity("contact")


@pytest.fixture(scope="session")
def contacts(tmp_path_factory, contact) -> pl.DataFrame:
    """2,600 records of 1,820 people, standardised, with ``record_id`` and ``person_id``."""
    folder = tmp_path_factory.mktemp("contacts")
    out, truth = folder / "contacts.parquet", folder / "truth.parquet"
    subprocess.run(
        [sys.executable, GENERATOR, "contacts", "--rows", "2600", "--out", out, "--truth", truth],
        check=True,
        capture_output=True,
    )
    rules = default_rules()
    raw = take_in(read(out), rules).records["contact"]
    clean = standardise(raw, contact, sources=rules.sources)
    kept = [name for name in clean.columns if name in contact.columns]
    people = pl.read_parquet(truth).select("source", "source_key", "person_id")
    return (
        clean.select("source", "source_key", *(n for n in kept if n != "source_key"))
        .join(people, on=["source", "source_key"], how="left", maintain_order="left")
        .with_row_index("record_id", offset=1)
        .with_columns(pl.col("record_id").cast(pl.Int64))
    )


@pytest.fixture(scope="session")
def model(contacts, contact):
    return match_records(contacts, contact).model
