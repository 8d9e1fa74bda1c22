"""Who calls us by the national convention (国家规范调用方), and which service code stands for which grant.

A system's own department registers it under its rid and is shown the app key once; service codes are the data centre's.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.texts import listed
from exchange.models import Grant, NationalRequester, NationalService, SignatureAlgorithm
from exchange.querysets import grants_visible_to, is_reviewer, systems_visible_to
from exchange.systems import issue_credential

RID: Final = re.compile(r"[A-Za-z0-9_@.-]{4,64}")
SID: Final = re.compile(r"[A-Za-z0-9_.-]{4,64}")
PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
TARGET: Final = re.compile(r"(context\.(matter|officer|case)|parameters\.[\w-]{1,40}|[a-z][a-z0-9_]{0,39})")
APP_KEY_BYTES: Final = 16  # 32 hexadecimal digits: a key of AES-256 as it stands


class IssuedRequester(NamedTuple):
    """A requester and its app key, which nobody can read again."""

    requester: NationalRequester
    app_key: str


def requesters_visible_to(actor: Actor) -> QuerySet[NationalRequester]:
    """Return the requesters whose system the actor sees."""
    rows = NationalRequester.objects.select_related("credential__system__department")
    return rows.filter(credential__system__in=systems_visible_to(actor))


def services_visible_to(actor: Actor) -> QuerySet[NationalService]:
    """Return the service codes of grants the actor sees."""
    rows = NationalService.objects.select_related("grant__resource", "grant__system")
    return rows.filter(grant__in=grants_visible_to(actor))


@transaction.atomic
def register_requester(*, system_uid: UUID, rid: str, requires_v2: bool, actor: Actor, now: datetime) -> IssuedRequester:
    """Register a system of the own department under a rid, with a key of its own."""
    if not RID.fullmatch(rid):
        fault = _("请求者标识须为 4 至 64 位字母、数字或 _ @ . -。")
        raise Invalid("national.rid", fault, {"rid": fault})
    app_key = secrets.token_hex(APP_KEY_BYTES)
    algorithm = SignatureAlgorithm.HMAC_SHA256.value
    issued = issue_credential(system_uid=system_uid, algorithm=algorithm, actor=actor, now=now, secret=app_key)
    requester, is_new = NationalRequester.objects.get_or_create(
        rid=rid, defaults={"credential": issued.credential, "requires_v2": requires_v2}
    )
    if not is_new:
        taken = _("该请求者标识已登记。")
        raise Conflict("national.rid_taken", taken, {"rid": taken})
    owners = [issued.credential.system.department_id]
    audit.record(actor, "national_requester.registered", requester, at=now, department_ids=owners, requires_v2=requires_v2)
    return IssuedRequester(requester, app_key)


@transaction.atomic
def register_service(
    *, grant_uid: UUID, sid: str, key_parameter: str, parameters: Mapping[str, str], actor: Actor, now: datetime
) -> NationalService:
    """Put a service code on a grant, with the names integrators send; without names they send bodies of ours."""
    if not is_reviewer(actor):
        raise Forbidden("national.not_yours", _("服务编码由数据中心登记。"))
    grant = Grant.objects.select_for_update(of=("self",)).select_related("system", "resource").filter(uid=grant_uid).first()
    if grant is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    if found := _faults(grant, sid, key_parameter, parameters):
        raise Invalid("national.service_invalid", _("服务编码登记有误，请一并修改。"), found)
    if NationalService.objects.filter(sid=sid).exists() or NationalService.objects.filter(grant=grant).exists():
        taken = _("该服务编码或该授权已登记。")
        raise Conflict("national.sid_taken", taken, {"sid": taken})
    service = NationalService.objects.create(
        sid=sid, grant=grant, key_parameter=key_parameter, attribute_parameters=dict(parameters)
    )
    owners = [grant.system.department_id, grant.resource.provider_id]
    audit.record(actor, "national_service.registered", service, at=now, department_ids=owners, grant=str(grant.uid))
    return service


def _faults(grant: Grant, sid: str, key_parameter: str, parameters: Mapping[str, str]) -> dict[str, str]:
    found = {}
    if not SID.fullmatch(sid):
        found["sid"] = _("服务编码须为 4 至 64 位字母、数字或 _ . -。")
    if grant.mode not in ("QUERY", "VERIFY"):
        found["grant"] = _("国家规范只用于检索查询和比对验证。")
    if key_parameter and not PARAMETER.fullmatch(key_parameter):
        found["key_parameter"] = _("参数名须以字母开头，最多 40 位字母、数字或下划线。")
    wrong = [name for name, target in parameters.items() if not PARAMETER.fullmatch(name) or not TARGET.fullmatch(target)]
    if wrong:
        found["parameters"] = _("参数对应不正确：%(names)s") % {"names": listed(wrong)[:100]}
    if parameters and not key_parameter:
        found["key_parameter"] = _("有参数对应时须填写主键参数。")
    return found
