"""The command line, ``crmq``."""

from crm_quality.cli.app import app, main

__all__ = ["app", "main"]
