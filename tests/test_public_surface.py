import subprocess
import sys

import crm_quality


def test_the_public_names_are_these():
    assert crm_quality.__all__ == [
        "CrmQualityError",
        "Project",
        "RuleSet",
        "Run",
        "Summary",
        "dedupe",
        "default_rules",
        "load_rules",
        "profile",
        "read",
        "standardise",
        "take_in",
        "validate",
    ]
    assert all(hasattr(crm_quality, name) for name in crm_quality.__all__)


def test_importing_the_package_does_not_bring_optional_ones():
    script = (
        "import sys, crm_quality;"
        "print([m for m in ('faker', 'playwright', 'pyspark', 'openpyxl') if m in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"
