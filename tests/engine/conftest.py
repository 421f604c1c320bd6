"""Projects and rows that wait."""

import shutil

import polars as pl
import pytest

from crm_quality import Project

#: A contact that nobody can be told by, with a value that cannot be read.
NOBODY = {"source": "crm", "source_key": "3", "job_title": "Manager", "email": "mia at harbour"}
BOB = {
    "source": "crm",
    "source_key": "2",
    "first_name": "Bob",
    "last_name": "Okafor",
    "email": "b.okafor@quayside.example",
}


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The folder of a new project whose contacts are not matched."""
    project = Project.create(tmp_path_factory.mktemp("template") / "project")
    (project.folder / "rules" / "matching" / "contact.yml").unlink()
    return project.folder


@pytest.fixture
def unmatched(template, tmp_path):
    """A new project whose contacts are not matched: what quarantine does is seen, and quickly."""
    return Project.open(shutil.copytree(template, tmp_path / "project"))


@pytest.fixture
def rows():
    """A maker of frames of text."""

    def make(*records):
        columns = dict.fromkeys(name for record in records for name in record)
        return pl.DataFrame(list(records), schema=dict.fromkeys(columns, pl.String))

    return make


@pytest.fixture
def nobody():
    return dict(NOBODY)


@pytest.fixture
def bob():
    return dict(BOB)
