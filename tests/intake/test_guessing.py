from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.definitions import default_rules
from crm_quality.intake import guess_mapping

RULES = default_rules()


def guessed(header, entity="contact"):
    found = guess_mapping(header.split(","), RULES.entity(entity))
    return {field: "+".join(guess.columns) for field, guess in found.items()}


LANGUAGES = """
Kundennummer,Anrede,Vorname,Nachname,Geburtsdatum,Straße,PLZ,Ort,Land,Telefon,Handy,E-Mail
ID client,Civilité,Prénom,Nom,Né(e) le,Adresse,Code postal,Ville,Pays,Téléphone,Portable,Courriel
ID cliente,Tratamiento,Nombre,Apellidos,Nacido,Dirección,CP,Ciudad,País,Teléfono,Móvil,Correo
Customer ID,Salutation,Given Name,Surname,DOB,Address,Zip,Town,Country Code,Tel,Cell,Email Address
klantnummer,aanhef,voornaam,achternaam,geboortedatum,adres,postcode,plaats,land,telefoon,gsm,e-mail
codice cliente,titolo,nome,cognome,data di nascita,via,CAP,comune,paese,telefono,cellulare,email
"""


@pytest.mark.parametrize("header", LANGUAGES.strip().splitlines())
def test_the_fields_of_a_person_are_known_in_several_languages(header):
    fields = ["source_key", "salutation", "first_name", "last_name", "date_of_birth", "street",
              "postcode", "city", "country", "phone", "mobile", "email"]  # fmt: skip
    assert guessed(header) == dict(
        sorted(
            zip(fields, header.split(","), strict=True),
            key=lambda pair: list(RULES.entity("contact").fields).index(pair[0]),
        )
    )


def test_the_fields_of_a_company():
    assert guessed("Account Name,USt-IdNr.,Branche,Mitarbeiter,Homepage,HRB", "company") == {
        "name": "Account Name", "website": "Homepage", "registration_id": "HRB",
        "vat_id": "USt-IdNr.", "industry": "Branche", "employees": "Mitarbeiter",
    }  # fmt: skip


def test_slips_and_words_before_the_name_are_forgiven():
    found = guess_mapping(["Frist Name", "Customer Email", "Organisaton"], RULES.entity("contact"))
    assert {field: guess.columns for field, guess in found.items()} == {
        "first_name": ("Frist Name",), "email": ("Customer Email",),
        "company_name": ("Organisaton",),
    }  # fmt: skip
    assert all(0.75 <= guess.confidence < 0.95 for guess in found.values())


def test_the_parts_of_an_address_stay_together_in_their_order():
    assert guessed("street_number,address_1,address_2,suburb") == {
        "street": "street_number+address_1+address_2", "city": "suburb",
    }  # fmt: skip
    assert guessed("Strasse,Hausnummer,Ort")["street"] == "Strasse+Hausnummer"


def test_further_numbers_and_addresses_are_kept_as_such():
    found = guessed("Email,Work Email,Phone,Home Phone,Mobile,Telephone")
    assert found == {
        "email": "Email", "other_emails": "Work Email", "phone": "Phone", "mobile": "Mobile",
        "other_phones": "Home Phone+Telephone",
    }  # fmt: skip


@pytest.mark.parametrize(
    "column",
    ["User Name", "Associated Company ID", "IsDeleted", "Email Bounced Date", "Phone Verified",
     "State Changed At", "Message", "Newsletter", "Amount", "Country Manager", "First Name Kana"],
)  # fmt: skip
def test_what_only_looks_like_a_field_is_left(column):
    assert guessed(column) == {}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=12) | st.sampled_from(["Email", "email", "Mail", "Tel", "Phone"]),
                max_size=8, unique=True))  # fmt: skip
def test_a_column_and_a_field_are_used_once(headers):
    found = guess_mapping(headers, RULES.entity("contact"))
    used = [column for guess in found.values() for column in guess.columns]
    assert len(set(used)) == len(used)
    assert set(used) <= set(headers)
    assert all(0.75 <= guess.confidence <= 1 for guess in found.values())


def test_a_fields_own_name_is_certain():
    fields = RULES.entity("contact").fields
    found = guess_mapping(list(fields), RULES.entity("contact"))
    assert {field: (guess.columns, guess.confidence) for field, guess in found.items()} == {
        field: ((field,), 1.0) for field in fields
    }
