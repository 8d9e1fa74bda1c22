"""Any kind of file on an exchange node as a connector (前置机接入): its folder, its newest file, a reading of the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Invalid, Unavailable
from exchange.aggregation.connector import Reading
from exchange.aggregation.connectors.drops import copied, files_at, folder_of
from exchange.aggregation.connectors.files import Contents, FileReading, Opener
from exchange.aggregation.connectors.terms import Column, Place, Source, Table, first
from exchange.models import AggregationPlan, AggregationRun


class DropConnector:
    """Files of one kind; `opener` opens one."""

    def __init__(self, opener: Opener, pattern: str) -> None:
        self._opener, self.pattern = opener, pattern

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise Invalid for a folder outside the exchange node's, and for limits that are none."""
        folder_of(settings)
        most = settings.get("most_megabytes")
        if most is not None and (not isinstance(most, int) or not 1 <= most <= 1_048_576):
            fault = _("请填写 1 到 1048576 之间的整数。")
            raise Invalid("plan.settings_invalid", fault, {"most_megabytes": fault})

    def tables(self, place: Place) -> list[Table]:
        """Return the files that lie there."""
        return [Table(found.name) for found in files_at(self._with_pattern(place.settings))]

    @contextmanager
    def look(self, place: Place) -> Iterator[Source]:
        """Open the newest file on a private copy."""
        settings_ = self._with_pattern(place.settings)
        found = max(files_at(settings_), key=lambda file: file.modified_ns, default=None)
        if found is None:
            raise Invalid("file.none", _("前置机目录中没有符合文件名规则的文件，请数源部门先放入一个样例文件。"))
        root = Path(settings.UPLOAD_DIR) / "aggregation"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix="look-", dir=root))
        contents: Contents | None = None
        try:
            spool = folder / f"file{found.path.suffix.lower()}"
            with os.fdopen(os.open(spool, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
                copied(found.path, file, settings_)
                contents = self._opener(file, spool, settings_)
                yield _FileSource(contents)
        except OSError:
            raise Unavailable("file.unreadable", _("文件无法读取或暂存，请核对权限和磁盘空间。")) from None
        finally:
            if contents is not None:
                contents.close()
            shutil.rmtree(folder, ignore_errors=True)

    def open(self, plan: AggregationPlan, run: AggregationRun) -> Reading:
        """Return the reading of one run: the next waiting file."""
        return FileReading(self._opener, plan, run)

    def _with_pattern(self, place: Mapping[str, Any]) -> dict[str, Any]:
        return {**place, "pattern": place.get("pattern") or self.pattern}


class _FileSource:
    """An open file; see `terms.Source`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.columns: tuple[Column, ...] = contents.columns

    def count(self) -> int | None:
        """Count the records by reading them all."""
        return sum(1 for _record in self._contents.records({}))

    def sample(self, size: int) -> list[dict[str, str | None]]:
        """Return the first whole records."""
        names = [column.name for column in self.columns]
        whole = (dict(zip(names, record.values, strict=True)) for record in self._contents.records({}) if not record.fault)
        return first(whole, size)
