"""Countries, cities, streets and telephone plans: what an address or a number is made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from benchmarks.generator.draw import Draw, Ints

DATA = Path(__file__).parent / "data"
STREETS_PER_CITY = 150
HOUSE_NUMBERS = 120


@cache
def load(name: str) -> dict[str, Any]:
    """A file of `data/` as it stands."""
    loaded: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Places:
    """Tables of countries and cities, to be indexed by country or city number."""

    codes: list[str]
    names: list[str]
    languages: list[str]
    name_sets: list[str]
    weights: np.ndarray[Any, np.dtype[np.float64]]
    city_first: Ints
    city_count: Ints
    city_weights: list[list[float]]
    city_country: Ints
    cities: pl.DataFrame


@cache
def places() -> Places:
    """All countries and cities, numbered in the order of `data/countries.json`."""
    countries = load("countries")
    rows = [
        (number, *city)
        for number, country in enumerate(countries.values())
        for city in country["cities"]
    ]
    cities = pl.DataFrame(
        rows,
        schema=["country", "city", "state", "postcode", "area", "digits", "weight"],
        orient="row",
    )
    counts = np.array([len(c["cities"]) for c in countries.values()], dtype=np.int64)
    return Places(
        codes=list(countries),
        names=[c["name"] for c in countries.values()],
        languages=[c["language"] for c in countries.values()],
        name_sets=[c["names"] for c in countries.values()],
        weights=np.array([c["weight"] for c in countries.values()], dtype=np.float64),
        city_first=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        city_count=counts,
        city_weights=[[city[5] for city in c["cities"]] for c in countries.values()],
        city_country=cities["country"].to_numpy().astype(np.int64),
        cities=cities,
    )


def city_of(draw: Draw, ids: Ints, purpose: str, country: Ints) -> Ints:
    """A city number of the given country for each id, large cities more often."""
    table = places()
    out = np.zeros(len(ids), dtype=np.int64)
    for number, weights in enumerate(table.city_weights):
        rows = np.flatnonzero(country == number)
        out[rows] = table.city_first[number] + draw.pick(ids[rows], purpose, weights)
    return out


@cache
def _streets() -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Per language and street number: name in full, abbreviated, and the template's two halves."""
    words = load("words")["streets"]
    full: list[str] = []
    short: list[str] = []
    front: list[str] = []
    back: list[str] = []
    for language in dict.fromkeys(places().languages):
        spec = words[language]
        before, after = spec["template"].split("{s}")
        names, kinds, shorts = spec["names"], spec["kinds"], spec["short"]
        compound = language in {"de", "nl", "sv", "da", "cs"}
        for number in range(STREETS_PER_CITY):
            name = names[number % len(names)]
            kind = (number // len(names) + number) % len(kinds)
            for target, form in ((full, kinds[kind]), (short, shorts[kind])):
                if spec.get("prefix"):
                    target.append(f"{form} {name}")
                else:
                    target.append(f"{name}{form}" if compound else f"{name} {form}")
            front.append(before)
            back.append(after)
    return pl.Series(full), pl.Series(short), pl.Series(front), pl.Series(back)


@cache
def _language_numbers() -> Ints:
    order = list(dict.fromkeys(places().languages))
    return np.array([order.index(x) for x in places().languages], dtype=np.int64)


def street_lines(country: Ints, street: Ints, house: Ints, *, short: bool) -> pl.Series:
    """The address line, as "Hauptstraße 12" or "12 Oak Street"; null where `house` is below 1."""
    full, abbreviated, front, back = _streets()
    index = pl.Series(_language_numbers()[country] * STREETS_PER_CITY + street)
    frame = pl.DataFrame(
        {
            "s": (abbreviated if short else full).gather(index),
            "f": front.gather(index),
            "b": back.gather(index),
            "n": pl.Series(house),
        },
    )
    number = pl.col("n").cast(pl.String)
    line = pl.concat_str(
        pl.col("f").str.replace("{n}", number, literal=True),
        pl.col("s"),
        pl.col("b").str.replace("{n}", number, literal=True),
    )
    return frame.select(pl.when(pl.col("n") > 0).then(line).alias("street"))["street"]


@cache
def _postcodes() -> pl.Series:
    """One postcode for each city and street: `#` and `A` of the pattern are filled in."""
    out = []
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    for city, pattern in enumerate(places().cities["postcode"]):
        for street in range(STREETS_PER_CITY):
            rest = (city * 7919 + street * 104729 + 13) % 1_000_003
            text = ""
            for mark in pattern:
                if mark == "#":
                    # British districts have no leading zero, so 1 to 9
                    text += str(rest % 9 + 1) if "A" in pattern else str(rest % 10)
                elif mark == "A" and "A" in pattern[pattern.index("#") :]:
                    text += letters[rest % len(letters)]
                else:
                    text += mark
                    continue
                rest = rest // 7 + street * 31 + 17
            out.append(text)
    return pl.Series(out)


def postcodes(city: Ints, street: Ints) -> pl.Series:
    """The postcode of a street in a city."""
    return _postcodes().gather(pl.Series(city * STREETS_PER_CITY + street))


@cache
def country_names() -> pl.Series:
    """The English name of each country."""
    return pl.Series(places().names)
