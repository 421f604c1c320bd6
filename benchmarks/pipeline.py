"""The whole way of generated contacts through ``crmq run``: seconds, memory, accuracy.

    python benchmarks/pipeline.py --rows 100000 [--results benchmarks/results]

Writes contacts and their truth, makes a project, runs it twice, measures what was joined, and then
takes in some further contacts.
Seconds of a shared machine differ from day to day; the share of each stage says more.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Generate, run, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--more", type=int, default=10_000, help="further contacts, afterwards")
    parser.add_argument("--results", type=Path, help="folder to write pipeline_ROWS.md into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contacts, truth = folder / "contacts.csv", folder / "truth.csv"
        python = [sys.executable, HERE / "generate.py", "contacts"]
        subprocess.run(
            [*python, "--rows", str(options.rows), "--seed", str(options.seed),
             "--out", contacts, "--truth", truth],
            check=True,
        )  # fmt: skip
        crmq("init", folder / "project")
        run_it = (contacts, "--project", folder / "project", "--format", "json")
        first, wall = timed("run", *run_it)
        again, wall_again = timed(
            "run", contacts, "--project", folder / "project", "--format", "json"
        )
        more = folder / "more.csv"
        subprocess.run(
            [*python, "--rows", str(options.more), "--seed", str(options.seed + 1),
             "--out", more, "--truth", folder / "more_truth.csv"],
            check=True,
        )  # fmt: skip
        scores, _ = timed("evaluate", truth, "--project", folder / "project", "--format", "json")
        more.write_text(renumbered(more.read_text(encoding="utf-8")), encoding="utf-8")
        later, wall_later = timed("run", more, "--project", folder / "project", "--format", "json")
        store = (folder / "project" / "store.duckdb").stat().st_size / 1e6
        input_size = contacts.stat().st_size / 1e6
    changed = again["golden"]["changed"] + again["golden"]["created"]
    records = first["records"]
    speed = {
        "seconds, start to end of the command": f"{wall:.1f}",
        **{f"… in {stage}": f"{spent:.1f}" for stage, spent in first["seconds"].items()},
        "seconds of the same file again": f"{wall_again:.1f}",
        "golden records changed by it": f"{changed}",
        f"seconds of {options.more:,} further contacts": f"{wall_later:.1f}",
        **{f"… later, in {stage}": f"{spent:.1f}" for stage, spent in later["seconds"].items()},
        "peak memory, MB": f"{first['peak_memory_mb']:,.0f}",
        "input, MB of CSV": f"{input_size:.1f}",
        "store, MB": f"{store:.1f}",
        "accepted / quarantined": f"{records['accepted']:,} / {records['quarantined']:,}",
        "golden records": f"{first['golden']['total']:,}",
    }
    largest = f"{scores['largest_cluster']:.0f} ({scores['largest_entity']:.0f})"
    accuracy = {
        "pairwise precision / recall / F1": three(scores, ""),
        "B-cubed precision / recall / F1": three(scores, "bcubed_"),
        "largest cluster (in truth)": largest,
    }
    machine = f"{os.cpu_count()} cores, {memory_gib():.0f} GiB"
    head = f"# The whole way of {options.rows:,} contacts"
    command = f"`python benchmarks/pipeline.py --rows {options.rows}`, {machine}."
    text = "\n\n".join([head, command, table(speed), table(accuracy)]) + "\n"
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / f"pipeline_{options.rows}.md").write_text(text, encoding="utf-8")


def crmq(*arguments: object) -> str:
    """Run a command and return what it printed."""
    command = [sys.executable, "-m", "crm_quality", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def renumbered(text: str) -> str:
    """The same CSV with keys that no other file has."""
    lines = io.StringIO(text)
    rows = list(csv.DictReader(lines))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows({**row, "source_key": f"later-{row['source_key']}"} for row in rows)
    return out.getvalue()


def timed(*arguments: object) -> tuple[dict, float]:
    """The JSON that a command printed, and its seconds."""
    start = time.perf_counter()
    printed = crmq(*arguments)
    return json.loads(printed), time.perf_counter() - start


def memory_gib() -> float:
    """Memory of this machine, GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def three(scores: dict, prefix: str) -> str:
    """Precision, recall and F1 with four digits."""
    return " / ".join(f"{scores[prefix + part]:.4f}" for part in ("precision", "recall", "f1"))


def table(rows: dict[str, str]) -> str:
    """A Markdown table of two columns."""
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| measure | value |", "|---|---:|", *lines])


if __name__ == "__main__":
    main()
