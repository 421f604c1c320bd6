"""The steward's desk: questions, decisions, samples."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm_quality.engine.decide import (
    Author,
    Made,
    Wanted,
    decide,
    keep_decisions,
    wanted_of,
    withdraw,
)
from crm_quality.engine.preview import Preview, previewed
from crm_quality.engine.queue import queue
from crm_quality.engine.run import RunRequest, execute, execute_within
from crm_quality.engine.sample import Drawn, Signed, draw_sample, estimate, sign
from crm_quality.engine.side_by_side import with_values
from crm_quality.engine.summary import Clock
from crm_quality.errors import UsageError
from crm_quality.intake import read
from crm_quality.store.acts import members_of
from crm_quality.store.decisions import decisions_in_force
from crm_quality.store.reference import record_named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    import polars as pl

    from crm_quality.definitions import RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.run import RunOutcome
    from crm_quality.store import Store


class Review:
    """Questions to a steward and the answers; reached as ``project.review``.

    Every answer is kept by source key, is applied by every later run, and stands in the audit
    trail with who gave it and why.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Store]],
        rules: RuleSet,
        config: ProjectConfig,
        actor: str,
    ) -> None:
        self._opened, self._rules, self._config, self._actor = opened, rules, config, actor

    def queue(self, entity: str = "contact", *, most: int = 50) -> pl.DataFrame:
        """The pairs to decide on, those that would change most first.

        Args:
            entity: What the records are.
            most: So many at most.

        Returns:
            See `crm_quality.engine.queue.queue`; further ``source_*`` and ``source_key_*`` of the
            two records, and their values as ``<field>_l`` and ``<field>_r``.
        """
        definition = self._rules.entity(entity)
        with self._opened() as store:
            return with_values(store, definition, queue(store, definition, most=most))

    def decide(
        self, left: str | int, right: str | int, verdict: str, reason: str, *, apply: bool = True
    ) -> Made:
        """Decide that two records are the ``same`` or ``different``.

        Args:
            left: A record by its number or as ``source:key``.
            right: The other.
            verdict: ``same`` or ``different``.
            reason: Why; kept with the decision.
            apply: Derive clusters and golden records again at once; else the next run does.

        Raises:
            NotFoundError: There is no such record.
            RefusedError: The decision contradicts others; the chain is in the message.
        """
        return self._decided(
            [Wanted(str(left), str(right), verdict, reason)], "decide", apply=apply
        )

    def preview(self, left: str | int, right: str | int, verdict: str) -> Preview:
        """What a decision would change; nothing is written.

        Args:
            left: A record by its number or as ``source:key``.
            right: The other.
            verdict: ``same`` or ``different``.

        Raises:
            NotFoundError: There is no such record.
            RefusedError: The decision contradicts others; the chain is in the message.
        """
        author = Author(self._actor, "crmq review decide")
        with self._opened() as store, store.rehearsal():
            named = [record_named(store, str(one)) for one in (left, right)]
            members = members_of(store, named[0].entity, [one.entity_id for one in named])
            wanted = [Wanted(str(left), str(right), verdict, "looked at")]

            def do() -> RunOutcome:
                keep_decisions(store, wanted, author)
                request = RunRequest([], self._actor, "preview", datetime.now(UTC).date())
                return execute_within(store, self._rules, self._config, request, Clock())

            return previewed(store, named[0].entity, members, do, reckoned=True)[0]

    def decide_all(
        self,
        data: Any,  # noqa: ANN401 - a path or any frame
        reason: str = "",
        *,
        apply: bool = True,
    ) -> Made:
        """Decide what a file or frame says, all of it or nothing.

        Args:
            data: With ``decision`` (same, different or blank) and the two records, as `queue` and
                workbooks have them.
            reason: Given where a row has none; null = the file's name.
            apply: Derive again at once.

        Raises:
            InputError: It cannot be read, or lacks a column.
            RefusedError: A decision contradicts others, of the store or of the file itself.
        """
        table = read(data)
        wanted = wanted_of(table.frame, reason or f"reviewed in {table.name}", table.name)
        return self._decided(wanted, "decide", apply=apply)

    def decisions(self, entity: str = "contact") -> pl.DataFrame:
        """Decisions in force, see `crm_quality.store.decisions.decisions_in_force`."""
        self._rules.entity(entity)
        with self._opened() as store:
            return decisions_in_force(store, entity)

    def withdraw(self, decision_ids: Sequence[int], reason: str) -> Made:
        """Take decisions back, and apply that.

        Raises:
            NotFoundError: One is not in force.
        """
        if not reason.strip():
            raise UsageError("taking a decision back needs a reason: --reason TEXT")
        author = Author(self._actor, "crmq review withdraw")
        with self._opened() as store:
            return withdraw(store, self._rules, self._config, decision_ids, reason, author, Clock())

    def apply(self, *, again: Sequence[str] = ()) -> RunOutcome:
        """Apply decisions that no run has applied yet.

        Args:
            again: Entities to match and merge again wholly, as after a change of ``merging``.
        """
        for entity in again:
            self._rules.entity(entity)
        request = RunRequest(
            [],
            self._actor,
            "crmq review apply",
            datetime.now(UTC).date(),
            again=tuple(again),
        )
        with self._opened() as store:
            return execute(store, self._rules, self._config, request, Clock())

    def sample(self, size: int, reason: str, *, entity: str = "contact") -> Drawn:
        """Draw pairs to be labelled, for an estimate of precision and recall.

        Args:
            size: How many; 200 give limits of a few percent.
            reason: What for.
            entity: What the records are.

        Returns:
            The sample, its pairs with their values and without any weight, so that nothing sways
            who labels them.
        """
        definition = self._rules.entity(entity)
        with self._opened() as store:
            return draw_sample(
                store, definition, size, self._actor, reason,
                proposing=self._config.merging == "propose",
            )  # fmt: skip

    def label(
        self,
        data: Any,  # noqa: ANN401 - a path or any frame
        *,
        sample_id: int | None = None,
        entity: str = "contact",
        keep: bool = True,
    ) -> Signed:
        """Read the labels of a sample back, and sign the estimate that they give.

        Args:
            data: As `sample` gave it, with ``decision`` filled.
            sample_id: Which sample; null = the newest.
            entity: What the records are.
            keep: Keep the labels as decisions, too.

        Raises:
            InputError: It cannot be read, or holds no label of the sample.
            RefusedError: A label contradicts decisions.
        """
        self._rules.entity(entity)
        table = read(data)
        author = Author(self._actor, "crmq review sample")
        with self._opened() as store:
            return sign(
                store, self._rules, self._config, table, entity, sample_id, author, keep=keep
            )

    def estimate(self, *, entity: str = "contact", sample_id: int | None = None) -> Signed:
        """What the labels of a sample say of all pairs.

        Args:
            entity: What the records are.
            sample_id: Which sample; null = the newest that has labels.

        Raises:
            NotFoundError: There is no such sample, or none has labels.
        """
        self._rules.entity(entity)
        with self._opened() as store:
            return estimate(store, entity, sample_id)

    def _decided(self, wanted: Sequence[Wanted], what: str, *, apply: bool) -> Made:
        author = Author(self._actor, f"crmq review {what}")
        with self._opened() as store:
            return decide(store, self._rules, self._config, wanted, author, Clock(), apply=apply)
