"""Writing batches of rows to CSV and Parquet, one batch in memory at a time."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Self

import pyarrow.parquet as pq  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import IO

    import polars as pl


class RowWriter:
    """Appends frames of one schema to a `.csv` or `.parquet` file.

    A batch is one row group of a Parquet file.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix not in {".csv", ".parquet"}:
            raise ValueError(f"{path}: the name must end in .csv or .parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._csv: IO[bytes] | None = None
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        if self._path.suffix == ".csv":
            self._csv = self._path.open("wb")
        return self

    def append(self, frame: pl.DataFrame) -> None:
        """Write the rows of a frame after those written before."""
        if self._csv is not None:
            frame.write_csv(self._csv, include_header=self._csv.tell() == 0)
            return
        table = frame.to_arrow()
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._parquet.write_table(table)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._csv is not None:
            self._csv.close()
        if self._parquet is not None:
            self._parquet.close()


def csv_bytes(
    header: list[str],
    frame: pl.DataFrame,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> bytes:
    """A small file as a system would export it: quoted where needed, with a given header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(frame.fill_null("").rows())
    return text.getvalue().encode(encoding)
