"""A folder of rules → one checked, frozen `RuleSet`; every fault of every file at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError
from rapidfuzz import process

from crm_quality.definitions.entity import EntityDefinition, FieldDefinition
from crm_quality.definitions.insight import Score, Segment
from crm_quality.definitions.matching import MatchingDefinition
from crm_quality.definitions.process import Lifecycle, Pipeline, Workflow, process_faults
from crm_quality.definitions.references import reference_faults
from crm_quality.definitions.source import SourceDefinition
from crm_quality.definitions.text import Document, Way, parse
from crm_quality.definitions.vocabulary import Vocabulary
from crm_quality.errors import DefinitionError, Fault, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from crm_quality.definitions.model import Definition

_Model = TypeVar("_Model", bound="Definition")

#: Folder → (the model of its files, the key that names the definition).
KINDS: dict[str, tuple[type[Definition], str]] = {
    "vocabularies": (Vocabulary, "vocabulary"),
    "matching": (MatchingDefinition, "matching"),
    "entities": (EntityDefinition, "entity"),
    "sources": (SourceDefinition, "source"),
    "pipelines": (Pipeline, "pipeline"),
    "lifecycles": (Lifecycle, "lifecycle"),
    "workflows": (Workflow, "workflow"),
    "scores": (Score, "score"),
    "segments": (Segment, "segment"),
}


@dataclass(frozen=True)
class RuleSet:
    """All definitions of a project.

    Attributes:
        entities: Name → entity, bound to its vocabularies and matching.
        vocabularies: Name → vocabulary.
        sources: Name → source.
        matching: Name of entity → matching.
        fingerprint: SHA-256 over the contents; equal for rules that mean the same.
        borrowed: Names of sources that come from a mapping file and are no part of the project.
        pipelines: Name → sales process.
        lifecycles: Name of entity → the stages that it goes through.
        workflows: Name → what is done when something happens.
        scores: Name → how much a contact is worth an effort.
        segments: Name → some of the customers.
    """

    entities: Mapping[str, EntityDefinition]
    vocabularies: Mapping[str, Vocabulary]
    sources: Mapping[str, SourceDefinition]
    matching: Mapping[str, MatchingDefinition]
    fingerprint: str = ""
    borrowed: frozenset[str] = frozenset()
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    lifecycles: Mapping[str, Lifecycle] = field(default_factory=dict)
    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)

    def entity(self, name: str) -> EntityDefinition:
        """The entity called ``name``.

        Raises:
            NotFoundError: There is none; the nearest name is in the message.
        """
        return _named(self.entities, name, "entity", "entities")

    def source(self, name: str) -> SourceDefinition:
        """The source called ``name``.

        Raises:
            NotFoundError: There is none; the nearest name is in the message.
        """
        return _named(self.sources, name, "source", "sources")

    def score(self, name: str) -> Score:
        """The score called ``name``.

        Raises:
            NotFoundError: There is none; the nearest name is in the message.
        """
        return _named(self.scores, name, "score", "scores")

    def segment(self, name: str) -> Segment:
        """The segment called ``name``.

        Raises:
            NotFoundError: There is none; the nearest name is in the message.
        """
        return _named(self.segments, name, "segment", "segments")


_T = TypeVar("_T")


def _named(things: Mapping[str, _T], name: str, kind: str, folder: str) -> _T:
    if name in things:
        return things[name]
    known = ", ".join(sorted(things)) or "none"
    raise NotFoundError(f"there is no {kind} {name!r} in rules/{folder} (there are: {known})")


def default_rules_dir() -> Path:
    """The folder of the default rule pack: inside the installed package, or the checkout's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "default_rules"
    return installed if installed.is_dir() else package.parent / "rules"


def default_rules() -> RuleSet:
    """The default rule pack, as `crmq init` copies it into a new project."""
    return load_rules(default_rules_dir())


@dataclass
class _Reading:
    instead: Mapping[Path, str]
    faults: list[Fault] = field(default_factory=list)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    models: dict[str, dict[str, Definition]] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)


def load_rules(folder: Path | str, *, instead: Mapping[Path, str] | None = None) -> RuleSet:
    """Read ``entities/``, ``vocabularies/``, ``sources/`` and the other kinds of a folder.

    Args:
        folder: The project's ``rules`` folder.
        instead: File below ``folder`` → the text that counts in place of what stands in it, to
            try a change before it is written.

    Returns:
        The rules, checked against each other.

    Raises:
        DefinitionError: Any file is wrong; it holds every fault of every file.
    """
    contents = _contents(Path(folder)) if not instead else None
    if contents is not None and contents in _LOADED:
        return _LOADED[contents]
    survey = survey_rules(folder, instead=instead)
    if survey.rules is None:
        raise DefinitionError(survey.faults)
    if contents is not None:
        while len(_LOADED) >= _MOST_LOADED:
            del _LOADED[next(iter(_LOADED))]
        _LOADED[contents] = survey.rules
    return survey.rules


#: Rule sets without a fault, by their contents: a process that opens a project often reads it once.
_LOADED: dict[str, RuleSet] = {}
_MOST_LOADED = 8


def _contents(folder: Path) -> str | None:
    """SHA-256 over the rule files of a folder; null where one cannot be read."""
    digest = hashlib.sha256()
    try:
        for kind in KINDS:
            for file in sorted((folder / kind).glob("*")):
                digest.update(f"{kind}/{file.name}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    except OSError:
        return None
    return digest.hexdigest()


@dataclass(frozen=True)
class RuleSurvey:
    """A folder of rules, right or wrong.

    Attributes:
        faults: Every mistake of every file, by file and line.
        documents: (kind, name) → the file of each definition that could be read.
        files: Every rule file there is, with and without mistakes.
        rules: The rules; null where there is any fault.
    """

    faults: tuple[Fault, ...]
    documents: Mapping[tuple[str, str], Document]
    files: tuple[Path, ...]
    rules: RuleSet | None


def survey_rules(folder: Path | str, *, instead: Mapping[Path, str] | None = None) -> RuleSurvey:
    """Read a folder of rules as `load_rules` does, and tell of faults instead of raising them.

    Raises:
        DefinitionError: The folder is no folder of rules.
    """
    folder = Path(folder)
    if not (folder / "entities").is_dir():
        hint = "run `crmq init DIR` to make a project with the default rules"
        raise DefinitionError([Fault(folder / "entities", 0, 0, "the folder is missing", hint)])
    reading = _Reading(instead or {})
    files = []
    for kind in KINDS:
        reading.models[kind] = {}
        for file in sorted((folder / kind).glob("*.y*ml")):
            files.append(file)
            _read(reading, kind, file)
    return _surveyed(reading, folder, files)


def rules_of(texts: Mapping[str, str]) -> RuleSet:
    """Definitions that are not on disk.

    Args:
        texts: Path below a ``rules`` folder → YAML.

    Returns:
        The rules, checked against each other.

    Raises:
        DefinitionError: Any text is wrong; it holds every fault of every text.
    """
    reading = _Reading({Path(path): text for path, text in texts.items()})
    reading.models |= {kind: {} for kind in KINDS}
    for kind in KINDS:
        for file in reading.instead:
            if file.parts[0] == kind:
                _read(reading, kind, file)
    survey = _surveyed(reading, Path(), list(reading.instead))
    if survey.rules is None:
        raise DefinitionError(survey.faults)
    return survey.rules


def _surveyed(reading: _Reading, folder: Path, files: Sequence[Path]) -> RuleSurvey:
    """Definitions that were read, checked against each other."""
    entities, vocabularies, sources, matching = _models(reading.models)
    found = [
        *reference_faults(entities, vocabularies, sources, matching, frozenset(reading.broken)),
        *process_faults(
            entities,
            vocabularies,
            _of(reading.models, "pipelines", Pipeline),
            _of(reading.models, "lifecycles", Lifecycle),
            _of(reading.models, "workflows", Workflow),
            frozenset(reading.broken),
        ),
    ]
    for kind, name, way, message, hint in found:
        document = reading.documents.get((kind, name), Document(folder))
        reading.faults.append(document.fault(way, message, hint))
    faults = tuple(sorted(reading.faults, key=lambda f: (str(f.file), f.line)))
    rules = None if faults else _bound(reading.models)
    return RuleSurvey(faults, reading.documents, tuple(files), rules)


def _models(
    models: Mapping[str, Mapping[str, Definition]],
) -> tuple[
    dict[str, EntityDefinition],
    dict[str, Vocabulary],
    dict[str, SourceDefinition],
    dict[str, MatchingDefinition],
]:
    """Entities, vocabularies, sources and matchings."""
    return (
        _of(models, "entities", EntityDefinition),
        _of(models, "vocabularies", Vocabulary),
        _of(models, "sources", SourceDefinition),
        _of(models, "matching", MatchingDefinition),
    )


def _bound(models: Mapping[str, Mapping[str, Definition]]) -> RuleSet:
    entities, vocabularies, sources, matching = _models(models)
    bound = {
        name: entity.model_copy(
            update={
                "vocabularies": _used_by(entity, vocabularies),
                "matching": matching.get(name),
            }
        )
        for name, entity in entities.items()
    }
    return RuleSet(
        bound,
        vocabularies,
        sources,
        matching,
        _fingerprint(models),
        pipelines=_of(models, "pipelines", Pipeline),
        lifecycles=_of(models, "lifecycles", Lifecycle),
        workflows=_of(models, "workflows", Workflow),
        scores=_of(models, "scores", Score),
        segments=_of(models, "segments", Segment),
    )


def rules_as_json(rules: RuleSet) -> str:
    """The project's definitions as one JSON object; `rules_from_json` makes them again."""
    own = {name: of for name, of in rules.sources.items() if name not in rules.borrowed}
    kinds: dict[str, Mapping[str, Definition]] = {
        "entities": rules.entities,
        "vocabularies": rules.vocabularies,
        "sources": own,
        "matching": rules.matching,
        "pipelines": rules.pipelines,
        "lifecycles": rules.lifecycles,
        "workflows": rules.workflows,
        "scores": rules.scores,
        "segments": rules.segments,
    }
    return json.dumps(
        {
            kind: {
                name: model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                for name, model in sorted(named.items())
            }
            for kind, named in kinds.items()
        },
        sort_keys=False,
    )


def rules_from_json(text: str) -> RuleSet:
    """The rules that `rules_as_json` wrote down.

    Raises:
        DefinitionError: They are not rules of this version.
    """
    tree = json.loads(text)
    try:
        return _bound(
            {
                kind: {
                    name: model.model_validate(plain) for name, plain in tree.get(kind, {}).items()
                }
                for kind, (model, _) in KINDS.items()
            }
        )
    except (ValidationError, KeyError) as error:
        message = f"the rules that were kept are not those of this version: {error}"
        raise DefinitionError([Fault(None, 0, 0, message)]) from error


def definition_file(folder: Path | str, kind: str, name: str) -> Path:
    """The file below a project's ``rules`` folder that defines ``name``, such as a vocabulary.

    Args:
        folder: The ``rules`` folder.
        kind: One of `KINDS`, such as ``vocabularies``.
        name: What is defined.

    Raises:
        NotFoundError: No file does.
    """
    files = sorted((Path(folder) / kind).glob("*.y*ml"))
    # nearly always the file is called like what it defines
    for file in sorted(files, key=lambda file: file.stem != name):
        tree = parse(file.read_text(encoding="utf-8"), file).tree
        if isinstance(tree, dict) and tree.get(KINDS[kind][1]) == name:
            return file
    raise NotFoundError(f"no file in {Path(folder) / kind} defines {name!r}")


def _of(
    models: Mapping[str, Mapping[str, Definition]], kind: str, model: type[_Model]
) -> dict[str, _Model]:
    return {n: m for n, m in models.get(kind, {}).items() if isinstance(m, model)}


def _used_by(
    entity: EntityDefinition, vocabularies: Mapping[str, Vocabulary]
) -> dict[str, Vocabulary]:
    named = {f.vocabulary for f in entity.fields.values() if f.vocabulary}
    return {name: vocabularies[name] for name in sorted(named)}


def _fingerprint(models: Mapping[str, Mapping[str, Definition]]) -> str:
    plain = {
        kind: {name: model.model_dump(mode="json") for name, model in sorted(named.items())}
        for kind, named in sorted(models.items())
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _read(reading: _Reading, kind: str, file: Path) -> None:
    model, name_key = KINDS[kind]
    try:
        text = reading.instead.get(file) or file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reading.faults.append(Fault(file, 0, 0, f"cannot be read: {error}", "save it as UTF-8"))
        return
    document = parse(text, file)
    reading.faults.extend(document.faults)
    if document.faults:
        reading.broken.add((kind, file.stem))
        return
    try:
        definition = model.model_validate(document.tree)
    except ValidationError as error:
        reading.faults.extend(faults_of(document, model, error.errors()))
        tree = document.tree if isinstance(document.tree, dict) else {}
        reading.broken.add((kind, str(tree.get(name_key, file.stem))))
        return
    name = str(getattr(definition, name_key))
    if (first := reading.documents.get((kind, name))) is not None:
        message = f"{name_key} {name!r} is defined already in {first.file}"
        reading.faults.append(document.fault((name_key,), message, "rename one of them"))
        return
    reading.documents[kind, name] = document
    reading.models[kind][name] = definition


def faults_of(
    document: Document, model: type[Definition], errors: Iterable[ErrorDetails]
) -> list[Fault]:
    """The mistakes that pydantic found, each with its place, in plain words and with a hint."""
    faults = []
    for error in errors:
        way = tuple(part for part in error["loc"] if part != "[key]")
        message, hint = _worded(model, way, error)
        faults.append(document.fault(way, message, hint))
    return faults


def _worded(model: type[Definition], way: Way, error: ErrorDetails) -> tuple[str, str]:
    """What is wrong in plain words, and the nearest word that would be right."""
    kind = error["type"]
    word = str(way[-1]) if way else ""
    if kind == "extra_forbidden":
        return f"unknown key {word!r}", _nearest(word, _keys_near(model, way[:-1]))
    if kind == "missing":
        return f"the key {word!r} is missing", "add it"
    if kind in {"enum", "literal_error"}:
        given = str(error["input"])
        expected = str(error.get("ctx", {}).get("expected", ""))
        words = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
        return f"{word}: {given!r} is not one of {expected}", _nearest(given, words)
    if kind == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"])), ""
    return f"{word}: {error['msg']}, found {error['input']!r}", ""


def _nearest(word: str, words: Iterable[str]) -> str:
    choices = [w for w in words if w]
    best = process.extractOne(word, choices, score_cutoff=60)
    if best is not None:
        return f"did you mean {best[0]!r}?"
    return f"possible: {', '.join(choices)}" if choices else ""


def _keys_near(model: type[Definition], way: Way) -> list[str]:
    """The keys that the model at ``way`` knows."""
    from crm_quality.definitions.schema import model_at  # noqa: PLC0415 - avoids a cycle

    found = model_at(model, way)
    return [info.alias or name for name, info in found.model_fields.items()] if found else []


__all__ = ["FieldDefinition", "RuleSet", "default_rules", "default_rules_dir", "load_rules"]
