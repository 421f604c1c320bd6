from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm_quality.definitions import EntityDefinition, FieldType, SourceDefinition, default_rules
from crm_quality.standardise import NOTES, standardise, suggested_values

RULES = default_rules()
CONTACT, COMPANY = RULES.entity("contact"), RULES.entity("company")


def contacts(**fields: object) -> pl.DataFrame:
    columns = {
        name: values if isinstance(values, list) else [values] for name, values in fields.items()
    }
    return pl.DataFrame(columns)


def read(definition: EntityDefinition = CONTACT, **fields: object) -> dict[str, object]:
    return standardise(contacts(**fields), definition, country="US").row(0, named=True)


@pytest.mark.capability(78)
def test_a_messy_record_gets_its_canonical_form_and_keeps_what_came() -> None:
    row = read(
        first_name="Dr. ANN",
        last_name="o'brien jr.",
        email="Ann <ANN@Acme.com>",
        phone="(212) 555-0123 x9",
        company_name="ACME HOLDING INC.",
        state="california",
        postcode="2134",
        country="United States",
        lead_source="PPC",
        email_opt_out="no",
        created_at="2024-03-15T10:00:00Z",
    )
    assert (row["first_name"], row["first_name__raw"]) == ("Ann", "Dr. ANN")
    assert (row["last_name"], row["name_suffix"]) == ("O'Brien", "Jr")
    assert (row["salutation"], row["salutation__note"]) == ("Dr", "derived")
    assert (row["email"], row["email__note"]) == ("ann@acme.com", "repaired")
    assert (row["phone"], row["phone_extension"]) == ("+12125550123", "9")
    assert (row["company_name"], row["company_name_core"]) == ("Acme Holding Inc.", "acme holding")
    assert row["company_name_legal_form"] == "Inc"
    assert (row["state"], row["postcode"], row["country"]) == ("CA", "02134", "US")
    assert (row["lead_source"], row["lead_source__note"]) == ("paid_search", "synonym")
    assert row["email_opt_out"] is False
    assert row["created_at"] == datetime(2024, 3, 15, 10, tzinfo=UTC)


def test_a_bad_value_is_set_aside_with_what_was_written() -> None:
    row = read(email="john at x.com", lead_source="Blimp", created_at="soon")
    assert (row["email"], row["email__note"], row["email__raw"]) == (
        None,
        "invalid",
        "john at x.com",
    )
    assert (row["lead_source"], row["lead_source__note"]) == (None, "unknown")
    assert (row["created_at"], row["created_at__note"]) == (None, "invalid")


@pytest.mark.capability(61)
@pytest.mark.parametrize("text", ["n/a", "N.A.", "-", "unknown", "TBD", "null"])
@pytest.mark.parametrize("field", ["first_name", "email", "phone", "city", "lead_source", "state"])
def test_placeholders_count_as_missing_in_every_field(field: str, text: str) -> None:
    row = read(**{field: text})
    assert (row[field], row[f"{field}__note"], row[f"{field}__raw"]) == (None, "placeholder", text)


def test_blank_is_missing_without_a_note() -> None:
    row = read(first_name="  ", email="", phone="\u200b")
    assert [row["first_name"], row["email"], row["phone"]] == [None] * 3
    assert [row["first_name__note"], row["email__note"], row["phone__note"]] == [None] * 3


def test_a_key_is_never_a_placeholder() -> None:
    assert read(source_key="test")["source_key"] == "test"


def test_norway_is_a_country_and_na_is_unclear() -> None:
    assert read(country="NO")["country"] == "NO"
    assert read(country="NA")["country__note"] == "ambiguous"
    assert read(country="n/a")["country__note"] == "placeholder"


@pytest.mark.capability(9)
def test_further_addresses_and_numbers_go_to_the_lists() -> None:
    row = read(
        email="a@acme.com; b@acme.com",
        other_emails="c@acme.com;d@acme.com",
        phone="212-555-0123 / 212-555-0124",
        mobile="212-555-0125; 212-555-0126",
    )
    assert (row["email"], row["phone"], row["mobile"]) == (
        "a@acme.com",
        "+12125550123",
        "+12125550125",
    )
    assert row["other_emails"] == ["c@acme.com", "d@acme.com", "b@acme.com"]
    assert row["other_phones"] == ["+12125550124", "+12125550126"]
    assert (row["other_emails__note"], row["other_phones__note"]) == (None, "derived")


def test_a_number_is_read_in_the_country_of_record_source_or_project() -> None:
    frame = contacts(
        source=["a", "a", "b"],
        country=["GB", None, None],
        phone=["030 123456", "030 123456", "212-555-0123"],
    )
    sources = {"a": SourceDefinition(source="a", country="DE")}
    phones = standardise(frame, CONTACT, sources=sources, country="US")["phone"].to_list()
    assert phones == [None, "+4930123456", "+12125550123"]


def test_the_sources_order_of_dates_and_zone_are_used() -> None:
    frame = contacts(source=["a", "b"], created_at=["3/4/2024 10:00"] * 2)
    sources = {
        "a": SourceDefinition(source="a", date_order="dmy", time_zone="Europe/Berlin"),
        "b": SourceDefinition(source="b", date_order="mdy"),
    }
    assert standardise(frame, CONTACT, sources=sources)["created_at"].to_list() == [
        datetime(2024, 4, 3, 8, tzinfo=UTC),
        datetime(2024, 3, 4, 10, tzinfo=UTC),
    ]


def test_typed_columns_are_read_as_well() -> None:
    frame = pl.DataFrame(
        {
            "date_of_birth": [date(1990, 5, 2)],
            "created_at": [datetime(2024, 3, 15, 10, 0, 0, 5000)],
            "updated_at": pl.Series(["2024-03-15 10:00"]).str.to_datetime(time_zone="Asia/Tokyo"),
            "email_opt_out": [True],
            "other_emails": [["A@acme.com", "b@acme.com"]],
            "phone": [2125550123],
            "postcode": [2134.0],
            "country": pl.Series(["US"], dtype=pl.Categorical),
        }
    )
    row = standardise(frame, CONTACT, country="US").row(0, named=True)
    assert row["date_of_birth"] == date(1990, 5, 2)
    assert row["created_at"] == datetime(2024, 3, 15, 10, 0, 0, 5000, tzinfo=UTC)
    assert row["updated_at"] == datetime(2024, 3, 15, 1, tzinfo=UTC)
    assert row["email_opt_out"] is True
    assert row["other_emails"] == ["a@acme.com", "b@acme.com"]
    assert (row["phone"], row["postcode"], row["country"]) == ("+12125550123", "02134", "US")


def test_other_columns_pass_through_and_absent_fields_stay_absent() -> None:
    frame = contacts(source="a", custom="{}", city="BERLIN")
    result = standardise(frame.lazy(), CONTACT)
    assert result.columns == ["source", "custom", "city", "city__raw", "city__note"]
    assert result.row(0) == ("a", "{}", "Berlin", "BERLIN", None)


def test_a_frame_without_rows_has_the_same_columns() -> None:
    frame = contacts(**{name: ["x"] for name in CONTACT.fields})
    full, empty = standardise(frame, CONTACT), standardise(frame.clear(), CONTACT)
    assert empty.schema == full.schema
    assert empty.height == 0


def test_columns_have_the_type_of_their_field() -> None:
    frame = contacts(**{name: [None] for name in (*CONTACT.fields, "employees")})
    schema = standardise(frame, CONTACT).schema
    types = {
        FieldType.DATE: pl.Date(),
        FieldType.DATETIME: pl.Datetime("us", "UTC"),
        FieldType.BOOLEAN: pl.Boolean(),
        FieldType.EMAILS: pl.List(pl.String),
        FieldType.PHONES: pl.List(pl.String),
    }
    for name, field in CONTACT.fields.items():
        assert schema[name] == types.get(field.type, pl.String()), name
        assert schema[f"{name}__note"] == pl.Enum(NOTES)
        assert schema[f"{name}__raw"] == pl.String


def test_amounts_and_numbers_have_their_types() -> None:
    definition = EntityDefinition.model_validate(
        {
            "entity": "deal",
            "fields": {
                "amount": {"meaning": "x", "type": "decimal"},
                "count": {"meaning": "x", "type": "integer"},
            },
        }
    )
    row = standardise(contacts(amount="1.234,50", count="7"), definition).row(0, named=True)
    assert (row["amount"], row["count"]) == (Decimal("1234.50"), 7)


def test_companies_have_their_core_and_domain() -> None:
    row = read(
        COMPANY, name="The Acme Company, Inc.", domain="http://www.acme.com/x", vat_id="de 12.3"
    )
    assert (row["name_core"], row["name_legal_form"]) == ("acme", "Inc")
    assert (row["domain"], row["domain__note"]) == ("acme.com", "repaired")
    assert row["vat_id"] == "DE123"


@pytest.mark.parametrize(
    ("field", "text", "suggestion"),
    [
        ("email", "john at x.com", "john@x.com"),
        ("phone", "44 7911 123456", "+447911123456"),
        ("lead_source", "Gogle Adwrods", "paid_search"),
        ("country", "Germny", "DE"),
        ("city", "Berln", None),
    ],
)
def test_what_was_probably_meant_is_suggested(
    field: str, text: str, suggestion: str | None
) -> None:
    assert suggested_values(pl.Series([text]), CONTACT, field).to_list() == [suggestion]


# Laws ---------------------------------------------------------------------------------------

CELLS = {
    "first_name": ["Ann", "DR. ANN", "Smith, John", "n/a", "J", "mr", None],
    "last_name": ["Smith", "o'brien jr", "VAN DER BERG", "Smith, John", "test", None],
    "full_name": ["Ann Smith", "SMITH, ANN", "Dr. Ann B. Smith III", None],
    "salutation": ["Herr", "x", None],
    "email": [
        "A@acme.com",
        "a@acme.com;b@acme.com",
        "john at x.com",
        "test@test.com",
        "é@é.fr",
        None,
    ],
    "phone": ["(212) 555-0123", "030 1 / 030 2", "0000000000", "+49 30 123456", "5", None],
    "company_name": ["ACME GMBH", "acme, inc", "-", None],
    "street": ["12 MAIN ST", "rue de la paix", None],
    "city": ["BERLIN", "MÃ¼nchen", None],
    "state": ["california", "Bayern", None],
    "postcode": ["2134", "D-80331", None],
    "country": ["USA", "NO", "NA", "Narnia", None],
    "lead_source": ["PPC", "Blimp", None],
    "date_of_birth": ["1990-05-02", "2.5.1990", "1900-01-01", None],
    "email_opt_out": ["yes", "0", "maybe", None],
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CELLS.items()}),
    min_size=1,
    max_size=12,
)


def frame_of(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(CELLS, pl.String)).with_row_index("row_number")


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(ROWS, st.integers(0, 12))
def test_any_partition_of_the_rows_gives_the_same(
    rows: list[dict[str, str | None]], cut: int
) -> None:
    frame = frame_of(rows)
    parts = [standardise(part, CONTACT, country="US") for part in (frame[:cut], frame[cut:])]
    assert_frame_equal(pl.concat(parts), standardise(frame, CONTACT, country="US"))


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_rows_keep_their_order_and_their_raw_text(rows: list[dict[str, str | None]]) -> None:
    frame = frame_of(rows)
    result = standardise(frame, CONTACT, country="US")
    assert result["row_number"].to_list() == frame["row_number"].to_list()
    for name in CELLS:
        assert result[f"{name}__raw"].to_list() == frame[name].to_list()


@pytest.mark.capability(67)
@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_standardising_again_changes_nothing(rows: list[dict[str, str | None]]) -> None:
    once = standardise(frame_of(rows), CONTACT, country="US")
    assert_frame_equal(standardise(once, CONTACT, country="US"), once, check_column_order=False)


@pytest.mark.capability(67)
@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_canonical_values_are_their_own_canonical_form(rows: list[dict[str, str | None]]) -> None:
    once = standardise(frame_of(rows), CONTACT, country="US").select(*CELLS)
    again = standardise(once, CONTACT, country="US").select(*CELLS)
    assert_frame_equal(again, once)


def test_a_name_field_that_a_project_made_plain_text_is_left_as_it_is() -> None:
    plain = CONTACT.fields["last_name"].model_copy(update={"type": FieldType.TEXT})
    definition = CONTACT.model_copy(update={"fields": {**CONTACT.fields, "last_name": plain}})

    row = read(definition, first_name="Dr. ANN", last_name="O'BRIEN JR.")

    assert (row["first_name"], row["last_name"]) == ("Ann", "O'BRIEN JR.")


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        ("€1.234,50", None, "EUR"),
        ("-£20", None, "GBP"),
        ("99.95 usd", None, "USD"),
        ("(12,50 €)", None, "EUR"),
        ("$99.95", None, None),
        ("1234", None, None),
        ("€ 5", "CHF", "CHF"),
        ("€ 5", "doubloons", None),
    ],
)
def test_an_amount_tells_its_currency_where_the_record_does_not(
    amount: str, currency: str | None, told: str | None
) -> None:
    row = read(RULES.entity("deal"), amount=amount, currency=currency)
    assert row["currency"] == told
    assert row["currency__raw"] == currency


def test_a_file_without_a_currency_column_gets_it_from_its_amounts() -> None:
    assert read(RULES.entity("transaction"), amount="EUR 20")["currency"] == "EUR"
