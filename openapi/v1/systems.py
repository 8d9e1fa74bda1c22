"""Consumer systems (使用方系统) at the door for systems: registering, their credentials, revoking. A secret is told once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange import public_keys, systems
from exchange.models import ConsumerSystem, Credential, CredentialState, SignatureAlgorithm
from exchange.public_keys import PEM_AT_MOST
from exchange.querysets import systems_visible_to
from exchange.systems import SHARED_SECRET_ALGORITHMS
from openapi.authentication import actor
from openapi.idempotency import create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.access_requests import KEY


class CredentialOut(serializers.Serializer[Any]):
    """A key of a system, without its secret."""

    uid = serializers.UUIDField()
    key = serializers.CharField()
    algorithm = serializers.ChoiceField(choices=SignatureAlgorithm.choices)
    public_key_id = serializers.CharField(help_text="SM2 和 Ed25519：公钥 DER 的 SHA-256 前 16 位十六进制；其他为空")
    state = serializers.ChoiceField(choices=CredentialState.choices)
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="精确到分钟")


class SystemOut(serializers.Serializer[Any]):
    """A consumer system with its keys."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    department = serializers.UUIDField(source="department.uid")
    is_active = serializers.BooleanField()
    credentials = CredentialOut(many=True)


class IssuedOut(CredentialOut):
    """A fresh key; a repeated request with the same Idempotency-Key is answered without its secret."""

    secret = serializers.CharField(allow_null=True, help_text="只在这一次应答中给出")


class SystemIn(StrictSerializer):
    """A new system of the own department."""

    name = serializers.CharField(max_length=60)


class SecretIn(StrictSerializer):
    """A key with a shared secret."""

    algorithm = serializers.ChoiceField(choices=[(name, name) for name in SHARED_SECRET_ALGORITHMS])


class ChallengeOut(serializers.Serializer[Any]):
    """What the owner of a private key signs; it holds for half an hour."""

    challenge = serializers.CharField()


class PublicKeyIn(StrictSerializer):
    """A public key and the signature that shows its owner."""

    public_key = serializers.CharField(max_length=PEM_AT_MOST, help_text="PEM（SubjectPublicKeyInfo），SM2 或 Ed25519")
    challenge = serializers.CharField(max_length=300)
    proof = serializers.CharField(max_length=300, help_text="对 challenge 的签名，Base64；SM2 为 DER")


class SystemList(generics.ListAPIView[ConsumerSystem]):
    """The systems one may see."""

    permission_classes = (ForBusinessAndAudit,)

    serializer_class = SystemOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[ConsumerSystem]:
        """Return what the actor may see."""
        return systems_visible_to(actor(self.request)).select_related("department").prefetch_related("credentials")

    @extend_schema(parameters=[KEY], request=SystemIn, responses={201: SystemOut})
    def post(self, request: Request) -> Response:
        """Register a system of the own department."""
        given = _read(SystemIn, request)
        who, now = actor(request), timezone.now()
        uid, is_new = create_once(
            request, {"system": given["name"]}, lambda: str(systems.register(name=given["name"], actor=who, now=now).uid)
        )
        made = self.get_queryset().get(uid=uid)
        return Response(SystemOut(made).data, status=201 if is_new else 200)


class CredentialList(APIView):
    """Keys with a shared secret."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(parameters=[KEY], operation_id="systems_credentials_create", request=SecretIn, responses={201: IssuedOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Issue a key; this answer is the only one that ever tells its secret."""
        given = _read(SecretIn, request)
        who, secrets = actor(request), list[str]()

        def make() -> str:
            issued = systems.issue_credential(system_uid=uid, algorithm=given["algorithm"], actor=who, now=timezone.now())
            secrets.append(issued.secret)
            return str(issued.credential.uid)

        made, is_new = create_once(request, {"credential of": str(uid), **given}, make)
        told = CredentialOut(Credential.objects.get(uid=made)).data | {"secret": secrets[0] if is_new else None}
        return Response(told, status=201 if is_new else 200, headers={"Cache-Control": "no-store"})


class PublicKeyList(APIView):
    """Keys of which the system keeps the private half."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="systems_public_key_challenge", responses=ChallengeOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the text to sign."""
        challenge = public_keys.challenge_for(system_uid=uid, actor=actor(request), now=timezone.now())
        return Response(ChallengeOut({"challenge": challenge}).data, headers={"Cache-Control": "no-store"})

    @extend_schema(parameters=[KEY], operation_id="systems_public_key_create", request=PublicKeyIn, responses={201: CredentialOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Make a key of a public key whose owner signed the challenge."""
        given = _read(PublicKeyIn, request)
        values = {"system_uid": uid, "challenge": given["challenge"], "proof": given["proof"], "pem": given["public_key"]}
        made, is_new = create_once(
            request,
            {"public key of": str(uid), "pem": given["public_key"]},
            lambda: str(public_keys.register_public_key(**values, actor=actor(request), now=timezone.now()).uid),
        )
        return Response(CredentialOut(Credential.objects.get(uid=made)).data, status=201 if is_new else 200)


class CredentialRevoke(APIView):
    """Revoking a key."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="credentials_revoke", request=None, responses=CredentialOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Revoke; calls signed with it are refused within five seconds on every process."""
        done = systems.revoke_credential(credential_uid=uid, actor=actor(request), now=timezone.now())
        return Response(CredentialOut(done).data)


def _read(serializer_class: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    given: dict[str, Any] = serializer.validated_data
    return given


urlpatterns = [
    path("systems", SystemList.as_view(), name="system-list"),
    path("systems/<uuid:uid>/credentials", CredentialList.as_view(), name="system-credentials"),
    path("systems/<uuid:uid>/public-keys", PublicKeyList.as_view(), name="system-public-keys"),
    path("credentials/<uuid:uid>/revoke", CredentialRevoke.as_view(), name="credential-revoke"),
]
