from __future__ import annotations

import json
import random

import intake_headers as headers
import polars as pl
import pytest

from crm_quality.definitions import default_rules
from crm_quality.errors import InputError
from crm_quality.intake import read, take_in

RULES = default_rules()
BOOKKEEPING = {"row_number", "problem", "raw", "content_hash", "custom"}

#: Header, a made-up row, and what is known of it afterwards.
ROWS = [
    (
        headers.HUBSPOT_CONTACTS,
        {
            "Record ID": "501", "First Name": "Ann", "Last Name": "Lee", "Email": "ann@lee.example",
            "Phone Number": "+1 415 555 0100", "Lead Status": "OPEN",
            "Create Date": "3/15/2024 2:30 PM",
            "Associated Company": "Acme Inc", "Country/Region": "US", "Contact owner": "Kim Park",
        },
        {
            "source": "hubspot_contacts", "source_key": "501", "first_name": "Ann",
            "last_name": "Lee", "email": "ann@lee.example", "phone": "+1 415 555 0100",
            "created_at": "3/15/2024 2:30 PM", "company_name": "Acme Inc", "country": "US",
            "owner": "Kim Park",
        },
        {"Lead Status": "OPEN"},
    ),
    (
        headers.HUBSPOT_CONTACTS_OLD,
        {
            "Contact ID": "17", "Last Name": "Lee", "Lifecycle Stage": "customer", "City": "Bonn",
            "State/Region": "NW", "HubSpot Score": "55", "Website URL": "lee.example",
        },
        {
            "source": "hubspot_contacts", "source_key": "17", "last_name": "Lee", "city": "Bonn",
            "lifecycle_stage": "customer", "state": "NW", "website": "lee.example",
        },
        {},
    ),
    (
        headers.HUBSPOT_COMPANIES_UPPER,
        {
            "Record ID": "9", "Company Name": "Acme Inc", "Domain": "acme.example",
            "Company Owner": "Kim Park", "Industry": "Retail", "Create Date": "2024-03-15 14:30",
        },
        {
            "source": "hubspot_companies", "source_key": "9", "name": "Acme Inc",
            "domain": "acme.example", "owner": "Kim Park", "industry": "Retail",
            "created_at": "2024-03-15 14:30",
        },
        {},
    ),
    (
        headers.SALESFORCE_CONTACT,
        {
            "Id": "0035g00000A1", "IsDeleted": "true", "MasterRecordId": "0035g00000B2",
            "LastName": "Lee", "FirstName": "Ann", "Name": "Ann Lee", "MailingStreet": "1 Elm St",
            "MailingCity": "Austin", "MailingAddress": '{"city":"Austin"}', "Phone": "1",
            "MobilePhone": "2", "HomePhone": "3", "OtherPhone": "4", "Email": "ann@lee.example",
            "HasOptedOutOfEmail": "1", "DoNotCall": "0", "LeadSource": "Web",
            "Birthdate": "1980-02-03", "OtherCity": "Dallas", "SystemModstamp": "2024-01-01",
        },
        {
            "source": "salesforce_contacts", "source_key": "0035g00000A1", "is_deleted": True,
            "merged_into": "0035g00000B2", "last_name": "Lee", "first_name": "Ann",
            "full_name": "Ann Lee", "street": "1 Elm St", "city": "Austin", "phone": "1",
            "mobile": "2", "other_phones": "3; 4", "email": "ann@lee.example",
            "email_opt_out": "1", "do_not_call": "0", "lead_source": "Web",
            "date_of_birth": "1980-02-03",
        },
        {"OtherCity": "Dallas"},
    ),
    (
        headers.SALESFORCE_CONTACT_REPORT,
        {
            "Contact ID": "0035g1", "First Name": "Ann", "Last Name": "Lee", "Account Name": "Acme",
            "Mailing Zip/Postal Code": "73301", "Email Opt Out": "1", "Home Phone": "3",
        },
        {
            "source": "salesforce_contacts", "source_key": "0035g1", "first_name": "Ann",
            "last_name": "Lee", "company_name": "Acme", "postcode": "73301",
            "email_opt_out": "1", "other_phones": "3",
        },
        {},
    ),
    (
        headers.SALESFORCE_LEAD,
        {
            "Id": "00Q1", "IsDeleted": "false", "MasterRecordId": "000000000000000AAA",
            "LastName": "Lee", "Company": "Acme", "Street": "1 Elm St", "LeadSource": "Web",
            "Status": "Open - Not Contacted", "IsConverted": "false", "Email": "ann@lee.example",
        },
        {
            "source": "salesforce_leads", "source_key": "00Q1", "last_name": "Lee",
            "company_name": "Acme", "street": "1 Elm St", "lead_source": "Web",
            "lifecycle_stage": "Open - Not Contacted", "email": "ann@lee.example",
        },
        {"IsConverted": "false"},
    ),
    (
        headers.SALESFORCE_ACCOUNT,
        {
            "Id": "0011", "IsDeleted": "false", "Name": "Acme Inc", "ParentId": "0012",
            "BillingCity": "Austin", "Website": "acme.example", "NumberOfEmployees": "12",
            "DunsNumber": "150483782", "Type": "Customer",
        },
        {
            "source": "salesforce_accounts", "source_key": "0011", "name": "Acme Inc",
            "parent_source_key": "0012", "city": "Austin", "website": "acme.example",
            "employees": "12", "registration_id": "150483782",
        },
        {"Type": "Customer"},
    ),
    (
        headers.MAILCHIMP,
        {
            "Email Address": "ann@lee.example", "First Name": "Ann", "MEMBER_RATING": "4",
            "OPTIN_TIME": "", "CONFIRM_TIME": "2024-01-02 03:04:05", "CC": "DE",
            "LAST_CHANGED": "2024-02-02 03:04:05", "EUID": "a1b2", "LEID": "77",
            "TAGS": '"VIP","Blog"',
        },
        {
            "source": "mailchimp", "source_key": "a1b2", "email": "ann@lee.example",
            "first_name": "Ann", "created_at": "2024-01-02 03:04:05",
            "updated_at": "2024-02-02 03:04:05", "email_opt_out": "false",
        },
        {"TAGS": '"VIP","Blog"', "CC": "DE"},
    ),
    (
        headers.MAILCHIMP_UNSUBSCRIBED,
        {
            "Email Address": "ann@lee.example", "UNSUB_TIME": "2024-03-03 01:02:03",
            "UNSUB_REASON": "Too many", "EUID": "a1b2", "LAST_CHANGED": "2024-03-03 01:02:03",
        },
        {
            "source": "mailchimp_unsubscribed", "source_key": "a1b2", "email": "ann@lee.example",
            "updated_at": "2024-03-03 01:02:03", "email_opt_out": "true",
        },
        {"UNSUB_TIME": "2024-03-03 01:02:03", "UNSUB_REASON": "Too many"},
    ),
    (
        headers.STRIPE_CUSTOMERS,
        {
            "id": "cus_A1", "Description": "blog reader", "Email": "ann@lee.example",
            "Name": "Ann Lee", "Created (UTC)": "2024-03-15 14:30", "Total Spend": "12.00",
            "tag (metadata)": "vip",
        },
        {
            "source": "stripe_customers", "source_key": "cus_A1", "email": "ann@lee.example",
            "full_name": "Ann Lee", "created_at": "2024-03-15 14:30", "lead_source": "purchase",
        },
        {"Description": "blog reader", "tag (metadata)": "vip"},
    ),
    (
        headers.STRIPE_CUSTOMERS_OLD,
        {"id": "cus_A1", "Email": "ann@lee.example", "Business Vat ID": "DE123456789"},
        {
            "source": "stripe_customers", "source_key": "cus_A1", "email": "ann@lee.example",
            "lead_source": "purchase",
        },
        {"Business Vat ID": "DE123456789"},
    ),
    (
        headers.SHOPIFY_CUSTOMERS_NEW,
        {
            "Customer ID": "'6401", "First Name": "Ann", "Email": "ann@lee.example",
            "Accepts Email Marketing": "yes", "Default Address Address1": "1 Elm St",
            "Default Address Address2": "Apt 2", "Default Address Country Code": "US",
            "Default Address Zip": "'01234", "Default Address Phone": "2", "Phone": "'+1415",
            "Total Spent": "10.00",
            "Birth date (customer.metafields.facts.birth_date)": "1980-02-03",
        },
        {
            "source": "shopify_customers", "source_key": "6401", "first_name": "Ann",
            "email": "ann@lee.example", "email_opt_out": "false", "street": "1 Elm St, Apt 2",
            "country": "US", "postcode": "01234", "other_phones": "2", "phone": "+1415",
            "lead_source": "purchase",
        },
        {
            "Birth date (customer.metafields.facts.birth_date)": "1980-02-03",
        },
    ),
    (
        headers.CALENDLY,
        {
            "User Name": "Kim Park", "Invitee Name": "Ann Lee", "Invitee Email": "ann@lee.example",
            "Invitee accepted marketing emails": "No", "Text Reminder Number": "+1415",
            "Event Created Date & Time": "2024-03-15 02:30 pm", "Guest Email(s)": "bob@x.example",
            "Invitee UUID": "u-1",
        },
        {
            "source": "calendly", "source_key": "u-1", "full_name": "Ann Lee",
            "email": "ann@lee.example", "mobile": "+1415", "lead_source": "booking",
            "created_at": "2024-03-15 02:30 pm",
        },
        {
            "User Name": "Kim Park", "Guest Email(s)": "bob@x.example",
        },
    ),
    (
        headers.META_LEADS,
        {
            "id": "l:3100", "created_time": "2024-03-15T14:30:00+01:00", "form_id": "f:9",
            "is_organic": "true", "platform": "ig", "full_name": "Ann Lee",
            "phone_number": "p:+61412345678", "email": "ann@lee.example",
        },
        {
            "source": "meta_leads", "source_key": "3100", "full_name": "Ann Lee",
            "created_at": "2024-03-15T14:30:00+01:00", "phone": "+61412345678",
            "email": "ann@lee.example", "lead_source": "organic_social",
        },
        {"form_id": "f:9", "platform": "ig"},
    ),
    (
        headers.WEBFORM,
        {
            "Submission ID": "12", "Submitted at": "2024-03-15T14:30:00Z", "First Name": "Ann",
            "Email": "ann@lee.example", "Company": "Acme", "Message": "Hello, you",
        },
        {
            "source": "webform", "source_key": "12", "created_at": "2024-03-15T14:30:00Z",
            "first_name": "Ann", "email": "ann@lee.example", "company_name": "Acme",
            "lead_source": "website",
        },
        {"Message": "Hello, you"},
    ),
    (
        headers.DYNAMICS_CONTACT,
        {
            "(Do Not Modify) Contact": "7d2-1", "(Do Not Modify) Row Checksum": "x==",
            "(Do Not Modify) Modified On": "3/15/2024 2:30 PM", " Full Name": "Ann Lee",
            "Email": "ann@lee.example", "Email Address 2": "a2@lee.example", "Mobile Phone": "2",
        },
        {
            "source": "dynamics_contacts", "source_key": "7d2-1", "full_name": "Ann Lee",
            "updated_at": "3/15/2024 2:30 PM", "email": "ann@lee.example",
            "other_emails": "a2@lee.example", "mobile": "2",
        },
        {},
    ),
    (
        headers.DYNAMICS_CONTACT_FRENCH,
        {"(Ne pas modifier) Contact": "7d2-2", "Prénom": "Zoë", "Nom": "Petit", "Fonction": "DG"},
        {
            "source": "dynamics_contacts", "source_key": "7d2-2", "first_name": "Zoë",
            "last_name": "Petit", "job_title": "DG",
        },
        {},
    ),
    (
        headers.DYNAMICS_LEAD,
        {
            "(Do Not Modify) Lead": "8e-1", "Subject": "Chairs", "First Name": "Ann",
            "State or Province": "TX", "Lead Source": "Web",
        },
        {
            "source": "dynamics_leads", "source_key": "8e-1", "first_name": "Ann", "state": "TX",
            "lead_source": "Web",
        },
        {"Subject": "Chairs"},
    ),
    (
        headers.DYNAMICS_ACCOUNT,
        {
            "(Do Not Modify) Account": "9f-1", "Account Name": "Acme", "Main Phone": "1",
            "Address 1: City": "Austin", "Address 1: Country/Region": "USA",
        },
        {
            "source": "dynamics_accounts", "source_key": "9f-1", "name": "Acme", "phone": "1",
            "city": "Austin", "country": "USA",
        },
        {},
    ),
]  # fmt: skip
NAMES = [expected["source"] for _, _, expected, _ in ROWS]


@pytest.mark.capability(80, 83, 78)
@pytest.mark.parametrize(("header", "row", "expected", "custom"), ROWS, ids=NAMES)
def test_a_row_of_each_export_says_what_it_means(tmp_path, header, row, expected, custom):
    names = header.split(",")
    assert set(row) <= set(names)
    names += [name for name in row if name not in names]
    order = random.Random(3).sample(names, len(names))  # noqa: S311 - any order will do
    path = tmp_path / "export.csv"
    pl.DataFrame({name.upper(): [row.get(name, "")] for name in order}).write_csv(
        path, include_bom=True, separator=";"
    )
    intake = take_in(read(path), RULES)
    [(entity, records)] = intake.records.items()
    [record] = records.to_dicts()
    assert entity == RULES.sources[expected["source"]].entity
    known = {name: value for name, value in record.items() if value and name not in BOOKKEEPING}
    assert known == expected
    assert json.loads(record["custom"] or "{}") == {k.upper(): v for k, v in custom.items()}
    assert not intake.drift


@pytest.mark.parametrize("name", [n for n, told in headers.TOLD_BY.items() if told])
def test_a_full_export_of_a_known_source_is_no_drift(name):
    source = headers.TOLD_BY[name]
    frame = pl.DataFrame(schema=dict.fromkeys(name.split(","), pl.String))
    assert not take_in(read(frame), RULES, source=source).drift


@pytest.mark.parametrize("source", sorted(RULES.sources))
def test_a_preset_says_nothing_twice(source):
    definition = RULES.sources[source]
    known = [*definition.known, *definition.ignore]
    assert len(set(known)) == len(known)
    fields = RULES.entity(definition.entity).fields
    assert set(definition.constants) <= set(fields)
    assert definition.title
    along = {name for other in RULES.sources.values() for name in other.also}
    assert bool(definition.recognised_by) != (source in along)


@pytest.mark.capability(80)
def test_test_leads_of_meta_are_no_records():
    row = {"id": "l:1", "created_time": "x", "form_id": "f:1", "email": "test@fb.com",
           "full_name": "<test lead: dummy data for full_name>"}  # fmt: skip
    intake = take_in(read([row]), RULES)
    assert (intake.skipped, intake.records["contact"].height) == (1, 0)


def test_shopifys_no_is_not_an_opt_out():
    row = {"Customer ID": "1", "Email": "a@b.example", "Accepts Email Marketing": "no",
           "Default Address Zip": ""}  # fmt: skip
    assert take_in(read([row]), RULES).records["contact"]["email_opt_out"].to_list() == [None]


def test_a_report_without_ids_asks_for_them():
    row = {"First Name": "Ann", "Last Name": "Lee", "Mailing City": "Austin"}
    with pytest.raises(InputError, match=r"'Contact ID'.*salesforce_contacts is missing"):
        take_in(read([row]), RULES)
