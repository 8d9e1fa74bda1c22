"""Say whose copy a file is (溯源): `manage.py trace_watermark FILE` reads the receiver's marks out of a file that turned up."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from exchange.bulk_jobs.marks import marks_in
from exchange.models import BulkPart


class Command(BaseCommand):
    help = "Name job, receiver and fetches of every bulk part whose mark stands in a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            marks = marks_in(options["file"])
        except OSError as error:
            raise CommandError(_("文件读不出来：%(why)s") % {"why": error.strerror}) from None
        if not marks:
            raise CommandError(_("文件里没有领取标记：不是批量作业的文件，或者标记列已被去掉。"))
        rows = BulkPart.objects.select_related("job__grant__system__department", "job__grant__resource")
        known = {part.mark: part for part in rows.filter(mark__in=marks)}
        for mark in marks:
            self.stdout.write(_told(mark, known.get(mark)))


def _told(mark: str, part: BulkPart | None) -> str:
    if part is None:
        return _("%(mark)s：不是本平台发出的标记，或者被改动过。") % {"mark": mark}
    grant = part.job.grant
    said = _(
        "%(mark)s：%(receiver)s，资源“%(resource)s”，授权 %(grant)s，作业 %(job)s 第 %(number)s 部分，"
        "%(at)s 发起，领取 %(fetches)s 次。"
    )
    return said % {
        "mark": mark,
        "receiver": f"{grant.system.department.name} {grant.system.name}",
        "resource": grant.resource.title,
        "grant": grant.uid,
        "job": part.job.uid,
        "number": part.number,
        "at": f"{part.job.opened_at:%Y-%m-%d %H:%M}",
        "fetches": part.fetches.count(),
    }
