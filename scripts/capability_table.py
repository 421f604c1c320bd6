"""Write docs/reference/capabilities.md: what users can rely on, and the tests that prove it.

``docs/capabilities.yml`` says what there is; tests say which of it they prove by the mark
``@pytest.mark.capability(number, …)``. The tests are read, not run. With ``--check`` nothing is
written: it tells whether the page is so, every capability has a test, and no test names another.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
LISTED = ROOT / "docs" / "capabilities.yml"
PAGE = ROOT / "docs" / "reference" / "capabilities.md"
TESTS = ROOT / "tests"
MARK = "pytest.mark.capability"

HEAD = """\
# What you can rely on, and what proves it

Written from `docs/capabilities.yml` and the marks of the tests by `make docs`; a test keeps it true
and fails where a capability has no test. `pytest -m capability` runs all of them.
"""


@dataclass(frozen=True)
class Proof:
    """A test that proves capabilities.

    Attributes:
        file: Where it stands, from the root of the repository.
        name: Its name; that of a class of tests where the class is marked.
        line: Where it begins, from 1.
        numbers: The capabilities.
    """

    file: str
    name: str
    line: int
    numbers: tuple[int, ...]


def proofs_in(text: str, file: str) -> list[Proof]:
    """The marked tests of a module.

    Raises:
        ValueError: A mark names something other than numbers.
    """
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        numbers: list[int] = []
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == MARK:
                numbers += [int(ast.literal_eval(argument)) for argument in mark.args]
        if numbers:
            found.append(Proof(file, node.name, node.lineno, tuple(numbers)))
    return sorted(found, key=lambda proof: proof.line)


def proofs() -> list[Proof]:
    """The marked tests of all modules, in order of files and lines."""
    return [
        proof
        for file in sorted(TESTS.rglob("test_*.py"))
        for proof in proofs_in(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix())
    ]


def faults(numbers: list[int], found: list[Proof]) -> list[str]:
    """What is wrong with a list of capabilities and the tests that are said to prove them."""
    proven = {number for proof in found for number in proof.numbers}
    told = [f"capability {n} stands twice" for n in sorted(set(numbers)) if numbers.count(n) > 1]
    told += [f"capability {n} has no test" for n in numbers if n not in proven]
    told += [
        f"{proof.file}:{proof.line}: there is no capability {n} in {LISTED.name}"
        for proof in found
        for n in proof.numbers
        if n not in numbers
    ]
    return told


def page(areas: dict[str, list[dict[str, object]]], found: list[Proof]) -> str:
    """The page as Markdown."""
    by_number: dict[int, list[Proof]] = defaultdict(list)
    for proof in found:
        for number in proof.numbers:
            by_number[number].append(proof)
    parts = [HEAD]
    for area, rows in areas.items():
        lines = [f"\n## {area}\n", "| # | Capability | You can rely on it that | Proven by |",
                 "| --- | --- | --- | --- |"]  # fmt: skip
        for row in rows:
            tests = "<br>".join(
                f"[{proof.name.removeprefix('test_').replace('_', ' ')}](../../{proof.file})"
                for proof in by_number[int(str(row["number"]))]
            )
            lines.append(f"| {row['number']} | {row['name']} | {row['promise']} | {tests} |")
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def main() -> int:
    """Write or check the page; 1 = something is wrong, and said."""
    areas = YAML(typ="safe").load(LISTED.read_text(encoding="utf-8"))
    found = proofs()
    numbers = [int(row["number"]) for rows in areas.values() for row in rows]
    told = faults(numbers, found)
    text = page(areas, found)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        told.append(f"{PAGE.name} is out of date: run make docs")
    for fault in told:
        print(fault, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    raise SystemExit(main())
