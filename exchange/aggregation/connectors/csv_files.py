"""CSV on an exchange node (前置机文件 CSV): streamed by bytes, so that a file of any size takes little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from exchange.aggregation.connectors import csv_reading
from exchange.aggregation.connectors.files import Record
from exchange.aggregation.connectors.terms import Column


class CsvContents:
    """See `files.Contents`. The checkpoint is the line and the byte after it."""

    def __init__(self, file: IO[bytes], _path: Path, place: Mapping[str, Any]) -> None:
        self._file = file
        self._encoding = csv_reading.detect_encoding(file)
        header = csv_reading.header_of(file, self._encoding)
        csv_reading.check_header(header, place.get("wanted") or header, may_grow=True)
        self.columns = tuple(Column(name) for name in header)

    def records(self, after: Mapping[str, Any]) -> Iterator[Record]:
        """Hand out the lines after a checkpoint."""
        start, line = after.get("offset", 0), after.get("line", 1)
        return csv_reading.records(self._file, self._encoding, len(self.columns), start=start, line=line)

    def place(self, record: Record) -> dict[str, Any]:
        """A value may run over lines."""
        return {"line": record.line + sum(value.count("\n") for value in record.values if value), "offset": record.end}

    def close(self) -> None:
        """The file is the reading's."""
