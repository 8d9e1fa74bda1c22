"""A foreign license for a matter (异地证照调取): asked of the node it belongs to, verified, and kept for that matter for a while.

What does not verify is not kept; its three answers are. Every fetch is a use with its purpose, here and at the other side.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.identifiers import normalize_uscc
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Department
from core.roles import Role
from licenses import numbering, uses
from licenses.models import ForeignLicense, TrustedNode, UseChannel
from licenses.recognition import questions, trust
from licenses.recognition.questions import subjects_of

KEPT: Final = timedelta(days=30)
LONGEST: Final = 200


def fetch(*, identifier: str, matter: str, purpose: str, actor: Actor, now: datetime) -> ForeignLicense:
    """Ask for a license another region issued, verify it and keep it for the matter; nothing is open while the node answers."""
    if actor.user_id is None or actor.department_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("foreign_license.not_yours", _("异地证照由办事部门经办人为具体事项调取。"))
    matter, purpose = _text(matter, "matter", _("请写明事项。")), _text(purpose, "purpose", _("请写明用途。"))
    written = identifier.strip().upper()
    node = node_for(written)
    answer = questions.ask(node=node, kind=questions.LICENSE, now=now, identifier=written, matter=matter, purpose=purpose)
    if answer.get("found") is not True:
        raise NotFound("foreign_license.not_found", _("对方节点没有这件证照，请核对证照标识。"))
    result = trust.verify_document(answer.get("document"), now)
    if result.document is None or result.document.identifier != written:
        raise Conflict("foreign_license.other_license", _("对方节点答复的不是这件证照，没有采用。"))
    document = answer["document"] if result.is_valid else None
    return _keep(node=node, result=result, document=document, matter=matter, purpose=purpose, actor=actor, now=now)


@transaction.atomic
def _keep(
    *,
    node: TrustedNode,
    result: trust.ForeignResult,
    document: Any,
    matter: str,
    purpose: str,
    actor: Actor,
    now: datetime,
) -> ForeignLicense:
    data = result.document.data if result.document else {}
    identifier = str(data["identifier"])
    kept = ForeignLicense.objects.create(
        node=node, identifier=identifier, matter=matter, purpose=purpose, department_id=actor.department_id or 0,
        fetched_by_id=actor.user_id or 0, fetched_at=now, expires_at=now + KEPT, result=result.told(), document=document,
    )  # fmt: skip
    uses.record_for(
        subjects_of(data), identifier=identifier, type_code=str(data["type"])[:21], issuer_code=str(data["issuer"]["code"])[:18],
        channel=UseChannel.RECOGNIZED, department=Department.objects.get(pk=actor.department_id or 0), actor=actor, matter=matter,
        purpose=purpose, items=sorted(data.get("face") or {})[:100], at=now,
    )  # fmt: skip
    detail = {"node": node.code, "is_valid": result.is_valid, "matter": matter, "purpose": purpose}
    audit.record(actor, "foreign_license.fetched", kept, at=now, department_ids=[actor.department_id], **detail)
    return kept


def node_for(identifier: str) -> TrustedNode:
    """Return the node a license belongs to by the region of its issuer; Invalid or Conflict when there is none to ask."""
    parts = numbering.parse(identifier)
    node = trust.node_of_region(normalize_uscc(parts.issuer_code)[2:8])
    if node is None:
        raise Conflict("foreign_license.no_node", _("颁发地不在互认名单中，无法调取；请持证人提供证照文件或纸质证照。"))
    if not node.endpoint:
        raise Conflict("foreign_license.no_endpoint", _("节点“%(node)s”没有登记接口地址，无法调取。") % {"node": node.name})
    return node


def visible_to(actor: Actor) -> QuerySet[ForeignLicense]:
    """Return what the own department fetched; auditors see that it was fetched."""
    found = ForeignLicense.objects.select_related("node", "department", "fetched_by")
    if actor.has(Role.AUDIT_ADMINISTRATOR):
        return found.defer("document")
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return found.none()
    return found.filter(department_id=actor.department_id)


def get_visible(uid: UUID, actor: Actor) -> ForeignLicense:
    """Return one the actor may see."""
    found = visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound("foreign_license.not_found", _("没有这件异地证照，或您无权查看。"))
    return found


def drop_expired(*, now: datetime) -> int:
    """Drop the documents whose time is over; that they were fetched stays."""
    return ForeignLicense.objects.filter(document__isnull=False, expires_at__lte=now).update(document=None)


def _text(given: str, field: str, missing: str) -> str:
    text = given.strip()
    if not text:
        raise Invalid("foreign_license.text_missing", missing, {field: [missing]})
    return text[:LONGEST]
