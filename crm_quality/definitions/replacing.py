"""Definition files are replaced as a whole: a reader, or a crash, meets the old or the new one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from crm_quality.errors import ProjectError


def replace_file(file: Path, text: str) -> None:
    """Put ``text`` in place of what ``file`` holds, in one step; its rights stay.

    Args:
        file: An existing file; of a link, what it leads to is replaced.
        text: The new content, line ends as they are to be.

    Raises:
        ProjectError: It cannot be written; it is as it was.
    """
    target = Path(os.path.realpath(file))
    new = None
    try:
        # the ending keeps a file that a crash leaves behind from being read as a definition
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
        new = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, new)
        new.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise ProjectError(
            f"{file} cannot be written and is as it was: {error.strerror or error}"
        ) from error
    finally:
        if new is not None:
            new.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power failure, where the system lets folders be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
