"""The demo: six exports as the systems of a small company would write them, and their truth.

Headers are those of the real systems. Each has its own way with dates, delimiters and encodings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator import corruption
from benchmarks.generator.companies import Companies
from benchmarks.generator.layout import World
from benchmarks.generator.names import unaccented
from benchmarks.generator.records import contact_batch
from benchmarks.generator.sources import DEMO_SOURCES
from benchmarks.generator.values import base62, source_keys
from benchmarks.generator.write import csv_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.generator.draw import Draw, Ints

FILES = {
    "hubspot_contacts": "hubspot_contacts.csv",
    "salesforce_contacts": "salesforce_contacts.csv",
    "mailchimp": "mailchimp_subscribed.csv",
    "stripe_customers": "stripe_customers.csv",
    "shopify_customers": "shopify_customers.csv",
    "webform": "webform.csv",
}
HEADERS = {
    "hubspot_contacts": (
        "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Job Title,"
        "Company Name,Street Address,City,State/Region,Postal Code,Country/Region,Lifecycle Stage,"
        "Lead Status,Original Source,Contact owner,Create Date,Last Modified Date"
    ),
    "salesforce_contacts": (
        "Id,IsDeleted,MasterRecordId,AccountId,LastName,FirstName,Salutation,Name,OtherStreet,"
        "OtherCity,OtherState,OtherPostalCode,OtherCountry,OtherLatitude,OtherLongitude,"
        "OtherGeocodeAccuracy,OtherAddress,MailingStreet,MailingCity,MailingState,"
        "MailingPostalCode,MailingCountry,MailingLatitude,MailingLongitude,MailingGeocodeAccuracy,"
        "MailingAddress,Phone,Fax,MobilePhone,HomePhone,OtherPhone,AssistantPhone,ReportsToId,"
        "Email,Title,Department,AssistantName,LeadSource,Birthdate,Description,OwnerId,"
        "HasOptedOutOfEmail,HasOptedOutOfFax,DoNotCall,CanAllowPortalSelfReg,CreatedDate,"
        "CreatedById,LastModifiedDate,LastModifiedById,SystemModstamp,LastActivityDate,"
        "LastCURequestDate,LastCUUpdateDate,LastViewedDate,LastReferencedDate,EmailBouncedReason,"
        "EmailBouncedDate,IsEmailBounced,PhotoUrl,Jigsaw,JigsawContactId,IndividualId"
    ),
    "mailchimp": (
        "Email Address,First Name,Last Name,Address,Phone Number,Company,MEMBER_RATING,OPTIN_TIME,"
        "OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,"
        "LAST_CHANGED,LEID,EUID,NOTES,TAGS"
    ),
    "stripe_customers": (
        "id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status,Total Spend,Payment Count,"
        "Refunded Volume,Dispute Losses,tag (metadata)"
    ),
    "shopify_customers": (
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
        "Default Address Address1,Default Address Address2,Default Address City,"
        "Default Address Province Code,Default Address Country Code,Default Address Zip,"
        "Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,"
        "Tax Exempt,Tags"
    ),
    "webform": (
        "Submission ID;Submission Date;Name;Email;Phone;Company;Job Title;Street;Zip;City;Country;"
        "How did you hear about us?;Message;Newsletter;utm_source;utm_medium;utm_campaign"
    ),
}
KEY_COLUMNS = {
    "hubspot_contacts": "Record ID",
    "salesforce_contacts": "Id",
    "mailchimp": "EUID",
    "stripe_customers": "id",
    "shopify_customers": "Customer ID",
    "webform": "Submission ID",
}
# sources that cannot hold a record without a mailbox
NEED_MAIL = ("mailchimp", "stripe_customers")
NOBODY_ROWS = 12
SALESFORCE_MERGED, SALESFORCE_DELETED = 6, 4
NO_MASTER = "000000000000000AAA"


def write_demo(folder: Path, rows: int, seed: int) -> pl.DataFrame:
    """Write the six files and `truth.csv` into a folder, and return that truth with `email`.

    The truth has `source` (the name of the preset), `source_key` (the value in that export's key
    column), `person_id`, `household_id`, `company_id`; a row with nothing to identify anyone by is
    a person of its own.
    """
    world = World(rows, seed)
    positions = np.arange(rows, dtype=np.int64)
    contacts, truth = contact_batch(world, Companies(world), positions, DEMO_SOURCES)
    contacts, truth = _at_home(world, positions, contacts, truth)
    folder.mkdir(parents=True, exist_ok=True)
    nobody = _nobody(world)
    for source, name in FILES.items():
        frame = contacts.filter(source=source)
        ids = frame["position"].to_numpy()
        columns = MAKERS[source](world.draw, ids, frame)
        header = HEADERS[source].split(";" if source == "webform" else ",")
        export = pl.DataFrame(
            {title: columns.get(title, pl.Series([""] * frame.height)) for title in header},
        )
        if source in ("hubspot_contacts", "webform"):
            empty, known = nobody[source]
            blank = {title: pl.Series([""] * empty.height) for title in header}
            export = pl.concat([export, pl.DataFrame(blank | empty.to_dict())])
            truth = pl.concat([truth, known])
        data = (
            csv_bytes(header, _latin(export), delimiter=";", encoding="latin-1")
            if source == "webform"
            else csv_bytes(
                header,
                export,
                encoding="utf-8-sig" if source == "salesforce_contacts" else "utf-8",
            )
        )
        (folder / name).write_bytes(data)
    truth.write_csv(folder / "truth.csv")
    mail = contacts.select("source", "source_key", "email")
    return truth.join(mail, on=["source", "source_key"], how="left", maintain_order="left")


def _at_home(
    world: World,
    positions: Ints,
    contacts: pl.DataFrame,
    truth: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records that their system could not hold are web forms instead.

    An audience has each mailbox once, and payment and mailing systems need one.
    """
    mail = contacts["email"].str.strip_chars().str.to_lowercase()
    sound = mail.str.contains(r"^[^@\s]+@[^@\s]+\.[^@\s]+[^.]$").fill_null(value=False)
    source = contacts["source"]
    first = pl.DataFrame({"s": source, "m": mail}).select(
        (pl.int_range(pl.len()).over("s", "m") == 0).alias("first"),
    )["first"]
    misplaced = source.is_in(NEED_MAIL) & ~sound | (source == "mailchimp") & ~first
    names = corruption.replaced(source, misplaced.to_numpy(), "webform")
    numbers = names.replace_strict(list(DEMO_SOURCES), list(range(len(DEMO_SOURCES))))
    keys = source_keys(world, positions, numbers.to_numpy().astype(np.int64), DEMO_SOURCES)
    new = [names.alias("source"), keys.alias("source_key")]
    return (
        contacts.with_columns(
            *new,
            pl.Series("position", positions),
            truth["company_id"].alias("employer"),
        ),
        truth.with_columns(*new),
    )


def _nobody(world: World) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
    """Rows with nothing to identify anyone by, and their truth, for two of the files."""
    number = np.arange(NOBODY_ROWS, dtype=np.int64)
    dots = pl.Series(["n/a", "-", "", "unknown", "???", "."]).gather(pl.Series(number % 6))
    mail = pl.Series(["noemail@noemail.com", "", "n/a", "test@test.com"]).gather(
        pl.Series(number % 4),
    )
    form_keys = pl.Series([f"WF-X{n:06d}" for n in number])
    hub_keys = pl.Series([f"99{n:08d}" for n in number])
    day = pl.Series([f"{n % 27 + 1:02d}.03.2024 09:{n:02d}" for n in number])
    forms = pl.DataFrame(
        {
            "Submission ID": form_keys,
            "Submission Date": day,
            "Name": dots,
            "Email": mail,
            "Phone": pl.Series(["0000000000"] * NOBODY_ROWS),
            "Message": pl.Series(["please call me back", "asdf", "price?"] * (NOBODY_ROWS // 3)),
        },
    )
    hub = pl.DataFrame(
        {
            "Record ID": hub_keys,
            "Email": mail,
            "Lead Status": pl.Series(["NEW"] * NOBODY_ROWS),
            "Create Date": pl.Series([f"2024-02-{n + 1:02d} 08:15" for n in number]),
        },
    )

    def truth(source: str, keys: pl.Series, first: int) -> pl.DataFrame:
        person = pl.Series(world.rows * 10 + first + number)
        return pl.DataFrame(
            {
                "source": pl.Series([source] * NOBODY_ROWS),
                "source_key": keys,
                "person_id": person,
                "household_id": person,
                "company_id": pl.Series([None] * NOBODY_ROWS, dtype=pl.Int64),
            },
        )

    return {
        "webform": (forms, truth("webform", form_keys, 0)),
        "hubspot_contacts": (hub, truth("hubspot_contacts", hub_keys, NOBODY_ROWS)),
    }


def _when(column: pl.Series, form: str) -> pl.Series:
    return column.str.to_datetime("%Y-%m-%d %H:%M:%S").dt.to_string(form)


def _full_name(draw: Draw, ids: Ints, frame: pl.DataFrame, turned: float) -> pl.Series:
    """Given name and surname in one field, sometimes "Surname, Given name"."""
    parts = frame.select(
        pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True).alias("usual"),
        pl.concat_str("last_name", "first_name", separator=", ", ignore_nulls=True).alias("turned"),
    )
    turn = draw.chance(ids, "demo/turned", turned)
    return corruption.replaced(parts["usual"], turn, parts["turned"])


def _hubspot(draw: Draw, ids: Ints, frame: pl.DataFrame) -> dict[str, pl.Series]:
    statuses = pl.Series(
        ["NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", ""],
    )
    return {
        "Record ID": frame["source_key"],
        "First Name": frame["first_name"],
        "Last Name": frame["last_name"],
        "Email": frame["email"],
        "Phone Number": frame["phone"],
        "Mobile Phone Number": frame["mobile"],
        "Job Title": frame["job_title"],
        "Company Name": frame["company_name"],
        "Street Address": frame["street"],
        "City": frame["city"],
        "State/Region": frame["state"],
        "Postal Code": frame["postcode"],
        "Country/Region": frame["country"],
        "Lifecycle Stage": frame["lifecycle_stage"],
        "Lead Status": statuses.gather(pl.Series(draw.below(ids, "demo/status", len(statuses)))),
        "Original Source": frame["lead_source"],
        "Contact owner": frame["owner"],
        "Create Date": _when(frame["created_at"], "%Y-%m-%d %H:%M"),
        "Last Modified Date": _when(frame["updated_at"], "%Y-%m-%d %H:%M"),
    }


def _salesforce(draw: Draw, ids: Ints, frame: pl.DataFrame) -> dict[str, pl.Series]:
    employer = frame["employer"].fill_null(0).to_numpy()
    account = pl.Series(["0015f00000"]) + base62(employer, 8) + pl.Series(["AAA"])
    owners = frame["owner"].fill_null("").rank("dense").cast(pl.Int64).to_numpy()
    address = pl.Series(
        [
            ""
            if street is None
            else json.dumps(
                {"city": city, "country": country, "postalCode": post, "street": street},
                ensure_ascii=False,
            )
            for street, city, post, country in frame.select(
                "street",
                "city",
                "postcode",
                "country",
            ).rows()
        ],
        dtype=pl.String,
    )
    deleted, master = _salesforce_history(frame)
    yes = ("yes", "true", "1", "x")
    flag = {
        name: pl.Series(
            np.where(
                frame[name].str.to_lowercase().is_in(yes).fill_null(value=False), "true", "false"
            ),
        )
        for name in ("email_opt_out", "do_not_call")
    }
    stamp = "%Y-%m-%dT%H:%M:%S.000Z"
    return {
        "Id": frame["source_key"],
        "IsDeleted": deleted,
        "MasterRecordId": master,
        "AccountId": corruption.blanked(account, frame["company_name"].is_null().to_numpy()),
        "LastName": frame["last_name"],
        "FirstName": frame["first_name"],
        "Salutation": frame["salutation"],
        "Name": _full_name(draw, ids, frame, 0.0),
        "MailingStreet": frame["street"],
        "MailingCity": frame["city"],
        "MailingState": frame["state"],
        "MailingPostalCode": frame["postcode"],
        "MailingCountry": frame["country"],
        "MailingAddress": address,
        "Phone": frame["phone"],
        "MobilePhone": frame["mobile"],
        "Email": frame["email"],
        "Title": frame["job_title"],
        "LeadSource": frame["lead_source"],
        "Birthdate": frame["date_of_birth"],
        "OwnerId": pl.Series(["0055f00000"]) + base62(owners * 7_919, 8),
        "HasOptedOutOfEmail": flag["email_opt_out"],
        "HasOptedOutOfFax": pl.Series(["false"] * frame.height),
        "DoNotCall": flag["do_not_call"],
        "CreatedDate": _when(frame["created_at"], stamp),
        "LastModifiedDate": _when(frame["updated_at"], stamp),
        "SystemModstamp": _when(frame["updated_at"], stamp),
        "IsEmailBounced": pl.Series(["false"] * frame.height),
    }


def _salesforce_history(frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """`IsDeleted` and `MasterRecordId`: some records were merged away, some thrown away."""
    deleted = ["false"] * frame.height
    master = [NO_MASTER] * frame.height
    names = frame.select(pl.concat_str("first_name", "last_name", "email"))["first_name"]
    seen: dict[str, int] = {}
    merged = 0
    for row, name in enumerate(names):
        if name is None:
            continue
        if name in seen and merged < SALESFORCE_MERGED:
            deleted[row], master[row] = "true", frame["source_key"][seen[name]]
            merged += 1
        seen.setdefault(name, row)
    lonely = [row for row in range(frame.height - 1, -1, -1) if deleted[row] == "false"]
    for row in lonely[:SALESFORCE_DELETED]:
        if frame["source_key"][row] not in master:
            deleted[row] = "true"
    return pl.Series(deleted, dtype=pl.String), pl.Series(master, dtype=pl.String)


def _mailchimp(draw: Draw, ids: Ints, frame: pl.DataFrame) -> dict[str, pl.Series]:
    address = frame.select(
        pl.concat_str(
            "street", "city", "state", "postcode", "country", separator="  ", ignore_nulls=True
        ),
    )["street"]
    tags = pl.Series(['"VIP","Blog"', "", "", '"Newsletter"', ""])
    return {
        "Email Address": frame["email"],
        "First Name": frame["first_name"],
        "Last Name": frame["last_name"],
        "Address": corruption.blanked(address, frame["street"].is_null().to_numpy()),
        "Phone Number": frame["phone"],
        "Company": frame["company_name"],
        "MEMBER_RATING": pl.Series(1 + draw.below(ids, "demo/rating", 5)).cast(pl.String),
        "OPTIN_TIME": frame["created_at"],
        "CONFIRM_TIME": frame["created_at"],
        "GMTOFF": pl.Series(["1"] * frame.height),
        "DSTOFF": pl.Series(["2"] * frame.height),
        "TIMEZONE": pl.Series(["Europe/Berlin"] * frame.height),
        "LAST_CHANGED": frame["updated_at"],
        "LEID": pl.Series(ids + 100_000_001).cast(pl.String),
        "EUID": frame["source_key"],
        "TAGS": tags.gather(pl.Series(draw.below(ids, "demo/tags", len(tags)))),
    }


def _stripe(draw: Draw, ids: Ints, frame: pl.DataFrame) -> dict[str, pl.Series]:
    spend = draw.below(ids, "demo/spend", 90_000)
    plans = pl.Series(["", "basic-monthly", "pro-yearly"])
    plan = draw.below(ids, "demo/plan", 3)
    return {
        "id": frame["source_key"],
        "Description": frame["company_name"],
        "Email": frame["email"],
        "Name": _full_name(draw, ids, frame, 0.04),
        "Created (UTC)": _when(frame["created_at"], "%Y-%m-%d %H:%M"),
        "Delinquent": pl.Series(np.where(draw.chance(ids, "demo/late", 0.03), "true", "false")),
        "Plan": plans.gather(pl.Series(plan)),
        "Status": pl.Series(["", "active", "active"]).gather(pl.Series(plan)),
        "Total Spend": (pl.Series(spend) / 100).cast(pl.String),
        "Payment Count": pl.Series(1 + spend // 9_000).cast(pl.String),
        "Refunded Volume": pl.Series(["0.00"] * frame.height),
        "Dispute Losses": pl.Series(["0.00"] * frame.height),
    }


def _shopify(draw: Draw, ids: Ints, frame: pl.DataFrame) -> dict[str, pl.Series]:
    orders = draw.below(ids, "demo/orders", 9)
    refused = frame["email_opt_out"].str.to_lowercase().is_in(("yes", "true", "1", "x"))
    return {
        "Customer ID": pl.Series(["'"]) + frame["source_key"],
        "First Name": frame["first_name"],
        "Last Name": frame["last_name"],
        "Email": frame["email"],
        "Accepts Email Marketing": pl.Series(
            np.where(refused.fill_null(value=False), "no", "yes"),
        ),
        "Default Address Company": frame["company_name"],
        "Default Address Address1": frame["street"],
        "Default Address City": frame["city"],
        "Default Address Province Code": frame["state"],
        "Default Address Country Code": frame["country"],
        "Default Address Zip": frame["postcode"],
        "Default Address Phone": frame["mobile"],
        "Phone": frame["phone"],
        "Accepts SMS Marketing": pl.Series(["no"] * frame.height),
        "Total Spent": (pl.Series(orders) * 39.9).round(2).cast(pl.String),
        "Total Orders": pl.Series(orders).cast(pl.String),
        "Tax Exempt": pl.Series(["no"] * frame.height),
    }


def _webform(draw: Draw, ids: Ints, frame: pl.DataFrame) -> dict[str, pl.Series]:
    messages = pl.Series(
        [
            "Bitte um Rückruf; danke!",
            "Please send your price list.",
            "Ich möchte\nein Angebot.",
            "",
            "Merci de me rappeler",
            'We met at the fair, "booth 12".',
        ],
    )
    mediums = pl.Series(["cpc", "organic", "", "email"])
    medium = draw.below(ids, "demo/medium", 4)
    return {
        "Submission ID": frame["source_key"],
        "Submission Date": _when(frame["created_at"], "%d.%m.%Y %H:%M"),
        "Name": _full_name(draw, ids, frame, 0.08),
        "Email": frame["email"],
        "Phone": frame.select(pl.coalesce("phone", "mobile"))["phone"],
        "Company": frame["company_name"],
        "Job Title": frame["job_title"],
        "Street": frame["street"],
        "Zip": frame["postcode"],
        "City": frame["city"],
        "Country": frame["country"],
        "How did you hear about us?": frame["lead_source"],
        "Message": messages.gather(pl.Series(draw.below(ids, "demo/message", len(messages)))),
        "Newsletter": pl.Series(np.where(draw.chance(ids, "demo/news", 0.4), "ja", "nein")),
        "utm_source": pl.Series(["google", "google", "", "newsletter"]).gather(pl.Series(medium)),
        "utm_medium": mediums.gather(pl.Series(medium)),
    }


MAKERS = {
    "hubspot_contacts": _hubspot,
    "salesforce_contacts": _salesforce,
    "mailchimp": _mailchimp,
    "stripe_customers": _stripe,
    "shopify_customers": _shopify,
    "webform": _webform,
}


def _latin(frame: pl.DataFrame) -> pl.DataFrame:
    """Letters that Latin-1 does not have are written without their accents."""

    def fitting(text: str) -> str:
        return "".join(c if ord(c) < 256 else unaccented(c) for c in text)

    return frame.with_columns(
        pl.col(name).replace_strict(
            (unique := frame[name].drop_nulls().unique()),
            [fitting(text) for text in unique],
            default=None,
        )
        for name in frame.columns
    )
