"""Small real projects on disk."""

import pytest

from crm_quality import Project


@pytest.fixture
def project(tmp_path):
    """A new project with the default rules."""
    return Project.create(tmp_path / "project")
