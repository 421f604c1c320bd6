"""Splink as a careful user would set it up: the baseline for people, its like for companies.

**People**: the frozen `baseline_splink.py`, its cleaning, its ten blocking rules without blocks of
more than 150, its comparisons and its training. Fields that a set lacks are left out, the city
stands in where there is no postcode, place of birth and tax number are compared where there are
any. Up to 50,000 records can afford more: equal given name, surname, birth date or postcode alone,
in blocks of at most 150.

**Companies**: names folded and without legal form, compared by term frequency, Jaro-Winkler and
words in common; telephone, mailbox, address as one comparison, city. Blocks: the start of the name,
its rarest words, telephone, mailbox, street with number; none of more than 150. EM on the name's
start, on telephone and on street.

Clusters: connected components at probability 0.9. The other thresholds of the baseline are kept for
the row that chooses the best with the truth in hand, which no user can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import baseline_splink as baseline
import polars as pl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import SettingsCreator, block_on

from .splink_steps import answer, linked, saved, trained, usable

if TYPE_CHECKING:
    from .job import Job

CONTACT_COLUMNS = (
    "first_name", "last_name", "date_of_birth", "email", "other_emails", "phone", "mobile",
    "company_name", "street", "postcode", "city",
)  # fmt: skip
# what the baseline's comparisons need, in their order
NEEDS = ("first", "surname", "email", "number", "postcode", "company", "dob")
EXTRA = ("birth_place", "tax_id")
WIDE = ("first", "surname", "dob", "postcode")
WIDE_UP_TO = 50_000
LEAST_WEIGHT = -8
COMPANY_KEYS = ("key_start", "key_rare_1", "key_rare_2", "key_phone", "key_email", "key_street")


def people(job: Job) -> None:
    """The baseline, on the fields at hand."""
    source = job.records
    if "postcode" not in source.columns and "city" in source.columns:
        source = source.with_columns(postcode=pl.col("city"))
    absent = [c for c in CONTACT_COLUMNS if c not in source.columns]
    source = source.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in absent)
    extra = job.having(*EXTRA)
    frame = baseline.cleaned(source.drop("record_id"))
    frame = frame.with_columns(job.records.select("record_id", *extra))
    wide = [c for c in WIDE if frame.height <= WIDE_UP_TO and frame[c].null_count() < frame.height]
    frame = frame.with_columns(
        pl.when(pl.len().over(c) <= baseline.LARGEST_BLOCK).then(pl.col(c)).alias(f"wide_{c}")
        for c in wide
    )
    settings = baseline.settings()
    settings.blocking_rules_to_generate_predictions += [block_on(f"wide_{c}") for c in wide]
    settings.comparisons = [
        comparison
        for comparison, column in zip(settings.comparisons, NEEDS, strict=True)
        if frame[column].null_count() < frame.height
    ]
    if "birth_place" in extra:
        settings.comparisons.append(
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True)
        )
        settings.blocking_rules_to_generate_predictions.append(block_on("dob", "birth_place"))
    if "tax_id" in extra:
        settings.comparisons.append(cl.DamerauLevenshteinAtThresholds("tax_id", [1]))
        settings.blocking_rules_to_generate_predictions.append(block_on("tax_id"))
    linker, connection = linked(frame, settings)
    certain = (
        ("key_email", "first"),
        ("key_name", "number"),
        ("key_name", "address"),
        ("key_name", "dob"),
    )
    sessions = (("first", "surname"), ("key_email",), ("key_phone",), ("dob",))
    trained(
        linker,
        frame,
        certain=certain,
        recall=0.75,
        sessions=sessions,
        random_pairs=1e7,
        session_pairs=5e6,
    )
    finish(job, linker, connection)


def companies(job: Job) -> None:
    """Names without legal form, telephone, address."""
    frame = with_company_keys(job)
    shared = "len(list_intersect(words_l, words_r))"
    fewest = "least(len(words_l), len(words_r))"
    comparisons = [
        cl.CustomComparison(
            output_column_name="company",
            comparison_levels=[
                cll.NullLevel("company"),
                cll.ExactMatchLevel("company").configure(tf_adjustment_column="company"),
                cll.JaroWinklerLevel("company", 0.95),
                cll.CustomLevel(
                    f"{shared} = {fewest} and {fewest} > 1", label_for_charts="words within"
                ),
                cll.JaroWinklerLevel("company", 0.88),
                cll.CustomLevel(f"{shared} >= 2", label_for_charts="two words in common"),
                cll.ExactMatchLevel("rare_1"),
                cll.ElseLevel(),
            ],
        )
    ]
    comparisons += [
        cl.CustomComparison(
            output_column_name=name,
            comparison_levels=[
                cll.NullLevel(name),
                cll.ExactMatchLevel(name).configure(tf_adjustment_column=name),
                cll.LevenshteinLevel(name, 1),
                cll.ElseLevel(),
            ],
        )
        for name in ("phone", "email")
        if name in frame.columns
    ]
    if "street" in frame.columns:
        comparisons.append(
            cl.CustomComparison(
                output_column_name="street",
                comparison_levels=[
                    cll.NullLevel("street"),
                    cll.ExactMatchLevel("street").configure(tf_adjustment_column="street"),
                    cll.JaroWinklerLevel("street", 0.92),
                    cll.And(cll.ExactMatchLevel("house"), cll.JaroWinklerLevel("street", 0.8)),
                    cll.ElseLevel(),
                ],
            )
        )
    comparisons += [
        cl.ExactMatch(name).configure(term_frequency_adjustments=True)
        for name in ("postcode", "city", "country")
        if name in frame.columns
    ]
    rules = usable(frame, [(key,) for key in COMPANY_KEYS])
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
    )
    linker, connection = linked(frame, settings)
    trained(
        linker,
        frame,
        certain=[("company", "phone"), ("company", "street"), ("company",)],
        recall=0.6,
        sessions=[("key_start",), ("phone",), ("street",)] if len(comparisons) > 1 else [],
        random_pairs=1e7,
        session_pairs=5e6,
    )
    finish(job, linker, connection)


def with_company_keys(job: Job) -> pl.DataFrame:
    """Folded columns, words and blocking keys; a key of more than 150 records is null."""
    name = baseline.folded("name")
    bare = (
        name.str.replace_all(baseline.LEGAL_FORMS, "").str.replace_all(" +", " ").str.strip_chars()
    )
    frame = job.records.select(
        "record_id",
        pl.when(bare != "").then(bare).otherwise(name).alias("company"),
        *(baseline.folded(c).alias(c) for c in job.having("street", "city", "postcode", "country")),
        *(baseline.telephone(c).alias(c) for c in job.having("phone")),
        *(baseline.mailbox(c).alias(c) for c in job.having("email")),
    )
    frame = frame.with_columns(words=pl.col("company").str.split(" ").list.unique().list.sort())
    words = frame.select("record_id", "words").explode("words")
    words = words.with_columns(count=pl.len().over("words"))
    rare = (
        words.sort("record_id", "count", "words")
        .group_by("record_id", maintain_order=True)
        .agg(pl.col("words").head(2))
        .select(
            "record_id",
            rare_1=pl.col("words").list.get(0, null_on_oob=True),
            rare_2=pl.col("words").list.get(1, null_on_oob=True),
        )
    )
    frame = frame.join(rare, on="record_id", how="left")
    keys = {
        "key_start": pl.col("company").str.slice(0, 4),
        "key_rare_1": pl.col("rare_1"),
        "key_rare_2": pl.col("rare_2"),
    }
    if "street" in frame.columns:
        frame = frame.with_columns(house=pl.col("street").str.extract(r"\b(\d+)\b"))
        keys["key_street"] = pl.col("street")
    keys |= {f"key_{c}": pl.col(c) for c in ("phone", "email") if c in frame.columns}
    frame = frame.with_columns(**keys)
    return frame.with_columns(
        pl.when(pl.len().over(key) <= baseline.LARGEST_BLOCK).then(pl.col(key)).alias(key)
        for key in keys
    )


def finish(job: Job, linker: object, connection: object) -> None:
    """Clusters at probability 0.9, and at every other threshold of the baseline."""
    at = baseline.AT_PROBABILITY_09
    others = [weight for weight in baseline.WEIGHTS if weight != at]
    saved(job, linker, connection, weight=at, others=others, least=LEAST_WEIGHT)


if __name__ == "__main__":
    answer(people, companies)
