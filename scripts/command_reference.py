"""Write docs/reference/commands.md from the commands' own help; ``--check`` only compares."""

import sys
from pathlib import Path
from typing import Any

from typer.main import get_command

from crm_quality.cli import app

FILE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "commands.md"

EXIT_CODES = (
    "Data goes to standard output, messages to standard error. Exit codes: 0 fine, 1 a gate "
    "failed, 2 could not run (usage, rules, store in use, input unreadable)."
)


def usage(command: Any, name: str) -> str:
    """The help of one command as plain text."""
    context = command.make_context(name, [], resilient_parsing=True)
    parts = [f"Usage: {name} {' '.join(command.collect_usage_pieces(context))}"]
    parts.append(str(command.help or "").strip())
    for kind in ("argument", "option"):
        rows = [
            row
            for parameter in command.params
            if parameter.param_type_name == kind
            and (row := parameter.get_help_record(context)) is not None
        ]
        lines = [f"  {term}\n      {meaning}" for term, meaning in rows]
        if lines:
            parts.append(f"{kind.capitalize()}s:\n" + "\n".join(lines))
    return "\n\n".join(parts)


def commands(group: Any, prefix: str) -> list[tuple[str, Any]]:
    """Every command with its full name, those of groups below theirs."""
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        is_group = hasattr(command, "commands")
        if not is_group or command.invoke_without_command:
            found.append((full, command))
        if is_group:
            found.extend(commands(command, full))
    return found


def reference() -> str:
    """The whole page."""
    root = get_command(app)
    parts = [
        "# Commands",
        "Written from the commands' own help by `make docs`; a test keeps it true.",
        EXIT_CODES,
    ]
    for name, command in commands(root, "crmq"):
        parts.extend((f"## {name}", f"```text\n{usage(command, name)}\n```"))
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Write or compare; 1 = the page is out of date."""
    text = reference()
    if "--check" in sys.argv:
        if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{FILE.name} is out of date; run: make docs", file=sys.stderr)
        return 1
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
