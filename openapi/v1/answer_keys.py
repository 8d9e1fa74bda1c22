"""The public keys answers are signed with (应答签名公钥), for anybody: past, present, and the next ahead of its use."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from core.crypto import KeyFileRefused
from core.errors import Unavailable
from core.signing import ED25519, SM2
from exchange.calls.answer_keys import answer_keys


class AnswerKeyOut(serializers.Serializer[Any]):
    """A key; it signs from `valid_from` until just before `valid_to`."""

    key_id = serializers.CharField(source="public.id", help_text="X-Gov-Answer-Key：公钥 DER 的 SHA-256 前 16 位十六进制")
    algorithm = serializers.ChoiceField(choices=[SM2, ED25519], source="public.algorithm")
    public_key = serializers.CharField(source="public.pem", help_text="PEM（SubjectPublicKeyInfo）")
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField(allow_null=True, help_text="为空表示尚无后继密钥")


class AnswerKeysOut(serializers.Serializer[Any]):
    """All of them, oldest first."""

    keys = AnswerKeyOut(many=True)


@extend_schema(operation_id="answer_keys", summary="应答签名公钥", responses=AnswerKeysOut, auth=[])
@api_view(["GET"])
@authentication_classes([])
@permission_classes([AllowAny])
def answer_key_list(request: Request) -> Response:
    """Return the keys; to be kept for an hour at most, since the next one is published days ahead."""
    try:
        keys = answer_keys.all()
    except KeyFileRefused as error:
        raise Unavailable("platform.unavailable", _("平台暂时不可用，问题不在调用方，请稍后再试")) from error
    return Response(AnswerKeysOut({"keys": keys}).data, headers={"Cache-Control": "public, max-age=3600"})


urlpatterns = [path("keys", answer_key_list, name="answer-keys")]
