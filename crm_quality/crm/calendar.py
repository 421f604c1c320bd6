"""Tasks as an iCalendar file (RFC 5545), for any calendar program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import polars as pl

_WIDTH = 75
_PRIORITIES = {"urgent": 1, "high": 3, "normal": 5, "low": 9}
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def calendar_of(tasks: pl.DataFrame, *, project: str, moment: datetime) -> str:
    """Open tasks as to-dos, each with a reminder when it is due.

    Args:
        tasks: ``crm.task_due``.
        project: Makes the numbers of tasks unlike those of other projects.
        moment: When it was written, UTC.

    Returns:
        The text of an ``.ics`` file. A task keeps its UID, so that a calendar that reads the file
        again changes it instead of adding another.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//crm-quality//tasks//EN"]
    for task in tasks.iter_rows(named=True):
        lines += _todo(task, project, moment)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _todo(task: dict[str, Any], project: str, moment: datetime) -> Iterator[str]:
    yield "BEGIN:VTODO"
    yield f"UID:task-{task['task_id']}@{project.translate(_ESCAPES)}.crm-quality"
    yield f"DTSTAMP:{moment:%Y%m%dT%H%M%SZ}"
    subject = _text(task["subject"] or "task")
    yield f"SUMMARY:{subject}"
    due = task["due_at"]
    if due is not None:
        # a whole day is of no zone: it is over when the reader's own day is
        yield (
            f"DUE;VALUE=DATE:{due:%Y%m%d}" if task["is_whole_day"] else f"DUE:{due:%Y%m%dT%H%M%SZ}"
        )
    if task["priority"] in _PRIORITIES:
        yield f"PRIORITY:{_PRIORITIES[task['priority']]}"
    if task["owner"]:
        yield f"COMMENT:{_text(task['owner'])}"
    yield "STATUS:NEEDS-ACTION"
    if due is not None and not task["is_whole_day"]:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{subject}")
        yield from ("TRIGGER;RELATED=END:-PT15M", "END:VALARM")
    yield "END:VTODO"


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def _folded(line: str) -> Iterator[str]:
    """A line in parts of at most 75 octets, never cut inside a character."""
    part, room = "", _WIDTH
    for letter in line:
        size = len(letter.encode())
        if size > room:
            yield part
            part, room = " ", _WIDTH - 1
        part, room = part + letter, room - size
    yield part
