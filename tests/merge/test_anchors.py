import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.merge import changes, place


def frame(columns, rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.Int64), orient="row")


def clusters(rows):
    return frame(["record_id", "cluster_id"], rows)


def accepted(rows):
    return frame(["record_id", "accepted_no"], rows)


def crosswalk(rows):
    return frame(["record_id", "entity_id"], rows)


def test_an_entity_has_the_id_of_the_record_accepted_first():
    # record 1 waited in quarantine until after 2 was accepted
    placed = place(
        clusters([(1, 1), (2, 1), (3, 3)]), accepted([(1, 3), (2, 1), (3, 2)]), crosswalk([])
    )
    assert placed.rows() == [(1, 2), (2, 2), (3, 3)]


def test_a_record_that_its_source_ended_stays_with_its_entity():
    former = crosswalk([(1, 1), (2, 1), (3, 1)])
    placed = place(clusters([(2, 2), (3, 3)]), accepted([(1, 1), (2, 2), (3, 3)]), former)
    # 1 has ended; it stays with 2, the member accepted first, and is still the anchor
    assert placed.rows() == [(1, 1), (2, 1), (3, 3)]


def test_an_entity_whose_records_have_all_ended_keeps_its_id():
    former = crosswalk([(1, 1), (2, 1)])
    placed = place(clusters([]), accepted([(1, 1), (2, 2)]), former)
    assert placed.rows() == [(1, 1), (2, 1)]


def test_a_merge_keeps_the_earlier_id_and_tells_the_other():
    former = crosswalk([(1, 1), (2, 2)])
    moved = changes(former, crosswalk([(1, 1), (2, 1)]))
    assert moved.merged.rows() == [(1, 2)]
    assert moved.vanished.rows() == [(2,)]
    assert moved.touched.rows() == [(1,)]
    assert moved.created.is_empty()
    assert moved.split.is_empty()


def test_a_split_gives_both_their_ids_back():
    former = crosswalk([(1, 1), (2, 1)])
    moved = changes(former, crosswalk([(1, 1), (2, 2)]))
    assert moved.split.rows() == [(2, 1)]
    assert moved.created.is_empty()
    assert set(moved.touched["entity_id"]) == {1, 2}


def test_a_new_record_makes_a_new_entity_or_joins_one():
    former = crosswalk([(1, 1)])
    moved = changes(former, crosswalk([(1, 1), (2, 1), (3, 3)]))
    assert moved.created.rows() == [(3,)]
    assert set(moved.touched["entity_id"]) == {1, 3}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.data())
def test_every_record_has_one_entity_which_is_one_of_its_members(groups, data):
    numbers = list(range(1, len(groups) + 1))
    order = data.draw(st.permutations(numbers))
    placed = place(
        clusters(list(zip(numbers, groups, strict=True))),
        accepted(list(zip(numbers, order, strict=True))),
        crosswalk([]),
    )
    entity = dict(placed.iter_rows())
    assert set(entity) == set(numbers)
    for record in numbers:
        members = [n for n in numbers if groups[n - 1] == groups[record - 1]]
        assert entity[record] == min(members, key=lambda n: order[n - 1])
