"""A small business whose contacts are not matched, so that a project is quick."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from datetime import datetime

import polars as pl
import pytest

from crm_quality import Project

CONTACTS = [
    {"source_key": "1", "first_name": "Ann", "last_name": "Lee", "email": "ann@lee-family.org"},
    {"source_key": "2", "first_name": "Anne", "last_name": "Lee", "email": "anne@lee-works.com"},
    {"source_key": "3", "first_name": "Bob", "last_name": "Berg", "email": "bob@berg.example.net"},
]
#: When these reports are read.
NOW = datetime(2026, 6, 15, 12)


def frame(rows):
    """Rows as a frame of text; what a row does not say is null."""
    columns = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame(
        [{name: None if row.get(name) is None else str(row[name]) for name in columns}
         for row in rows],
        schema=dict.fromkeys(columns, pl.String),
    )  # fmt: skip


class Business:
    """A project and short ways to fill and ask it."""

    def __init__(self, project):
        self.project = project
        self.crm = project.crm

    def take(self, entity, *rows):
        """Take in rows of ``entity`` from the source crm."""
        return self.project.run(frame(list(rows)), source="crm", entity=entity)

    def ask(self, query, now=NOW):
        """The rows of a query, as dicts."""
        with self.crm._reading(now) as store:
            return store.frame(query).to_dicts()

    @contextmanager
    def merged(self, keep=1, gone=2, now=NOW):
        """The store with one contact merged into another, for the time of the block."""
        with (
            suppress(_BackError),
            self.crm._reading(now) as store,
            store.transaction(),
        ):
            store.execute(
                "UPDATE matching.membership SET entity_id = ? WHERE entity_id = ?", [keep, gone]
            )
            store.execute("DELETE FROM crm.contact WHERE entity_id = ?", [gone])
            yield store
            raise _BackError


class _BackError(Exception):
    """Takes a transaction back."""


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The folder of a project that has taken in the contacts."""
    made = Project.create(tmp_path_factory.mktemp("business") / "project")
    (made.folder / "rules" / "matching" / "contact.yml").unlink()
    business = Business(Project.open(made.folder))
    business.take("contact", *CONTACTS)
    return made.folder


@pytest.fixture(scope="module")
def business_with(template, tmp_path_factory):
    """A maker of businesses with settings of their own."""

    def make(config=""):
        folder = shutil.copytree(template, tmp_path_factory.mktemp("business") / "project")
        file = folder / "crmq.yml"
        file.write_text(file.read_text() + config)
        return Business(Project.open(folder))

    return make


@pytest.fixture
def fresh(template, tmp_path):
    """A maker of a business of one's own, with workflows (name → YAML) beside the default ones."""

    def make(**workflows):
        folder = shutil.copytree(template, tmp_path / "project")
        for name, text in workflows.items():
            (folder / "rules" / "workflows" / f"{name}.yml").write_text(text)
        return Business(Project.open(folder))

    return make
