"""Company names: a form to show, a form to compare, and the legal form apart."""

# ruff: noqa: RUF001 - the characters that people type
# ruff: noqa: SIM905 - a line of words reads better than a column of them
from __future__ import annotations

import re
from functools import cache

import polars as pl

from crm_quality.standardise.column import NO_NOTE, note, on_distinct, on_rows
from crm_quality.standardise.legal_forms import LEADING, spellings

#: Forms that stand beside a name without a blank.
_UNSPACED = "(株式会社|有限会社|合同会社|股份有限公司|有限责任公司|有限公司|주식회사)"
_ARTICLES = r"^(?:the|der|die|das) "
_LINKS = r" (?:and|und|et|&|y|e|u) "
_SMALL = frozenset(
    "and of for the in on at by to und der die das für et de du des la le les y el".split()
)
_SHORT_WORDS = frozenset(
    "new old one two big red sun sea sky air art bar car hot top all pro van".split()
)
_ACRONYMS = frozenset({"ai", "tv", "uk", "usa", "eu", "ibm", "sap", "bmw"})
_KEEPS_CAPITALS = 3
_ALONE = 4
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_VOWEL = re.compile("[aeiouyäöüáéíóúàèìòùâêîôûåøæ]", re.IGNORECASE)


def standardise_company_names(texts: pl.Series) -> pl.DataFrame:
    """Names of companies.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String: as written, in repaired case where it was in one case; ``note``;
        ``core`` String: lower case without accents, punctuation, article, conjunctions and legal
        form, words parted by single blanks, for comparing; ``legal_form`` String, canonical
        (``GmbH``), null if none.
    """
    return on_distinct(texts.alias("text").to_frame(), _read)


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.select("text", name=_comparable(pl.col("text")))
    name = pl.col("name")
    frame = frame.with_columns(core=name.str.replace(_ending(), ""))
    lead = pl.col("core").str.extract_groups(_beginning()).struct
    ended = name.str.slice(pl.col("core").str.len_chars())
    frame = frame.with_columns(
        form=pl.when(ended != "").then(ended).otherwise(lead.field("1")).str.strip_chars(" "),
        core=_core(pl.coalesce(lead.field("2"), "core")),
    )
    frame = frame.with_columns(
        legal_form=_canonical(frame["form"]),
        core=pl.when(pl.col("core") != "").then("core").otherwise(_core(name)),
    )
    return frame.select(
        value=_display(frame),
        note=pl.when(~pl.col("text").str.contains(r"[\p{L}\p{N}]"))
        .then(note("invalid"))
        .otherwise(NO_NOTE),
        core=pl.when(pl.col("core") != "").then("core"),
        legal_form="legal_form",
    )


def _comparable(text: pl.Expr) -> pl.Expr:
    """Lower case, no accents, no punctuation but ``&`` and ``/``, single blanks."""
    return (
        text.str.to_lowercase()
        .str.normalize("NFKD")
        .str.replace_all(r"[\p{M}.'’`´]", "")
        .str.replace_all(r"[^\p{L}\p{N}&/]+", " ")
        .str.replace_all(r"\b(\p{L}{1,2})&(\p{L})\b", "${1}${2}")
        .str.replace_all("&", " & ", literal=True)
        .str.replace_all(_UNSPACED, " ${1} ")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(" ")
        .str.normalize("NFC")
    )


def _core(name: pl.Expr) -> pl.Expr:
    padded = pl.concat_str(
        pl.lit(" "), name.str.replace(_ARTICLES, "").str.replace_all("/", " "), pl.lit(" ")
    )
    return (
        padded.str.replace_all(_LINKS, " ")
        .str.replace_all(r"[^\p{L}\p{N}]+", " ")
        .str.strip_chars(" ")
    )


@cache
def _ending() -> str:
    """The legal forms after a name; they may repeat (``Acme Ltd Limited``)."""
    return f"(?: (?:{_alternatives(spellings())}))+$"


@cache
def _beginning() -> str:
    leading = [text for text, form in spellings().items() if form in LEADING and text != "as"]
    return f"^({_alternatives(leading)}) (.+)$"


def _alternatives(texts: dict[str, str] | list[str]) -> str:
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    return "|".join(_pattern(text) for text in ordered)


def _pattern(text: str) -> str:
    # single letters may stand apart: "s. r. l." has become "s r l"
    if text.isalpha() and 2 <= len(text) <= 4 and text.isascii():  # noqa: PLR2004
        return " ?".join(text)
    return re.escape(text).replace(r"\ ", " ?" if len(text.replace(" ", "")) <= 4 else " ")  # noqa: PLR2004


def _canonical(forms: pl.Series) -> pl.Series:
    known = {text.replace(" ", ""): form for text, form in spellings().items()}
    distinct = forms.drop_nulls().unique()
    found = [_last_form(text, known) for text in distinct]
    return forms.replace_strict(distinct, pl.Series(found, dtype=pl.String), default=None)


def _last_form(text: str, known: dict[str, str]) -> str | None:
    words = text.split()
    # "Foo Company, Inc.": the last one counts, the longest way to read it
    for start in range(len(words)):
        if form := known.get("".join(words[start:])):
            return form
    return None


def _display(frame: pl.DataFrame) -> pl.Series:
    text = pl.col("text")
    one_case = (text == text.str.to_uppercase()) | (text == text.str.to_lowercase())
    frame = frame.select("text", "legal_form", one_case=one_case & text.str.contains(r"\p{L}"))

    def repaired(rows: pl.DataFrame) -> pl.DataFrame:
        return on_distinct(
            rows.select("legal_form", "text"),
            lambda some: pl.DataFrame(
                {"text": [_capitalised(text, form) for form, text in some.iter_rows()]},
                schema={"text": pl.String},
            ),
        )

    return on_rows(frame, frame["one_case"], repaired)["text"]


def _capitalised(text: str, form: str | None) -> str:
    words = list(_WORD.finditer(text))
    upper = text == text.upper()
    out = text
    form_words = {word.lower(): word for word in re.split(r"[ &]+", form)} if form else {}
    letters = [word for word in words if word[0].lower() not in form_words]
    for index, match in enumerate(words):
        word = match[0]
        low = word.lower()
        if low in form_words and index:
            new = form_words[low]
        elif low in _SMALL and index:
            new = low
        elif _is_acronym(low, upper=upper, alone=len(letters) == 1):
            new = word.upper()
        else:
            new = low[:1].upper() + low[1:]
        if len(new) == len(word):
            out = out[: match.start()] + new + out[match.end() :]
    return out


def _is_acronym(word: str, *, upper: bool, alone: bool) -> bool:
    if any(char.isdigit() for char in word):
        return upper
    if not word.isalpha():
        return False
    if word in _ACRONYMS:
        return True
    if not _VOWEL.search(word):
        return len(word) <= _ALONE and (upper or len(word) > 1)
    if not upper or word in _SMALL or word in _SHORT_WORDS:
        return False
    return len(word) <= (_ALONE if alone else _KEEPS_CAPITALS)
