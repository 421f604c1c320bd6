"""Write the models that small files are matched under, learnt from generated records.

    python scripts/train_prior.py [--rows 50000]

A file of a few hundred rows has too few true pairs to learn from. What true pairs, relatives and
colleagues look like is much the same everywhere, so it is learnt once, from generated records of a
seed that no benchmark uses, without their truth. Run it again whenever comparisons change.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from crm_quality import default_rules, standardise
from crm_quality.match import match_records

ROOT = Path(__file__).resolve().parents[1]
PRIORS = ROOT / "crm_quality" / "match" / "priors"
SEED = 20_261
ENTITIES = {"contact": "contacts", "company": "companies"}


def shortened(value: Any) -> Any:
    """The same JSON with numbers of five significant digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return value


def main() -> None:
    """Generate, match, keep the model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=50_000)
    rows = parser.parse_args().rows
    PRIORS.mkdir(exist_ok=True)
    for entity, kind in ENTITIES.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "records.parquet"
            command = [sys.executable, ROOT / "benchmarks" / "generate.py", kind, "--rows", rows]
            truth = Path(folder) / "truth.parquet"
            subprocess.run(
                [*map(str, command), "--seed", str(SEED), "--out", file, "--truth", truth],
                check=True,
            )
            raw = pl.read_parquet(file)
        rules = default_rules()
        clean = standardise(raw, rules.entity(entity), sources=rules.sources)
        clean = clean.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("record_id"))
        out = PRIORS / f"{entity}.json"
        out.unlink(missing_ok=True)  # nothing is learnt from what was learnt before
        model = match_records(clean, rules.entity(entity)).model
        plain = shortened(json.loads(model.to_json()))
        out.write_text(json.dumps(plain, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
        print(f"{out.relative_to(ROOT)}: {out.stat().st_size / 1e3:,.0f} kB")


if __name__ == "__main__":
    main()
