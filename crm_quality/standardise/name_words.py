"""Words that stand beside or inside people's names: particles, titles, suffixes."""

# ruff: noqa: SIM905 - a line of words reads better than a column of them
from __future__ import annotations

#: Lower case before a surname, wherever they stand (van der Berg, de la Cruz).
PARTICLES = frozenset(
    "van von der den ter ten te de del da dos das do zu zum zur vom af av bin ibn bint y e und "
    "dello degli".split()
)
#: Lower case after another particle, a capital at the start (Le Pen, Di Stefano, de la Cruz).
LEADING_PARTICLES = frozenset("le la les lo los las el al du des di della dei st ste".split())

#: Begins of names after which a capital follows.
MAC_NAMES = frozenset(
    "macdonald macarthur macleod macgregor macintyre macmillan maclean macpherson macfarlane "
    "macdougall macdowell maccallum macqueen macneil macneill macdermott macduff macinnes "
    "macintosh macdonnell macbride macphail macgowan macrae mackinnon mackenzie".split()
)
#: Letters before an apostrophe after which a capital follows (O'Brien, D'Angelo, Dell'Acqua).
ELISIONS = frozenset("o d l n m dell dall sant nell all".split())

#: Two capitals that are initials, not a short name in capitals.
INITIALS = frozenset("aj ej oj rj bj cj dj jj kj lj mj pj tj jb jc jd jp jr jt kc mc td".split())

#: Titles at the start of a name, folded → the salutation as written in a letter.
TITLES = {
    "mr": "Mr",
    "mister": "Mr",
    "mrs": "Mrs",
    "ms": "Ms",
    "miss": "Ms",
    "mx": "Mx",
    "dr": "Dr",
    "doctor": "Dr",
    "doktor": "Dr",
    "prof": "Prof",
    "professor": "Prof",
    "rev": "Rev",
    "reverend": "Rev",
    "sir": "Sir",
    "herr": "Herr",
    "hr": "Herr",
    "frau": "Frau",
    "monsieur": "Monsieur",
    "madame": "Madame",
    "mme": "Mme",
    "mlle": "Mlle",
    "señor": "Señor",
    "señora": "Señora",
    "sra": "Sra",
    "signor": "Signor",
    "signora": "Signora",
    "dhr": "Dhr",
    "mevr": "Mevr",
    "mevrouw": "Mevr",
    "dipling": "",
    "ing": "",
    "mag": "",
    "med": "",
    "phil": "",
    "jur": "",
    "rer": "",
    "nat": "",
    "hc": "",
}
#: Titles that need their dot: without it they are names.
DOTTED_TITLES = frozenset({"hr", "ing", "mag", "med", "phil", "jur", "rer", "nat", "hc"})

#: Titles that are no name even when they stand alone (``Sra`` may be Sara).
CLEAR_TITLES = frozenset("mr mister mrs miss dr doctor doktor prof professor herr frau".split())

#: Suffixes that tell relatives of one name apart, folded → canonical.
SUFFIXES = {
    "jr": "Jr",
    "jnr": "Jr",
    "junior": "Jr",
    "jun": "Jr",
    "sr": "Sr",
    "snr": "Sr",
    "senior": "Sr",
    "sen": "Sr",
    "ii": "II",
    "2nd": "II",
    "iii": "III",
    "3rd": "III",
    "iv": "IV",
    "4th": "IV",
    "v": "V",
    "5th": "V",
}
#: Of these, what may end a name without comma or dot and still be no suffix.
_RISKY = frozenset({"junior", "jun", "senior", "sen", "v"})
PLAIN_SUFFIXES = frozenset(SUFFIXES) - _RISKY

#: Degrees and honours at the end of a name; they tell nobody apart and are taken off.
CREDENTIALS = frozenset("phd mba cpa dds esq msc bsc llm mph dphil pmp cfa".split())
#: Degrees that are taken off only after a comma or with their dots.
MARKED_CREDENTIALS = frozenset("md jd ma ba rn pe do cbe obe mbe ra".split())
