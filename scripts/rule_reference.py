"""Write docs/reference/rules.md from the default pack; with --check only tell whether it is so."""

from __future__ import annotations

import sys
from pathlib import Path

from crm_quality.definitions import default_rules
from crm_quality.validate import rules_reference

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "rules.md"


def main() -> int:
    """Write or check the page."""
    page = rules_reference(default_rules())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"{PAGE} is out of date: run `python {sys.argv[0]}`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
