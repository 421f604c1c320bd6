"""Write the pages made from the default pack; with --check only tell whether they are so."""

from __future__ import annotations

import sys
from pathlib import Path

from crm_quality.audit.guideline import render_guideline
from crm_quality.definitions import default_rules
from crm_quality.validate import rules_reference

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
PAGES = {"rules.md": rules_reference, "entry-guideline.md": render_guideline}


def main() -> int:
    """Write or check the pages."""
    rules = default_rules()
    outdated = 0
    for name, written in PAGES.items():
        page, file = written(rules), REFERENCE / name
        if "--check" not in sys.argv[1:]:
            file.write_text(page, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != page:
            print(f"{file} is out of date: run `python {sys.argv[0]}`", file=sys.stderr)
            outdated = 1
    return outdated


if __name__ == "__main__":
    raise SystemExit(main())
