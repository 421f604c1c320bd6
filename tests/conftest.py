"""Small real projects on disk."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from crm_quality import Project

# the generator of benchmarks is a script beside the package
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# CI asks the same questions each time; everybody else's run asks new ones
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def new_project(tmp_path_factory):
    """The folder of a new project with the default rules, to be copied."""
    return Project.create(tmp_path_factory.mktemp("new") / "project").folder


@pytest.fixture
def project(new_project, tmp_path):
    """A new project with the default rules."""
    return Project.open(shutil.copytree(new_project, tmp_path / "project"))


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """2,500 generated contacts, enough to train on: contacts.csv and truth.csv."""
    from benchmarks.generator.command import write_contacts  # noqa: PLC0415 - beside the package

    folder = tmp_path_factory.mktemp("generated")
    write_contacts(2_500, [folder / "contacts.csv"], [folder / "truth.csv"])
    return folder


@pytest.fixture(scope="session")
def stocked(generated, tmp_path_factory):
    """A project that has taken them in; for reading only, see `own_stock`."""
    project = Project.create(tmp_path_factory.mktemp("stocked") / "project")
    project.run(generated / "contacts.csv")
    return project


@pytest.fixture
def own_stock(stocked, tmp_path):
    """A copy of `stocked` to do with as one likes."""
    shutil.copytree(stocked.folder, tmp_path / "own")
    return Project.open(tmp_path / "own")
