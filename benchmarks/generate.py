"""Generate customer data with a known truth: `demo`, `contacts` or `companies`.

python benchmarks/generate.py contacts --rows 100000 --out c.csv --truth t.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generator.command import main

if __name__ == "__main__":
    sys.exit(main())
