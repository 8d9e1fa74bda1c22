"""From a missing license to the issuing desk (补发起草): when the reissue begins, the next version of what was issued is drafted.

Where nothing was ever issued here the operator drafts from the archive; the report closes when either is signed (`checking`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import DomainError
from licenses.issuing import drafts
from licenses.models import DraftKind, IssuingDraft, License, MissingReport
from licenses.reissue import checking
from licenses.reissue.workflow import Command


@transaction.atomic
def carry_out(*, command: Command, actor: Actor, now: datetime, **given: Any) -> MissingReport:
    """Give a command to a report as `checking.advance` does; a reissue that begins gets its draft."""
    report = checking.advance(command=command, actor=actor, now=now, **given)
    if command is Command.REISSUE:
        draft = _drafted(report, actor, now)
        if draft is not None:
            report.draft_uid = draft.uid
            report.save(update_fields=["draft_uid"])
    return report


def _drafted(report: MissingReport, actor: Actor, now: datetime) -> IssuingDraft | None:
    """Return the draft of the next version, one under way included; None where there is nothing to start from."""
    held = License.objects.filter(
        type_code=report.type_code, holders__subject_key=report.subject_key, issuer_id=report.department_id, is_current=True
    )
    if report.paper_number:
        held = held.filter(number=report.paper_number)
    license = held.order_by("-id").first()
    if license is None:
        return None
    under_way = IssuingDraft.objects.filter(supersedes=license, decided_at=None).order_by("-id").first()
    if under_way is not None:
        return under_way
    reason = _("缺失证照报告 %(number)s") % {"number": report.number}
    try:
        with transaction.atomic():
            return drafts.make_next(
                license_uid=license.uid, kind=DraftKind.REISSUE, values=drafts.values_of(license), reason=reason, basis="",
                actor=actor, now=now,
            )  # fmt: skip
    except DomainError:  # expired, revoked, of a type no longer in force: the desk drafts it anew
        return None
