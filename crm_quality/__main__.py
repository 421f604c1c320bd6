"""``python -m crm_quality`` is ``crmq``."""

from crm_quality.cli import main

main()
