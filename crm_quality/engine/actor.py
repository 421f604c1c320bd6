"""Who is at work."""

from __future__ import annotations

import getpass
import os


def user(declared: str | None) -> str:
    """The name that crmq.yml declares, else that of the account."""
    if declared:
        return declared
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
