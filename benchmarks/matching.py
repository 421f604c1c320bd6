"""Matching on labelled sets, alone or beside other tools.

    python benchmarks/matching.py --data DIR [NAME...]
    python benchmarks/matching.py --peers --cache DIR --data DIR [--contacts N...] [--results DIR]
    [NAME...]

DIR holds a folder for each set with ``records.parquet`` (text columns, ``record_id``, the truth in
``entity_id``); ``benchmarks/mappings/NAME.yml`` says which column is which canonical field. The
first form prints the scores of this project. The second runs the peers too, each in an environment
that is made with pip in the cache; ``--contacts`` adds generated contacts.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import sys
import time
from pathlib import Path

import polars as pl
from peers.report import markdown
from peers.sets import MAPPINGS, generated, labelled, load, mapping_of, names_in
from peers.side_by_side import Limits, measured
from peers.tools import TOOLS

from crm_quality.definitions import default_rules
from crm_quality.match import evaluate, match_records

__all__ = ["MAPPINGS", "load"]


def run(folder: Path, name: str, verbose: bool) -> dict:
    """Match one labelled set; its scores, sizes and seconds."""
    mapping = mapping_of(name)
    frame, truth = load(folder, name, mapping)
    definition = default_rules().entity(mapping["entity"])
    start = time.perf_counter()
    result = match_records(frame, definition)
    seconds = time.perf_counter() - start
    scores = evaluate(result.clusters, truth)
    entity = truth.rename({"record_id": "record_id_l", "entity_id": "a"})
    other = truth.rename({"record_id": "record_id_r", "entity_id": "b"})
    hits = result.pairs.join(entity, on="record_id_l").join(other, on="record_id_r")
    sizes = truth.group_by("entity_id").len()["len"].cast(pl.Float64)
    true = float((sizes * (sizes - 1) / 2).sum())
    blocking = hits.filter(pl.col("a") == pl.col("b")).height / true
    if verbose:
        print(json.dumps(result.report, indent=1, default=str)[:6000])
    return {
        "set": name,
        "f1": scores["f1"],
        "precision": scores["precision"],
        "recall": scores["recall"],
        "bcubed_f1": scores["bcubed_f1"],
        "largest": int(scores["largest_cluster"]),
        "pairs": result.report["candidate_pairs"],
        "blocking": round(blocking, 4),
        "estimated": result.report["estimated_recall"],
        "model": result.model.origin,
        "seconds": round(seconds, 1),
    }


def alone(options: argparse.Namespace) -> None:
    """This project on the named sets, or all there are."""
    rows = []
    for name in options.names or names_in(options.data):
        rows.append(run(options.data, name, options.verbose))
        print(rows[-1], flush=True)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200):
        print(pl.DataFrame(rows))
    print("peak MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def beside(options: argparse.Namespace) -> None:
    """All tools on the sets; what an earlier run of the cache measured is kept if wanted."""
    cache = options.cache.resolve()
    kept = cache / "measured.json"
    rows = json.loads(kept.read_text(encoding="utf-8")) if options.keep and kept.exists() else []
    limits = Limits(options.seconds, options.gigabytes)
    tools = [tool for tool in TOOLS if not options.tools or tool.name in options.tools]
    names = options.names or (names_in(options.data) if options.data else [])
    makers = [lambda name=name: labelled(options.data, name) for name in names]
    makers += [lambda size=size: generated(size, cache) for size in options.contacts]
    for make in makers:
        data = make()
        for tool in tools:
            if not options.again and any(
                (row["set"], row["tool"]) == (data.name, tool.name) for row in rows
            ):
                continue
            row = measured(tool, data, cache, limits)
            print(row["set"], row["tool"], row["failure"] or f"F1 {row['f1']:.4f}", flush=True)
            rows = [r for r in rows if (r["set"], r["tool"]) != (data.name, tool.name)] + [row]
            kept.write_text(json.dumps(rows), encoding="utf-8")
    told = f"at most {options.seconds:g} s and {options.gigabytes:g} GiB for a tool on a set"
    text = markdown(rows, shown(), told)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / "matching.md").write_text(text, encoding="utf-8")
    print(text)


def shown() -> str:
    """The command, without the folders of this machine."""
    words, hidden = ["python", "benchmarks/matching.py"], False
    for word in sys.argv[1:]:
        words.append("DIR" if hidden else word)
        hidden = word in {"--data", "--cache"}
    return shlex.join(words)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of labelled sets")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--peers", action="store_true", help="run the other tools too")
    parser.add_argument("--cache", type=Path, help="folder for environments and generated data")
    parser.add_argument("--contacts", type=int, nargs="*", default=[], help="sizes to generate")
    parser.add_argument("--tools", nargs="*", choices=[tool.name for tool in TOOLS])
    parser.add_argument("--seconds", type=float, default=600, help="limit for a tool on a set")
    parser.add_argument("--gigabytes", type=float, default=8, help="limit for a tool on a set")
    parser.add_argument("--keep", action="store_true", help="keep what the cache has measured")
    parser.add_argument("--again", action="store_true", help="with --keep: measure these anew")
    parser.add_argument("--results", type=Path, help="folder to write matching.md into")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.peers and not options.cache:
        parser.error("--peers needs --cache, a folder for the environments")
    if not options.data and not options.contacts:
        parser.error("name a folder with --data, or a size with --contacts")
    (beside if options.peers else alone)(options)


if __name__ == "__main__":
    main()
