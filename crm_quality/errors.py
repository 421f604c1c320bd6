"""Every error crm-quality raises on purpose.

::

    CrmQualityError               anything a user can act on; the command exits with 2
    ├── DefinitionError           rules/*.yml or crmq.yml are wrong: every fault, with its line
    ├── InputError                a file or frame cannot be read or lacks what was declared
    ├── ProjectError              the folder is no project, or is one already
    ├── StoreError                the store cannot be opened, written or upgraded
    │   └── StoreInUseError       another process holds it; carries the holder's pid
    ├── MatchError                matching could not be done as asked
    ├── NotFoundError             a record, entity, run or name that does not exist
    ├── LimitError                a limit of crmq.yml stopped a run; nothing was stored; exit code 1
    ├── RefusedError              a decision that contradicts others, or a stale write
    └── UsageError                arguments that do not go together

A message says what is wrong, where, and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class CrmQualityError(Exception):
    """Base of every error that crm-quality raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a definition file.

    Attributes:
        file: The file, as the user named its folder; None for rules made in code.
        line: 1-based line, 0 when the fault belongs to the whole file.
        column: 1-based column, 0 when the fault belongs to the whole file.
        message: What is wrong.
        hint: What to write instead; empty when there is nothing better to say.
    """

    file: Path | None
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = str(self.file) if self.file is not None else "rules"
        if self.line:
            place += f":{self.line}:{self.column}"
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class DefinitionError(CrmQualityError):
    """Definition files are wrong; ``faults`` holds every mistake of every file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        head = "1 mistake" if count == 1 else f"{count} mistakes"
        super().__init__("\n".join([f"{head} in the definitions:", *map(str, self.faults)]))


class InputError(CrmQualityError):
    """A file or frame cannot be read, or lacks what was declared."""


class ProjectError(CrmQualityError):
    """The folder is no project, or is one already."""


class StoreError(CrmQualityError):
    """The store cannot be opened, written or upgraded."""


class StoreInUseError(StoreError):
    """Another process holds the store.

    Attributes:
        pid: Process id of the holder, None when it left no trace.
    """

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class MatchError(CrmQualityError):
    """Matching could not be done as asked."""


class NotFoundError(CrmQualityError):
    """A record, entity, run or name that does not exist."""


class LimitError(CrmQualityError):
    """A limit of crmq.yml stopped a run before it was stored; the command exits with 1."""


class RefusedError(CrmQualityError):
    """A decision that contradicts others, or a write based on a stale version."""


class UsageError(CrmQualityError):
    """Arguments that do not go together."""
