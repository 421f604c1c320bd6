"""A process of its own for each tool: seconds, peak memory, limits on both (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

EVERY_SECONDS = 0.2
WORDS_OF_A_FAILURE = 160


@dataclass(frozen=True)
class Outcome:
    """How a process ended; memory is of it and its children together."""

    seconds: float
    peak_mb: int
    failure: str | None


def run(
    command: list[str],
    *,
    folder: Path,
    log: Path,
    environment: dict[str, str],
    seconds: float,
    gigabytes: float,
) -> Outcome:
    """Run a command to its end or to one of its limits; what it prints goes to the log."""
    start, peak, failure = time.perf_counter(), 0, None
    with log.open("w", encoding="utf-8") as printed:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=printed,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        while child.poll() is None:
            peak = max(peak, resident(child.pid))
            if time.perf_counter() - start > seconds:
                failure = f"did not finish in {seconds:.0f} s"
            elif peak > gigabytes * 2**30:
                failure = f"needs more than {gigabytes:g} GiB"
            if failure:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                break
            time.sleep(EVERY_SECONDS)
    if failure is None and child.returncode < 0:
        failure = f"ended from outside: {signal.Signals(-child.returncode).name}"
    elif failure is None and child.returncode:
        failure = f"failed: {last_words(log)}"
    return Outcome(time.perf_counter() - start, peak // 2**20, failure)


def last_words(log: Path) -> str:
    """The last line that a process printed, which in Python is its error."""
    lines = [
        line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    words = next((line for line in reversed(lines) if line), "it said nothing")
    return words[:WORDS_OF_A_FAILURE]


def resident(session: int) -> int:
    """Bytes in memory of all processes of a session."""
    total, page = 0, os.sysconf("SC_PAGE_SIZE")
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                told = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(told[3]) == session:
                    total += int((process / "statm").read_text(encoding="ascii").split()[1]) * page
    return total
