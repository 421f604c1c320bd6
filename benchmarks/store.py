"""Survivorship and the store's writes: seconds, memory and the size of the file.

    python benchmarks/store.py [--rows 1000000] [--results benchmarks/results]

Generated contacts go the whole way into a new store, but who is who is given by the truth instead
of by matching, and pairs are made up in the number that matching keeps (1.5 a record), so that
what is measured is what the name says. Then the store is compacted, verified, backed up and
written to once more. Seconds are those of the clock; CPU seconds count all cores, and say more on a
machine that is shared.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality import Project
from crm_quality.engine import run as running
from crm_quality.engine import underway
from crm_quality.engine.match_cache import MatchCache
from crm_quality.engine.matched import Matched, matched
from crm_quality.engine.summary import Clock, MatchCounts
from crm_quality.match import MatchState, match_records
from crm_quality.store.connection import Store
from crm_quality.store.landing import current_records
from crm_quality.store.matching import keep_model, new_state_token, write_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent

#: Records that the model is learned from, which decides nothing but what an act clusters again.
LEARNED_FROM = 20_000


class Meter:
    """Seconds, CPU seconds and the greatest memory, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.peak: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count the time of the block towards ``name``."""
        forget_peak()
        start, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
            self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu
            self.peak[name] = max(self.peak.get(name, 0.0), peak_mb())


class Watched(Clock):
    """The clock of a run, with CPU seconds and memory by stage."""

    meter = Meter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """As `Clock.stage`."""
        with self.meter.of(name), super().stage(name):
            yield


def forget_peak() -> None:
    """Let the greatest memory be counted from now on (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_mb() -> float:
    """Greatest resident memory since `forget_peak`, MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (one for one in lines if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def by_truth(truth: pl.DataFrame):  # noqa: ANN201 - takes the place of `matched`
    """A stand-in for matching: clusters are the truth's people.

    It leaves what matching leaves: a model (learned from a part of the records), pairs, and the
    file that says what the records were when they were matched.
    """
    person = truth.unique(["source", "source_key"]).select("source", "source_key", "person_id")

    def found(store, definition, changed, *, run_id, proposing, only_decided=False):  # noqa: ANN001, ANN202
        if only_decided:
            return matched(
                store, definition, changed, run_id=run_id, proposing=proposing, only_decided=True
            )
        entity = definition.entity
        live = store.frame(
            "SELECT record_id, source, source_key FROM landing.record WHERE entity = ?"
            " AND ended_at IS NULL AND current_version IS NOT NULL ORDER BY record_id",
            [entity],
        )
        of = live.join(person, on=["source", "source_key"], how="left", maintain_order="left")
        least = pl.col("record_id").min().over("person_id")
        cluster = pl.when(pl.col("person_id").is_null()).then("record_id").otherwise(least)
        clusters = of.select("record_id", cluster.alias("cluster_id"))
        some = current_records(store, entity, records=live.head(LEARNED_FROM))
        model = match_records(some, definition).model
        keep_model(store, entity, model.to_json(), "trained", run_id=run_id)
        cache, token = MatchCache(store.path.parent / "cache"), new_state_token(store, entity)
        nothing = MatchState(pl.DataFrame({"id": live["record_id"]}), {})
        store.when_committed(lambda: cache.save(entity, token, nothing))
        with Watched.meter.of("pairs"):
            write_pairs(store, entity, made_up(clusters, model.accept), run_id=run_id)
        return Matched(clusters, MatchCounts(), [])

    return found


def made_up(clusters: pl.DataFrame, accept: float) -> pl.DataFrame:
    """1.5 pairs a record: those of one person above the threshold, all others below it."""
    draw = np.random.default_rng(7)
    ids = clusters["record_id"]
    same = clusters.select(
        pl.col("record_id").alias("record_id_l"),
        pl.col("record_id").shift(-1).over("cluster_id").alias("record_id_r"),
        pl.lit(value=True).alias("same"),
    ).drop_nulls()
    others = [
        pl.DataFrame({"record_id_l": ids.head(ids.len() - far), "record_id_r": ids.slice(far)})
        for far in (1, 7)
    ]
    most = ids.len() * 3 // 2
    pairs = pl.concat([same, *others], how="diagonal").unique(
        ["record_id_l", "record_id_r"], keep="first", maintain_order=True
    )
    pairs = pairs.with_columns(pl.col("same").fill_null(value=False)).head(most)
    size = np.abs(draw.normal(0, 6, pairs.height))
    is_same, is_tied = pairs["same"].to_numpy(), draw.random(pairs.height) < 0.1
    weight = np.where(is_same, accept + 0.1 + size, accept - 0.1 - size)
    return pairs.select(
        "record_id_l",
        "record_id_r",
        pl.Series("match_weight", np.round(weight, 6)),
        pl.Series("relation", np.where(is_same, "same_person", "relatives")),
        pl.Series("ties", ~is_same & is_tied),
    ).sort("record_id_l", "record_id_r")


def main() -> int:
    """Generate, run, compact, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--results", type=Path, help="folder to write store_ROWS.md into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        text = measured(Path(name), options.rows, options.seed)
    print(text)
    if options.results:
        (options.results / f"store_{options.rows}.md").write_text(text, encoding="utf-8")
    return 0


def measured(folder: Path, rows: int, seed: int) -> str:
    """The report."""
    contacts, truth = folder / "contacts.parquet", folder / "truth.parquet"
    python = [sys.executable, HERE / "generate.py", "contacts", "--rows", str(rows)]
    subprocess.run([*python, "--seed", str(seed), "--out", contacts, "--truth", truth], check=True)
    packed = folder / "packed.parquet"
    pl.scan_parquet(contacts).sink_parquet(packed, compression="zstd")
    project = Project.create(folder / "project")
    meter = Watched.meter
    with (
        patch("crm_quality.engine.derive.matched", by_truth(pl.read_parquet(truth))),
        patch("crm_quality.engine.project.Clock", Watched),
        patch.object(underway, "figures", timed(underway.figures, "figures")),
        patch.object(running, "execute_within", timed(running.execute_within, "within")),
        patch.object(Store, "execute", timed_commit(Store.execute)),
    ):
        done = project.run(contacts)
    grown = project.store_path.stat().st_size
    with meter.of("compact"):
        compacted = project.upkeep.compact()
    with meter.of("verify"):
        wrong = project.upkeep.verify().wrong.height
    with meter.of("backup"):
        project.upkeep.backup()
    load = os.getloadavg()[1]
    acts = acted(project)
    size = packed.stat().st_size
    work = {stage: spent(meter, stage) for stage in ("merge", "store", "figures", "commit")}
    # the figures of the audit are made in the stage `store`, and are no writes
    seconds, cpu = (
        work["merge"][n] + work["store"][n] - work["figures"][n] + work["commit"][n] for n in (0, 1)
    )
    others = [work["merge"][n] + work["commit"][n] for n in (0, 1)]
    peak = max(meter.peak.get(stage, 0.0) for stage in ("merge", "store", "commit"))
    lines = {
        "golden records": f"{done.summary.golden.total:,}",
        "**survivorship and the store's writes**": f"**{seconds:.1f} s, {cpu:.1f} CPU s**",
        "… survivorship": told(meter, "merge"),
        "… records, versions, issues, golden records": f"{seconds - others[0]:.1f} s, "
        f"{cpu - others[1]:.1f} CPU s",
        "… commit": told(meter, "commit"),
        "greatest memory meanwhile": f"{peak:,.0f} MB",
        "pairs": told(meter, "pairs"),
        "figures of the audit": told(meter, "figures"),
        "compaction": told(meter, "compact"),
        "every check of verify": f"{told(meter, 'verify')}, {wrong} failed",
        "backup": told(meter, "backup"),
        **acts,
        "input as zstd Parquet": f"{size / 1e6:,.1f} MB",
        "store, before and after compaction": f"{grown / 1e6:,.1f}, "
        f"{compacted.size_after / 1e6:,.1f} MB",
        "**store : input**": f"**{compacted.size_after / size:.2f}**",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in lines.items())
    head = f"# The store of {rows:,} contacts\n\n`python benchmarks/store.py --rows {rows}`"
    return (
        f"{head}, {os.cpu_count()} cores, load {load:.1f}.\n\n| measure | value |\n|---|---:|\n"
        f"{table}\n"
    )


ACTS = 9


def acted(project: Project) -> dict[str, str]:
    """Milliseconds of acts on single customers, the store held open; and what comes before."""
    start = time.perf_counter()
    opened = Project.open(project.folder)
    rules = time.perf_counter() - start
    with opened.store() as store:
        opening = time.perf_counter() - start - rules
        opened.store = lambda: nullcontext(store)
        ids = store.frame(
            "SELECT entity_id FROM crm.contact WHERE records BETWEEN 2 AND 4"
            " ORDER BY hash(entity_id) LIMIT ?",
            [2 * ACTS],
        )["entity_id"].to_list()
        spans: dict[str, list[tuple[float, float]]] = {}

        def timed_act(name: str, act, *of: object) -> None:  # noqa: ANN001
            began, cpu = time.perf_counter(), time.process_time()
            act(*of, reason="measured")
            span = (time.perf_counter() - began, time.process_time() - cpu)
            spans.setdefault(name, []).append(span)

        for one, other in zip(ids[::2], ids[1::2], strict=True):
            timed_act("merge of two customers", opened.entities.merge, one, other)
            timed_act("unmerge of one customer", opened.entities.unmerge, one)
            record = store.value(
                "SELECT max(record_id) FROM matching.membership WHERE entity_id = ?", [other]
            )
            timed_act("split of one customer", opened.entities.split, other, record)
            timed_act("pin of one value", opened.overrides.pin, one, {"city": "Springfield"})
    told = {name: f"{middle(of, 0)} ms, {middle(of, 1)} CPU ms" for name, of in spans.items()}
    told["**unmerge of one customer**"] = f"**{told.pop('unmerge of one customer')}**"
    return {**told, "… before it: reading the rules, opening the file":
            f"{rules:.1f} s, {opening:.2f} s"}  # fmt: skip


def middle(spans: list[tuple[float, float]], which: int) -> int:
    """The median of seconds (0) or CPU seconds (1), in thousandths."""
    return round(1e3 * sorted(span[which] for span in spans)[len(spans) // 2])


def spent(meter: Meter, name: str) -> tuple[float, float]:
    """Seconds and CPU seconds."""
    return meter.seconds.get(name, 0.0), meter.cpu.get(name, 0.0)


def told(meter: Meter, name: str) -> str:
    """Seconds and CPU seconds as text."""
    seconds, cpu = spent(meter, name)
    return f"{seconds:.1f} s, {cpu:.1f} CPU s"


def timed(function, name: str):  # noqa: ANN001, ANN201 - any function
    """``function``, its time counted towards ``name``."""

    def wrapped(*arguments, **options):  # noqa: ANN002, ANN003, ANN202
        start, cpu = time.perf_counter(), time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            meter = Watched.meter
            meter.seconds[name] = meter.seconds.get(name, 0.0) + time.perf_counter() - start
            meter.cpu[name] = meter.cpu.get(name, 0.0) + time.process_time() - cpu

    return wrapped


def timed_commit(execute):  # noqa: ANN001, ANN201
    """`Store.execute`, with the time of COMMIT counted."""
    commit = timed(execute, "commit")

    def wrapped(store, statement, parameters=()):  # noqa: ANN001, ANN202
        return (commit if statement == "COMMIT" else execute)(store, statement, parameters)

    return wrapped


if __name__ == "__main__":
    sys.exit(main())
