"""The steps of average linkage, and what decisions imply."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_quality.match.clusters import average_linkage
from crm_quality.match.decided import Decided, Decision
from crm_quality.match.linkage import linkage, step_between


@given(st.integers(2, 7), st.randoms(use_true_random=False), st.sampled_from([-1.0, 0.0, 2.0]))
def test_the_steps_end_in_the_clusters_of_a_run(size, random, cut):
    matrix = np.zeros((size, size))
    for row in range(size):
        for column in range(row):
            matrix[row, column] = matrix[column, row] = random.choice([-3, -1, 0, 1, 4, 12, 1e6])
    steps = linkage(matrix, cut)
    clusters = average_linkage(matrix, cut)
    of = {row: number for number, group in enumerate(clusters) for row in group}
    for one in range(size):
        for other in range(one):
            step = step_between(steps, one, other)
            assert step.joined == (of[one] == of[other])
            pairs = [matrix[a, b] for a in step.left for b in step.right]
            assert step.weight == pytest.approx(np.mean(pairs))
            assert (step.weight >= cut) == step.joined


DECISIONS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["same", "different"])).filter(
        lambda one: one[0] != one[1]
    ),
    max_size=12,
)


@given(DECISIONS)
def test_decisions_that_fit_never_contradict_each_other(wanted):
    decided = Decided()
    taken = []
    for number, (left, right, verdict) in enumerate(wanted):
        if decided.contradiction(left, right, verdict):
            continue
        decided.add(Decision(number, left, right, verdict))
        taken.append((left, right, verdict))
    for left, right, verdict in taken:
        assert decided.verdict(left, right) == verdict
        assert decided.verdict(right, left) == verdict
    for one in range(7):
        for other in decided.group(one):
            for third in range(7):
                assert decided.verdict(one, third) == decided.verdict(other, third)


@given(DECISIONS, st.integers(0, 6), st.integers(0, 6))
def test_a_chain_leads_from_one_to_the_other_and_turns_once_at_most(wanted, left, right):
    decided = Decided()
    for number, (one, other, verdict) in enumerate(wanted):
        if not decided.contradiction(one, other, verdict):
            decided.add(Decision(number, one, other, verdict))
    chain = decided.chain(left, right)
    verdict = decided.verdict(left, right)
    at = left
    for step in chain:
        assert at in {step.left, step.right}
        at = step.right if at == step.left else step.left
    if left != right:
        assert bool(chain) == (verdict is not None)
    if chain:
        assert at == right
        turns = sum(step.verdict == "different" for step in chain)
        assert turns == (verdict == "different")


def test_the_chain_of_a_contradiction_is_the_shortest_there_is():
    decided = Decided(
        [Decision(1, 1, 2, "same"), Decision(2, 2, 3, "same"), Decision(3, 3, 4, "different")]
    )
    chain = decided.contradiction(1, 4, "same")
    assert [one.decision_id for one in chain] == [1, 2, 3]
    assert decided.contradiction(1, 4, "different") == []
