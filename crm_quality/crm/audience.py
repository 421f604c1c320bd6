"""Whom a message may go to: one address each, nobody who must not get it, and how to greet them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from crm_quality.store import Store

#: Channel → what its addresses look like.
CHANNELS = {"email": "%@%", "phone": "+%", "sms": "+%", "whatsapp": "+%"}
_AUDIENCE = """
WITH bounced AS (
    -- an address that a message came back from; where only its record is told, all that it has
    SELECT contact_email AS address FROM crm.engagement WHERE kind = 'bounce'
    UNION SELECT contact_email FROM crm.campaign_member WHERE member_status = 'bounced'
    UNION
    SELECT p.value FROM landing.contact_point p JOIN (
        SELECT contact_record FROM crm.engagement WHERE kind = 'bounce' AND contact_email IS NULL
        UNION SELECT contact_record FROM crm.campaign_member
        WHERE member_status = 'bounced' AND contact_email IS NULL
    ) b ON b.contact_record = p.record_id WHERE p.entity = 'contact' AND p.kind = 'email'
), unwanted AS (
    SELECT contact_id FROM (
        SELECT contact_id, arg_max(wanted, (occurred_at, entity_id)) AS wanted FROM crm.preference
        WHERE contact_id IS NOT NULL AND lower(topic) = lower($topic) GROUP BY contact_id
    ) WHERE NOT wanted
), said AS (
    SELECT m.contact_id, p.address, p.status
    FROM members m LEFT JOIN crm.permission p
      ON p.contact_id = m.contact_id AND p.channel = $channel AND p.purpose = $purpose
), judged AS (
    SELECT s.contact_id, s.address,
           CASE WHEN s.status IS NULL THEN 'no permission'
                WHEN bool_or(s.status <> 'granted') OVER (PARTITION BY s.contact_id)
                     THEN 'opted out'
                WHEN s.address NOT LIKE $pattern THEN 'no address'
                WHEN $channel = 'email' AND s.address IN (SELECT address FROM bounced
                     WHERE address IS NOT NULL) THEN 'bounced'
                WHEN s.contact_id IN (SELECT contact_id FROM unwanted) THEN 'topic not wanted'
           END AS why
    FROM said s
), chosen AS (
    -- the golden address before others; of those left out the nearest to being sent
    SELECT j.contact_id, arg_min(j.address, (j.why IS NOT NULL,
               j.address NOT IN (coalesce(c.email, ''), coalesce(c.phone, ''),
                                 coalesce(c.mobile, '')),
               j.address)) AS address,
           arg_min(coalesce(j.why, ''), (j.why IS NOT NULL, j.why)) AS why
    FROM judged j LEFT JOIN crm.contact c ON c.entity_id = j.contact_id GROUP BY j.contact_id
)
SELECT h.contact_id, h.address,
       CASE WHEN why <> '' THEN why
            WHEN row_number() OVER (PARTITION BY why <> '', address ORDER BY h.contact_id) > 1
                 THEN 'address has it already' END AS why,
       c.salutation, c.first_name, c.last_name, c.company_name, c.country
FROM chosen h LEFT JOIN crm.contact c ON c.entity_id = h.contact_id ORDER BY h.contact_id
"""


@dataclass(frozen=True)
class Audience:
    """Who gets a message, and who does not.

    Attributes:
        people: One row each: ``contact_id, address, greeting, salutation, first_name, last_name,
            company_name, country``. Names are spelt as names; each address stands once.
        left_out: Everybody else who was asked for: ``contact_id``, ``why`` (no permission, opted
            out, no address, bounced, topic not wanted, address has it already).
    """

    people: pl.DataFrame
    left_out: pl.DataFrame


def audience(
    store: Store,
    members: pl.DataFrame,
    *,
    channel: str,
    purpose: str,
    topic: str | None = None,
) -> Audience:
    """Whom of ``members`` a message may go to.

    Only an address whose permission is ``granted`` is used, and only of people of whom none is
    withdrawn or blocked.

    Args:
        store: Open; nothing is written.
        members: ``contact_id`` of those who are meant.
        channel: One of `CHANNELS`.
        purpose: As consents name it, such as marketing.
        topic: Leave out who does not want to hear of it; null = no topic.
    """
    with store.staged(members.select("contact_id").unique(), "members"):
        found = store.named(
            _AUDIENCE,
            {"channel": channel, "purpose": purpose, "topic": topic, "pattern": CHANNELS[channel]},
        )
    people = found.filter(pl.col("why").is_null()).drop("why")
    names = [spelt(name) for name in people["first_name"]]
    last = [spelt(name) for name in people["last_name"]]
    greetings = [greeting(*one) for one in zip(people["salutation"], names, last, strict=True)]
    people = people.with_columns(
        pl.Series("first_name", names, pl.String),
        pl.Series("last_name", last, pl.String),
        pl.Series("greeting", greetings, pl.String),
    )
    order = ["contact_id", "address", "greeting", "salutation", "first_name", "last_name",
             "company_name", "country"]  # fmt: skip
    left_out = found.filter(pl.col("why").is_not_null()).select("contact_id", "why")
    return Audience(people.select(order), left_out)


def greeting(title: str | None, first: str | None, last: str | None) -> str:
    """How to greet somebody: by first name, else by title and last name, else without a name."""
    if first:
        return f"Hello {first},"
    return f"Dear {title} {last}," if title and last else "Hello,"


def spelt(name: str | None) -> str | None:
    """A name that is all capitals or all small, spelt as a name; null for one without letters."""
    name = " ".join((name or "").split())
    if not any(char.isalpha() for char in name):
        return None
    if len(name) > 1 and (name.isupper() or name.islower()):
        return "".join(
            char.upper() if at == 0 or not name[at - 1].isalpha() else char.lower()
            for at, char in enumerate(name)
        )
    return name
