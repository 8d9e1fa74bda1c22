"""The yardstick `naive` of a call: a DRF view doing the same checks with ORM queries, an ORM insert and separate Redis trips.

It is what a careful team writes with the usual tools: right, readable, and without a thought of round trips.
"""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.naive_settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

import redis  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied, Throttled, ValidationError  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from basedb.identifiers import citizen_id_valid, normalize_citizen_id  # noqa: E402
from basedb.masking import Mask, mask_value  # noqa: E402
from basedb.models import Person  # noqa: E402
from core.crypto import HmacAlgorithm, Sealed, hmac_digest, hmac_matches  # noqa: E402
from core.ids import uuid7  # noqa: E402
from exchange.models import CallRecord, Credential, Grant  # noqa: E402
from exchange.systems import associated_data, key_ring  # noqa: E402

counters = redis.Redis.from_url(settings.CALLS_REDIS_URL)


class Key(serializers.Serializer[Any]):
    citizen_id = serializers.CharField(max_length=64)

    def validate_citizen_id(self, value: str) -> str:
        value = normalize_citizen_id(value)
        if not citizen_id_valid(value):
            raise ValidationError("not a valid identifier")
        return value


class Question(serializers.Serializer[Any]):
    key = Key()
    fields_ = serializers.ListField(child=serializers.CharField(max_length=40), required=False)


class Answer(serializers.Serializer[Any]):
    call_id = serializers.UUIDField()
    status = serializers.CharField()
    data = serializers.DictField(allow_null=True)
    as_of = serializers.DateTimeField()


class Call(APIView):
    """Answer one query."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request, uid: UUID) -> Response:
        now = datetime.now(tz=UTC)
        headers = request.headers
        credential = Credential.objects.select_related("system").filter(key=headers["X-Gov-Key"]).first()
        if credential is None or credential.state != "ACTIVE" or not credential.valid_from <= now < credential.valid_to:
            raise AuthenticationFailed
        secret = self.check_signature(request, credential)
        signed_at = datetime.fromtimestamp(int(headers["X-Gov-Timestamp"]) / 1000, tz=UTC)
        if abs(now - signed_at) > timedelta(seconds=300) or not credential.system.is_active:
            raise AuthenticationFailed
        if hashlib.sha256(request.body).hexdigest() != headers["X-Gov-Digest"]:
            raise AuthenticationFailed
        grant = Grant.objects.select_related("resource", "resource__binding").filter(uid=uid, system=credential.system).first()
        if grant is None or grant.state != "ACTIVE" or not grant.valid_from <= now < grant.valid_to or grant.mode != "QUERY":
            raise PermissionDenied
        question = Question(data=request.data)
        question.is_valid(raise_exception=True)
        self.count(credential, grant, headers["X-Gov-Nonce"])
        answer = self.answer(request, credential, grant, question.validated_data["key"]["citizen_id"], signed_at, now)
        signature = hmac_digest(HmacAlgorithm(credential.algorithm), secret, str(answer["call_id"]).encode())
        return Response(answer, headers={"X-Gov-Answer-Signature": base64.b64encode(signature).decode()})

    def check_signature(self, request: Request, credential: Credential) -> bytes:
        headers = request.headers
        sealed = Sealed(credential.secret_key_id, bytes(credential.secret_nonce), bytes(credential.secret_ciphertext))
        secret = key_ring().open(sealed, associated_data(credential.key))
        text = f"POST\n{request.path}\n{headers['X-Gov-Timestamp']}\n{headers['X-Gov-Nonce']}\n{headers['X-Gov-Digest']}"
        signature = base64.b64decode(headers["X-Gov-Signature"])
        if not hmac_matches(HmacAlgorithm(credential.algorithm), secret, text.encode(), signature):
            raise AuthenticationFailed
        return secret

    def count(self, credential: Credential, grant: Grant, nonce: str) -> None:
        today = datetime.now(tz=ZoneInfo("Asia/Shanghai"))
        if not counters.set(f"naive:nonce:{credential.pk}:{nonce}", "1", nx=True, ex=600):
            raise APIException("replayed")
        second = f"naive:second:{grant.pk}:{int(today.timestamp())}"
        in_second = counters.incr(second)
        counters.expire(second, 2)
        if in_second > grant.quota_per_second:
            raise Throttled
        day = f"naive:day:{grant.pk}:{today:%Y%m%d}"
        in_day = counters.incr(day)
        counters.expire(day, 90_000)
        if in_day > grant.quota_per_day:
            raise Throttled

    def answer(  # noqa: PLR0917
        self, request: Request, credential: Credential, grant: Grant, citizen_id: str, signed_at: datetime, now: datetime
    ) -> dict[str, Any]:
        subject_key = key_ring().subject_key(citizen_id)
        person = Person.objects.filter(subject_key=subject_key, region_code__startswith=grant.region_prefix).first()
        data = None
        if person is not None:
            columns = grant.resource.binding.columns
            shown = {item: getattr(person, columns[item]) for item in grant.fields}
            data = {
                item: mask_value(Mask(grant.masks.get(item, "NONE")), None if value is None else str(value))
                for item, value in shown.items()
            }
        told = {"call_id": uuid7(), "status": "found" if data else "not_found", "data": data, "as_of": now}
        answer = Answer(told).data
        CallRecord.objects.create(
            requested_at=signed_at, consumer_id=credential.system_id, call_id=told["call_id"], credential_id=credential.pk,
            nonce=request.headers["X-Gov-Nonce"], grant_id=grant.pk, grant_version=grant.version, resource_id=grant.resource_id,
            provider_id=grant.resource.provider_id, department_id=credential.system.department_id, mode="QUERY",
            outcome="call.answered", fields=grant.fields, subject_key=subject_key, row_count=int(data is not None),
            request_digest=bytes.fromhex(request.headers["X-Gov-Digest"]),
            answer_digest=hashlib.sha256(str(answer).encode()).digest(), client_ip=request.META["REMOTE_ADDR"],
        )  # fmt: skip
        return dict(answer)


urlpatterns = [path("openapi/v1/calls/<uuid:uid>/query", Call.as_view())]
