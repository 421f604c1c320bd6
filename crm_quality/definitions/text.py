"""YAML text → plain data and the place of every part of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from crm_quality.errors import Fault

if TYPE_CHECKING:
    from pathlib import Path

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"
Way: TypeAlias = tuple[str | int, ...]

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True)
class Document:
    """One YAML file.

    Attributes:
        file: Where it was read from.
        tree: Its data. Every scalar is the text as written (``NO`` is "NO", ``007`` is "007");
            the models turn text into numbers, dates and truth values where they declare them.
        places: Way to a part → its 1-based (line, column).
        faults: Mistakes of the text itself.
    """

    file: Path | None
    tree: Tree = None
    places: dict[Way, tuple[int, int]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def fault(self, way: Way, message: str, hint: str = "") -> Fault:
        """A fault at ``way``, or at the nearest part around it that has a place."""
        for length in range(len(way), -1, -1):
            if place := self.places.get(way[:length]):
                return Fault(self.file, *place, message, hint)
        return Fault(self.file, 0, 0, message, hint)


def parse(text: str, file: Path | None = None) -> Document:
    """Read one YAML document, keeping text as text and remembering places.

    Args:
        text: The YAML.
        file: Its path, for faults.

    Returns:
        The document; with ``faults`` when it is not well formed or repeats a key.
    """
    try:
        node = _composed(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = error.problem or error.context or "not valid YAML"
        return Document(file, faults=(Fault(file, line, column, f"not valid YAML: {problem}"),))
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        problem = f"not valid YAML: the character #x{error.character:04x} is not allowed"
        return Document(file, faults=(Fault(file, line, column, problem),))
    except YAMLError as error:
        return Document(file, faults=(Fault(file, 0, 0, f"not valid YAML: {error}"),))
    if node is None:
        return Document(file, faults=(Fault(file, 0, 0, "the file is empty"),))
    places: dict[Way, tuple[int, int]] = {}
    faults: list[Fault] = []
    tree = _plain(node, (), file, places, faults)
    return Document(file, tree, places, tuple(faults))


@lru_cache(maxsize=128)
def _composed(text: str) -> Node | None:
    """The nodes of a text; a process that opens several projects reads the same pack often."""
    node: Node | None = YAML(typ="rt").compose(text)
    return node


def _plain(
    node: Node,
    way: Way,
    file: Path | None,
    places: dict[Way, tuple[int, int]],
    faults: list[Fault],
) -> Tree:
    places.setdefault(way, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, ScalarNode):
        is_null = node.style in (None, "") and node.value in _NULLS
        # ruamel's round-trip reader marks with a bell where it folded a line
        return None if is_null else str(node.value).replace("\a", "")
    if isinstance(node, SequenceNode):
        return [
            _plain(item, (*way, index), file, places, faults)
            for index, item in enumerate(node.value)
        ]
    if not isinstance(node, MappingNode):
        return None
    mapping: dict[str, Tree] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        if key in mapping:
            first, _ = places[(*way, key)]
            hint = f"it stands in line {first} already; keep one of them"
            faults.append(Fault(file, line, column, f"the key {key!r} is repeated", hint))
            continue
        places[(*way, key)] = (line, column)
        mapping[key] = _plain(value_node, (*way, key), file, places, faults)
    return mapping
