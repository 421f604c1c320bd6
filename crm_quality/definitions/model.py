"""What every definition has in common: frozen, strict about names, tolerant of text."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Definition(BaseModel):
    """A frozen model whose unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Severity(StrEnum):
    """What an issue does to its record: ``error`` quarantines, the others travel with it."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
