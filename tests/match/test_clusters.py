"""Laws of clusters."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.match.clusters import DIFFERENT, SAME, average_linkage, cluster, components


@st.composite
def weighed(draw):
    """A symmetric matrix of weights, all different, so that no tie needs an order."""
    size = draw(st.integers(2, 7))
    count = size * (size - 1) // 2
    listed = draw(st.lists(st.integers(-900, 900), min_size=count, max_size=count, unique=True))
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size, 1)] = np.array(listed) / 100
    return matrix + matrix.T


def never_asked(left, right):
    raise AssertionError(f"no pair has to be scored, not {left}, {right}")


def labels(matrix):
    left, right = np.triu_indices(len(matrix), 1)
    return cluster(len(matrix), left, right, matrix[left, right], lambda a, b: matrix[a, b])


@given(weighed())
def test_each_record_is_in_one_cluster(matrix):
    groups = average_linkage(matrix, 0.0)
    assert sorted(n for group in groups for n in group) == list(range(len(matrix)))


@given(weighed(), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order_of_records(matrix, random):
    order = list(range(len(matrix)))
    random.shuffle(order)
    moved = labels(matrix[np.ix_(order, order)])
    before = labels(matrix)
    assert np.array_equal(
        before[order][:, None] == before[order][None, :], moved[:, None] == moved[None, :]
    )


@given(weighed(), st.data())
def test_two_records_that_are_decided_to_differ_are_never_in_one_cluster(matrix, data):
    a, b = data.draw(st.lists(st.integers(0, len(matrix) - 1), min_size=2, max_size=2, unique=True))
    matrix[a, b] = matrix[b, a] = DIFFERENT
    found = labels(matrix)
    assert found[a] != found[b]


@given(weighed(), st.data())
def test_two_records_that_are_decided_to_be_the_same_are_in_one_cluster(matrix, data):
    a, b = data.draw(st.lists(st.integers(0, len(matrix) - 1), min_size=2, max_size=2, unique=True))
    matrix[a, b] = matrix[b, a] = SAME
    found = labels(matrix)
    assert found[a] == found[b]


@given(weighed(), st.data())
def test_a_chain_of_decisions_is_one_cluster_whatever_stands_against_it(matrix, data):
    size = len(matrix)
    chain = data.draw(st.lists(st.integers(0, size - 1), min_size=2, unique=True))
    for a, b in itertools.combinations(chain, 2):
        matrix[a, b] = matrix[b, a] = data.draw(st.sampled_from([DIFFERENT, matrix[a, b]]))
    for a, b in itertools.pairwise(chain):
        matrix[a, b] = matrix[b, a] = SAME
    found = labels(matrix)
    assert len({int(found[one]) for one in chain}) == 1


def test_a_chain_is_cut_where_its_ends_contradict_each_other():
    weights = np.array([[0, 4, -9], [4, 0, 2], [-9, 2, 0]], dtype=float)
    assert labels(weights).tolist() == [0, 0, 2]


def test_a_label_is_the_smallest_record_of_its_cluster():
    left, right = np.array([1, 3]), np.array([4, 5])
    assert components(6, left, right).tolist() == [0, 1, 2, 3, 1, 3]
    weight = np.array([5.0, 5.0])
    assert cluster(6, left, right, weight, never_asked).tolist() == [0, 1, 2, 3, 1, 3]
