"""Seconds, processor seconds and memory beside the frozen baseline, in one run.

    python benchmarks/speed.py --rows 1000000 [--results benchmarks/results]

Three processes, one after the other, on the same generated contacts:

- the whole of ``crmq run``, from the CSV file to the committed store;
- the baseline (`baseline_splink`: ten blocking rules, comparisons with term frequencies, training,
  connected components at probability 0.9) on the records that the run has cleaned;
- matching alone (`crm_quality.match.match_records`) on the same records.

What counts are the ratios: the machine is shared. Processor seconds count all cores and hardly
depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import baseline_splink
import duckdb
import polars as pl
from splink import DuckDBAPI, Linker

from crm_quality import Project, default_rules
from crm_quality.match import evaluate, match_records

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Generate, run the three, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--results", type=Path, help="folder to write speed_ROWS.md into")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(measured(options.part, options.folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, options.rows)
        found = {part: in_a_process(part, folder) for part in PARTS}
    text = report(options.rows, found)
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / f"speed_{options.rows}.md").write_text(text, encoding="utf-8")


def made(folder: Path, rows: int) -> None:
    """Contacts, their truth and a project in ``folder``."""
    generate = [sys.executable, HERE / "generate.py", "contacts", "--rows", str(rows)]
    files = ["--out", folder / "contacts.csv", "--truth", folder / "truth.csv"]
    subprocess.run([*generate, *files], check=True)
    Project.create(folder / "project")


def in_a_process(part: str, folder: Path) -> dict[str, Any]:
    """What one part measured of itself in a process of its own."""
    command = [sys.executable, __file__, "--part", part, "--folder", folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(part: str, folder: Path) -> dict[str, Any]:
    """Run one part; what it found, its seconds, processor seconds and peak memory in MB."""
    prepared = PARTS[part][0](folder)
    start, before = time.perf_counter(), processor_seconds()
    found = PARTS[part][1](folder, prepared)
    seconds, spent = time.perf_counter() - start, processor_seconds() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    clusters = found.pop("clusters", None)
    if clusters is not None:
        found |= evaluate(clusters, truth_of(folder, prepared))
    return {"seconds": seconds, "processor": spent, "peak": peak, **found}


def processor_seconds() -> float:
    """Of this process, all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def nothing(folder: Path) -> None:
    """The run prepares nothing: all of it counts."""


def run(folder: Path, _: None) -> dict[str, Any]:
    """From the CSV file to the committed store."""
    result = Project.open(folder / "project").run(folder / "contacts.csv")
    return {"pairs": result.summary.match.candidate_pairs}


def records_of(folder: Path) -> pl.DataFrame:
    """The records that the run has cleaned, as it gives them to matching."""
    with Project.open(folder / "project").store() as store:
        return store.frame(
            "SELECT r.source, r.source_key, v.* EXCLUDE (record_id), r.record_id"
            " FROM landing.record r JOIN landing.contact_version v"
            " ON v.version_id = r.current_version"
            " WHERE r.entity = 'contact' AND r.ended_at IS NULL ORDER BY r.record_id"
        )


def truth_of(folder: Path, records: pl.DataFrame) -> pl.DataFrame:
    """``record_id`` and ``entity_id`` of the records."""
    truth = pl.read_csv(folder / "truth.csv", schema_overrides={"source_key": pl.String})
    both = records.select("record_id", "source", "source_key").join(
        truth, on=["source", "source_key"]
    )
    return both.select("record_id", pl.col("person_id").alias("entity_id"))


def baseline(_: Path, records: pl.DataFrame) -> dict[str, Any]:
    """The careful Splink, on records that are clean already."""
    texts = records.with_columns(
        pl.col("other_emails").list.first(), pl.col("date_of_birth").cast(pl.String)
    )
    frame = baseline_splink.cleaned(texts.drop("record_id"))
    connection = duckdb.connect()
    api = DuckDBAPI(connection)
    linker = Linker(
        api.register(frame.to_arrow(), dataset_display_name="contacts"), baseline_splink.settings()
    )
    baseline_splink.trained(linker)
    predicted = linker.inference.predict(threshold_match_weight=-8)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_weight=baseline_splink.AT_PROBABILITY_09
    )
    pairs = connection.sql(f"SELECT count(*) FROM {predicted.physical_name}").fetchall()
    members = pl.DataFrame(
        pl.from_arrow(
            connection.sql(
                f"SELECT record_id, cluster_id FROM {clusters.physical_name} ORDER BY record_id"
            ).to_arrow_table()
        )
    )
    ids = records["record_id"].gather(members["record_id"])
    return {"pairs": pairs[0][0], "clusters": members.with_columns(ids.alias("record_id"))}


def matching(_: Path, records: pl.DataFrame) -> dict[str, Any]:
    """Matching alone, on the same records."""
    result = match_records(records, default_rules().entity("contact"))
    return {"pairs": result.report["candidate_pairs"], "clusters": result.clusters}


PARTS = {
    "crmq run": (nothing, run),
    "baseline": (records_of, baseline),
    "matching": (records_of, matching),
}


def report(rows: int, found: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    base = found["baseline"]
    lines = [
        "| | s | × baseline | processor s | × baseline | peak MB | pairs | F1 | largest cluster |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for part, one in found.items():
        score = f"{one['f1']:.4f} | {one['largest_cluster']:.0f}" if "f1" in one else " | "
        lines.append(
            f"| {part} | {one['seconds']:.0f} | {one['seconds'] / base['seconds']:.2f}"
            f" | {one['processor']:.0f} | {one['processor'] / base['processor']:.2f}"
            f" | {one['peak']:,.0f} | {one['pairs']:,} | {score} |"
        )
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"# Speed beside the baseline, {rows:,} contacts\n\n"
        f"`python benchmarks/speed.py --rows {rows}`, {os.cpu_count()} cores, {gib:.0f} GiB;"
        f" load when written {load}. The baseline's pairs are those of a weight above −8.\n\n"
        + "\n".join(lines)
        + "\n"
    )


if __name__ == "__main__":
    main()
