"""Legal forms of companies: canonical form → how it is written, in more than 40 countries.

From the countries' company laws and ISO 20275 (ELF); cleanco's terms add what is not here.
Spellings are lower case, without dots and accents; letters may stand apart (``s. r. l.``).
"""

# ruff: noqa: RUF001 - the characters that people type
# ruff: noqa: SIM905 - a line of words reads better than a column of them
from __future__ import annotations

from functools import cache

from cleanco.termdata import terms_by_country  # type: ignore[import-untyped]

#: Canonical form → spellings besides itself; one line per country or family of countries.
FORMS = {
    # United States, Canada, United Kingdom, Ireland, India, Australia, New Zealand, South Africa
    "Inc": "incorporated",
    "Corp": "corporation",
    "LLC": "limited liability company|limited liability co",
    "LLP": "limited liability partnership",
    "LLLP": "",
    "LP": "limited partnership",
    "PLLC": "",
    "PC": "",
    "Ltd": "limited|ltd liability co",
    "PLC": "public limited company",
    "CIC": "",
    "DAC": "designated activity company",
    "CLG": "",
    "ULC": "",
    "Unltd": "unlimited",
    "Co": "company|& co|and co|and company",
    "Co Ltd": "company limited|company ltd|co limited|& co ltd|and co ltd|& company limited",
    "Co Inc": "& co inc|and co inc",
    "Pvt Ltd": "private limited|pvt limited|private ltd|p ltd|pte limited",
    "Pty Ltd": "proprietary limited|pty limited|proprietary ltd|pty",
    # Singapore, Malaysia, Hong Kong, Indonesia, Thailand, Philippines
    "Pte Ltd": "pte",
    "Sdn Bhd": "sendirian berhad",
    "Bhd": "berhad",
    "PT": "",
    "Tbk": "",
    "PCL": "public company limited",
    # Germany, Austria, Switzerland, Liechtenstein
    "GmbH": "gesellschaft mit beschrankter haftung|ges mbh|gesmbh|g mbh|mbh",
    "gGmbH": "",
    "GmbH & Co KG": "gmbh and co kg|gmbh u co kg|gmbh co kg|gmbh und co kg|mbh & co kg"
    "|gmbh & cokg|gmbh & co kommanditgesellschaft|gmbh & co",
    "GmbH & Co KGaA": "gmbh and co kgaa",
    "GmbH & Co OHG": "gmbh and co ohg",
    "AG & Co KG": "ag and co kg",
    "AG & Co KGaA": "ag and co kgaa",
    "SE & Co KG": "se and co kg",
    "SE & Co KGaA": "se and co kgaa",
    "UG & Co KG": "ug and co kg|ug haftungsbeschrankt & co kg",
    "AG": "aktiengesellschaft",
    "KG": "kommanditgesellschaft|& co kg|and co kg",
    "KGaA": "",
    "OHG": "offene handelsgesellschaft",
    "OG": "",
    "UG": "ug haftungsbeschrankt|unternehmergesellschaft"
    "|unternehmergesellschaft haftungsbeschrankt",
    "GbR": "gesellschaft burgerlichen rechts",
    "PartG": "partg mbb|partgmbb|partnerschaftsgesellschaft",
    "eK": "e k|ekfm|e kfm|ekfr|inh",
    "eU": "e u",
    "eG": "e g|eingetragene genossenschaft",
    "eV": "e v|eingetragener verein",
    "GesbR": "",
    "SAGL": "",
    # European Union
    "SE": "societas europaea",
    "SCE": "",
    "EWIV": "eeig|gie|geie",
    # France, Belgium, Luxembourg, Monaco
    "SA": "s/a|societe anonyme|sociedad anonima|sociedade anonima|spolka akcyjna|societa anonima",
    "SAS": "societe par actions simplifiee|sociedad por acciones simplificada",
    "SASU": "",
    "SARL": "s a r l|sarlu|societe a responsabilite limitee",
    "EURL": "",
    "EIRL": "",
    "SNC": "",
    "SCI": "",
    "SCA": "",
    "SCS": "",
    "SCP": "",
    "SCOP": "",
    "SELARL": "",
    "SEM": "",
    "SPRL": "",
    "BVBA": "",
    "SRL": "s r l|srls|societa a responsabilita limitata|sociedad de responsabilidad limitada"
    "|societate cu raspundere limitata",
    "ASBL": "",
    "VZW": "",
    "CVBA": "",
    "SCRL": "",
    # Netherlands
    "BV": "b v|besloten vennootschap",
    "NV": "n v|naamloze vennootschap",
    "VOF": "",
    "CV": "",
    # Italy, San Marino
    "SpA": "s p a|societa per azioni",
    "SApA": "",
    "Scarl": "scrl|soc coop|societa cooperativa|scpa",
    # Spain, Portugal, Latin America
    "SL": "s l|sociedad limitada",
    "SLU": "s l u",
    "SLL": "",
    "SLNE": "",
    "SAU": "s a u",
    "SCoop": "s coop|sociedad cooperativa",
    "SA de CV": "sa de cv|s a de c v|sociedad anonima de capital variable",
    "SAB de CV": "",
    "SAPI de CV": "",
    "S de RL": "s de rl|s de r l",
    "S de RL de CV": "s de rl de cv|s de r l de c v",
    "Ltda": "limitada|lda",
    "Lda": "",
    "SGPS": "",
    "ME": "",
    "EPP": "",
    "SAC": "",
    "SAA": "",
    "CA": "c a|compania anonima",
    # Denmark, Norway, Sweden, Finland, Iceland
    "A/S": "aktieselskab",
    "ApS": "anpartsselskab",
    "I/S": "",
    "K/S": "",
    "P/S": "",
    "IVS": "",
    "AmbA": "",
    "AS": "aksjeselskap|aktsiaselts|anonim sirketi|akciova spolecnost",
    "ASA": "allmennaksjeselskap",
    "ANS": "",
    "DA": "",
    "NUF": "",
    "AB": "aktiebolag|aktiebolaget|ab publ|publ ab",
    "HB": "handelsbolag",
    "KB": "kommanditbolag",
    "Oy": "osakeyhtio|oy ab",
    "Oyj": "",
    "Ky": "",
    "Tmi": "",
    "ehf": "",
    "hf": "",
    "ohf": "",
    # Estonia, Latvia, Lithuania
    "OÜ": "ou|osauhing",
    "SIA": "",
    "UAB": "",
    "MB": "",
    # Poland, Czechia, Slovakia, Hungary, Slovenia, Croatia, Serbia, Romania, Bulgaria
    "Sp z oo": "sp z o o|spzoo|spolka z oo|spolka z ograniczona odpowiedzialnoscia|sp zoo|z o o",
    "Sp k": "spk|sp komandytowa",
    "Sp j": "spj",
    "Sp z oo Sp k": "sp z o o sp k",
    "sro": "s r o|spol s r o|spol sro",
    "vos": "v o s",
    "k.s.": "k s",
    "Kft": "korlatolt felelossegu tarsasag",
    "Zrt": "",
    "Nyrt": "",
    "Bt": "",
    "Kkt": "",
    "doo": "d o o",
    "dd": "d d",
    "AD": "a d",
    "OOD": "ood",
    "EOOD": "eood",
    "EAD": "",
    "PFA": "",
    # Greece, Cyprus, Türkiye, Israel
    "AE": "",
    "EPE": "",
    "IKE": "",
    "OE": "",
    "Ltd Şti": "ltd sti|limited sirketi|san ve tic ltd sti|san ve tic as",
    # Russia, Ukraine, Kazakhstan (in both scripts)
    "OOO": "ооо",
    "OAO": "оао",
    "ZAO": "зао",
    "PAO": "пао",
    "TOO": "тоо",
    "TOV": "тов",
    "PJSC": "public joint stock company",
    "JSC": "joint stock company",
    "CJSC": "",
    "OJSC": "",
    # Japan, Korea, China, Vietnam
    "KK": "k k|kabushiki kaisha|kabushiki gaisha|株式会社",
    "GK": "godo kaisha|合同会社",
    "YK": "yugen kaisha|有限会社",
    "有限公司": "有限责任公司|股份有限公司",
    "주식회사": "(주)",
    # Arab countries, Africa
    "FZE": "",
    "FZCO": "fz co|fz llc",
    "WLL": "",
    "SAE": "",
    "SAOG": "",
    "SAL": "",
    "SARLAU": "",
    "CC": "",
}

#: Forms that also stand before the name.
LEADING = (
    "OOO OAO ZAO PAO TOO TOV PT UAB SIA SARL SAS SASU EURL SCI KK 株式会社 有限会社 주식회사 AS OÜ"
).split()

#: cleanco's terms that are ordinary words or too short to mean one thing.
_NOT_A_FORM = frozenset("private etat tapui coop ent koop dat vat zat nat 3at 3ao".split())


def _plain(text: str) -> str:
    return text.lower().replace(".", "").replace("ü", "u").replace("ş", "s")


@cache
def spellings() -> dict[str, str]:
    """Every spelling → its canonical form."""
    known: dict[str, str] = {}
    for form, others in FORMS.items():
        for text in (form, *filter(None, others.split("|"))):
            known.setdefault(_plain(text), form)
    for terms in terms_by_country.values():
        for term in terms:
            text = " ".join(term.lower().replace(".", "").split())
            if len(text) > 2 and text.isascii() and text not in _NOT_A_FORM:  # noqa: PLR2004
                known.setdefault(text, text.upper())
    return known
