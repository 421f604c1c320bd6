"""Texts in rules that stand for numbers, days and truth values."""

from __future__ import annotations

from datetime import datetime

from crm_quality.definitions.entity import FieldType
from crm_quality.definitions.moments import is_day

TRUE = frozenset({"true", "yes", "1"})
FALSE = frozenset({"false", "no", "0"})


def operand_fault(text: str, kind: FieldType) -> str:
    """Why ``text`` cannot be compared with a value of ``kind``; empty when it can."""
    if kind in {FieldType.INTEGER, FieldType.DECIMAL}:
        return "" if _is_number(text) else f"{text!r} is no number"
    if kind is FieldType.BOOLEAN:
        known = text.lower() in TRUE | FALSE
        return "" if known else f"{text!r} is neither true nor false"
    if kind is FieldType.DATE:
        return "" if is_day(text) else f"{text!r} is no day; write 2024-01-31 or today-16y"
    if kind is FieldType.DATETIME:
        known = is_day(text) or _is_time(text)
        return "" if known else f"{text!r} is no day or time; write 2024-01-31 or today-16y"
    return ""


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
