"""What people may ask for: to be forgotten, and to be told what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType
from crm_quality.engine.access import Dossier, dossier
from crm_quality.engine.entities import mind_versions
from crm_quality.engine.forgetting import forget_terms
from crm_quality.engine.match_cache import MatchCache
from crm_quality.engine.summary import Clock
from crm_quality.engine.underway import run_within
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.standardise.email import standardise_emails
from crm_quality.store.acts import members_of
from crm_quality.store.erasure import (
    Person,
    bring_back,
    erase_person,
    erase_rows,
    keep_erasure,
)
from crm_quality.store.lookup import find_withdrawn
from crm_quality.store.point_use import note_point_use
from crm_quality.store.proposals import owners_of_mail
from crm_quality.store.reference import CUSTOMER, record_named
from crm_quality.store.snapshots import backups_in
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from crm_quality.engine.project import Project
    from crm_quality.store import Store


@dataclass(frozen=True)
class Erased:
    """What was erased, or would be.

    Attributes:
        entity: What the customer was.
        entity_id: Its number, which resolves for ever.
        records: ``record_id``, ``source`` of its records.
        rows: Entity → how many rows that hung on it hold nothing personal any more.
        run_id: The run; null = it was a dry run.
        backups: Files that still hold the person, to be deleted by whoever answers for them.
        compacted: Whether the store's file was written anew, without the old bytes.
    """

    entity: str
    entity_id: int
    records: pl.DataFrame
    rows: Mapping[str, int]
    run_id: int | None
    backups: tuple[Path, ...]
    compacted: bool

    def to_dict(self) -> dict[str, object]:
        """As JSON tells it."""
        return {
            "schema_version": 1,
            "entity": self.entity,
            "entity_id": self.entity_id,
            "applied": self.run_id is not None,
            "run_id": self.run_id,
            "records": self.records.select("record_id", "source").to_dicts(),
            "rows": dict(self.rows),
            "backups": [str(file) for file in self.backups],
            "compacted": self.compacted,
        }


class Privacy:
    """Erasure and subject access; reached as ``project.privacy``."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def _customers(self) -> list[str]:
        rules = self._project.rules
        return [name for name, definition in rules.entities.items() if definition.is_customer]

    def erase(
        self,
        customer: str | int,
        *,
        reason: str,
        entity: str | None = None,
        expected: Mapping[int, int] | None = None,
        dry_run: bool = False,
        compact: bool = True,
    ) -> Erased:
        """Take a person's content out of the store: it cannot be undone.

        Records, versions, issues, corrections, pairs, contact points and golden record go; rows
        that hang on the person (deals, payments …) stay without anything personal, so that sums
        hold. Numbers go on resolving. A keyed digest of the source keys stays, so that an import
        does not bring the person back: such rows count as suppressed. Words in the audit trail go,
        its chain of hashes still verifies.

        Args:
            customer: One of its records, by number or ``source:key``, also one that an undone run
                had brought; ``entity:NUMBER``; or an e-mail address that one customer has.
            reason: Why, without anything personal: it stays in the audit trail.
            entity: What it is, where a key stands for several.
            expected: Customer → the version that the caller has seen.
            dry_run: Only say what it would do.
            compact: Write the file anew, so that no byte of the person is left in it.

        Raises:
            NotFoundError: There is no such record.
            RefusedError: It was erased already, or its version is stale.
            UsageError: There is no reason.
        """
        if not reason.strip() and not dry_run:
            raise UsageError("erasing a person needs a reason: --reason TEXT (nothing personal)")
        project = self._project
        with project.store() as store, store.rehearsal() if dry_run else store.transaction():
            person = self._withdrawn(store, str(customer)) or self._person(
                store, str(customer), entity
            )
            mind_versions(store, person.entity, expected or {})
            run_id, rows = self._erased(store, person, reason)
        done = not dry_run
        compacted = done and compact
        if done:
            MatchCache(project.store_path.parent / "cache").forget()
        if compacted:
            project.upkeep.compact()
        kept = {one.file for one in backups_in(project.upkeep.backup_folder)}
        kept |= {one.file for one in backups_in(project.folder / "backups")}
        if project.upkeep.published_path.exists() and not project.config.publish:
            kept.add(project.upkeep.published_path)
        return Erased(
            person.entity,
            person.entity_id,
            person.records,
            rows,
            run_id if done else None,
            tuple(sorted(kept)),
            compacted,
        )

    def subject_access(self, customer: str | int, *, entity: str | None = None) -> Dossier:
        """Everything that the store holds of a person, to be handed out, see `Dossier`.

        Args:
            customer: One of its records, by number or ``source:key``, ``entity:NUMBER``, or an
                e-mail address that one customer has.
            entity: What it is, where a key stands for several.

        Raises:
            NotFoundError: There is no such record.
            RefusedError: It was erased.
        """
        with self._project.store() as store:
            person = self._person(store, str(customer), entity)
            return dossier(store, self._project.rules, person)

    def _person(self, store: Store, name: str, entity: str | None) -> Person:
        """The customer that somebody named, by an e-mail address too."""
        text = name.strip()
        if "@" in text and ":" not in text:
            text = f"{CUSTOMER}{self._of_mail(store, text, entity)}"
        return _person(store, text, entity, self._customers)

    def _of_mail(self, store: Store, text: str, entity: str | None) -> int:
        """The one customer that has an address.

        Raises:
            NotFoundError: Nobody has it.
            UsageError: Several have it.
        """
        read = standardise_emails(pl.Series("mail", [text]))["value"]
        asked = pl.DataFrame({"mail": read}, schema={"mail": pl.String}).drop_nulls()
        owners = [
            (kind, entity_id)
            for kind in ([entity] if entity else self._customers)
            for entity_id in owners_of_mail(
                store,
                kind,
                self._project.rules.entity(kind).fields_of_type(FieldType.EMAIL),
                asked,
            )["entity_id"]
        ]
        if not owners:
            raise NotFoundError(
                "no customer has this e-mail address; name one by its record (12, crm:0031)"
            )
        if len(owners) > 1:
            told = ", ".join(f"{kind} {number}" for kind, number in owners)
            raise UsageError(
                f"several customers have this e-mail address: {told}; name the one that is meant "
                f"by its number, or say --entity"
            )
        return int(owners[0][1])

    def _withdrawn(self, store: Store, name: str) -> Person | None:
        """The person of a record that an undone run had brought, made one again to be erased."""
        text = name.strip().removeprefix(CUSTOMER)
        gone = find_withdrawn(store, text)
        if gone is None:
            return None
        bring_back(store, gone[0])
        kind, source, key = store.rows(
            "SELECT entity, source, source_key FROM landing.record WHERE record_id = ?", [gone[0]]
        )[0]
        if text.startswith(f"{source}:"):
            key = text.removeprefix(f"{source}:")  # it may be kept as a digest
        records = pl.DataFrame({"record_id": [gone[0]], "source": [source], "source_key": [key]})
        return Person(kind, gone[0], records)

    def _erased(self, store: Store, person: Person, reason: str) -> tuple[int, dict[str, int]]:
        """The run that erases a person, and how many rows of each entity hung on it."""
        project = self._project
        definition = project.rules.entity(person.entity)
        moment = datetime.now(UTC).replace(tzinfo=None)
        rows: dict[str, int] = {}
        with run_within(
            store,
            project.rules,
            project.config,
            Clock(),
            actor=project.actor,
            command="crmq erase",
            as_of=moment.date(),
        ) as run:
            forget_terms(store, definition, person.records)
            for name, other in project.rules.entities.items():
                if person.entity in other.belongs_to:
                    count = erase_rows(store, other, person).height
                    rows |= {name: count} if count else {}
            erase_person(store, person, moment=moment)
            run.settle(
                definition,
                person.records.select("record_id").with_columns(is_deleted=pl.lit(value=True)),
            )
            # the addresses are gone, so that nothing says any more which ones to count anew
            note_point_use(store, person.entity)
            keep_erasure(
                store,
                person,
                run_id=run.run_id,
                rows=sum(rows.values()),
                moment=moment,
                actor=project.actor,
                reason=reason,
            )
            record_event(
                store,
                "entity.erased",
                {
                    "entity": person.entity,
                    "entity_id": person.entity_id,
                    "records": person.records["record_id"].to_list(),
                    "rows": rows,
                    "reason": reason,
                },
                actor=project.actor,
                occurred_at=moment,
                run_id=run.run_id,
            )
        return run.run_id, rows


def _person(store: Store, name: str, entity: str | None, customers: Collection[str]) -> Person:
    """The customer that somebody named, with all its records.

    Raises:
        NotFoundError: There is no such record.
        RefusedError: It was erased.
    """
    found = record_named(store, name.strip().removeprefix(CUSTOMER), entity)
    if found.entity not in customers:
        raise UsageError(
            f"record {found.record_id} is a {found.entity}, no person; name a contact or a company"
        )
    if found.status == "erased":
        raise RefusedError(f"customer {found.entity_id} was erased already: nothing is known of it")
    members = members_of(store, found.entity, [found.entity_id])
    if members.is_empty():
        # it waits in quarantine and belongs to no customer yet
        members = store.frame(
            "SELECT record_id, record_id AS entity_id, source, source_key FROM landing.record"
            " WHERE record_id = ?",
            [found.record_id],
        )
    if members.is_empty():
        raise NotFoundError(f"there is no record {name!r}")
    return Person(
        found.entity, found.entity_id, members.select("record_id", "source", "source_key")
    )
