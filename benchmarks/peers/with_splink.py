"""Splink as its documentation configures it, no labels.

**People**, after its examples "Deduplicate 50k rows historical persons" and "Febrl3":
``NameComparison`` for given name and surname, ``DateOfBirthComparison``, ``EmailComparison``,
``JaroWinklerAtThresholds`` for the street,
``ExactMatch`` with term frequencies for telephone, mobile, postcode, city, place of birth,
occupation and company, ``DamerauLevenshteinAtThresholds`` for identifiers. The blocking rules of
the first, and equal mailbox, number and identifier. The wider rules of its tutorial and of Febrl3
(given name, surname, birth date or postcode alone) are used where they make at most five million
pairs, since it advises to count the pairs of a rule and to keep to what the machine can do. Prior
from deterministic rules at recall 0.6, u from a million random pairs, EM on given name with surname
and on birth date (postcode or mailbox where there is none).

**Companies**, after its example "Matching businesses": names as bags of words compared by the
product of the frequencies of the words in common, the postcode, the first number of the address,
and ``ExactMatch`` with term frequencies for telephone, mailbox, city. Blocks: postcode, the rarest
words, the whole name, telephone. The m probabilities stay at their defaults, as there.

Clusters: connected components at probability 0.95, as in its examples. No limit on the size of a
block, since its examples have none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl
import splink.comparison_library as cl
from splink import SettingsCreator, block_on

from .splink_steps import answer, linked, saved, trained, usable

if TYPE_CHECKING:
    from .job import Job

WEIGHT = math.log2(0.95 / 0.05)
FREQUENCIES = ("phone", "mobile", "postcode", "city", "birth_place", "job_title", "company_name")
BLOCKS = (
    ("substr(first_name,1,3)", "substr(last_name,1,4)"),
    ("last_name", "date_of_birth"),
    ("first_name", "date_of_birth"),
    ("postcode", "first_name"),
    ("postcode", "last_name"),
    ("date_of_birth", "birth_place"),
    ("substr(postcode,1,3)", "date_of_birth"),
    ("substr(postcode,1,3)", "first_name"),
    ("substr(postcode,1,3)", "last_name"),
    ("substr(first_name,1,2)", "substr(last_name,1,2)", "substr(date_of_birth,1,4)"),
    ("email",),
    ("phone",),
    ("mobile",),
    ("tax_id",),
)
WIDE_BLOCKS = (("first_name",), ("last_name",), ("date_of_birth",), ("postcode",))
MOST_PAIRS_OF_A_WIDE_BLOCK = 5_000_000
CERTAIN = (
    ("first_name", "last_name", "date_of_birth"),
    ("first_name", "last_name", "email"),
    ("first_name", "last_name", "postcode"),
    ("date_of_birth", "postcode"),
)
PRODUCTS = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4)


def people(job: Job) -> None:
    """Names, birth date and what else there is."""
    frame = job.records
    comparisons: list = [cl.NameComparison(c) for c in job.having("first_name", "last_name")]
    if job.having("date_of_birth"):
        comparisons.append(cl.DateOfBirthComparison("date_of_birth", input_is_string=True))
    if job.having("email"):
        comparisons.append(cl.EmailComparison("email"))
    if job.having("street"):
        comparisons.append(cl.JaroWinklerAtThresholds("street"))
    comparisons += [
        cl.ExactMatch(name).configure(term_frequency_adjustments=True)
        for name in job.having(*FREQUENCIES)
    ]
    if job.having("tax_id"):
        comparisons.append(cl.DamerauLevenshteinAtThresholds("tax_id", [2]))
    rules = usable(frame, BLOCKS)
    rules += [
        rule
        for rule in usable(frame, WIDE_BLOCKS)
        if pairs_of(frame, rule[0]) <= MOST_PAIRS_OF_A_WIDE_BLOCK
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
    )
    linker, connection = linked(frame, settings)
    second = ("date_of_birth", "postcode", "email", "phone")
    trained(
        linker,
        frame,
        certain=CERTAIN,
        recall=0.6,
        sessions=[("first_name", "last_name"), tuple(job.having(*second)[:1])],
        random_pairs=1e6,
    )
    saved(job, linker, connection, weight=WEIGHT)


def pairs_of(frame: pl.DataFrame, column: str) -> int:
    """How many pairs of records share a value of the column."""
    sizes = frame[column].drop_nulls().value_counts()["count"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def companies(job: Job) -> None:
    """Names as bags of words."""
    frame = with_words(job.records)
    product = (
        "list_reduce(list_concat([1.0::double], list_transform(list_intersect(words_l, words_r),"
        " lambda w: w.share::double)), lambda p, q: p * q)"
    )
    levels: list[dict] = [
        {
            "sql_condition": "words_l is null or words_r is null",
            "label_for_charts": "null",
            "is_null_level": True,
        }
    ]
    levels += [
        {"sql_condition": f"{product} < {most}", "label_for_charts": f"product below {most}"}
        for most in PRODUCTS
    ]
    levels.append({"sql_condition": "ELSE", "label_for_charts": "all other"})
    comparisons: list = [{"output_column_name": "words", "comparison_levels": levels}]
    comparisons += [
        cl.ExactMatch(name) for name in ("postcode", "house_number") if name in frame.columns
    ]
    comparisons += [
        cl.ExactMatch(name).configure(term_frequency_adjustments=True)
        for name in job.having("phone", "email", "city")
    ]
    blocks = [("postcode",), ("rare_1",), ("rare_2",), ("name",), ("phone",)]
    crossed = "l.rare_1 = r.rare_2 and substr(l.name, 1, 3) = substr(r.name, 1, 3)"
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[
            *(block_on(*rule) for rule in usable(frame, blocks)),
            crossed,
        ],
    )
    linker, connection = linked(frame, settings)
    trained(
        linker, frame, certain=[("name",), ("phone",)], recall=0.6, sessions=[], random_pairs=1e7
    )
    saved(job, linker, connection, weight=WEIGHT)


def with_words(records: pl.DataFrame) -> pl.DataFrame:
    """``words`` (each with its share of all words), the two rarest, the number of the house."""
    words = (
        records.select("record_id", word=pl.col("name").str.split(" "))
        .explode("word")
        .filter(pl.col("word") != "")
    )
    words = words.with_columns(share=pl.len().over("word") / words.height)
    rare = (
        words.filter(pl.col("share") < 0.01)
        .sort("record_id", "share", "word")
        .group_by("record_id", maintain_order=True)
        .agg(pl.col("word").head(2))
        .select(
            "record_id",
            rare_1=pl.col("word").list.get(0, null_on_oob=True),
            rare_2=pl.col("word").list.get(1, null_on_oob=True),
        )
    )
    bags = words.group_by("record_id").agg(pl.struct("word", "share").alias("words"))
    frame = records.join(bags, on="record_id", how="left").join(rare, on="record_id", how="left")
    if "street" in frame.columns:
        number = pl.col("street").str.extract(r"(\d+[a-z]?)")
        frame = frame.with_columns(house_number=number)
    return frame


if __name__ == "__main__":
    answer(people, companies)
