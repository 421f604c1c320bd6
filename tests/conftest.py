"""Small real projects on disk."""

import os

import pytest
from hypothesis import settings

from crm_quality import Project

# CI asks the same questions each time; everybody else's run asks new ones
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture
def project(tmp_path):
    """A new project with the default rules."""
    return Project.create(tmp_path / "project")
