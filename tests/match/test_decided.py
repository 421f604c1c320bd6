"""What decisions imply of the records that are left."""

import polars as pl

from crm_quality.match.decided import among_live


def decisions(*rows):
    schema = {"record_id_l": pl.Int64, "record_id_r": pl.Int64, "verdict": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def implied(made, live):
    found = among_live(made, pl.Series("record_id", live, dtype=pl.Int64))
    return sorted(found.join(made, on=made.columns, how="anti").rows())


def test_nothing_is_added_while_every_record_is_there():
    made = decisions((1, 2, "same"), (2, 3, "different"))
    assert among_live(made, pl.Series([1, 2, 3, 4])).equals(made)


def test_who_was_the_same_as_one_that_has_ended_stays_the_same():
    made = decisions((1, 2, "same"), (1, 3, "same"), (1, 4, "same"))
    assert implied(made, [2, 3, 4, 5]) == [(2, 3, "same"), (2, 4, "same")]


def test_who_was_not_the_same_as_one_that_has_ended_stays_apart_from_its_own():
    made = decisions((1, 2, "same"), (1, 7, "different"), (7, 8, "same"))
    assert implied(made, [2, 7, 8]) == [(2, 7, "different")]
    assert implied(made, [2, 8]) == [(2, 8, "different")]


def test_decisions_that_were_taken_back_imply_nothing():
    made = decisions((1, 2, "withdrawn"), (1, 3, "same"))
    assert implied(made, [2, 3]) == []
