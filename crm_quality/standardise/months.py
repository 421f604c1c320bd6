"""Names of months and weekdays in English, German, French, Spanish, Italian, Dutch, Portuguese."""

from __future__ import annotations

_NAMES = {
    "1": "january jan januar jän jänner janvier janv enero ene gennaio gen januari janeiro",
    "2": "february feb februar februari février fevrier févr fevr fév febrero febbraio fevereiro",
    "3": "march mar märz maerz mrz mär mars marzo maart mrt março marco",
    "4": "april apr avril avr abril abr aprile",
    "5": "may mai mayo maggio mag mei maio",
    "6": "june jun juni juin junio giugno giu junho",
    "7": "july jul juli juillet juil julio luglio lug julho",
    "8": "august aug août aout agosto ago augustus",
    "9": "september sep sept septembre septiembre settembre set setembro",
    "10": "october oct oktober okt octobre octubre ottobre ott outubro out",
    "11": "november nov novembre noviembre novembro",
    "12": "december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro",
}

#: Name or short name, lower case → number of the month.
MONTHS = {name: number for number, names in _NAMES.items() for name in names.split()}

#: A weekday and what stands between it and the date.
WEEKDAYS = (
    r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|mié|mie|jeu|jue|ven|vie"
    r"|sam|sáb|sab|dim|dom)\p{L}*(?:\.,?|,) *"
)
