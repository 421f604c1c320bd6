"""The tools, and an environment of its own for each, made when it is first needed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
# what the modules of this folder read and write with
COMMON = ("polars", "pyarrow")


@dataclass(frozen=True)
class Tool:
    """A tool and the module that runs it."""

    name: str
    title: str
    module: str
    packages: tuple[str, ...] = ()
    labels: bool = False


TOOLS = (
    Tool("ours", "crm-quality", "with_crm_quality"),
    Tool("splink", "Splink, as documented", "with_splink", ("splink>=5,<6",)),
    Tool("careful", "Splink, careful", "with_splink_careful", ("splink>=5,<6",)),
    Tool("goldenmatch", "goldenmatch", "with_goldenmatch", ("goldenmatch",)),
    Tool("recordlinkage", "recordlinkage, ECM", "with_recordlinkage", ("recordlinkage",)),
    Tool("custmatch", "custmatch, 600 labels", "with_custmatch", ("custmatch",), labels=True),
    # dedupe 3.0.3 calls what BTrees 6.5 has removed
    Tool("dedupe", "dedupe, 600 labels", "with_dedupe", ("dedupe", "BTrees<6.5"), labels=True),
)


def python_of(tool: Tool, cache: Path) -> Path:
    """The interpreter that has the tool's packages, installed with pip unless they already are."""
    if not tool.packages:
        return Path(sys.executable)
    folder = cache / "environments" / tool.packages[0].partition(">")[0]
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *tool.packages, *COMMON], check=True)
        ready.touch()
    return python


def environment_of(tool: Tool, home: Path) -> dict[str, str]:
    """Variables for the process: a home of its own, this project only for this project."""
    home.mkdir(parents=True, exist_ok=True)
    variables = {"HOME": str(home), "PYTHONHASHSEED": "0"}
    if not tool.packages:
        paths = [str(BENCHMARKS.parent), os.environ.get("PYTHONPATH", "")]
        return {**variables, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    return {**variables, "PYTHONPATH": ""}
