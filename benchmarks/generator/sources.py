"""The systems that records come from, and what each of them tends to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Tendencies of one source; all figures are probabilities."""

    name: str
    weight: float  # share of the records
    work: float  # the record is about someone at work, if they work
    email: float
    phone: float
    mobile: float  # has a column of its own for mobiles
    address: float
    birthday: float  # is filled if the person ever told anyone


SOURCES = {
    s.name: s
    for s in (
        Source("hubspot_contacts", 0.28, 0.70, 0.93, 0.50, 0.25, 0.30, 0.25),
        Source("salesforce_contacts", 0.24, 0.85, 0.85, 0.65, 0.35, 0.55, 0.35),
        Source("shopify_customers", 0.20, 0.06, 0.88, 0.62, 0.00, 0.92, 0.55),
        Source("stripe_customers", 0.10, 0.25, 0.97, 0.35, 0.00, 0.35, 0.25),
        Source("webform", 0.12, 0.45, 0.80, 0.55, 0.10, 0.35, 0.70),
        Source("calendly", 0.06, 0.65, 0.95, 0.45, 0.00, 0.05, 0.05),
        Source("mailchimp", 0.14, 0.25, 0.99, 0.15, 0.00, 0.15, 0.30),
    )
}
CONTACT_SOURCES = (
    "hubspot_contacts",
    "salesforce_contacts",
    "shopify_customers",
    "stripe_customers",
    "webform",
    "calendly",
)
DEMO_SOURCES = (
    "hubspot_contacts",
    "salesforce_contacts",
    "mailchimp",
    "stripe_customers",
    "shopify_customers",
    "webform",
)
