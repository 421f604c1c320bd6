"""Matchers kept between lookups of one process, made again when the store has changed."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from crm_quality.engine.lookup import Matcher
from crm_quality.store.near import last_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store


class WarmMatchers:
    """One matcher for each entity that has been looked up.

    Whether the store has changed is seen from its file, which costs nothing and needs no lock; only
    a file that was written to is opened, and only one with a new event is read again.
    """

    def __init__(
        self,
        path: Path,
        rules: RuleSet,
        opened: Callable[[], AbstractContextManager[Store]],
        *,
        country: str | None = None,
    ) -> None:
        self._path, self._rules, self._opened, self._country = path, rules, opened, country
        self._kept: dict[str, tuple[tuple[int, int], Matcher]] = {}
        self._lock = Lock()

    def of(self, entity: str) -> Matcher:
        """The matcher of ``entity``, as the store is now."""
        with self._lock:
            stamp, kept = self._kept.get(entity, (None, None))
            if kept is not None and stamp == self._stamp():
                return kept
            with self._opened() as store:
                if kept is None or last_event(store) != kept.event:
                    if kept is not None:
                        kept.close()
                    kept = Matcher(store, self._rules, entity, country=self._country)
            self._kept[entity] = (self._stamp(), kept)
            return kept

    def close(self) -> None:
        """Give the memory of all of them back."""
        with self._lock:
            for _, matcher in self._kept.values():
                matcher.close()
            self._kept.clear()

    def _stamp(self) -> tuple[int, int]:
        seen = self._path.stat()
        return seen.st_mtime_ns, seen.st_size
