"""Intake: a file or frame becomes source records with canonical fields and a key."""

from crm_quality.intake.files import read, read_batches
from crm_quality.intake.guessing import Guess, guess_mapping
from crm_quality.intake.loading import load_source
from crm_quality.intake.mapping import Drift, MappedField, map_fields
from crm_quality.intake.recognition import recognise
from crm_quality.intake.records import BOOKKEEPING, Intake, take_in, take_in_all
from crm_quality.intake.table import Table

__all__ = [
    "BOOKKEEPING",
    "Drift",
    "Guess",
    "Intake",
    "MappedField",
    "Table",
    "guess_mapping",
    "load_source",
    "map_fields",
    "read",
    "read_batches",
    "recognise",
    "take_in",
    "take_in_all",
]
