"""A first definition for a table that nobody has described yet, from what is in it.

The rules are drafted from a profile and then tried on the very records that were profiled; each
one passes on as many failing records as chance explains in another file like this one, so the
draft is quiet until something changes. That is the approach of Deequ's constraint suggestion and
its ``ConfidenceIntervalStrategy`` (S. Schelter et al., Automating large-scale data quality
verification, VLDB 11, 2018), with the interval of a further sample in place of that of the whole
population, see `crm_quality.validate.intervals.next_share`.
"""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from crm_quality.definitions import EntityDefinition, FieldDefinition, FieldType, fold, rules_of
from crm_quality.definitions.rule_faults import RECORD_COLUMNS
from crm_quality.intake import BOOKKEEPING, Table, take_in
from crm_quality.standardise import standardise
from crm_quality.validate.intervals import Z95, next_share
from crm_quality.validate.profile import MOST_LISTED, Profile
from crm_quality.validate.records import check_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from crm_quality.definitions import RuleSet, Vocabulary

#: Below this fill a rule about completeness would only say that a column is mostly empty.
_LEAST_FILL = 0.2
#: A column is a vocabulary when each of its few values comes this often on the average.
_LEAST_REPEATS = 20
#: ... and no more than this share of them came but once.
_MOST_ONCE = 0.2
#: A shape is a rule when at least this share of values has it.
_LEAST_SHAPE = 0.95
#: A type is dropped when more of the values than this cannot be read as it, or, where they look
#: like it (numbers without a country look like numbers), more than that.
_MOST_UNREAD, _MOST_UNREAD_BUT_ALIKE = 0.1, 0.5
#: Shares below this are told to the hundredth of a percent, others to the tenth.
_SMALL = 0.01
#: Names that records have of their own accord.
_TAKEN = (RECORD_COLUMNS | set(BOOKKEEPING)) - {"source_key"} | {
    "record_id", "version_id", "entity_id", "run_id", "batch_id", "status", "rules_hash", "version",
    "records", "sources", "entity",
}  # fmt: skip
#: Rows, evenly spread, on which types are tried.
_TRIED = 20_000
_LENGTHS = (5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000)
_ONE_SHAPE = frozenset({FieldType.TEXT, FieldType.KEY, FieldType.IDENTIFIER, FieldType.POSTCODE})
_PERSONAL = frozenset({FieldType.EMAIL, FieldType.PHONE})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
_DATES = frozenset({FieldType.DATE, FieldType.DATETIME})
#: Findings that follow from the type that was chosen; they always get a limit.
_OF_THE_TYPE = ("required", "invalid", "unknown")
_NOTES = (*_OF_THE_TYPE, "placeholder", "ambiguous", "repaired", "doubtful")


class Confidence(NamedTuple):
    """How much chance the suggested limits allow for.

    Attributes:
        z: Standard normal deviate of the two-sided interval.
        coming: Rows of the files to come; null = as many as were seen.
    """

    z: float = Z95
    coming: int | None = None


def suggested_definition(
    table: Table,
    seen: Profile,
    entity: str,
    *,
    fields: Mapping[str, str] | None = None,
    like: EntityDefinition | None = None,
    source: str = "",
    as_of: date | None = None,
    confidence: Confidence | None = None,
) -> dict[str, str]:
    """Definition files for a table.

    Args:
        table: The table.
        seen: Its profile.
        entity: Name of the entity that a row stands for.
        fields: Column → the field that it gives; other columns become fields of their own name.
        like: An entity whose fields lend meaning, type and sensitivity to fields of their name.
        source: Name of the source; empty = the entity's.
        as_of: The day that counts as today; null = today.
        confidence: How much chance the limits allow for.

    Returns:
        Path below ``rules/`` → YAML, which `load_rules` reads: the entity, a vocabulary per
        column of few values, and the source with its mapping of columns. Every suggestion has a
        comment that says what it rests on, and all of them pass on ``table``.
    """
    draft = _Draft(seen, entity, dict(fields or {}), like, source or entity)
    while unread := draft.unreadable(table):
        draft.lower(unread)
    draft.limit(draft.tried(table, as_of), confidence or Confidence())
    return draft.files()


class _Draft:
    """The definition while it is made."""

    def __init__(
        self,
        seen: Profile,
        entity: str,
        fields: dict[str, str],
        like: EntityDefinition | None,
        source: str,
    ) -> None:
        self.seen, self.entity, self.source, self.like = seen, entity, source, like
        self.rows: dict[str, dict[str, Any]] = {}
        for row in seen.columns.iter_rows(named=True):
            name = fields.get(row["column"]) or _slug(row["column"])
            if name in _TAKEN:
                name = f"{entity}_{name}"
            if not name or name in self.rows:
                continue
            self.rows[name] = row
        self.kinds = {name: self._kind(name, row) for name, row in self.rows.items()}
        self.limits: dict[str, dict[str, str]] = {}
        self.check_limits: dict[tuple[str, str], str] = {}
        self.dropped: set[str] = set()

    def _known(self, name: str) -> FieldDefinition | None:
        return self.like.fields.get(name) if self.like is not None else None

    def _kind(self, name: str, row: dict[str, Any]) -> FieldType:
        known = self._known(name)
        if known is not None:
            return known.type
        if name == "source_key":
            return FieldType.KEY
        return self._looks(row)

    def _looks(self, row: dict[str, Any]) -> FieldType:
        """What the values look like; few that come again and again are a vocabulary."""
        kind = FieldType(row["type"])
        few = 0 < row["distinct"] <= MOST_LISTED
        repeated = few and row["filled"] / row["distinct"] >= _LEAST_REPEATS
        if kind is not FieldType.TEXT or not repeated:
            return kind
        # of what comes once there is more to come
        once = self.seen.values.filter(column=row["column"], count=1).height
        return FieldType.VOCABULARY if once <= _MOST_ONCE * row["distinct"] else kind

    def unreadable(self, table: Table) -> list[str]:
        """Fields too many of whose values cannot be read as their type."""
        step = -(-table.frame.height // _TRIED) or 1
        few = Table(table.frame.gather_every(step), table.name)
        frame = self._standardised(few, self.rules())
        poor = []
        for name in self.rows:
            column = f"{name}__note"
            if column not in frame.columns or self.kinds[name] is FieldType.TEXT:
                continue
            filled = frame.height - frame[f"{name}__raw"].null_count()
            unread = frame[column].cast(pl.String).is_in(["invalid", "unknown", "ambiguous"]).sum()
            sure = self._looks(self.rows[name]) is self.kinds[name]
            if unread > (_MOST_UNREAD_BUT_ALIKE if sure else _MOST_UNREAD) * filled:
                poor.append(name)
        return poor

    def lower(self, names: list[str]) -> None:
        """Take the type that the values look like, or text if it is that already."""
        for name in names:
            looks = self._looks(self.rows[name])
            known = self._known(name)
            borrowed = known is not None and known.vocabulary is not None
            same = looks is self.kinds[name] and not (borrowed and name not in self.dropped)
            self.kinds[name] = FieldType.TEXT if same else looks
            # the vocabulary that it would have borrowed does not know these values
            self.dropped.add(name)

    def tried(self, table: Table, as_of: date | None) -> pl.DataFrame:
        """How each check ends on the table itself."""
        rules = self.rules()
        frame = self._standardised(table, rules)
        return check_records(frame, rules.entity(self.entity), as_of=as_of).checks

    def limit(self, checks: pl.DataFrame, confidence: Confidence) -> None:
        """Let each rule pass on what chance explains."""
        for row in checks.iter_rows(named=True):
            if row["records"] == 0 or row["field"] is None:
                continue
            share = next_share(row["failing"], row["records"], confidence.coming, confidence.z)
            kind = row["rule"].rpartition(".")[2]
            if kind not in _NOTES:
                self.check_limits[row["field"], kind] = _percent_up(share)
            elif row["failing"] or kind in _OF_THE_TYPE:
                self.limits.setdefault(row["field"], {})[kind] = _percent_up(share)

    def rules(self) -> RuleSet:
        return rules_of(self.files())

    def _standardised(self, table: Table, rules: RuleSet) -> pl.DataFrame:
        intake = take_in(table, rules, source=rules.source(self.source))
        return standardise(
            intake.records[self.entity], rules.entity(self.entity), sources=rules.sources
        )

    def files(self) -> dict[str, str]:
        """Path below ``rules/`` → YAML."""
        whole = CommentedMap(entity=self.entity, meaning=f"One {self.entity}.")
        whole["fields"] = CommentedMap()
        files = {}
        for name, row in self.rows.items():
            whole["fields"][name] = self._field(name, row)
            if self.kinds[name] is FieldType.VOCABULARY:
                files[f"vocabularies/{name}.yml"] = self._vocabulary(name, row)
        whole.yaml_set_start_comment(
            f"Suggested from {self.seen.records:,} rows. Limits allow for chance; read them, and "
            "change what\nyou know better."
        )
        return {
            f"entities/{self.entity}.yml": _yaml(whole),
            **files,
            f"sources/{_slug(self.source)}.yml": self._source(),
        }

    def _field(self, name: str, row: dict[str, Any]) -> CommentedMap:
        kind, known = self.kinds[name], self._known(name)
        field = CommentedMap(meaning=known.meaning if known else f"Column {row['column']}.")
        field["type"] = kind.value
        field.yaml_add_eol_comment(_evidence(row), "type")
        if kind is FieldType.VOCABULARY:
            field["vocabulary"] = name
        if known.personal if known is not None else _may_be_personal(kind, row):
            field["personal"] = True
        if row["fill"] > _LEAST_FILL and kind is not FieldType.KEY:
            field["required"] = "warning" if row["filled"] == row["records"] else "info"
            field.yaml_add_eol_comment(f"{row['fill']:.1%} were filled", "required")
        if limits := self.limits.get(name):
            own = CommentedMap({kind: limits[kind] for kind in _NOTES if kind in limits})
            own.fa.set_flow_style()
            field["limits"] = own
        shapes = self.seen.patterns.filter(column=row["column"])
        if checks := list(self._checks(name, kind, row, shapes)):
            field["checks"] = checks
        return field

    def _checks(
        self, name: str, kind: FieldType, row: dict[str, Any], shapes: pl.DataFrame
    ) -> list[CommentedMap]:
        checks = [
            *_shape_checks(kind, row, shapes),
            *([CommentedMap(check="range", min="0")] if _is_count(kind, row) else []),
            *([CommentedMap(check="range", max="today")] if self._is_past(kind, name) else []),
        ]
        for check in checks:
            if limit := self.check_limits.get((name, check["check"])):
                check["limits"] = CommentedMap(pass_up_to=limit)
        if row["is_key"] and kind not in {FieldType.KEY, *_DATES, *_NUMBERS}:
            checks.append(CommentedMap(check="unique"))
        for check in checks:
            check.fa.set_flow_style()
        return checks

    def _is_past(self, kind: FieldType, name: str) -> bool:
        """A date that was in the future in hardly any row; before that was tried, any date."""
        limit = self.check_limits.get((name, "range"))
        few = limit is None or float(limit.rstrip("%")) <= 100 * _MOST_UNREAD
        return kind in _DATES and few

    def _vocabulary(self, name: str, row: dict[str, Any]) -> str:
        known = self._known(name)
        borrowed = self.like and known and self.like.vocabularies.get(known.vocabulary or "")
        if borrowed and name not in self.dropped:
            return _yaml(_plain_vocabulary(name, borrowed))
        listed: dict[str, Any] = {}
        folded: set[str] = set()
        for value in self.seen.values.filter(column=row["column"])["value"]:
            key = fold(value)
            if key and key not in folded:
                folded.add(key)
                listed[_quoted(" ".join(value.split()))] = {}
        meaning = f"Values of {name}."
        return _yaml(CommentedMap(vocabulary=name, meaning=meaning, values=listed))

    def _source(self) -> str:
        columns = {name: _in_a_line([row["column"]]) for name, row in self.rows.items()}
        source = CommentedMap(source=self.source, entity=self.entity)
        keys = [
            row["column"]
            for name, row in self.rows.items()
            if row["is_key"] and self.kinds[name] not in _DATES
        ]
        if "source_key" not in self.rows and keys:
            source["key"] = _in_a_line(keys[:1])
            source.yaml_add_eol_comment("every row had one of its own", "key")
        source["columns"] = columns
        headers = _in_a_line(row["column"] for row in self.rows.values())
        source["recognised_by"] = [{"all": headers}]
        return _yaml(source)


def _may_be_personal(kind: FieldType, row: dict[str, Any]) -> bool:
    """Texts of many kinds may be about a person until somebody says that they are not."""
    return kind in _PERSONAL or (kind is FieldType.TEXT and row["distinct"] > MOST_LISTED)


def _shape_checks(
    kind: FieldType, row: dict[str, Any], shapes: pl.DataFrame
) -> Iterator[CommentedMap]:
    """Length and pattern of texts."""
    if kind not in _ONE_SHAPE or row["longest"] is None:
        return
    longest = next((size for size in _LENGTHS if size >= row["longest"]), None)
    if longest is not None:
        yield CommentedMap(check="length", max=str(longest))
    if shapes.height and shapes["count"][0] >= _LEAST_SHAPE * row["filled"]:
        yield CommentedMap(check="pattern", regex=_regex(shapes["value"][0]))


def _is_count(kind: FieldType, row: dict[str, Any]) -> bool:
    """A number that was never below zero."""
    return kind in _NUMBERS and row["least"] is not None and not row["least"].startswith("-")


def _slug(column: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column)
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")


def _quoted(text: str) -> str:
    quoted: str = DoubleQuotedScalarString(text)
    return quoted


def _in_a_line(texts: Iterable[str]) -> CommentedSeq:
    listed = CommentedSeq(map(_quoted, texts))
    listed.fa.set_flow_style()
    return listed


def _evidence(row: dict[str, Any]) -> str:
    distinct = f"{row['filled']:,} of {row['records']:,} filled, {row['distinct']:,} distinct"
    looks = f", {row['type_share']:.1%} look like {row['type']}" if row["type_share"] else ""
    return distinct + looks


def _regex(shape: str) -> str:
    parts = {"9": "[0-9]+", "A": r"\p{Lu}+", "a": r"[\p{L}--\p{Lu}]+"}
    return "^" + "".join(parts.get(char, re.escape(char)) for char in shape) + "$"


def _percent_up(share: float) -> str:
    """A share as a percentage of two digits, rounded up."""
    digits = 2 if share < _SMALL else 1
    step = 10 ** (digits + 2)
    return f"{min(math.ceil(share * step - 1e-9) / step * 100, 100):.{digits}f}%"


def _plain_vocabulary(name: str, vocabulary: Vocabulary) -> CommentedMap:
    values = {
        _quoted(value): {
            **({"label": _quoted(details.label)} if details.label else {}),
            **({"synonyms": _in_a_line(details.synonyms)} if details.synonyms else {}),
        }
        for value, details in vocabulary.values.items()
    }
    return CommentedMap(vocabulary=name, meaning=vocabulary.meaning, values=values)


def _yaml(content: CommentedMap) -> str:
    yaml = YAML()
    yaml.width = 100
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()
