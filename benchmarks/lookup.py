"""How long ``project.lookup`` takes in a warm process, and whether it says what a run says.

    python benchmarks/lookup.py --rows 100000 [--project DIR] [--results benchmarks/results]

Makes a project of generated contacts (or takes one that is there), asks for records of its own with
some values left out and some typed as people type, and measures: seconds to make the matcher, its
memory, milliseconds of each lookup, the share of stored pairs that it found again and the greatest
difference of their weights.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crm_quality import Project

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.engine.lookup import Matcher

HERE = Path(__file__).resolve().parent

#: What a person at a desk knows of a customer, in turn.
KNOWN = (
    ("first_name", "last_name"),
    ("first_name", "last_name", "email"),
    ("last_name", "mobile"),
    ("first_name", "last_name", "city"),
    ("email",),
    ("first_name", "last_name", "email", "phone", "company_name"),
    ("last_name", "street", "postcode", "city"),
    ("first_name", "last_name", "date_of_birth"),
)


def main() -> None:
    """Make the project, look up, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--lookups", type=int, default=800)
    parser.add_argument("--project", type=Path, help="a project that is there already")
    parser.add_argument("--results", type=Path, help="folder to write lookup.md into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.project or made(Path(name), options.rows)
        text = measured(Project.open(folder), options.lookups)
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / "lookup.md").write_text(text, encoding="utf-8")


def made(folder: Path, rows: int) -> Path:
    """A project of generated contacts."""
    contacts = folder / "contacts.csv"
    command = [sys.executable, HERE / "generate.py", "contacts", "--rows", str(rows)]
    subprocess.run([*command, "--out", contacts, "--truth", folder / "truth.csv"], check=True)
    Project.create(folder / "project").run(contacts)
    return folder / "project"


def measured(project: Project, lookups: int) -> str:
    """The figures as Markdown."""
    with project.store() as store:
        fields = sorted({name for known in KNOWN for name in known})
        rows = store.frame(
            f"SELECT r.record_id, {', '.join(f'v.{name}' for name in fields)}"
            " FROM landing.record r"
            " JOIN landing.contact_version v ON v.version_id = r.current_version"
            " WHERE r.entity = 'contact' AND r.ended_at IS NULL ORDER BY r.record_id"
        )
        pairs = store.frame(
            "SELECT record_id_l, record_id_r, match_weight FROM matching.pair"
            " WHERE entity = 'contact' AND match_weight >= 0"
        )
    gc.collect()
    before = resident_mb()
    start = time.perf_counter()
    with project.matcher("contact") as matcher:
        warm = time.perf_counter() - start
        memory = resident_mb() - before
        spent = asked(matcher, rows, lookups)
        found, worst, checked = agreement(matcher, project, pairs)
    start = time.perf_counter()
    query = {"first_name": "Anna", "last_name": "Schmidt"}
    with project.matcher("contact", near=query) as matcher:
        matcher.lookup(query)
    single = time.perf_counter() - start
    figures = {
        "records": f"{rows.height:,}",
        "lookups": f"{len(spent):,}",
        "p50, ms": f"{np.percentile(spent, 50):.1f}",
        "p95, ms": f"{np.percentile(spent, 95):.1f}",
        "fastest, ms": f"{spent.min():.1f}",
        "seconds to make the matcher": f"{warm:.1f}",
        "memory it takes, MB": f"{memory:,.0f}",
        "seconds of one lookup that reads only what is near": f"{single:.1f}",
        "pairs compared with the batch": f"{checked:,}",
        "of these found among the candidates": f"{found:.4f}",
        "greatest difference of a weight, bits": f"{worst:.1e}",
    }
    lines = "\n".join(f"| {name} | {value} |" for name, value in figures.items())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        "# Lookup\n\n"
        f"`python benchmarks/lookup.py --rows {rows.height}`, {os.cpu_count()} cores, "
        f"{memory_gib:.0f} GiB; load of the machine {os.getloadavg()[0]:.1f}.\n\n"
        f"| measure | value |\n|---|---:|\n{lines}\n"
    )


def asked(matcher: Matcher, rows: pl.DataFrame, lookups: int) -> np.ndarray:
    """Milliseconds of each lookup, the first few left out."""
    generator = np.random.default_rng(7)
    spent = []
    for number, at in enumerate(generator.integers(0, rows.height, lookups + 20)):
        row = rows.row(int(at), named=True)
        known = KNOWN[number % len(KNOWN)]
        values = {name: row[name] for name in known if row[name] is not None}
        if not values:
            continue
        start = time.perf_counter()
        matcher.lookup(values)
        spent.append((time.perf_counter() - start) * 1e3)
    return np.array(spent[20:])


def agreement(matcher: Matcher, project: Project, pairs: pl.DataFrame) -> tuple[float, float, int]:
    """Share of stored pairs among the candidates, and the greatest difference of their weights."""
    sample = pairs.sample(min(pairs.height, 2_000), seed=1)
    later = sample["record_id_r"].unique().sort()
    with project.store() as store, store.staged(later.alias("record_id").to_frame(), "asked"):
        records = store.frame(
            "SELECT v.* EXCLUDE (record_id), r.record_id FROM landing.record r"
            " SEMI JOIN asked a ON a.record_id = r.record_id"
            " JOIN landing.contact_version v ON v.version_id = r.current_version"
        )
    place = {int(number): at for at, number in enumerate(matcher.ids)}
    rows = {int(number): at for at, number in enumerate(records["record_id"])}
    found, worst = 0, 0.0
    for left, right, weight in sample.iter_rows():
        at = rows[right]
        scored = matcher.score(records[at : at + 1])
        hit = np.flatnonzero(scored.positions == place[left])
        found += len(hit)
        if len(hit):
            worst = max(worst, abs(float(scored.weight[hit[0]]) - weight))
    return found / max(sample.height, 1), worst, sample.height


def resident_mb() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
