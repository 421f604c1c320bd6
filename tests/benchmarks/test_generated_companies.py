import polars as pl
import pytest

from benchmarks.generator.command import write_companies
from benchmarks.generator.company_records import COLUMNS

ROWS = 4_000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("companies")
    write_companies(ROWS, [folder / "c.parquet"], [folder / "t.parquet"])
    return pl.read_parquet(folder / "c.parquet"), pl.read_parquet(folder / "t.parquet")


def test_batches_change_nothing_and_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, batch in (("a", 1_000), ("b", 150)):
        write_companies(
            1_000, [tmp_path / f"{name}.csv"], [tmp_path / f"{name}_t.csv"], batch=batch
        )
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a_t.csv").read_bytes() == (tmp_path / "b_t.csv").read_bytes()


def test_columns_keys_and_truth(written):
    frame, truth = written
    keys = ["source", "source_key"]
    assert tuple(frame.columns) == COLUMNS
    assert not frame.select(pl.struct(keys).is_duplicated().any()).item()
    assert frame.select(keys).equals(truth.select(keys))


def test_members_of_a_group_are_different_companies_of_one_name(written):
    frame, truth = written
    known = frame.select(pl.col("name").str.to_lowercase().str.slice(0, 4)).hstack(truth)
    groups = known.group_by("group_id").agg(
        pl.col("company_id").n_unique().alias("companies"),
        pl.col("name").n_unique().alias("beginnings"),
    )
    several = groups.filter(pl.col("companies") > 1)
    assert several.height > 100
    assert (several["beginnings"] == 1).mean() > 0.6


def test_one_company_is_spelt_in_several_ways(written):
    frame, truth = written
    spellings = (
        frame.hstack(truth.select("company_id"))
        .group_by("company_id")
        .agg(
            pl.col("name").n_unique().alias("ways"),
            pl.len().alias("records"),
        )
    )
    assert (spellings.filter(pl.col("records") > 1)["ways"] > 1).mean() > 0.5


def test_official_numbers_tell_companies_apart(written):
    frame, truth = written
    numbers = (
        frame.select(pl.col("vat_id").str.replace_all(" ", "")).hstack(truth).drop_nulls("vat_id")
    )
    owners = numbers.group_by("vat_id").agg(pl.col("company_id").n_unique())
    assert owners["company_id"].max() == 1
    assert not numbers.filter(pl.col("vat_id").str.starts_with("US")).height
