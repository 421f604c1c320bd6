"""``crmq crm``: profiles, scores, attribution, segments, value, and the management's questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from crm_quality.cli.bars import with_bars, with_days
from crm_quality.cli.comparison import print_comparison
from crm_quality.cli.customer_text import masked_page, page_to_dict, print_customer
from crm_quality.cli.options import AsOf, Format, OutputFormat, ProjectDir, ShowPersonal, Wait
from crm_quality.cli.output import counted, print_frame, print_object, say
from crm_quality.crm.before_after import COMPARISONS
from crm_quality.crm.questions import QUESTIONS
from crm_quality.engine.project import Project

if TYPE_CHECKING:
    from datetime import date, datetime

_SHOWN = ["occurred_at", "entity", "what", "title", "amount", "currency", "owner"]
_CREDITED = [
    "deal_id",
    "occurred_at",
    "lead_source",
    "campaign_id",
    "credit",
    "revenue",
    "currency",
]
_PARTS = ["recency_decile", "frequency_decile", "money_decile"]
Contact = Annotated[
    str,
    typer.Argument(
        help="Number of the customer or of any of its records (12), or source and key (crm:0031)."
    ),
]
Currency = Annotated[
    str | None, typer.Option("--currency", help="Only this currency, such as EUR.")
]


def register(group: typer.Typer) -> None:
    """Add this module's commands."""
    for name, command in (
        ("show", show),
        ("timeline", timeline),
        ("score", score),
        ("attribution", attribution),
        ("rfm", rfm),
        ("value", value),
        ("cohorts", cohorts),
        ("churn", churn),
        ("recommend", recommend),
        ("overview", overview),
        ("before-after", before_after),
    ):
        group.command(name)(command)


def show(
    contact: Contact,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """One customer: values, records, companies, permissions, open work, money, latest events."""
    opened = Project.open(project, wait=wait)
    page = opened.insight.profile(contact)
    if not show_personal:
        page = masked_page(page, opened.rules)
    if output is Format.TABLE:
        print_customer(page)
    else:
        print_object(page_to_dict(page), output)


def timeline(
    contact: Contact,
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Events of this entity only.")
    ] = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    show_personal: ShowPersonal = False,
    wait: Wait = 0.0,
) -> None:
    """Everything that happened with one customer, the latest first."""
    opened = Project.open(project, wait=wait)
    page = opened.insight.profile(contact)
    events = page.timeline if show_personal else masked_page(page, opened.rules).timeline
    if entity is not None:
        events = events.filter(pl.col("entity") == entity)
    if output is Format.TABLE:
        events = events.select(_SHOWN)
    print_frame(events, output)
    if output is Format.TABLE:
        say(counted(events.height, "event"))


def score(
    name: Annotated[str, typer.Argument(help="A score of rules/scores.")] = "lead",
    contact: Annotated[
        str | None, typer.Option("--contact", help="Of this customer only, part by part.")
    ] = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Scores by declared rules with their parts; a part without a value is unknown, not zero."""
    opened = Project.open(project, wait=wait)
    found = opened.insight.scores(name, as_of=_day(as_of))
    if contact is None:
        print_frame(found, output, most=30)
        return
    number = opened.insight.profile(contact).contact_id
    one = found.filter(pl.col("contact_id") == number)
    if output is not Format.TABLE:
        print_frame(one, output)
        return
    points = one.drop("contact_id", "unknown", "total").to_dicts()[0] if one.height else {}
    parts = pl.DataFrame(
        [(part, "unknown" if of is None else str(of)) for part, of in points.items()],
        schema={"part": pl.String, "points": pl.String},
        orient="row",
    )
    print_frame(parts, output, title=f"{name}: {one['total'][0]}")


def attribution(
    model: Annotated[
        str, typer.Argument(help="first, last, linear, position (40/20/40) or decay (7 days).")
    ] = "linear",
    by: Annotated[
        str, typer.Option("--by", help="channel, campaign, or touchpoint for every single one.")
    ] = "channel",
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """What brought the won deals; the credits of each deal add up to 1."""
    insight = Project.open(project, wait=wait).insight
    found = insight.attribution(model, by=None if by == "touchpoint" else by)
    if output is Format.TABLE and by == "touchpoint":
        found = found.select(_CREDITED)
    _print(found, output, "revenue" if by != "touchpoint" else None)


def rfm(
    each: Annotated[
        bool, typer.Option("--each", help="Every customer instead of the groups.")
    ] = False,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Customers by recency, frequency and money."""
    insight = Project.open(project, wait=wait).insight
    found = insight.rfm() if each else insight.overview("rfm")
    if each and output is Format.TABLE:
        found = found.drop(_PARTS)
    _print(found, output, None if each else "customers")


def value(
    forward: Annotated[
        bool, typer.Option("--forward", help="What they will bring, by a model (needs scipy).")
    ] = False,
    days: Annotated[int, typer.Option("--days", min=1, help="How far to look ahead.")] = 365,
    currency: Currency = None,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """What each customer has brought so far, or will bring; currencies are never added up."""
    insight = Project.open(project, wait=wait).insight
    if not forward:
        found = insight.value()
        if currency is not None:
            found = found.filter(pl.col("currency") == currency.upper())
        _print(found, output, None)
        return
    ahead = insight.lifetime(currency, days=days, as_of=_day(as_of))
    print_frame(ahead.customers, output, most=20)
    _say_scores(ahead.scores, ahead.warning)


def cohorts(
    project: ProjectDir = Path(), output: OutputFormat = Format.TABLE, wait: Wait = 0.0
) -> None:
    """How many customers come back, by the month of their first payment."""
    found = Project.open(project, wait=wait).insight.cohorts()
    if output is not Format.TABLE:
        print_frame(found, output)
        return
    shown = found.filter(pl.col("months") <= 12).with_columns(  # noqa: PLR2004 - a year
        (pl.col("retention") * 100).round(0).cast(pl.Int64)
    )
    wide = shown.sort("months", "cohort").pivot(
        "months", index=["cohort", "customers"], values="retention"
    )
    print_frame(wide.sort("cohort"), output, title="Percent who paid, by months after the first")


def churn(
    days: Annotated[
        int, typer.Option("--days", min=1, help="No payment for so long is a loss.")
    ] = 90,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Who may not buy again, and how well the model told it of days that it had not seen."""
    found = Project.open(project, wait=wait).insight.churn(days=days, as_of=_day(as_of))
    if output is Format.JSON:
        rows = found.customers.to_dicts()
        head = {"schema_version": 1, "days": days, "scores": found.scores, "warning": found.warning}
        print_object({**head, "customers": rows}, output)
    else:
        print_frame(found.customers, output, most=20)
    _say_scores(found.scores, found.warning)


def recommend(
    contact: Annotated[
        str | None, typer.Argument(help="For this customer; without it all pairs of products.")
    ] = None,
    at_least: Annotated[
        int, typer.Option("--at-least", min=1, help="Pairs that so many customers bought.")
    ] = 2,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """What is bought together, or what one customer may want next."""
    found = Project.open(project, wait=wait).insight.recommend(contact, at_least=at_least)
    print_frame(found, output, most=20)
    if found.is_empty():
        say("nothing is bought together often enough")


def overview(
    name: Annotated[
        str | None, typer.Argument(help="One question; without it they are listed.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Answer all of them.")] = False,
    as_of: AsOf = None,
    project: ProjectDir = Path(),
    output: OutputFormat = Format.TABLE,
    wait: Wait = 0.0,
) -> None:
    """Twenty questions of a management, each a documented query."""
    insight = Project.open(project, wait=wait).insight
    if name is None and not every:
        listed = [(one.name, one.title, one.note) for one in QUESTIONS.values()]
        frame = pl.DataFrame(listed, schema=["name", "question", "what counts"], orient="row")
        print_frame(frame if output is not Format.TABLE else frame.drop("what counts"), output)
        say("answer one: crmq crm overview NAME; all of them: crmq crm overview --all")
        return
    asked = list(QUESTIONS) if name is None else [name]
    found = {one: insight.overview(one, as_of=_day(as_of)) for one in asked}
    if output is Format.JSON:
        answers = {one: frame.to_dicts() for one, frame in found.items()}
        print_object({"schema_version": 1, "answers": answers}, output)
        return
    for one, frame in found.items():
        question = QUESTIONS[one]
        if output is Format.TABLE:
            _print(frame, output, question.bar, title=question.title)
            say(question.note)
        else:
            print_frame(frame.select(pl.lit(one).alias("question"), pl.all()), output)


def before_after(
    project: ProjectDir = Path(), output: OutputFormat = Format.TABLE, wait: Wait = 0.0
) -> None:
    """What deduplication changed: key figures of the records as received, beside the golden ones.

    As received, every source record is a customer of its own; all else is counted the same way.
    """
    found = Project.open(project, wait=wait).insight.before_after()
    if output is not Format.TABLE:
        print_frame(found, output)
        return
    print_comparison(found)
    for name in found["figure"].unique(maintain_order=True):
        if note := COMPARISONS[name].note:
            say(f"{COMPARISONS[name].title}: {note}")


def _print(frame: pl.DataFrame, output: Format, bar: str | None, *, title: str = "") -> None:
    if output is Format.TABLE:
        frame = with_days(frame if bar is None else with_bars(frame, bar))
    print_frame(frame, output, title=title)


def _say_scores(scores: dict[str, float | None], warning: str | None) -> None:
    told = ", ".join(f"{name} {of:g}" for name, of in scores.items() if of is not None)
    say(f"on days that it had not seen: {told}")
    if warning is not None:
        say(f"warning: {warning}")


def _day(as_of: datetime | None) -> date | None:
    return None if as_of is None else as_of.date()
