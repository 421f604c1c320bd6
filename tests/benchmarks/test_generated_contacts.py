import hashlib
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import phonenumbers
import polars as pl
import pytest

from benchmarks.generator.command import write_contacts
from benchmarks.generator.companies import Companies
from benchmarks.generator.layout import World
from benchmarks.generator.people import people
from benchmarks.generator.records import COLUMNS

ROOT = Path(__file__).resolve().parents[2]
ROWS = 6_000


def generate(folder, rows=ROWS, seed=7, batch=100_000, suffix=".csv"):
    out, truth = folder / f"c{suffix}", folder / f"t{suffix}"
    write_contacts(rows, [out], [truth], seed=seed, batch=batch)
    return out, truth


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("contacts"), suffix=".parquet")


@pytest.fixture(scope="module")
def contacts(written):
    return pl.read_parquet(written[0])


@pytest.fixture(scope="module")
def truth(written):
    return pl.read_parquet(written[1])


@pytest.fixture(scope="module")
def folk():
    world = World(100_000, 7)
    return people(world, Companies(world), np.arange(world.persons))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, suffix):
    first = generate(tmp_path / "a", 2_000, suffix=suffix)
    second = generate(tmp_path / "b", 2_000, suffix=suffix)
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_the_data_is_frozen(tmp_path):
    # a change here changes the measure: run the baseline anew and say so in benchmarks/README.md
    digests = [hashlib.sha256(f.read_bytes()).hexdigest()[:16] for f in generate(tmp_path, 2_000)]
    assert digests == ["c5cc7fdd0ec361ca", "179263d333e3b854"]


def test_another_seed_gives_other_people(tmp_path):
    first, _ = generate(tmp_path / "a", 1_000, seed=1)
    second, _ = generate(tmp_path / "b", 1_000, seed=2)
    mails = [set(pl.read_csv(f, infer_schema=False)["email"].drop_nulls()) for f in (first, second)]
    assert len(mails[0] & mails[1]) < 0.05 * len(mails[0])


@pytest.mark.parametrize("batch", [1, 333, 1_000])
def test_the_size_of_a_batch_changes_nothing(tmp_path, batch):
    rows = 9 if batch == 1 else 2_500
    whole = generate(tmp_path / "a", rows)
    parts = generate(tmp_path / "b", rows, batch=batch)
    assert [f.read_bytes() for f in whole] == [f.read_bytes() for f in parts]


@pytest.mark.slow
def test_memory_depends_on_the_batch_and_not_on_the_rows(tmp_path):
    peaks = []
    for rows in (1_500, 6_000):
        tracemalloc.start()
        generate(tmp_path, rows, batch=750, suffix=".parquet")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_the_product_is_not_needed_to_generate():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import benchmarks.generator.command; "
        "sys.exit('crm_quality' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_columns_are_the_canonical_ones_as_text(contacts):
    assert tuple(contacts.columns) == COLUMNS
    assert set(contacts.dtypes) == {pl.String}


def test_keys_are_unique_and_the_truth_covers_every_row_in_order(contacts, truth):
    keys = ["source", "source_key"]
    assert contacts.height == ROWS
    assert not contacts.select(pl.struct(keys).is_duplicated().any()).item()
    assert contacts.select(keys).equals(truth.select(keys))
    assert truth["person_id"].null_count() == truth["household_id"].null_count() == 0


def test_seven_in_ten_records_are_of_different_people(truth):
    sizes = truth["person_id"].value_counts()["count"]
    assert truth["person_id"].n_unique() == 0.7 * ROWS
    assert (sizes.min(), sizes.max()) == (1, 8)


def test_duplicates_are_spread_over_the_file(truth):
    neighbours = sum(a == b for a, b in pairwise(truth["person_id"]))
    assert neighbours <= 3


def test_a_person_has_one_household(truth):
    homes = truth.group_by("person_id").agg(pl.col("household_id").n_unique())
    assert homes["household_id"].max() == 1


def test_columns_are_as_full_as_in_life(contacts):
    full = {name: 1 - contacts[name].null_count() / ROWS for name in contacts.columns}
    assert 0.85 < full["email"] < 0.95
    assert 0.50 < full["phone"] < 0.65
    assert 0.40 < full["street"] < 0.52
    assert 0.15 < full["date_of_birth"] < 0.25
    assert 0.20 < full["company_name"] < 0.40


def test_a_third_of_the_people_share_a_home_and_four_in_ten_an_employer(folk):
    sizes = np.bincount(folk.employer[folk.employer >= 0])
    colleagues = (folk.employer >= 0) & (sizes[np.maximum(folk.employer, 0)] > 1)
    assert 0.25 < (folk.size > 1).mean() < 0.36
    assert 0.38 < colleagues.mean() < 0.48
    assert sizes.max() > 100


def test_some_change_jobs_and_some_have_two_mailboxes(folk):
    assert (folk.employer != folk.employer_after).mean() == pytest.approx(0.15, abs=0.02)
    assert (folk.mailboxes == 2).mean() == pytest.approx(0.30, abs=0.02)


def test_a_father_and_a_son_of_one_name_are_two_generations(folk):
    younger = np.flatnonzero(folk.namesake == 2)
    elder = younger - folk.place[younger]
    assert 0.003 < (folk.namesake > 0).mean() < 0.009
    assert (folk.namesake[elder] == 1).all()
    assert (folk.first[younger] == folk.first[elder]).all()
    assert (folk.born[younger] - folk.born[elder] > 18 * 365).all()
    assert (folk.last[younger] == folk.last[elder]).all()


def test_common_names_collide_more_often_in_a_larger_world():
    shares = []
    for rows in (10_000, 200_000):
        world = World(rows, 7)
        who = people(world, Companies(world), np.arange(world.persons))
        names = pl.DataFrame({"c": who.country, "f": who.first, "l": who.last})
        shares.append(names.is_duplicated().mean())
    assert shares[1] > 1.5 * shares[0]


def test_members_of_a_household_share_mailboxes_and_stay_different_people(contacts, truth):
    both = contacts.select("email", "street", "phone").hstack(
        truth.select("person_id", "household_id")
    )
    for value in ("email", "street", "phone"):
        shared = (
            both.drop_nulls(value)
            .group_by("household_id", value)
            .agg(
                pl.col("person_id").n_unique().alias("people"),
            )
        )
        assert shared.filter(pl.col("people") > 1).height > 20, value


def test_a_private_mailbox_belongs_to_one_household(contacts, truth):
    group = r"^(info|office|contact|sales|mail|test|noemail|none|na)@"
    mails = (
        contacts.select(pl.col("email").str.strip_chars().str.to_lowercase())
        .hstack(truth.select("household_id"))
        .filter(pl.col("email").str.contains("@") & ~pl.col("email").str.contains(group))
        .group_by("email")
        .agg(pl.col("household_id").n_unique().alias("homes"))
    )
    assert (mails["homes"] > 1).mean() < 0.005


def linked_share(contacts, truth):
    """Share of people with many records whose records hang together by an exactly equal value."""
    digits = {
        f"{name}_tail": pl.col(name)
        .str.replace(r" ext.*", "")
        .str.replace_all(r"\D", "")
        .str.tail(7)
        for name in ("phone", "mobile")
    }
    frame = contacts.with_columns(
        pl.col("email", "other_emails", "company_name", "street")
        .str.to_lowercase()
        .str.strip_chars(),
        pl.col("company_name").str.to_lowercase().str.slice(0, 7).alias("firm"),
        pl.col("street").str.extract(r"(\d+)").add(pl.col("postcode")).alias("door"),
        **digits,
    ).hstack(truth.select("person_id"))
    values = ["email", "other_emails", "phone_tail", "mobile_tail", "date_of_birth", "firm", "door"]
    linked = total = 0
    for (_,), records in frame.group_by("person_id"):
        if records.height == 1:
            continue
        sets = [{v for v in row if v} for row in records.select(values).rows()]
        groups = []
        for one in sets:
            touching = [g for g in groups if g & one]
            groups = [g for g in groups if not g & one] + [set().union(one, *touching)]
        linked += len(groups) == 1
        total += 1
    return linked / total


def test_the_records_of_a_person_can_be_found_from_what_they_share(contacts, truth):
    assert linked_share(contacts, truth) > 0.94


def test_numbers_are_valid_in_their_country(contacts):
    regions = ["DE", "GB", "US", "FR", "PL"]
    sample = contacts.filter(pl.col("country").is_in(regions)).drop_nulls("phone").head(400)
    placeholders = ["0000000000", "1234567890", "9999999999", "n/a", "-"]
    sample = sample.filter(~pl.col("phone").is_in(placeholders))

    def valid(text, region):
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
        except phonenumbers.NumberParseException:
            return False

    rate = np.mean([valid(*row) for row in sample.select("phone", "country").rows()])
    assert rate > 0.9


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("email", ["test@test.com", "n/a"]),
        ("phone", ["0000000000", "n/a"]),
        ("date_of_birth", ["1900-01-01"]),
        ("company_name", ["n/a", "-"]),
        ("lead_source", ["Google", "PPC", "Paid Search", "google ads", "AdWords"]),
        ("email_opt_out", ["yes", "true", "1"]),
    ],
)
def test_the_mess_of_real_files_is_there(contacts, column, wrong):
    assert set(wrong) <= set(contacts[column].drop_nulls())


def test_the_command_writes_both_forms_of_one_file(tmp_path):
    csv, parquet, truth = (tmp_path / name for name in ("c.csv", "c.parquet", "t.parquet"))
    command = [sys.executable, ROOT / "benchmarks" / "generate.py", "contacts", "--rows", "300"]
    subprocess.run([*command, "--out", csv, parquet, "--truth", truth], check=True)
    assert pl.read_csv(csv, infer_schema=False).equals(pl.read_parquet(parquet))
    assert pl.read_parquet(truth).height == 300
