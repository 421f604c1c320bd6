# ruff: noqa: E501 - queries are read as a whole
"""Twenty questions that a management asks, each a named query over the views of the CRM model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_quality.crm.kept import KEPT, kept
from crm_quality.errors import NotFoundError

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from crm_quality.store import Store


@dataclass(frozen=True)
class Question:
    """A question to the store.

    Attributes:
        name: What it is asked by.
        title: The question.
        note: What counts, and what does not.
        query: SQL; ``$as_of`` is the day that counts as today.
        bar: The column that a chart shows; null = none.
    """

    name: str
    title: str
    note: str
    query: str
    bar: str | None = None


def _attributed(model: str, how: str) -> Question:
    return Question(
        f"attribution_{model}",
        f"Which channels brought the won deals ({how})?",
        "Credits of all channels add up to the number of won deals, revenue to their amounts; "
        "'(no touchpoint)' is its own channel.",
        f"""SELECT CASE WHEN touchpoint_id IS NULL THEN '(no touchpoint)'
                 ELSE coalesce(lead_source, '(unknown)') END AS channel, currency,
                 sum(credit) AS deals, sum(revenue) AS revenue
            FROM {{attribution}} WHERE model = '{model}' GROUP BY ALL
            ORDER BY revenue DESC NULLS LAST, channel, currency""",  # noqa: S608 - constants
        "revenue",
    )


_ALL = (
    Question(
        "customers", "How many customers are there, and how many rows hang on them?",
        "Rows whose customer waits in quarantine, is not known or is not named are counted apart, so "
        "that the rows add up to all rows.",
        """SELECT 'customers' AS what, 'all' AS bucket, count(*) AS number FROM crm.contact
           UNION ALL SELECT 'source records', status, count(*) FROM crm.crosswalk
           WHERE entity = 'contact' GROUP BY status
           UNION ALL SELECT entity, bucket, events FROM {event_bucket}
           ORDER BY what = 'customers' DESC, what, bucket""",
    ),
    Question(
        "new_customers", "How many customers were first seen, by month?",
        "By the time at which a source made the golden record's first record.",
        """SELECT date_trunc('month', created_at)::DATE AS month, count(*) AS customers
           FROM crm.contact WHERE created_at < $as_of::DATE + 1 GROUP BY ALL ORDER BY month""",
        "customers",
    ),
    Question(
        "lifecycle", "How many customers are at each stage of the lifecycle?", "Null = unknown.",
        """SELECT lifecycle_stage, count(*) AS customers, round(100 * count(*) / sum(count(*)) OVER (), 1)
           AS percent FROM crm.contact GROUP BY ALL ORDER BY customers DESC""",
        "customers",
    ),
    Question(
        "channels", "Which channels bring contacts, and how many of them became customers?",
        "Customers are those at the stages customer and evangelist.",
        """SELECT lead_source, count(*) AS contacts,
           count(*) FILTER (lifecycle_stage IN ('customer', 'evangelist')) AS customers
           FROM crm.contact GROUP BY ALL ORDER BY contacts DESC""",
        "contacts",
    ),
    Question(
        "revenue", "What was paid, by month?", "Payments less refunds; currencies apart.",
        """SELECT date_trunc('month', occurred_at)::DATE AS month, currency, count(*) AS movements,
           sum(net) AS net FROM crm.money_moved WHERE occurred_at < $as_of::DATE + 1 OR occurred_at IS NULL
           GROUP BY ALL ORDER BY month, currency""",
        "net",
    ),
    Question(
        "products", "What is bought?", "Payments less refunds; currencies apart.",
        """SELECT product, currency, count(*) AS movements, sum(net) AS net
           FROM crm.money_moved GROUP BY ALL ORDER BY net DESC, product, currency""",
        "net",
    ),
    Question(
        "pipeline", "What is in the pipeline?",
        "Open deals, weighted by the chance of their stage, else by the deal's own.",
        """SELECT pipeline, stage, currency, count(*) AS deals, sum(amount) AS amount,
           sum(weighted) AS weighted FROM crm.deal_worth WHERE outcome = 'open'
           GROUP BY ALL ORDER BY pipeline, amount DESC NULLS LAST, stage, currency""",
        "amount",
    ),
    Question(
        "forecast", "What may be won, by month?",
        "Open deals by the month in which they are expected to close, weighted by their chance; "
        "overdue ones have their past month.",
        """SELECT date_trunc('month', close_date)::DATE AS month, currency, count(*) AS deals,
           sum(amount) AS amount, sum(weighted) AS weighted,
           coalesce(date_trunc('month', close_date) < date_trunc('month', $as_of::DATE), false) AS is_overdue
           FROM crm.deal_worth WHERE outcome = 'open'
           GROUP BY ALL ORDER BY month NULLS LAST, currency""",
        "weighted",
    ),
    Question(
        "won_and_lost", "What was won and lost, by month?", "By the day on which the deal was closed.",
        """SELECT date_trunc('month', close_date)::DATE AS month, currency,
           count(*) FILTER (outcome = 'won') AS won, count(*) FILTER (outcome = 'lost') AS lost,
           sum(amount) FILTER (outcome = 'won') AS amount_won,
           round(count(*) FILTER (outcome = 'won') / count(*), 3) AS win_rate
           FROM crm.deal_worth WHERE outcome IN ('won', 'lost') GROUP BY ALL ORDER BY month, currency""",
        "amount_won",
    ),
    _attributed("first", "all to the first touchpoint"),
    _attributed("last", "all to the last"),
    _attributed("linear", "the same to each"),
    _attributed("position", "40 % first, 40 % last, 20 % between"),
    _attributed("decay", "half for every seven days before the last"),
    Question(
        "campaign_revenue", "Which campaigns brought the won deals?",
        "By linear attribution; touchpoints of no campaign, and deals without any, have rows of their "
        "own, so that revenue adds up.",
        """SELECT coalesce(c.name, CASE WHEN touchpoint_id IS NULL THEN '(no touchpoint)'
                  ELSE '(no campaign)' END) AS campaign, a.currency, sum(credit) AS deals,
                  sum(revenue) AS revenue
           FROM {attribution} a LEFT JOIN crm.campaign_row c ON c.entity_id = a.campaign_id
           WHERE model = 'linear' GROUP BY ALL ORDER BY revenue DESC NULLS LAST, campaign, currency""",
        "revenue",
    ),
    Question(
        "value", "What is a customer worth so far?",
        "Customers who paid, in ten equal parts by what stays of it; currencies apart.",
        """SELECT currency, money_decile AS decile, count(*) AS customers, min(net) AS least,
           max(net) AS most, sum(net) AS net FROM {rfm} GROUP BY ALL ORDER BY currency, decile DESC""",
        "net",
    ),
    Question(
        "rfm", "Who are the customers, by recency, frequency and money?",
        "See crm.rfm for the groups; currencies apart.",
        """SELECT segment, currency, count(*) AS customers, sum(net) AS net, sum(payments) AS payments
           FROM {rfm} GROUP BY ALL ORDER BY customers DESC, segment, currency""",
        "customers",
    ),
    Question(
        "cohorts", "How many customers come back, by the month of their first payment?",
        "active = who paid in that month after the first; month 0 is the first.",
        "SELECT * FROM {cohort} ORDER BY cohort, months",
    ),
    Question(
        "quiet", "How long have customers been quiet?",
        "Customers who paid, by months since the last payment in any currency.",
        """SELECT date_diff('month', last_paid_at, $as_of::TIMESTAMP) AS months, count(*) AS customers
           FROM (SELECT contact_id, max(last_paid_at) AS last_paid_at FROM {contact_money}
                 WHERE contact_id IS NOT NULL GROUP BY ALL)
           WHERE last_paid_at IS NOT NULL GROUP BY ALL ORDER BY months""",
        "customers",
    ),
    Question(
        "tickets", "How is support doing?",
        "By priority; hours are medians of elapsed time.",
        """SELECT priority, count(*) AS tickets,
           count(*) FILTER (coalesce(ticket_status, '') NOT IN ('solved', 'closed')) AS open,
           round(median(date_diff('minute', created_at, first_response_at)) / 60, 1) AS hours_to_answer,
           round(median(date_diff('minute', created_at, resolved_at)) / 60, 1) AS hours_to_solve
           FROM crm.ticket_row GROUP BY ALL ORDER BY tickets DESC""",
        "tickets",
    ),
)  # fmt: skip
QUESTIONS: dict[str, Question] = {question.name: question for question in _ALL}


def question(name: str) -> Question:
    """The question called ``name``.

    Raises:
        NotFoundError: There is none.
    """
    if name not in QUESTIONS:
        raise NotFoundError(f"there is no question {name!r} (there are: {', '.join(QUESTIONS)})")
    return QUESTIONS[name]


def answer(store: Store, asked: Question, *, as_of: date) -> pl.DataFrame:
    """The answer to a question, whole.

    Args:
        store: Open; `crm_quality.crm.kept.keep` was called.
        asked: One of `QUESTIONS`.
        as_of: The day that counts as today.
    """
    query = asked.query.format(**{name: kept(name) for name in KEPT})
    values = {"as_of": as_of} if "$as_of" in query else {}
    return store.named(query, values)
