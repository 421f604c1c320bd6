"""Blocking keys: what two records must share to be compared at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Key:
    """One way to block.

    Attributes:
        name: What reports call it.
        needs: Columns of the features.
        parts: Texts that together are the key; a record without one of them has no such key.
        each: True when the first part is a list: the record is in a block for each element.
    """

    name: str
    needs: tuple[str, ...]
    parts: tuple[pl.Expr, ...]
    each: bool = False

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """``position`` of the record (UInt32) and ``value`` of its key, one row for each block."""
        names = [f"part_{place}" for place in range(len(self.parts))]
        frame = features.select(
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("position"),
            *(part.alias(name) for part, name in zip(self.parts, names, strict=True)),
        ).drop_nulls()
        if self.each:
            frame = frame.explode("part_0").drop_nulls()
        value = pl.concat_str(names, separator="|") if len(names) > 1 else pl.col(names[0])
        return frame.select("position", value.alias("value"))

    def hashes(self, features: pl.DataFrame) -> pl.DataFrame:
        """As `values`, with ``hash`` (UInt64) in place of the text."""
        return self.values(features).select("position", pl.col("value").hash(seed=0).alias("hash"))


def _start(column: str, length: int, least: int = 1) -> pl.Expr:
    text = pl.col(column)
    return pl.when(text.str.len_chars() >= least).then(text.str.slice(0, length))


def _sorted_digits(column: str) -> pl.Expr:
    characters = pl.col(column).str.split("").list.sort().list.join("")
    return pl.when(pl.col(column).is_not_null()).then(characters)


_G, _S = pl.col("given"), pl.col("surname")
_GI, _SI = _start("given", 1), _start("surname", 1)
_GS, _SS = pl.col("given_s"), pl.col("surname_s")
_NAME = pl.concat_str(pl.min_horizontal("given", "surname"), pl.max_horizontal("given", "surname"))
_DOB, _YEAR, _DAY = pl.col("dob"), pl.col("dob").str.slice(0, 4), pl.col("dob").str.slice(4)
_AREA, _TOWN = pl.col("area"), pl.col("town")
_C, _CS = pl.col("company"), pl.col("company_s")

_CONTACT_POINTS = (
    Key("e-mail", ("mails",), (pl.col("mails"),), each=True),
    Key("phone", ("phones",), (pl.col("phones"),), each=True),
    Key("identifier", ("identifiers",), (pl.col("identifiers"),), each=True),
    Key("domain", ("domain",), (pl.col("domain"),)),
    Key("mailbox name", ("local",), (pl.col("local"),)),
    Key("mailbox letters", ("letters",), (pl.when(pl.col("mail_kind") < 2).then("letters"),)),
    Key("mailbox number", ("local_digits",), (_start("local_digits", 12, 5),)),
    Key("phone end", ("phone",), (pl.col("phone").str.tail(7),)),
    Key("phone start", ("phone",), (_start("phone", 9, 9),)),
    Key("identifier start", ("identifier",), (_start("identifier", 5, 7),)),
    Key("identifier end", ("identifier",), (pl.col("identifier").str.tail(5),)),
)

_PERSON = (
    Key("name", ("given", "surname"), (_NAME,)),
    Key("sound of name", ("given", "surname"), (_GS, _SS)),
    Key("formal name, surname", ("given_n", "surname"), (pl.col("given_n"), _S), each=True),
    Key("surname", ("surname",), (_S,)),
    Key("given name", ("given",), (_G,)),
    Key("start of names", ("given", "surname"), (_start("given", 3), _start("surname", 4))),
    Key("birth date", ("dob",), (_DOB,)),
    Key("birth date, given name", ("dob", "given"), (_DOB, _G)),
    Key("birth date, surname", ("dob", "surname"), (_DOB, _S)),
    Key("digits of birth date, initial", ("dob", "given"), (_sorted_digits("dob"), _GI)),
    Key("birth year, surname", ("dob", "surname"), (_YEAR, _S)),
    Key("birth year, sound of given name", ("dob", "given"), (_YEAR, _GS)),
    Key("birthday, start of surname", ("dob", "surname"), (_DAY, _start("surname", 3))),
    Key("birthday, start of given name", ("dob", "given"), (_DAY, _start("given", 3))),
    Key("birth date, area", ("dob", "area"), (_DOB, _AREA)),
    Key("surname, area", ("surname", "area"), (_S, _AREA)),
    Key("given name, area", ("given", "area"), (_G, _AREA)),
    Key("sound of surname, initial, town", ("surname", "given", "town"), (_SS, _GI, _TOWN)),
    Key("given name, street", ("given", "street"), (_GS, _start("street", 6))),
    Key("surname, street", ("surname", "street"), (_SS, _start("street", 6))),
    Key("surname, company", ("surname", "company"), (_SS, _start("company", 6))),
    Key("given name, company", ("given", "company"), (_GS, _start("company", 6))),
    Key("birth place, surname", ("birth_place", "surname"), (pl.col("birth_place"), _S)),
    Key("birth place, birth year", ("birth_place", "dob"), (pl.col("birth_place"), _YEAR)),
    Key("birth place, given name", ("birth_place", "given"), (pl.col("birth_place"), _G)),
    Key("mailbox, surname", ("letters", "surname"), (_start("letters", 4), _start("surname", 3))),
    Key("mailbox, birth year", ("letters", "dob"), (_start("letters", 4), _YEAR)),
    Key("phone, initial", ("phone", "given"), (pl.col("phone").str.tail(4), _GI)),
    Key("middle name, given name", ("middle", "given"), (_start("middle", 9, 2), _G)),
)

_PLACE = (
    Key("door", ("line",), (pl.col("number"), pl.col("street"))),
    Key("line", ("line",), (pl.col("line"),)),
    Key("number, area", ("line",), (pl.col("number"), _AREA)),
    Key("number, start of street", ("line",), (pl.col("number"), _start("street", 4))),
    Key("street, area", ("line",), (pl.col("street"), _AREA)),
)

_COMPANY = (
    Key("company", ("company",), (_C,)),
    Key("sound of company", ("company",), (_CS,)),
    Key("start of company, area", ("company", "area"), (_start("company", 4), _AREA)),
    Key("start of company", ("company",), (_start("company", 6),)),
    Key("end of company", ("company",), (pl.col("company").str.tail(6),)),
    Key("word of company", ("company_t",), (pl.col("company_t"),), each=True),
    Key("acronym of company", ("company_a",), (_start("company_a", 9, 3),)),
    Key("word of company, area", ("company_t", "area"), (pl.col("company_t"), _AREA), each=True),
    Key("company, number", ("company", "number"), (_start("company", 3), pl.col("number"))),
    Key(
        "company, phone", ("company", "phone"), (_start("company", 2), pl.col("phone").str.tail(4))
    ),
    Key("company, street", ("company", "street"), (_start("company", 3), _start("street", 4))),
)

#: Entity → its keys.
KEYS: dict[str, tuple[Key, ...]] = {
    "contact": (*_CONTACT_POINTS, *_PERSON, *_PLACE),
    "company": (*_CONTACT_POINTS, *_PLACE, *_COMPANY),
}


def usable_keys(entity: str, columns: Iterable[str]) -> tuple[Key, ...]:
    """The keys of ``entity`` whose columns are there."""
    known = set(columns)
    return tuple(key for key in KEYS.get(entity, KEYS["contact"]) if known.issuperset(key.needs))
