"""The scorecard: what it says, as plain frozen values that JSON, terminal and page share.

Shares lie between 0 and 1, scores between 0 and 100; null = nothing to measure. ``rows`` is the SQL
that gives the rows behind a figure, to be run on the store.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date, datetime

    from crm_quality.audit.people import KeeperLine, OwnerLine, TeamLine

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Counts:
    """How many records and entities there are.

    Attributes:
        received: Source records ever received: accepted + quarantined + ended.
        accepted: Records with an accepted version that their source still has.
        quarantined: Records that were never accepted and wait.
        waiting: Accepted records with a later version that waits in quarantine.
        ended: Records that their source has deleted.
        golden: Golden records.
        duplicates: Accepted records beyond the first of their golden record.
        duplicate_share: Duplicates / accepted.
        merged: Golden records with more than one record behind them.
        largest: Records behind the golden record that has most.
        with_issues: Live records with an issue of any severity.
        errors: Issues of severity error.
        warnings: Issues of severity warning.
        infos: Issues of severity info.
        unplaced: Rows in force that name a customer who is not known or waits in quarantine; null
            = the entity hangs on no customer.
    """

    received: int
    accepted: int
    quarantined: int
    waiting: int
    ended: int
    golden: int
    duplicates: int
    duplicate_share: float | None
    merged: int
    largest: int
    with_issues: int
    errors: int
    warnings: int
    infos: int
    unplaced: int | None = None

    @property
    def issues(self) -> int:
        """Issues of every severity."""
        return self.errors + self.warnings + self.infos


@dataclass(frozen=True)
class DimensionScore:
    """One dimension: ``score`` = 100 * good / total; ``left`` says what the others are."""

    dimension: str
    title: str
    left: str
    score: float | None
    good: int
    total: int
    counts: str
    formula: str
    rows: str
    previous: float | None = None


@dataclass(frozen=True)
class ClusterSize:
    """Golden records with ``least`` to ``most`` (null = any number of) records behind them."""

    least: int
    most: int | None
    entities: int
    records: int

    @property
    def label(self) -> str:
        """The span in words."""
        if self.most is None:
            return f"{self.least}+"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


@dataclass(frozen=True)
class SourceLine:
    """One source.

    Attributes:
        source: Its name.
        title: The system and the export, for people; empty when the rules do not know it.
        received: Records ever received.
        accepted: Live accepted records.
        quarantined: Live records that wait.
        ended: Records it has deleted.
        issues: Issues of its live records.
        with_issues: Its live records that have any.
        shared: Accepted records whose golden record has other records too.
        duplicates: Accepted records beyond the first of their golden record inside this source.
        duplicate_share: ``shared`` / accepted.
        first: Golden records that it brought first: new to the store.
        only_here: Golden records that no other source has.
        score: Mean of ``dimensions``.
        dimensions: Dimension → score of its records.
        rows: Its live records.
    """

    source: str
    title: str
    received: int
    accepted: int
    quarantined: int
    ended: int
    issues: int
    with_issues: int
    shared: int
    duplicates: int
    duplicate_share: float | None
    first: int
    only_here: int
    score: float | None
    dimensions: dict[str, float]
    rows: str


@dataclass(frozen=True)
class FieldLine:
    """One field.

    Attributes:
        field: Its name.
        label: Its name in words.
        meaning: What it says.
        owner: Who answers for it.
        personal: Whether it holds personal data.
        asked_for: ``always``, ``sometimes`` or empty: whether the rules require it.
        filled: Live records with a value.
        fill_rate: ``filled`` / live records.
        given: Live records in which something was written, good or bad.
        valid: Of these, the ones with a good value.
        validity: ``valid`` / ``given``.
        distinct: Distinct values among live records; about, when ``distinct_is_estimate``.
        distinct_is_estimate: Whether ``distinct`` is an estimate (HyperLogLog).
        golden_filled: Golden records with a value.
        golden_fill_rate: ``golden_filled`` / golden records.
        issues: Issues of the field.
        by_source: Source → fill rate.
        rows: Live records without a value.
        wrong_rows: Values that are not valid.
        golden_rows: Golden records without a value.
    """

    field: str
    label: str
    meaning: str
    owner: str
    personal: bool
    asked_for: str
    filled: int
    fill_rate: float | None
    given: int
    valid: int
    validity: float | None
    distinct: int
    distinct_is_estimate: bool
    golden_filled: int
    golden_fill_rate: float | None
    issues: int
    by_source: dict[str, float | None]
    rows: str
    wrong_rows: str
    golden_rows: str


@dataclass(frozen=True)
class Example:
    """One finding; ``value`` is masked where the scorecard is."""

    record_id: int
    source: str
    source_key: str
    value: str | None
    suggestion: str | None


@dataclass(frozen=True)
class IssueLine:
    """One rule that is broken.

    Attributes:
        rule: Its stable code.
        field: The field to mend; null = the whole record.
        label: The field in words; empty = the whole record.
        severity: error, warning or info.
        dimension: What it measures.
        title: What holds when it is kept.
        fault: What is wrong, short.
        advice: What to do.
        owner: Who answers for it.
        issues: How many there are.
        records: Live records that have it.
        share: ``records`` / live records.
        by_source: Source → issues.
        examples: A few of them.
        rows: All of them.
    """

    rule: str
    field: str | None
    label: str
    severity: str
    dimension: str
    title: str
    fault: str
    advice: str
    owner: str
    issues: int
    records: int
    share: float | None
    by_source: dict[str, int]
    examples: tuple[Example, ...]
    rows: str


@dataclass(frozen=True)
class Checks:
    """How the rules of the entity ended, over the whole store: the parts add up to ``rules``.

    Attributes:
        rules: How many there are.
        kept: Rules that have looked at something and have no issue in force.
        broken: Rules with an issue in force.
        idle: Rules that have had nothing to look at, for want of a column or a value.
        failed: Rules that could not be run; their codes.
    """

    rules: int
    kept: int
    broken: int
    idle: int
    failed: tuple[str, ...]


@dataclass(frozen=True)
class UnknownValue:
    """A text that is not in its field's vocabulary."""

    field: str
    value: str
    records: int
    sources: tuple[str, ...]
    suggestion: str | None


@dataclass(frozen=True)
class Spelling:
    """One text and how many records write it so; null = none: the source itself gave the value."""

    text: str | None
    records: int


@dataclass(frozen=True)
class ValueLine:
    """One accepted value (null: none was understood) and the texts that became it."""

    value: str | None
    label: str
    records: int
    spellings: int
    texts: tuple[Spelling, ...]


@dataclass(frozen=True)
class VocabularyTable:
    """A vocabulary field before and after: the records of ``lines`` add up to ``records``."""

    field: str
    label: str
    records: int
    texts: int
    values: int
    lines: tuple[ValueLine, ...]
    rows: str


@dataclass(frozen=True)
class Cost:
    """One thing that poor data costs: ``count`` of ``total``, by ``formula``.

    Attributes:
        unit_cost: What one of them costs, as crmq.yml says; null = nobody has said.
        amount: ``count`` times ``unit_cost``, in the scorecard's currency.
    """

    cost: str
    title: str
    count: int
    total: int
    share: float | None
    unit: str
    meaning: str
    formula: str
    rows: str
    unit_cost: float | None = None
    amount: float | None = None


@dataclass(frozen=True)
class HistoryPoint:
    """The store after one run; null = the run did not measure it."""

    run_id: int
    as_of: date
    finished_at: datetime
    records: int | None
    golden: int | None
    quarantined: int | None
    issues: int | None
    duplicate_share: float | None
    score: float | None


@dataclass(frozen=True)
class Drift:
    """A rate that left its own history, see `crm_quality.audit.history`."""

    field: str | None
    source: str | None
    metric: str
    now: float
    usual: float
    least: float
    most: float
    runs: int


@dataclass(frozen=True)
class Gate:
    """A target, and whether it is met.

    Attributes:
        figure: What is measured.
        title: The same in words, without its entity.
        entity: Of what; null = of the store.
        target: Its least value, 0 to 100.
        actual: Its value; null = it cannot be measured, so the target is not met.
        met: Whether it is.
    """

    figure: str
    title: str
    entity: str | None
    target: float
    actual: float | None
    met: bool


@dataclass(frozen=True)
class EntityCard:
    """Everything about one entity.

    Attributes:
        entity: Its name.
        title: Its records in words.
        noun: What a golden record stands for, plural.
        noun_one: The same, of one.
        meaning: What one record stands for.
        owner: Who answers for it.
        headline: The one sentence.
        remarks: A few more, the most important first.
        counts: How many there are.
        is_customer: Whether its records are deduplicated; those of others stand for themselves.
        score: Mean of the dimensions that were measured, 0 to 100.
    """

    entity: str
    title: str
    noun: str
    noun_one: str
    meaning: str
    owner: str
    headline: str
    remarks: tuple[str, ...]
    counts: Counts
    score: float | None
    previous_score: float | None
    dimensions: tuple[DimensionScore, ...]
    cluster_sizes: tuple[ClusterSize, ...]
    sources: tuple[SourceLine, ...]
    fields: tuple[FieldLine, ...]
    issues: tuple[IssueLine, ...]
    checks: Checks
    owners: tuple[OwnerLine, ...]
    keepers: tuple[KeeperLine, ...]
    teams: tuple[TeamLine, ...]
    unknown_values: tuple[UnknownValue, ...]
    unknown_total: int
    vocabularies: tuple[VocabularyTable, ...]
    costs: tuple[Cost, ...]
    history: tuple[HistoryPoint, ...]
    drift: tuple[Drift, ...]
    rows: dict[str, str]
    is_customer: bool = True


@dataclass(frozen=True)
class Scorecard:
    """The state of a store.

    Attributes:
        as_of: The day that counts as today.
        run_id: The last run; null = there was none.
        finished_at: When it finished, UTC.
        runs: How many runs there were.
        rules_fingerprint: Of the rules that the report used.
        product_version: Of crm-quality.
        masked: Whether personal values are masked.
        entities: Entities that have records, contacts first.
        gates: Targets and whether they are met.
        currency: Of unit costs and amounts.
        schema_version: Version of this shape.
    """

    as_of: date
    run_id: int | None
    finished_at: datetime | None
    runs: int
    rules_fingerprint: str
    product_version: str
    masked: bool
    entities: tuple[EntityCard, ...]
    gates: tuple[Gate, ...] = ()
    currency: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def passed(self) -> bool:
        """Whether every target is met."""
        return all(gate.met for gate in self.gates)

    @property
    def customers(self) -> tuple[EntityCard, ...]:
        """Entities whose records are deduplicated."""
        return tuple(card for card in self.entities if card.is_customer)

    @property
    def row_entities(self) -> tuple[EntityCard, ...]:
        """Entities whose rows stand for themselves and hang on customers."""
        return tuple(card for card in self.entities if not card.is_customer)

    def entity(self, name: str) -> EntityCard | None:
        """The card of one entity; null when it has no records."""
        return next((card for card in self.entities if card.entity == name), None)

    def to_dict(self) -> dict[str, Any]:
        """The scorecard as JSON takes it: dates as ISO text, keys as documented."""
        plain = _plain(asdict(self))
        if not isinstance(plain, dict):  # asdict of a dataclass is a dict
            raise TypeError(type(plain))
        return {"schema_version": plain.pop("schema_version"), **plain}


def _plain(value: object) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat()  # type: ignore[attr-defined] # dates and times are all that is left


def share(part: float, whole: float) -> float | None:
    """``part`` / ``whole``; null when there is nothing to share."""
    return part / whole if whole else None
