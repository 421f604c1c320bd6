"""Standardising and validating at scale: seconds, memory, and other libraries beside it.

    python benchmarks/quality.py [--rows 1000000] [--data FILE] [--results benchmarks/results]

Each part runs in a process of its own, one after the other, on the same rows; the ratios within one
run are what counts. `make bench-quality` makes an environment of its own for the peers; those that
are not installed (dataframely, pandera, pointblank, great_expectations) are left out, and said to
be.
"""

# ruff: noqa: PLC0415 - each part imports only what it measures
from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

#: Values that the libraries for e-mail and phone get one by one.
ONE_BY_ONE = 100_000
FOUR_CHECKS = (
    "Last name present; e-mail at one of five top-level domains; country in a list of eight; "
    "birthday from 1940 to 2005. Missing values pass all but the first."
)
ONE_AND_BOTH = (
    "Verdicts are the failing rows of each rule; the second figure is a whole validation with an "
    "issue per failing row, for the others as far as they tell rows and reasons."
)
#: The four checks; strict enough that rows break each of them.
EMAIL = r"^[^@\s]+@[^@\s.]+\.(?:com|net|org|de|fr)$"
COUNTRIES = ["US", "CA", "GB", "DE", "FR", "IT", "ES", "NL"]
FIRST_DAY, LAST_DAY = date(1940, 1, 1), date(2006, 1, 1)
TODAY = date(2026, 1, 1)
PEERS = ("crm_quality", "dataframely", "pandera", "pointblank", "great_expectations")


def main() -> None:
    """Generate, run each part in a process of its own, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="contacts as Parquet, instead of new ones")
    parser.add_argument("--results", type=Path, help="folder to write quality_ROWS.md into")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--frame", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.data, options.frame)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = options.data or generated(folder, options.rows)
        text = report(data, folder / "standardised.parquet", options.rows)
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / f"quality_{options.rows}.md").write_text(text, encoding="utf-8")


def generated(folder: Path, rows: int) -> Path:
    """Contacts of the generator, as Parquet."""
    data = folder / "contacts.parquet"
    command = [sys.executable, HERE / "generate.py", "contacts", "--rows", str(rows)]
    truth = folder / "truth.parquet"
    subprocess.run([*command, "--out", data, "--truth", truth], check=True)
    return data


def report(data: Path, frame: Path, rows: int) -> str:
    """All parts, as Markdown."""
    # others' work on the machine shows in the seconds, not in the ratios
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, load average {os.getloadavg()[0]:.1f} before"
    )
    stage = part("stages", data, frame)
    lines = [
        f"# Standardise and validate {stage['rows']:,} contacts",
        f"`python benchmarks/quality.py --rows {rows}`, {machine}.",
        table(
            ("measure", "value"),
            [
                ("columns", stage["columns"]),
                ("standardise, s", f"{stage['standardise']:.1f}"),
                ("validate, default pack, s", f"{stage['validate']:.1f}"),
                ("together, s", f"{stage['standardise'] + stage['validate']:.1f}"),
                ("… in seconds of one core", f"{stage['cpu']:.1f}"),
                ("peak memory, MB", f"{stage['memory']:,.0f}"),
                ("issues found", f"{stage['issues']:,}"),
            ],
        ),
    ]
    parsers = [
        (kind, f"{found['ours']:.2f}", f"{found['library']:.2f}", f"{found['ratio']:.0f} times")
        for kind in ("email", "phone")
        for found in (part(kind, data, frame),)
    ]
    lines += [
        f"## {ONE_BY_ONE:,} distinct values, against a call of the library for each",
        table(("", "ours, s", "library, s", "faster by"), parsers),
    ]
    peers = []
    for peer in PEERS:
        if importlib.util.find_spec(peer) is None:
            peers.append((peer, "not installed", "", "", ""))
            continue
        found = part(peer, data, frame)
        counts = " / ".join(f"{count:,}" for count in found["failing"])
        row = (f"{found['verdict']:.2f}", f"{found['reasons']:.2f}", f"{found['memory']:,.0f}")
        peers.append((f"{peer} {found['version']}", *row, counts))
    lines += [
        "## The same four checks on the same standardised frame",
        FOUR_CHECKS,
        table(("", "verdicts, s", "which rows, and why, s", "peak MB", "rows failing"), peers),
        f"Load average {os.getloadavg()[0]:.1f} after. {ONE_AND_BOTH}",
    ]
    return "\n\n".join(lines) + "\n"


def part(name: str, data: Path, frame: Path) -> dict:
    """What a part measured, in a process of its own."""
    command = [sys.executable, __file__, "--part", name, "--data", data, "--frame", frame]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.strip().splitlines()[-1])


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What ``work`` returns, and its seconds."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def peak_memory() -> float:
    """Peak memory of this process, MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def stages(data: Path, frame: Path) -> dict:
    """The two record stages with the default rules."""
    import polars as pl

    from crm_quality.definitions import default_rules
    from crm_quality.standardise import standardise
    from crm_quality.validate import validate

    rules = default_rules()
    contact = rules.entity("contact")
    raw = pl.read_parquet(data)
    core = time.process_time()
    standardised, seconds = timed(
        lambda: standardise(raw, contact, sources=rules.sources, country="US")
    )
    (_, issues), checked = timed(lambda: validate(standardised, contact, as_of=TODAY))
    core, memory = time.process_time() - core, peak_memory()
    standardised.write_parquet(frame)
    return {
        "rows": raw.height,
        "columns": raw.width,
        "standardise": seconds,
        "validate": checked,
        "cpu": core,
        "memory": memory,
        "issues": issues.height,
    }


def email(data: Path, _: Path) -> dict:
    """Distinct e-mail texts by both ways."""
    import polars as pl
    from email_validator import EmailNotValidError, validate_email

    from crm_quality.standardise.email import standardise_emails

    texts = pl.read_parquet(data, columns=["email"])["email"].drop_nulls()
    texts = texts.str.strip_chars().unique(maintain_order=True).head(ONE_BY_ONE)

    def call(text: str) -> str | None:
        try:
            return validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError:
            return None

    standardise_emails(texts.head(10))
    _, ours = timed(lambda: standardise_emails(texts))
    _, library = timed(lambda: [call(text) for text in texts])
    return {"ours": ours, "library": library, "ratio": library / ours}


def phone(data: Path, _: Path) -> dict:
    """Distinct phone texts with their countries by both ways."""
    import phonenumbers
    import polars as pl

    from crm_quality.standardise.country import standardise_countries
    from crm_quality.standardise.phone import standardise_phones

    frame = pl.read_parquet(data, columns=["phone", "country"]).drop_nulls()
    frame = frame.with_columns(country=standardise_countries(frame["country"])["value"])
    frame = frame.drop_nulls().unique(maintain_order=True).head(ONE_BY_ONE)

    def call(text: str, region: str) -> tuple[str, bool] | None:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return None
        form = phonenumbers.PhoneNumberFormat.E164
        return phonenumbers.format_number(number, form), phonenumbers.is_valid_number(number)

    standardise_phones(frame["phone"].head(10), frame["country"].head(10))
    _, ours = timed(lambda: standardise_phones(frame["phone"], frame["country"]))
    _, library = timed(lambda: [call(*row) for row in frame.iter_rows()])
    return {"ours": ours, "library": library, "ratio": library / ours}


def checked_columns(frame: Path):  # noqa: ANN201 - Polars is imported in the part's process
    """The columns that the four checks read, and the record's key."""
    import polars as pl

    names = ["source", "source_key", "last_name", "email", "country", "date_of_birth"]
    return pl.read_parquet(frame, columns=names)


def result(peer: str, verdict: float, reasons: float, failing: list[int]) -> dict:
    """What a peer measured."""
    package = {"crm_quality": "crm-quality", "great_expectations": "great-expectations"}
    return {
        "version": version(package.get(peer, peer)) if peer != "crm_quality" else "",
        "verdict": verdict,
        "reasons": reasons,
        "memory": peak_memory(),
        "failing": failing,
    }


def crm_quality(_: Path, frame: Path) -> dict:
    """The four checks as rules of a definition."""
    from crm_quality.definitions import EntityDefinition
    from crm_quality.validate import check_records
    from crm_quality.validate.catalogue import catalogue
    from crm_quality.validate.compile import compiled
    from crm_quality.validate.conditions import Context
    from crm_quality.validate.verdicts import verdicts

    rows = checked_columns(frame)
    birthday = {"check": "range", "min": str(FIRST_DAY), "max": str(LAST_DAY)}
    definition = EntityDefinition.model_validate(
        {
            "entity": "contact",
            "fields": {
                "last_name": {"meaning": "name", "required": "warning"},
                "email": {"meaning": "mail", "checks": [{"check": "pattern", "regex": EMAIL}]},
                "country": {
                    "meaning": "country",
                    "checks": [{"check": "pattern", "regex": f"^(?:{'|'.join(COUNTRIES)})$"}],
                },
                "date_of_birth": {"meaning": "birthday", "type": "date", "checks": [birthday]},
            },
        }
    )

    def only_verdicts() -> list[int]:
        context = Context(definition, frozenset(rows.columns), TODAY)
        rules = [rule for rule in catalogue(definition) if rule.origin.value != "note"]
        runnable = [compiled(rule, context) for rule in rules if rule.origin.value != "problem"]
        found = verdicts(definition, [one for one in runnable if not one.lacking], rows)
        return sorted(len(failing) for failing in found.failing.values())

    check_records(rows.head(10), definition, as_of=TODAY)
    failing, verdict = timed(only_verdicts)
    _, reasons = timed(lambda: check_records(rows, definition, as_of=TODAY))
    return result("crm_quality", verdict, reasons, failing)


def dataframely(_: Path, frame: Path) -> dict:
    """The four checks as a dataframely schema."""
    import dataframely as dy

    rows = checked_columns(frame)

    def among(column):  # noqa: ANN001, ANN202 - an expression of Polars
        return column.is_in(COUNTRIES)

    class Contact(dy.Schema):
        source = dy.String(nullable=True)
        source_key = dy.String(nullable=True)
        last_name = dy.String(nullable=False)
        email = dy.String(nullable=True, regex=EMAIL)
        country = dy.String(nullable=True, check=among)
        date_of_birth = dy.Date(nullable=True, min=FIRST_DAY, max=LAST_DAY)

    Contact.filter(rows.head(10))
    verdict = timed(lambda: Contact.filter(rows)[1].counts())[1]  # noqa: PLW0108 - filter is timed
    (_, failure), reasons = timed(lambda: with_details(*Contact.filter(rows)))
    return result("dataframely", verdict, reasons, sorted(failure.counts().values()))


def with_details(good, failure):  # noqa: ANN001, ANN201 - dataframely's own types
    """Good rows, and the failing ones with a column per rule."""
    failure.details()
    return good, failure


def pandera(_: Path, frame: Path) -> dict:
    """The four checks as a pandera schema."""
    import pandera.polars as pa
    import polars as pl
    from pandera.errors import SchemaErrors

    rows = checked_columns(frame)

    def schema(cases: int | None) -> pa.DataFrameSchema:
        kept = {"n_failure_cases": cases} if cases else {}
        return pa.DataFrameSchema(
            {
                "last_name": pa.Column(pl.String, nullable=False),
                "email": pa.Column(pl.String, pa.Check.str_matches(EMAIL, **kept), nullable=True),
                "country": pa.Column(pl.String, pa.Check.isin(COUNTRIES, **kept), nullable=True),
                "date_of_birth": pa.Column(
                    pl.Date, pa.Check.in_range(FIRST_DAY, LAST_DAY, **kept), nullable=True
                ),
            }
        )

    def run(cases: int | None) -> list[int]:
        try:
            schema(cases).validate(rows, lazy=True)
        except SchemaErrors as errors:
            if cases:
                return []
            counts = errors.failure_cases.group_by("check").len()["len"]
            return sorted(counts.to_list())
        return []

    run(1)
    _, verdict = timed(lambda: run(1))
    failing, reasons = timed(lambda: run(None))
    return result("pandera", verdict, reasons, failing)


def pointblank(_: Path, frame: Path) -> dict:
    """The four checks as a pointblank plan."""
    import pointblank as pb

    rows = checked_columns(frame)

    def run(*, extracts: bool):  # noqa: ANN202 - pointblank's own type
        plan = (
            pb.Validate(rows)
            .col_vals_not_null(columns="last_name")
            .col_vals_regex(columns="email", pattern=EMAIL, na_pass=True)
            .col_vals_in_set(columns="country", set=[*COUNTRIES, None])
            .col_vals_between(columns="date_of_birth", left=FIRST_DAY, right=LAST_DAY, na_pass=True)
        )
        done = plan.interrogate(collect_extracts=extracts)
        if extracts:
            done.get_data_extracts()
        return done

    _, verdict = timed(lambda: run(extracts=False))
    done, reasons = timed(lambda: run(extracts=True))
    failing = sorted(int(count) for count in done.n_failed().values() if count)
    return result("pointblank", verdict, reasons, failing)


def great_expectations(_: Path, frame: Path) -> dict:
    """The four checks as a suite of expectations, on the pandas frame that it asks for."""
    os.environ["TQDM_DISABLE"] = "1"  # progress bars
    import great_expectations as gx
    from great_expectations import expectations as e

    rows = checked_columns(frame).to_pandas()
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("contacts")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    suite = gx.ExpectationSuite(
        name="contacts",
        expectations=[
            e.ExpectColumnValuesToNotBeNull(column="last_name"),
            e.ExpectColumnValuesToMatchRegex(column="email", regex=EMAIL),
            e.ExpectColumnValuesToBeInSet(column="country", value_set=COUNTRIES),
            e.ExpectColumnValuesToBeBetween(
                column="date_of_birth",
                min_value=datetime.combine(FIRST_DAY, datetime.min.time()),
                max_value=datetime.combine(LAST_DAY, datetime.min.time()),
            ),
        ],
    )
    basic = {"result_format": "BASIC", "partial_unexpected_count": 0}
    complete = {"result_format": "COMPLETE", "unexpected_index_column_names": ["source_key"]}
    found, verdict = timed(lambda: batch.validate(suite, result_format=basic))
    _, reasons = timed(lambda: batch.validate(suite, result_format=complete))
    counts = (one.result.get("unexpected_count") for one in found.results)
    return result("great_expectations", verdict, reasons, sorted(filter(None, counts)))


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (head, marks, *rows))


PARTS = {
    "stages": stages,
    "email": email,
    "phone": phone,
    "crm_quality": crm_quality,
    "dataframely": dataframely,
    "pandera": pandera,
    "pointblank": pointblank,
    "great_expectations": great_expectations,
}


if __name__ == "__main__":
    main()
