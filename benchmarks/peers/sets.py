"""The data: labelled sets of a folder, and generated contacts of any size."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from ruamel.yaml import YAML

from crm_quality import default_rules, read, standardise, take_in

BENCHMARKS = Path(__file__).resolve().parent.parent
MAPPINGS = BENCHMARKS / "mappings"
GENERATED = "contacts_"


@dataclass(frozen=True)
class LabelledSet:
    """Records in canonical fields, with a running ``record_id``, and the truth."""

    name: str
    entity: str
    frame: pl.DataFrame
    truth: pl.DataFrame

    def as_text(self) -> pl.DataFrame:
        """The fields that matching reads, for any tool: lower-case text, null where empty.

        Of a list (further mailboxes and numbers) the first is given: no peer compares lists.
        """
        fields = default_rules().entity(self.entity).fields
        made = [pl.col("record_id")]
        for column, dtype in self.frame.schema.items():
            if column not in fields or fields[column].match is None:
                continue
            text = pl.col(column).list.first() if isinstance(dtype, pl.List) else pl.col(column)
            text = text.cast(pl.String)
            if f"{column}__raw" in self.frame.columns:
                text = pl.coalesce(text, f"{column}__raw")  # a date that is none is still a value
            text = text.str.strip_chars().str.to_lowercase()
            made.append(pl.when(text != "").then(text).alias(column))
        frame = self.frame.select(made)
        return frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)


def mapping_of(name: str) -> dict:
    """Entity and columns of a labelled set."""
    return YAML(typ="safe").load((MAPPINGS / f"{name}.yml").read_text(encoding="utf-8"))


def names_in(folder: Path) -> list[str]:
    """The sets of the folder that have a mapping."""
    return sorted(
        p.stem for p in MAPPINGS.glob("*.yml") if (folder / p.stem / "records.parquet").exists()
    )


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


def labelled(folder: Path, name: str) -> LabelledSet:
    """A set of the folder."""
    mapping = mapping_of(name)
    frame, truth = load(folder, name, mapping)
    return LabelledSet(name, mapping["entity"], frame, truth)


def generated(rows: int, cache: Path) -> LabelledSet:
    """Contacts of `generate.py`, taken in and standardised by this project; kept in the cache."""
    folder = cache / "data"
    folder.mkdir(parents=True, exist_ok=True)
    contacts, truth, ready = (
        folder / f"{GENERATED}{rows}{part}.parquet" for part in ("", "_truth", "_standardised")
    )
    if not contacts.exists():
        script = [sys.executable, str(BENCHMARKS / "generate.py"), "contacts", "--rows", str(rows)]
        subprocess.run([*script, "--out", str(contacts), "--truth", str(truth)], check=True)
    definition = default_rules().entity("contact")
    if not ready.exists():
        rules = default_rules()
        raw = take_in(read(contacts), rules).records["contact"]
        raw = raw.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("record_id"))
        clean = standardise(raw, definition, sources=rules.sources)
        keep = {"record_id", "source", "source_key", *definition.columns}
        clean.select(c for c in clean.columns if c in keep).write_parquet(ready)
    frame = pl.read_parquet(ready)
    person = (
        frame.select("record_id", "source", "source_key")
        .join(
            pl.read_parquet(truth).with_columns(pl.col("source_key").cast(pl.String)),
            on=["source", "source_key"],
        )
        .select("record_id", entity_id=pl.col("person_id"))
    )
    return LabelledSet(f"{GENERATED}{rows}", "contact", frame.drop("source", "source_key"), person)
