"""The profile of a file as one self-contained HTML page: no script, no font, no network."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from crm_quality.audit.html import environment

if TYPE_CHECKING:
    from crm_quality.audit.file_profile import FileProfile

_INDENT = re.compile(r"\s*\n\s*")
#: Types whose values have a size.
SIZED = ("integer", "decimal", "date", "datetime")


def render_profile_html(found: FileProfile) -> str:
    """One page that a browser shows from a file, light or dark, on a phone or on paper.

    Args:
        found: The profile; what it masks stays masked.

    Returns:
        The page, UTF-8.
    """
    page = (
        environment()
        .get_template("profile.html.j2")
        .render(
            file=found,
            seen=found.seen,
            columns=found.to_dict()["columns"],
            keys={key[0] for key in found.seen.keys.filter("is_key")["columns"] if len(key) == 1},
            sized=SIZED,
            limits=None,
            charts=None,
            version=version("crm-quality"),
        )
    )
    return _INDENT.sub("\n", page)
