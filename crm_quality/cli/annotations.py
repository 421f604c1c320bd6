"""Findings in rule files as continuous integration shows them: at their line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.engine.rules_check import RulesReport
    from crm_quality.errors import Fault

#: Characters that XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def github(report: RulesReport) -> Iterator[str]:
    """Workflow commands of GitHub Actions, one line per finding.

    Paths are those from the root of the checkout where the runner tells it (GITHUB_WORKSPACE), else
    from the working directory: GitHub finds a file by no other.
    """
    for level, told in (("error", report.faults), ("warning", report.advice)):
        for fault in told:
            place = {"file": shown_path(fault.file), "line": fault.line, "col": fault.column}
            where = ",".join(f"{key}={_property(str(v))}" for key, v in place.items() if v)
            where += ("," if where else "") + f"title={_property('crmq rules check')}"
            yield f"::{level} {where}::{_data(_said(fault))}"


def junit(report: RulesReport) -> str:
    """JUnit XML: a suite per file, a test case per finding, one that passes where there is none.

    A mistake is a failure; advice is what its test case printed, and passes.
    """
    by_file: dict[str, list[tuple[str, Fault]]] = {shown_path(file): [] for file in report.files}
    for level, told in (("error", report.faults), ("warning", report.advice)):
        for fault in told:
            by_file.setdefault(shown_path(fault.file), []).append((level, fault))
    whole = ET.Element("testsuites", name="crmq rules check")
    for file, found in by_file.items():
        failures = sum(level == "error" for level, _ in found)
        suite = ET.SubElement(
            whole,
            "testsuite",
            name=_xml(file),
            tests=str(max(1, len(found))),
            failures=str(failures),
            errors="0",
        )
        if not found:
            ET.SubElement(suite, "testcase", classname=_xml(file), name="no mistake")
        for level, fault in found:
            _case(suite, file, level, fault)
    whole.set("tests", str(sum(max(1, len(found)) for found in by_file.values())))
    whole.set("failures", str(len(report.faults)))
    ET.indent(whole)
    # other characters as references: whatever encoding standard output has, the XML is right
    written: bytes = ET.tostring(whole, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii")


def _case(suite: ET.Element, file: str, level: str, fault: Fault) -> None:
    place = f"line {fault.line}" if fault.line else "file"
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_xml(file),
        name=_xml(f"{place}: {fault.message}"),
        file=_xml(file),
        line=str(fault.line),
    )
    text = _xml(f"{file}:{fault.line}:{fault.column}: {_said(fault)}")
    if level == "error":
        ET.SubElement(case, "failure", message=_xml(_said(fault)), type="rules").text = text
    else:
        ET.SubElement(case, "system-out").text = f"warning: {text}"


def shown_path(file: Path | None) -> str:
    """A file as CI names it: from the root of the checkout, with slashes; empty for none."""
    if file is None:
        return ""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    whole = file.resolve()
    inside = whole.relative_to(root) if whole.is_relative_to(root) else file
    return inside.as_posix()


def _said(fault: Fault) -> str:
    return fault.message + (f" ({fault.hint})" if fault.hint else "")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
