from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Protocol

import pytest

from crm_quality.definitions import RuleSet, load_rules
from crm_quality.errors import DefinitionError, Fault

if TYPE_CHECKING:
    from pathlib import Path

SMALL = """
    entity: person
    owner: steward
    fields:
      name: {meaning: Name of the person., type: surname}
"""


class Written(Protocol):
    def __call__(self, files: dict[str, str]) -> RuleSet: ...


@pytest.fixture
def rules(tmp_path: Path) -> Written:
    """Load files written into a folder of rules; ``entities/person.yml`` is there if not given."""

    def load(files: dict[str, str]) -> RuleSet:
        for name, text in {"entities/person.yml": SMALL, **files}.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return load_rules(tmp_path)

    return load


class Faults(Protocol):
    def __call__(self, files: dict[str, str]) -> tuple[Fault, ...]: ...


@pytest.fixture
def faults(rules: Written) -> Faults:
    """All faults of files that cannot be loaded."""

    def found(files: dict[str, str]) -> tuple[Fault, ...]:
        with pytest.raises(DefinitionError) as raised:
            rules(files)
        return raised.value.faults

    return found
