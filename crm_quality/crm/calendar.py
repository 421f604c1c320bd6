"""Tasks as an iCalendar file (RFC 5545), for any calendar program; written by icalendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm_quality.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from icalendar import Todo

#: How long before a moment the reminder comes.
_REMINDER = timedelta(minutes=-15)
_PRIORITIES = {"urgent": 1, "high": 3, "normal": 5, "low": 9}


def calendar_of(tasks: pl.DataFrame, *, project: str, moment: datetime) -> str:
    """Open tasks as to-dos, each with a reminder when it is due.

    Args:
        tasks: ``crm.task_due``.
        project: Makes the numbers of tasks unlike those of other projects.
        moment: When it was written, UTC.

    Returns:
        The text of an ``.ics`` file. A task keeps its UID, so that a calendar that reads the file
        again changes it instead of adding another.

    Raises:
        UsageError: icalendar, an extra, is not installed.
    """
    try:
        from icalendar import Calendar  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "a calendar needs icalendar; install it with: pip install 'crm-quality[calendar]'"
        ) from error
    made = Calendar()
    made.add("prodid", "-//crm-quality//tasks//EN")
    made.add("version", "2.0")
    for task in tasks.iter_rows(named=True):
        made.add_component(_todo(task, project, moment))
    written: bytes = made.to_ical()
    return written.decode()


def _todo(task: dict[str, Any], project: str, moment: datetime) -> Todo:
    from icalendar import Alarm, Todo  # noqa: PLC0415 - an extra

    todo, subject, due = Todo(), task["subject"] or "task", task["due_at"]
    todo.add("uid", f"task-{task['task_id']}@{project}.crm-quality")
    todo.add("dtstamp", moment.replace(tzinfo=UTC))
    todo.add("summary", subject)
    todo.add("status", "NEEDS-ACTION")
    if task["priority"] in _PRIORITIES:
        todo.add("priority", _PRIORITIES[task["priority"]])
    if task["owner"]:
        todo.add("comment", task["owner"])
    if due is not None and task["is_whole_day"]:
        # a whole day is of no zone: it is over when the reader's own day is
        todo.add("due", due.date())
    elif due is not None:
        todo.add("due", due.replace(tzinfo=UTC))
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", subject)
        alarm.add("trigger", _REMINDER, {"related": "END"})
        todo.add_component(alarm)
    return todo
