"""Every capability that is told of has a test, and the page of them says so."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "capability_table.py"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("capability_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["capability_table"] = module
    spec.loader.exec_module(module)
    return module


def test_every_capability_has_a_test_and_the_page_names_it():
    checked = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_mark_counts_on_tests_and_classes_of_tests(table):
    text = (
        "@pytest.mark.capability(1, 2)\n@pytest.mark.slow\ndef test_one(): ...\n"
        "@pytest.mark.capability(3)\nclass TestLaws: ...\n"
        "def test_unmarked(): ...\n"
    )
    found = table.proofs_in(text, "tests/test_it.py")
    assert [(proof.name, proof.numbers) for proof in found] == [
        ("test_one", (1, 2)), ("TestLaws", (3,))
    ]  # fmt: skip


def test_what_is_missing_and_what_is_not_there_is_told(table):
    proof = table.Proof("tests/test_it.py", "test_one", 3, (1, 9))
    assert table.faults([1, 2, 2], [proof]) == [
        "capability 2 stands twice",
        "capability 2 has no test",
        "capability 2 has no test",
        "tests/test_it.py:3: there is no capability 9 in capabilities.yml",
    ]
