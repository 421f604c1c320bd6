"""Precision by rule of the issues that a person judged: ``python benchmarks/judged_issues.py``.

Reads ``tests/validate/judged/verdicts.csv`` and writes ``benchmarks/results/kanoniv_issues.md``;
``tests/validate/test_judged.py`` holds the engine to what the verdicts say is told.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
VERDICTS = ROOT / "tests" / "validate" / "judged" / "verdicts.csv"
RESULTS = Path(__file__).parent / "results" / "kanoniv_issues.md"

INTRO = """\
# Issues judged by hand

200 issues that `crmq check` found in six exports of five systems (kanoniv_crm_unlabelled: 6,646
rows, 2,162 issues) and 100 of the 4,905 rows in which it found none, judged one by one against
the row as it came. `tests/validate/judged/` has the rows, the verdicts and how they were sampled.
Precision counts an issue as right when it is a true fault or worth a look (acceptable). *Now* is
after the mending that the verdicts led to. `python benchmarks/judged_issues.py` writes this page.
"""
MENDED = """\
What was mended:

- A stage that the mapping's `values` do not list (`closed_lost`) was dropped in silence and then
  reported as missing. In a field with a vocabulary such a text now stays as it came, so that the
  vocabulary knows it or reports it: 132 rows of these exports that were told "lifecycle stage is
  missing" are now told that `closed_lost` is not an accepted value.
- An issue about a name that came out of a full name had no value to show; now it has the name.
- `contact.reachable` did not look at further addresses and numbers (no row here has any).
- A family name that differs by one letter from the one in the e-mail address
  (`contact.last_name.slip`) was not told: 171 rows of these exports, each a slip when looked at.

What was left:

- `contact.name.repeated` tells of Kelly Kelly, whose e-mail address says that she is called so. It
  is a remark, and asks for no more than a look.
- 7 of the 100 rows without an issue hold a misspelt word that no rule sees: five names of
  companies, a given name (too many are spelt in several ways) and a family name of three letters.
"""


def by_rule(verdicts: pl.DataFrame) -> pl.DataFrame:
    """One row per rule that was judged: how many, the verdicts, precision before and now."""
    right = pl.col("verdict").is_in(["true fault", "acceptable"])
    now, before = (pl.col(name) == "yes" for name in ("raised", "raised_before"))
    return (
        verdicts.filter(pl.col("part").is_in(["issue", "instead"]))
        .group_by("rule")
        .agg(
            before.sum().alias("judged"),
            *(
                ((pl.col("verdict") == verdict) & before).sum().alias(verdict)
                for verdict in ("true fault", "acceptable", "false alarm")
            ),
            (right & before).sum().alias("right before"),
            (right & now).sum().alias("right now"),
            now.sum().alias("told now"),
        )
        .sort("rule")
    )


def precision(right: int, told: int) -> str:
    """Right of told, as a share."""
    return f"{right / told:.2f}" if told else "not told"


def page(verdicts: pl.DataFrame) -> str:
    """The results page."""
    rules = by_rule(verdicts)
    total = rules.drop("rule").sum().with_columns(pl.lit("all").alias("rule"))
    lines = [
        "| rule | judged | true fault | acceptable | false alarm | precision before | now |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {row['rule']} | {row['judged']} | {row['true fault']} | {row['acceptable']} |"
            f" {row['false alarm']} | {precision(row['right before'], row['judged'])} |"
            f" {precision(row['right now'], row['told now'])} |"
            for row in pl.concat([rules, total], how="diagonal").iter_rows(named=True)
        ),
    ]
    silent = verdicts.filter(part="silent")
    missed = silent.filter(verdict="missed fault")
    found = missed.filter(raised="yes").height
    counted = (
        f"Of {silent.height} rows without an issue {missed.height} held a fault;"
        f" {found} of them are told now.\n"
    )
    return "\n".join([INTRO, *lines, "", counted, MENDED])


def main() -> None:
    """Write the page."""
    RESULTS.write_text(page(pl.read_csv(VERDICTS, infer_schema=False)), encoding="utf-8")
    print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
