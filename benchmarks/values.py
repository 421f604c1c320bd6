"""How often suggestions are right: meanings of unknown values, and limits of suggested rules.

    python benchmarks/values.py [--results benchmarks/results]

Spellings are those of the shipped vocabularies: misspelt by one letter, or left out of their
vocabulary one by one. Limits are tried on samples of one distribution, through the engine.
"""

from __future__ import annotations

import argparse
import random
import string
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import default_rules, fold, rules_of
from crm_quality.intake import Table, take_in
from crm_quality.standardise import standardise
from crm_quality.validate import check_records, profile, suggested_definition
from crm_quality.validate.meanings import Meaning, Meanings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BANDS = ((90, 101), (80, 90), (0, 80))
SHARES = {"never": 0.0, "1 in 300": 1 / 300, "2 %": 0.02, "10 %": 0.1, "40 %": 0.4}


def misspelt(word: str, draw: random.Random) -> str:
    """A letter too many, too few, another, or two exchanged."""
    at = draw.randrange(len(word))
    other = draw.choice(string.ascii_lowercase)
    return draw.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + other + word[at:],
            word[:at] + other + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        ]
    )


def misspellings(seed: int) -> Iterator[tuple[str, Meaning]]:
    """The accepted value that a misspelling means, and what was suggested."""
    draw = random.Random(seed)
    for vocabulary in default_rules().vocabularies.values():
        known = Meanings(vocabulary)
        for value, details in vocabulary.values.items():
            for word in details.synonyms:
                text = misspelt(word, draw)
                if len(word) > 3 and fold(text) not in known.targets:
                    yield value, known.of(text)


def unheard_of() -> Iterator[tuple[str, Meaning]]:
    """The same of every synonym that its vocabulary does not have; countries take too long."""
    for name, vocabulary in default_rules().vocabularies.items():
        for value, details in vocabulary.values.items() if name != "country" else ():
            for word in details.synonyms:
                others = tuple(other for other in details.synonyms if other != word)
                without = details.model_copy(update={"synonyms": others})
                known = Meanings(
                    vocabulary.model_copy(update={"values": {**vocabulary.values, value: without}})
                )
                if fold(word) not in known.targets:
                    yield value, known.of(word)


def tally(found: Iterable[tuple[str, Meaning]]) -> list[str]:
    """Rows of a table: by score, how many suggestions were right."""
    asked, right, made = 0, Counter[tuple[int, int]](), Counter[tuple[int, int]]()
    for value, meaning in found:
        asked += 1
        if meaning.score is not None:
            band = next(band for band in BANDS if band[0] <= meaning.score < band[1])
            made[band] += 1
            right[band] += meaning.value == value
    return [
        f"| {low or 'below'} {'or more' if high > 100 else f'to {high}' if low else high} "
        f"| {made[low, high]:,} of {asked:,} | {right[low, high]:,} "
        f"| {right[low, high] / max(made[low, high], 1):.1%} |"
        for low, high in BANDS
    ]


def sample(seed: int, rows: int) -> pl.DataFrame:
    """One column per share of gaps, and per share of texts that are no number."""
    draw = random.Random(seed)
    columns = {"number": [str(n) for n in range(rows)]}
    for name, share in SHARES.items():
        columns[f"gaps {name}"] = [
            None if draw.random() < share else draw.choice("abc") for _ in range(rows)
        ]
        columns[f"amounts {name}"] = [
            "a few" if draw.random() < share else str(draw.randint(1, 99)) for _ in range(rows)
        ]
    return pl.DataFrame(columns)


def alarms(rows: int, coming: int, times: int) -> tuple[int, int]:
    """Rules tried on a second sample, and those that did not pass."""
    tried = raised = 0
    for seed in range(times):
        frame = sample(seed, rows)
        table = Table(frame, "sample.csv")
        rules = rules_of(suggested_definition(table, profile(frame), "row"))
        second = Table(sample(seed + 10_000, coming), "sample.csv")
        raw = take_in(second, rules, source=rules.source("row")).records["row"]
        row = rules.entity("row")
        checks = check_records(standardise(raw, row, sources=rules.sources), row).checks
        limited = checks.filter(
            (pl.col("status") != "skipped")
            & pl.col("rule").str.contains(r"\.(?:required|invalid|unknown|length|range|pattern)$")
        )
        tried += limited.height
        raised += limited.filter(pl.col("status") != "passed").height
    return tried, raised


def main() -> None:
    """Measure and print; with ``--results`` also write values.md there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--times", type=int, default=40)
    options = parser.parse_args()
    head = "| score | suggested | right | share |\n|---|---|---|---|"
    lines = [
        "# Suggestions",
        "Written by `python benchmarks/values.py --results benchmarks/results`.",
        "## Misspellings of shipped synonyms, one letter each",
        "\n".join([head, *tally(misspellings(7))]),
        "## Shipped synonyms that their vocabulary does not have",
        "\n".join([head, *tally(unheard_of())]),
        "## Limits of suggested rules on a second sample",
        f"Gaps and unreadable amounts in {', '.join(SHARES)} of the rows; confidence 95 %.",
    ]
    table = ["| rows profiled | rows of the next file | rules tried | alarms | share |"]
    table.append("|---|---|---|---|---|")
    for rows, coming in ((200, 200), (200, 1000), (1000, 1000), (1000, 200)):
        tried, raised = alarms(rows, coming, options.times)
        table.append(f"| {rows:,} | {coming:,} | {tried:,} | {raised:,} | {raised / tried:.1%} |")
    lines.append("\n".join(table))
    page = "\n\n".join(lines) + "\n"
    print(page)
    if options.results:
        (options.results / "values.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
