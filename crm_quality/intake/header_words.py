"""What people call the fields in their files, in the languages of the files seen so far."""

from __future__ import annotations

#: Canonical field → other names, compared without case, accents, punctuation and blanks.
#: The most usual stand first: of two columns that mean the same, the earlier word wins.
WORDS: dict[str, tuple[str, ...]] = {
    "source_key": (
        "id", "record id", "contact id", "customer id", "client id", "person id", "lead id",
        "user id", "member id", "account id", "external id", "uuid", "guid", "key", "unique id",
        "customer number", "customer no", "kundennummer", "kunden nr", "kunden id", "kontakt id",
        "numero client", "id client", "id cliente", "codice cliente", "klantnummer",
    ),
    "salutation": (
        "title prefix", "prefix", "name prefix", "honorific", "mr mrs", "anrede", "civilite",
        "tratamiento", "saludo", "aanhef", "appellativo", "titolo",
    ),
    "first_name": (
        "given name", "forename", "fname", "first", "firstname", "christian name", "vorname",
        "prenom", "nombre", "primer nombre", "nome", "voornaam", "imie", "fornavn", "fornamn",
    ),
    "middle_name": (
        "middle", "mname", "second name", "middle initial", "zweiter vorname", "deuxieme prenom",
        "segundo nombre", "middle names",
    ),
    "last_name": (
        "surname", "family name", "lname", "last", "lastname", "sname", "nachname",
        "familienname", "nom", "nom de famille", "apellido", "apellidos", "cognome", "sobrenome",
        "achternaam", "nazwisko", "etternavn", "efternamn",
    ),
    "full_name": (
        "name", "full name", "display name", "contact name", "customer name", "person name",
        "client name", "your name", "vollstandiger name", "kontaktname", "ansprechpartner",
        "nom complet", "nombre completo", "nombre y apellidos", "nome completo", "naam",
        "volledige naam", "cardholder name", "guest name", "lead name",
    ),
    "name_suffix": ("suffix", "name suffix", "generation", "namenszusatz"),
    "gender": ("sex", "geschlecht", "sexe", "genre", "sexo", "genero", "sesso", "geslacht"),
    "date_of_birth": (
        "dob", "birth date", "birthdate", "birthday", "date of birth", "born", "geburtsdatum",
        "geburtstag", "geb datum", "date de naissance", "nee le", "nacido",
        "fecha de nacimiento", "data di nascita",
        "data de nascimento", "geboortedatum",
    ),
    "birth_place": (
        "place of birth", "birthplace", "birth city", "geburtsort", "lieu de naissance",
        "lugar de nacimiento", "luogo di nascita",
    ),
    "email": (
        "e mail", "email address", "e mail address", "mail", "primary email", "email 1",
        "work email", "business email", "emailaddress1", "your email", "e mail adresse",
        "mailadresse", "courriel", "adresse email", "adresse e mail", "correo",
        "correo electronico", "posta elettronica", "indirizzo email", "e mailadres",
        "contact email",
    ),
    "other_emails": (
        "additional emails", "further emails", "other email", "secondary email", "email 2",
        "additional email", "alternate email", "weitere e mail", "zweite e mail", "autre email",
    ),
    "phone": (
        "phone number", "telephone", "tel", "telephone number", "main phone", "business phone",
        "work phone", "office phone", "landline", "phone 1", "home phone", "telephone1", "telefon",
        "telefonnummer", "festnetz", "numero de telephone", "telefono", "telefoon", "telefone",
        "contact number", "daytime phone", "phone no",
    ),
    "mobile": (
        "mobile phone", "mobile number", "cell", "cell phone", "cellphone", "mobilephone",
        "handy", "handynummer", "mobil", "mobiltelefon", "mobilnummer", "portable",
        "telephone portable", "movil", "celular", "cellulare", "telemovel", "mobiel", "gsm",
        "whatsapp",
    ),
    "other_phones": (
        "additional phones", "other phone", "secondary phone", "phone 2", "alternate phone",
        "weitere telefonnummer", "autre telephone",
    ),
    "company_name": (
        "company", "organisation", "organization", "organisation name", "organization name",
        "employer", "employer name", "business name", "account name", "account", "firm", "firma",
        "firmenname", "unternehmen", "arbeitgeber", "societe", "entreprise", "empresa", "compania",
        "azienda", "societa", "bedrijf", "bedrijfsnaam", "associated company", "your company",
    ),
    "job_title": (
        "title", "position", "role", "job", "occupation", "profession", "job role", "function",
        "jobtitel", "berufsbezeichnung", "beruf", "funktion", "fonction", "poste", "cargo",
        "puesto", "qualifica", "functie",
    ),
    "street": (
        "street address", "address", "address line 1", "address 1", "address1", "addr", "addr1",
        "street 1", "street name", "address line", "postal address", "full address", "strasse",
        "strasse nr", "strasse und hausnummer", "anschrift", "adresse", "rue", "adresse postale",
        "calle", "direccion", "domicilio", "indirizzo", "via", "endereco", "adres", "straat",
    ),
    "city": (
        "town", "suburb", "locality", "municipality", "ort", "stadt", "wohnort", "ville",
        "commune", "ciudad", "localidad", "poblacion", "citta", "comune", "cidade", "plaats",
        "woonplaats", "stad",
    ),
    "state": (
        "state province", "state region", "province", "region", "county", "state or province",
        "province code", "state code", "bundesland", "land region", "departement", "estado",
        "provincia", "regione", "provincie",
    ),
    "postcode": (
        "zip", "zip code", "zipcode", "postal code", "post code", "postal", "zip postal code",
        "plz", "postleitzahl", "code postal", "cp", "codigo postal", "cap", "cep", "postnummer",
        "kod pocztowy",
    ),
    "country": (
        "country region", "country code", "country name", "nation", "land", "staat", "pays",
        "pais", "paese", "kraj",
    ),
    "website": (
        "web site", "website url", "url", "homepage", "web", "web page", "webseite",
        "internetseite", "site web", "sitio web", "pagina web", "sito web",
    ),
    "tax_id": (
        "tax number", "ssn", "social security number", "soc sec id", "national id", "tin",
        "steuernummer", "steuer id", "nif", "dni", "codice fiscale", "cpf", "bsn",
    ),
    "lead_source": (
        "original source", "acquisition source", "contact source", "signup source",
        "how did you hear about us", "referral source", "channel", "lead quelle", "herkunft",
        "leadquelle", "origine", "origen", "fonte", "utm source", "source",
    ),
    "lifecycle_stage": (
        "lifecycle", "stage", "customer stage", "lead stage", "phase", "lebenszyklusphase",
    ),
    "owner": (
        "contact owner", "account owner", "record owner", "owner name", "company owner",
        "sales rep", "assigned to", "account manager", "betreuer", "zustandig", "proprietaire",
        "propietario",
    ),
    "email_opt_out": (
        "unsubscribed", "opted out", "opt out", "email optout", "has opted out of email",
        "unsubscribed from all email", "abgemeldet", "desabonne",
    ),
    "do_not_call": ("dnc", "do not phone", "no calls", "nicht anrufen", "ne pas appeler"),
    "created_at": (
        "created", "create date", "created date", "creation date", "date created", "created on",
        "created utc", "signup date", "signed up at", "submitted at", "submission date",
        "registered at", "registration date", "date added", "timestamp", "angelegt am",
        "erstellt am", "erstelldatum", "date de creation", "cree le", "fecha de creacion",
    ),
    "updated_at": (
        "updated", "modified", "last modified", "last modified date", "modified on",
        "date modified", "update date", "last updated", "last changed", "modified at",
        "geandert am", "letzte anderung", "date de modification", "modifie le",
        "fecha de modificacion",
    ),
    "domain": (
        "company domain name", "company domain", "web domain", "email domain", "website domain",
    ),
    "registration_id": (
        "registration number", "company number", "company registration number", "hrb",
        "handelsregisternummer", "siren", "siret", "duns", "duns number", "crn", "kvk",
    ),
    "vat_id": (
        "vat", "vat number", "vat no", "ust id", "ustid", "ust idnr", "umsatzsteuer id",
        "numero tva", "tva", "partita iva", "business vat id", "btw nummer",
    ),
    "parent_source_key": ("parent id", "parent account id", "parent company id", "parent"),
    "industry": ("sector", "branch of industry", "branche", "secteur", "sector industrial",
                 "settore", "line of business"),
    "size_band": ("company size", "size", "employee range", "unternehmensgrosse", "taille"),
    "employees": (
        "number of employees", "employee count", "no of employees", "headcount",
        "anzahl mitarbeiter", "mitarbeiter", "mitarbeiterzahl", "effectif", "empleados",
        "dipendenti", "numberofemployees",
    ),
}  # fmt: skip

#: Names of the columns that tell which customer a row hangs on.
_WHOSE_ROW = {
    "contact_key": ("contact id", "customer id", "client id", "person id", "associated contact id",
                    "lead id", "requester id", "member id", "user id", "kundennummer"),
    "contact_email": ("email", "customer email", "contact email", "requester email",
                      "email address", "e mail"),
    "company_key": ("company id", "account id", "organisation id", "organization id",
                    "associated company id"),
}  # fmt: skip

#: Entity → field → names that mean something else there than in `WORDS`.
WORDS_OF_ENTITY: dict[str, dict[str, tuple[str, ...]]] = {
    "company": {
        "name": (
            *WORDS["company_name"], "company name", "legal name", "trading name", "site name",
            "agency", "customer name", "client name", "nom", "nombre", "nome", "naam",
        ),
        "source_key": ("company id", "organisation id", "organization id", *WORDS["source_key"]),
    },
    "deal": {
        "source_key": ("id", "deal id", "opportunity id", "record id", "key", "external id"),
        "name": ("deal name", "deal", "opportunity name", "opportunity", "title"),
        "stage": ("deal stage", "stage name", "status", "sales stage", "phase"),
        "amount": ("deal amount", "value", "deal value", "total", "revenue", "betrag", "montant"),
        "close_date": ("closed date", "expected close date", "closing date", "closed on"),
        **_WHOSE_ROW,
    },
    "ticket": {
        "source_key": ("id", "ticket id", "case id", "case number", "record id", "key"),
        "subject": ("title", "ticket name", "summary", "betreff", "objet"),
        "ticket_status": ("status", "state", "case status"),
        "channel": ("via", "origin", "case origin"),
        "owner": ("assignee", "agent", *WORDS["owner"]),
        "resolved_at": ("solved at", "closed date", "closed at", "resolved"),
        "first_response_at": ("first response", "first reply at", "first replied at"),
        **_WHOSE_ROW,
    },
    "transaction": {
        "source_key": ("id", "transaction id", "payment id", "order id", "invoice id",
                       "booking id", "order number", "invoice number", "key"),
        "kind": ("type", "transaction type"),
        "payment_status": ("status", "state", "transaction status", "financial status"),
        "amount": ("total", "value", "price", "sum", "betrag", "montant", "importe"),
        "refunded": ("amount refunded", "refunded amount"),
        "occurred_at": ("date", "paid at", "payment date", "transaction date", "order date",
                        "processed at", "datum"),
        "product": ("item", "product name", "description"),
        **_WHOSE_ROW,
    },
    "consent": {
        "source_key": ("id", "consent id", "event id", "key"),
        "consent_status": ("status", "consent", "opt in", "decision", "answer"),
        "occurred_at": ("date", "timestamp", "consent date", "given at", "changed at"),
        "evidence": ("proof", "method", "form", "consent text"),
        **_WHOSE_ROW,
    },
}  # fmt: skip

#: Words before a field's name that do not change what it says.
FILLERS = (
    "customer", "contact", "person", "client", "lead", "user", "account", "primary", "main",
    "invitee", "mailing", "home", "residential", "your", "kunde", "kunden", "kontakt", "member",
    "patient", "guest", "billing", "default", "current", "permanent", "registered", "office",
    "business", "company", "default address", "address",
)  # fmt: skip
