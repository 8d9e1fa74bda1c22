"""Dossiers (一人一档、一企一档) at the door for systems, for the same people and as far as the pages show them.

Asked by POST, so that the identifier stands in no address and no log. One request opens and reads: both are audited and told.
"""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange.dossiers import telling
from exchange.dossiers.opening import LONGEST_MATTER, check_may_open, open_dossier
from exchange.dossiers.reading import Dossier, read_dossier
from exchange.dossiers.rights import DossierKind, Purpose, Reason
from exchange.dossiers.showing import Section
from openapi.authentication import actor
from openapi.permissions import ForBusiness
from openapi.serializers import MomentField, StrictSerializer


class DossierIn(StrictSerializer):
    """Whose dossier, what for, and at which moments."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in DossierKind])
    identifier = serializers.CharField(max_length=18, help_text="公民身份号码或统一社会信用代码")
    reason = serializers.ChoiceField(choices=Reason.choices)
    matter = serializers.CharField(max_length=LONGEST_MATTER, help_text="事项编号")
    as_of = MomentField(required=False, help_text="世界中的时点，缺省为现在")
    known_at = MomentField(required=False, help_text="平台当时所知的时点，缺省为现在")


class SaidOut(serializers.Serializer[Any]):
    """What one source says."""

    text = serializers.CharField()
    department = serializers.CharField()
    source_title = serializers.CharField(source="source")
    received_at = serializers.DateTimeField()
    since = serializers.DateTimeField(allow_null=True)
    is_chosen = serializers.BooleanField()


class ValueOut(serializers.Serializer[Any]):
    """A field of the identity; `others` are other candidates for those who may see them."""

    name = serializers.CharField()
    title = serializers.CharField()
    said = SaidOut()
    strategy = serializers.CharField()
    legal_basis = serializers.CharField()
    is_doubtful = serializers.BooleanField()
    others = SaidOut(many=True)


class LineOut(serializers.Serializer[Any]):
    """A fact: its values by title."""

    values = serializers.DictField(child=serializers.CharField())
    department = serializers.CharField()
    source_title = serializers.CharField()
    received_at = serializers.DateTimeField()


class SectionOut(serializers.Serializer[Any]):
    """The newest facts of one dataset; `total` is how many there are."""

    code = serializers.CharField()
    title = serializers.CharField()
    total = serializers.IntegerField()
    lines = LineOut(many=True)


class DossierMemberOut(serializers.Serializer[Any]):
    """A member of the person's household, the person among them."""

    name = serializers.CharField()
    relation = serializers.CharField(help_text="与户主关系")
    joined_on = serializers.DateField(allow_null=True)
    department = serializers.CharField()
    changed_at = serializers.DateTimeField()


class DossierEntityOut(serializers.Serializer[Any]):
    """Another legal entity; `name` is null when the base does not know it."""

    name = serializers.CharField(allow_null=True)
    uscc = serializers.CharField(allow_null=True)
    state = serializers.CharField(help_text="登记状态")


class DossierRoleOut(DossierEntityOut):
    """An office or a share in an entity."""

    role = serializers.CharField()
    share_ratio = serializers.FloatField(allow_null=True)
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(allow_null=True)
    department = serializers.CharField()
    changed_at = serializers.DateTimeField()


class DossierBranchOut(DossierEntityOut):
    """A branch of the entity."""

    branch = serializers.CharField(help_text="分支机构类别")
    opened_on = serializers.DateField(allow_null=True)
    closed_on = serializers.DateField(allow_null=True)
    department = serializers.CharField()
    changed_at = serializers.DateTimeField()


class DossierHeirOut(DossierEntityOut):
    """Who took over, in how many steps; nobody took over from the last."""

    since = serializers.DateField()
    steps = serializers.IntegerField()
    is_last = serializers.BooleanField()


class DossierVerificationOut(serializers.Serializer[Any]):
    """How well the data of the entity hold, apart from its registration state."""

    state = serializers.CharField()
    title = serializers.CharField()
    corroboration = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    checked_on = serializers.DateField()


class DossierLicenseOut(serializers.Serializer[Any]):
    """A license, the newest first; `license_count` is how many there are."""

    type_code = serializers.CharField()
    type_name = serializers.CharField()
    number = serializers.CharField()
    issuer = serializers.CharField()
    issued_on = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)
    state = serializers.CharField()
    is_live = serializers.BooleanField()
    marks = serializers.ListField(child=serializers.CharField())
    department = serializers.CharField()


class DossierCreditOut(serializers.Serializer[Any]):
    """A credit record, the newest first; `credit_counts` says how many there are."""

    dataset = serializers.CharField()
    kind = serializers.CharField()
    document_number = serializers.CharField(allow_null=True)
    authority = serializers.CharField(allow_null=True)
    decided_on = serializers.DateField(allow_null=True)
    display = serializers.CharField(help_text="公示状态")
    department = serializers.CharField()
    changed_at = serializers.DateTimeField()


class UseOut(serializers.Serializer[Any]):
    """One use of the subject's data."""

    at = serializers.DateTimeField()
    department = serializers.CharField()
    purpose = serializers.CharField()
    matter = serializers.CharField()
    mode = serializers.CharField()


class DossierOut(serializers.Serializer[Any]):
    """A dossier as far as the asking person sees it; what view or moment does not tell is null."""

    kind = serializers.CharField()
    read_at = serializers.DateTimeField()
    as_of = serializers.DateTimeField(allow_null=True)
    known_at = serializers.DateTimeField(allow_null=True)
    is_known = serializers.BooleanField()
    is_vouched = serializers.BooleanField()
    is_minor = serializers.BooleanField()
    is_child = serializers.BooleanField(help_text="未满十四周岁")
    identity = ValueOut(many=True)
    sections = SectionOut(many=True)
    household = serializers.DictField(child=serializers.CharField(), allow_null=True)
    members = DossierMemberOut(many=True, allow_null=True)
    roles = DossierRoleOut(many=True, allow_null=True)
    branches = DossierBranchOut(many=True, allow_null=True)
    heirs = DossierHeirOut(many=True, allow_null=True)
    verification = DossierVerificationOut(allow_null=True)
    licenses = DossierLicenseOut(many=True, allow_null=True)
    license_count = serializers.IntegerField(allow_null=True)
    credit = DossierCreditOut(many=True, allow_null=True)
    credit_counts = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()), allow_null=True)
    uses = UseOut(many=True, allow_null=True)


class Dossiers(APIView):
    """Reading a dossier. Creates nothing but its entries in the audit trail."""

    permission_classes = (ForBusiness,)

    @extend_schema(request=DossierIn, responses=DossierOut, operation_id="dossier_read")
    def post(self, request: Request) -> Response:
        """Open a dossier for a purpose and return it."""
        who, now = actor(request), timezone.now()
        check_may_open(who)
        body = DossierIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        purpose = Purpose(given["reason"], given["matter"])
        opened = open_dossier(kind=DossierKind(given["kind"]), identifier=given["identifier"], purpose=purpose, actor=who, now=now)
        if opened is None:
            raise NotFound("dossier.not_found", _("没有找到档案，或本部门没有报送过该对象的数据。"))
        moments = {name: given.get(name) for name in ("as_of", "known_at")}
        dossier = read_dossier(kind=opened.kind, entity_key=opened.entity_key, actor=who, purpose=purpose, now=now, **moments)
        response = Response(DossierOut(_told(dossier)).data)
        response["Cache-Control"] = "no-store"
        return response


def _told(dossier: Dossier) -> dict[str, Any]:
    same = ("read_at", "as_of", "known_at", "is_known", "is_vouched", "is_minor", "is_child", "identity", "uses")
    told = {name: getattr(dossier, name) for name in same}
    told |= {"kind": dossier.kind.value, "sections": [_section(section) for section in dossier.sections]}
    return told | _related(dossier) | _held(dossier)


def _related(dossier: Dossier) -> dict[str, Any]:
    view, related = dossier.view, dossier.relations
    if related is None:
        return dict.fromkeys(("household", "members", "roles", "branches", "heirs", "verification"))
    return {
        "household": dict(telling.household_of(related.household, view)) if related.household else None,
        "members": [telling.member_of(line, view) for line in related.members],
        "roles": [telling.role_of(line) for line in related.roles],
        "branches": [telling.branch_of(line) for line in related.branches],
        "heirs": [telling.heir_of(line) for line in related.heirs],
        "verification": telling.verification_of(related.verification) if related.verification else None,
    }


def _held(dossier: Dossier) -> dict[str, Any]:
    held = dossier.holdings
    if held is None:
        return dict.fromkeys(("licenses", "license_count", "credit", "credit_counts"))
    return {
        "licenses": [telling.license_of(line, dossier.view) for line in held.licenses],
        "license_count": held.license_count,
        "credit": [telling.credit_of(line) for line in held.credit],
        "credit_counts": held.credit_counts,
    }


def _section(section: Section) -> dict[str, Any]:
    lines = [
        {
            "values": {head: cell for head, cell in zip(section.heads, line.cells, strict=True) if cell}
            | {head: who.name for head, who in zip(section.link_heads, line.related, strict=True) if who.name},
            "department": line.department,
            "source_title": line.source,
            "received_at": line.received_at,
        }
        for line in section.lines
    ]
    return {"code": section.code, "title": section.title, "total": section.total, "lines": lines}


urlpatterns = [path("dossiers/read", Dossiers.as_view(), name="dossier-read")]
