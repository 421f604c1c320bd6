"""A vocabulary's YAML with more spellings in it, and every other character as it was.

ruamel.yaml says where each part stands; only the new words are written there. Its own round trip
keeps comments too, but lays the lists of the whole file out anew, and a steward who accepts one
word would see hundreds of changed lines. It is used where a file's form leaves no place to write
to (aliases, merge keys), and what was written is read back and compared before it is given out.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from crm_quality.definitions.text import parse
from crm_quality.errors import DefinitionError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from crm_quality.definitions.text import Tree

#: Longer lines are broken, as long as they are lists in brackets.
_WIDTH = 120


def with_spellings(
    text: str,
    synonyms: Mapping[str, Sequence[str]],
    new_values: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> str:
    """Write synonyms and accepted values into a vocabulary.

    Args:
        text: The file's text.
        synonyms: Accepted value → its further synonyms; the value is there or is new.
        new_values: Accepted value that is not there yet → its label, which may be empty.
        file: Its path, for messages.

    Returns:
        The text with the words added, everything else to the letter as it was, wherever the
        file's form allows it.

    Raises:
        DefinitionError: The text is no YAML.
        RefusedError: The words cannot be written by a program; says where to write them by hand.
    """
    document = parse(text, file)
    if document.faults:
        raise DefinitionError(document.faults)
    wanted = _wanted(document.tree, synonyms, new_values or {})
    for write in (_in_place, _laid_out_anew):
        try:
            written = write(text, synonyms, new_values or {})
        except _NoPlaceError:
            continue
        read_back = parse(written, file)
        if not read_back.faults and _full(read_back.tree) == wanted:
            return written
    raise RefusedError(
        f"{file or 'the vocabulary'} has a form that no program can add to without changing more; "
        f"write {', '.join(word for words in synonyms.values() for word in words)} by hand"
    )


class _NoPlaceError(Exception):
    """The text has no place where the words could be written."""


def _full(tree: Any) -> Any:  # noqa: ANN401 - any YAML
    """The data with every short form of a value written out."""
    if not isinstance(tree, dict) or not isinstance(tree.get("values"), dict):
        return tree
    values = {}
    for value, details in tree["values"].items():
        whole = {"synonyms": details} if isinstance(details, list) else dict(details or {})
        values[value] = {**whole, "synonyms": list(whole.get("synonyms") or [])}
    return {**tree, "values": values}


def _wanted(
    tree: Tree, synonyms: Mapping[str, Sequence[str]], new_values: Mapping[str, str]
) -> Any:  # noqa: ANN401 - any YAML
    whole = _full(tree)
    for value, label in new_values.items():
        whole["values"][value] = {**({"label": label} if label else {}), "synonyms": []}
    for value, texts in synonyms.items():
        whole["values"][value]["synonyms"] += texts
    return whole


# In place ------------------------------------------------------------------------------------


def _in_place(
    text: str, synonyms: Mapping[str, Sequence[str]], new_values: Mapping[str, str]
) -> str:
    values = _child(YAML(typ="rt").compose(text), "values")
    if not isinstance(values, MappingNode) or not values.value:
        raise _NoPlaceError
    edits: list[tuple[int, int, str]] = []
    for value, texts in synonyms.items():
        if value not in new_values and texts:
            edits.append(_synonym_edit(text, values, value, texts))
    if new_values:
        added = {value: (label, synonyms.get(value, ())) for value, label in new_values.items()}
        edits.append(_value_edit(text, values, added))
    for start, end, words in sorted(edits, reverse=True):
        text = text[:start] + words + text[end:]
    return text


def _synonym_edit(
    text: str, values: MappingNode, value: str, texts: Sequence[str]
) -> tuple[int, int, str]:
    key, details = next(pair for pair in values.value if str(pair[0].value) == value)
    whole = f"[{', '.join(map(_scalar, texts))}]"
    if isinstance(details, ScalarNode):
        return _instead_of_nothing(text, key, details, whole)
    if isinstance(details, SequenceNode):
        return _item_edit(text, details, texts)
    listed = _child(details, "synonyms")
    if isinstance(listed, SequenceNode):
        return _item_edit(text, listed, texts)
    if isinstance(listed, ScalarNode):
        name = next(name for name, node in details.value if node is listed)
        return _instead_of_nothing(text, name, listed, whole)
    if listed is not None or not isinstance(details, MappingNode):
        raise _NoPlaceError
    if details.flow_style:
        return _entry_in_braces(details, f"synonyms: {whole}")
    first = details.value[0][0]
    at = _after(text, _last_leaf(details))
    return (
        at,
        at,
        f"{_line_before(text, at)}{' ' * first.start_mark.column}synonyms: {whole}{_end(text)}",
    )


def _value_edit(
    text: str, values: MappingNode, added: Mapping[str, tuple[str, Sequence[str]]]
) -> tuple[int, int, str]:
    entries = []
    for value, (label, texts) in added.items():
        parts = [f"label: {_scalar(label)}"] if label else []
        if texts:
            parts.append(f"synonyms: [{', '.join(map(_scalar, texts))}]")
        entries.append(f"{_scalar(value)}: {{{', '.join(parts)}}}")
    if values.flow_style:
        return _entry_in_braces(values, ", ".join(entries))
    indent = " " * values.value[0][0].start_mark.column
    at = _after(text, _last_leaf(values))
    lines = "".join(f"{indent}{entry}{_end(text)}" for entry in entries)
    return at, at, _line_before(text, at) + lines


def _item_edit(text: str, listed: SequenceNode, texts: Sequence[str]) -> tuple[int, int, str]:
    """Further items of a list, in brackets or one a line."""
    if not listed.value:
        start, end = listed.start_mark.index, listed.end_mark.index
        return start, end, f"[{', '.join(map(_scalar, texts))}]"
    last = listed.value[-1]
    if not listed.flow_style:
        # the mark of a list without brackets stands at its first dash
        indent = " " * listed.start_mark.column
        at = _after(text, last)
        lines = "".join(f"{indent}- {_scalar(word)}{_end(text)}" for word in texts)
        return at, at, _line_before(text, at) + lines
    at = last.end_mark.index
    column = at - (text.rfind("\n", 0, at) + 1)
    indent = listed.value[0].start_mark.column
    added = ""
    for word in map(_scalar, texts):
        if column + len(word) + 2 > _WIDTH and indent:
            added += f",{_end(text)}{' ' * indent}{word}"
            column = indent + len(word)
        else:
            added += f", {word}"
            column += len(word) + 2
    return at, at, added


def _entry_in_braces(mapping: MappingNode, entry: str) -> tuple[int, int, str]:
    if not mapping.value:
        start, end = mapping.start_mark.index, mapping.end_mark.index
        return start, end, f"{{{entry}}}"
    key, child = mapping.value[-1]
    at = (key if _is_blank(child) else child).end_mark.index
    return at, at, f", {entry}"


def _instead_of_nothing(
    text: str, key: Node, nothing: ScalarNode, whole: str
) -> tuple[int, int, str]:
    """A list where ``key:`` has no value, or one of YAML's words for nothing."""
    if nothing.value and nothing.style in (None, ""):
        return nothing.start_mark.index, nothing.end_mark.index, whole
    at = text.index(":", key.end_mark.index) + 1
    return at, at, f" {whole}"


def _child(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else ()
    return next((child for key, child in pairs if str(key.value) == name), None)


def _last_leaf(node: Node) -> Node:
    """The part of ``node`` whose end is where the text of ``node`` ends."""
    if not isinstance(node, SequenceNode | MappingNode) or node.flow_style or not node.value:
        return node
    if isinstance(node, SequenceNode):
        return _last_leaf(node.value[-1])
    key, child = node.value[-1]
    return _last_leaf(key if _is_blank(child) else child)


def _is_blank(node: Node) -> bool:
    return isinstance(node, ScalarNode) and not node.value and node.style in (None, "")


def _after(text: str, node: Node) -> int:
    """Where the line after ``node`` begins."""
    at: int = node.end_mark.index
    if text[at - 1 : at] == "\n":  # a text of several lines ends with its last one
        return at
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _line_before(text: str, at: int) -> str:
    return "" if not at or text[at - 1] == "\n" else _end(text)


def _end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _scalar(word: str) -> str:
    """A word as YAML within brackets reads it back: bare where that is safe."""
    plain = parse(f"[{word}]").tree if word.isprintable() and "#" not in word else None
    yaml_words = {"null", "~", "true", "false", "yes", "no", "on", "off", "y", "n"}
    if plain == [word] and word.lower() not in yaml_words and not word[:1].isdigit():
        return word
    if word.isprintable():
        return "'" + word.replace("'", "''") + "'" if '"' in word or "\\" in word else f'"{word}"'
    return '"' + "".join(_escaped(char) for char in word) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return f"\\U{ord(char):08X}"


# Laid out anew -------------------------------------------------------------------------------


def _laid_out_anew(
    text: str, synonyms: Mapping[str, Sequence[str]], new_values: Mapping[str, str]
) -> str:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    content = yaml.load(text)
    values = content["values"] if isinstance(content, CommentedMap) else None
    if not isinstance(values, CommentedMap):
        raise _NoPlaceError
    for value, label in new_values.items():
        values[value] = CommentedMap({"label": label} if label else {})
    for value, texts in synonyms.items():
        _add(values, value, texts)
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue().replace("\n", _end(text))


def _add(values: CommentedMap, value: str, texts: Sequence[str]) -> None:
    details = values.get(value)
    if isinstance(details, CommentedSeq):
        # a copy, because others may be aliases of the list
        values[value] = CommentedSeq([*details, *texts])
    elif isinstance(details, CommentedMap):
        details["synonyms"] = CommentedSeq([*(details.get("synonyms") or ()), *texts])
    else:
        values[value] = CommentedSeq(texts)
