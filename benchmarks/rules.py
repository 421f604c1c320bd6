"""What a change of the rules costs: seconds of one machine, each beside the run itself.

    python benchmarks/rules.py --rows 100000 [--results benchmarks/results]

Takes generated contacts in, then applies unchanged rules, compares with a set that has one synonym
less, and applies that. The ratios within one run are what counts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SYNONYM = "AdWords, Ad Words, PPC,"


def main() -> None:
    """Generate, run, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--results", type=Path, help="folder to write rules_ROWS.md into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, project = folder / "contacts.parquet", folder / "project"
        generate = [sys.executable, HERE / "generate.py", "contacts", "--rows", str(options.rows)]
        subprocess.run([*generate, "--out", data, "--truth", folder / "truth.parquet"], check=True)
        crmq("init", project)
        of = ("--project", project, "--format", "json")
        rows = [measured("crmq run", "run", data, *of)]
        rows.append(measured("the same rules applied", "rules", "apply", *of))
        file = project / "rules" / "vocabularies" / "lead_source.yml"
        text = file.read_text(encoding="utf-8")
        if SYNONYM not in text:
            raise SystemExit(f"the default pack has no longer: {SYNONYM}")
        file.write_text(text.replace(" PPC,", "", 1), encoding="utf-8")
        rows.append(measured("a synonym less, compared", "rules", "diff", *of))
        rows.append(measured("a synonym less, applied", "rules", "apply", *of))
        rows.append(measured("applied again", "rules", "apply", *of))
    load = os.getloadavg()[1]
    text = report(options.rows, rows, f"{os.cpu_count()} cores, load average {load:.1f}")
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / f"rules_{options.rows}.md").write_text(text, encoding="utf-8")


def measured(title: str, *arguments: object) -> tuple[str, float, float, str]:
    """Title, seconds by the clock and of the processor, and what the command counted."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    printed = crmq(*arguments)
    spent = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return title, spent, cpu, counts(json.loads(printed))


def counts(report: dict) -> str:
    """What a run, or a comparison, says of itself."""
    if "rewritten" in report:
        return f"{report['rewritten']['values']:,} values would be rewritten"
    records = report["records"]
    judged = f"{records['received']:,} judged, {records['unchanged']:,} of them unchanged"
    return f"{judged}; {report['seconds'].get('match', 0):.1f} s in match"


def crmq(*arguments: object) -> str:
    """Run a command; its standard output."""
    command = [sys.executable, "-m", "crm_quality", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report(rows: int, measures: list[tuple[str, float, float, str]], machine: str) -> str:
    """The page."""
    lines = [
        f"# The rules of {rows:,} contacts change",
        "",
        f"`python benchmarks/rules.py --rows {rows}`, {machine}.",
        "From start to end of each command.",
        "",
        "| | seconds | of one core | |",
        "|---|---:|---:|---|",
        *(
            f"| {title} | {spent:.1f} | {cpu:.1f} | {said} |"
            for title, spent, cpu, said in measures
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
