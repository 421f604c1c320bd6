import sys
from dataclasses import dataclass

import pytest

from crm_quality.cli import main


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def crmq(capsys, monkeypatch):
    """Run the command line in this process."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["crmq", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


CONTACTS = """\
source,source_key,first_name,last_name,email,mobile,country,lead_source
crm,1,Ann,Leclerc,ann.leclerc@nordlicht.example,+47 406 12 345,Norway,PPC
shop,c-9,ANN,Leclerc,Ann.Leclerc@nordlicht.example,0047 40612345,NO,Google Ads
crm,2,Bob,Okafor,b.okafor@quayside.example,,,
crm,3,,,john at x.com,,,
"""


@pytest.fixture
def contacts(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(CONTACTS)
    return file
