"""The commands of `generate.py`."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.generator.business import write_business
from benchmarks.generator.companies import Companies
from benchmarks.generator.company_records import company_batch
from benchmarks.generator.exports import write_demo
from benchmarks.generator.layout import World
from benchmarks.generator.records import contact_batch
from benchmarks.generator.sources import CONTACT_SOURCES
from benchmarks.generator.write import RowWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from benchmarks.generator.draw import Ints

    Batch = Callable[[Ints], tuple[pl.DataFrame, pl.DataFrame]]


def positions(rows: int, batch: int) -> Iterator[Ints]:
    """The places in the file, one batch after the other."""
    for start in range(0, rows, batch):
        yield np.arange(start, min(start + batch, rows), dtype=np.int64)


def write_batches(
    make: Batch,
    rows: int,
    out: Sequence[Path],
    truth: Sequence[Path],
    batch: int,
) -> None:
    """Write all rows and their truth; memory depends on `batch` only."""
    with ExitStack() as stack:
        files = [stack.enter_context(RowWriter(path)) for path in out]
        truths = [stack.enter_context(RowWriter(path)) for path in truth]
        for some in positions(rows, batch):
            frame, known = make(some)
            for writer in files:
                writer.append(frame)
            for writer in truths:
                writer.append(known)


def write_contacts(
    rows: int,
    out: Sequence[Path],
    truth: Sequence[Path],
    *,
    seed: int = 7,
    batch: int = 100_000,
) -> None:
    """Write contact records in canonical columns, and which person each is of."""
    world = World(rows, seed)
    companies = Companies(world)
    write_batches(
        lambda some: contact_batch(world, companies, some, CONTACT_SOURCES),
        rows,
        out,
        truth,
        batch,
    )


def write_companies(
    rows: int,
    out: Sequence[Path],
    truth: Sequence[Path],
    *,
    seed: int = 7,
    batch: int = 100_000,
) -> None:
    """Write company records in canonical columns, and which company and group each is of."""
    world = World(rows, seed)
    write_batches(lambda some: company_batch(world, some), rows, out, truth, batch)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and write what it asks for."""
    parser = argparse.ArgumentParser(prog="generate.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("contacts", "companies"):
        command = commands.add_parser(name, help=f"{name} in canonical columns, with their truth")
        command.add_argument("--rows", type=int, required=True)
        command.add_argument("--out", type=Path, nargs="+", required=True, help=".csv or .parquet")
        command.add_argument("--truth", type=Path, nargs="+", required=True)
        command.add_argument("--seed", type=int, default=7)
        command.add_argument("--batch", type=int, default=100_000, help="rows held in memory")
    demo = commands.add_parser("demo", help="six exports in the headers of real systems")
    demo.add_argument("--out", type=Path, required=True, help="a folder")
    demo.add_argument("--business", type=Path, help="a folder for what hangs on these people")
    demo.add_argument("--rows", type=int, default=5_000)
    demo.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    if given.rows < 1:
        parser.error("--rows must be at least 1")
    if given.command == "demo":
        known = write_demo(given.out, given.rows, given.seed)
        if given.business is not None:
            write_business(given.business, known, given.seed)
    else:
        write = write_contacts if given.command == "contacts" else write_companies
        write(given.rows, given.out, given.truth, seed=given.seed, batch=given.batch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
