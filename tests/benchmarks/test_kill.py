"""Whatever is killed, and wherever: the store is whole, as before or as after.

`make bench` does so at fifty moments; here are eight, of which each is inside what is critical.
"""

import pytest

from benchmarks.kill import Stage
from benchmarks.kill_operations import EXECUTE, OPERATIONS, Place, make_project

MOMENTS = [
    ("run", Place("crm_quality.engine.golden:write_golden"), 0.0),
    ("run", Place(EXECUTE, "COMMIT"), 0.002),
    ("upgrade", Place("crm_quality.store.connection:migrate"), 0.01),
    ("compact", Place(EXECUTE, "COPY FROM DATABASE"), 0.01),
    ("compact", Place("crm_quality.store.compact:replace"), 0.0),
    ("restore", Place("crm_quality.engine.upkeep:set_aside"), 0.001),
    ("restore", Place("crm_quality.engine.upkeep:replace"), 0.0),
    ("vocabulary", Place("crm_quality.engine.values:replace_file"), 0.0),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    template = make_project(folder / "template", 100)
    made = {}

    def of(name):
        if name not in made:
            made[name] = Stage(name, template, folder)
        return made[name]

    return of


@pytest.mark.parametrize(("operation", "place", "delay"), MOMENTS)
def test_a_killed_operation_leaves_a_whole_store(stage, operation, place, delay):
    left = stage(operation).kill(place, delay, again=False)
    assert left.problem == ""
    assert left.state in {"before", "after"}


def test_moments_are_of_operations_that_there_are():
    assert {operation for operation, _, _ in MOMENTS} <= OPERATIONS.keys()
