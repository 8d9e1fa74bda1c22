"""Discovery (元服务): which providers and services there are, and which of them a system may call at this moment.

The four questions of the GovStack information mediator. What may be called is asked of the decision every call meets; nothing
is decided here. The documents that describe a service are in `exchange.descriptions` and the door for systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from catalog.models import Resource
from core.errors import DomainError
from core.models import Department
from exchange.calls import registry
from exchange.calls.conditions import check_origin
from exchange.calls.refusals import Refusal
from exchange.calls.shape import check_terms
from exchange.calls.terms import Terms
from exchange.models import ConsumerSystem, CredentialState

MEMBER_CLASS: Final = "GOV"
SHARE: Final = "share"  # the one application through which a provider's data is shared
# Mode -> what may be asked of a grant in it: method and path behind the grant.
ENDPOINTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "VERIFY": (("POST", "verify"),),
        "QUERY": (("POST", "query"),),
        "BULK": (
            ("POST", "bulk"),
            ("POST", "jobs"),
            ("GET", "jobs/{job}"),
            ("DELETE", "jobs/{job}"),
            ("GET", "jobs/{job}/parts/{number}"),
        ),
        "SUBSCRIBE": (("POST", "subscribe"),),
        "FEATURES": (("GET", "items"), ("GET", "items/{feature}"), ("GET", "tiles/WebMercatorQuad/{zoom}/{row}/{column}")),
    }
)


def path_of(mode: str, grant: str, place: str) -> str:
    """Return the path of an endpoint; a layer is a collection of the map services."""
    return f"/openapi/v1/{'ogc/collections' if mode == 'FEATURES' else 'calls'}/{grant}/{place}"


ANY_GRANT: Final = "{grant}"


class ErrorInRequest(DomainError):
    """A name in the request that the mediator does not know; the convention answers 400, whatever is wrong."""

    status = 400


@dataclass(frozen=True, slots=True)
class Member:
    """A department, or with an application one of its systems or its sharing service."""

    name: str
    code: str
    application: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the catalogue and the ways to use it: mode and grant, `{grant}` where none is named."""

    code: str
    version: int
    ways: tuple[tuple[str, str], ...]


def members(systems: QuerySet[ConsumerSystem]) -> list[Member]:
    """Return the departments, the sharing services of those that provide something, and of the systems those given."""
    offered = Resource.objects.requestable().filter(provider=OuterRef("pk"))
    departments = Department.objects.filter(valid_to=None).annotate(provides=Exists(offered)).order_by("code")
    found = []
    for name, code, provides in departments.values_list("name", "code", "provides"):
        found += [Member(name, code)] + ([Member(name, code, SHARE)] if provides else [])
    rows = systems.filter(is_active=True, department__valid_to=None).order_by("department__code", "uid")
    return found + [Member(name, code, str(uid)) for name, code, uid in rows.values_list("name", "department__code", "uid")]


def provider_of(instance: str, member_class: str, code: str, application: str) -> Department:
    """Return the department behind the address of a sharing service."""
    found = None
    if (instance, member_class, application) == (settings.NODE_CODE, MEMBER_CLASS, SHARE):
        found = Department.objects.filter(code=code, valid_to=None).first()
    if found is None:
        raise ErrorInRequest("discovery.unknown_provider", _("没有这个提供方服务，请按 listClients 返回的编码填写地址。"))
    return found


def offered_by(provider: Department, service: str = "") -> list[Service]:
    """Return what a provider has published to be asked for; one query."""
    rows = Resource.objects.requestable().filter(provider=provider).order_by("code")
    rows = rows.filter(code=service) if service else rows
    return [
        Service(code or "", version, tuple((mode, ANY_GRANT) for mode in modes))
        for code, version, modes in rows.values_list("code", "version", "sharing_modes")
    ]


def callable_by(system_id: int, provider: Department, *, client_ip: str | None, now: datetime, service: str = "") -> list[Service]:
    """Return what a system may call of a provider at this moment, as every call would be decided.

    `client_ip` is where the system asks from, "" when that is unknown; None when a person asks for the system.
    """
    usable = _usable(registry.terms_between(system_id, provider.pk), client_ip, now)
    ways: dict[int, list[tuple[str, str]]] = {}
    for terms in usable:
        ways.setdefault(terms.resource_id, []).append((terms.mode, terms.uid))
    rows = Resource.objects.filter(pk__in=ways).order_by("code")
    rows = rows.filter(code=service) if service else rows
    return [Service(code or "", version, tuple(ways[pk])) for pk, code, version in rows.values_list("pk", "code", "version")]


def _usable(found: Iterable[Terms], client_ip: str | None, now: datetime) -> list[Terms]:
    usable = []
    for terms in found:
        try:
            check_terms(terms, terms.system_id, terms.mode, now)
            if client_ip is not None:
                check_origin(terms.conditions, client_ip)
        except Refusal:
            continue
        usable.append(terms)
    return usable


def may_call(system: ConsumerSystem, now: datetime) -> bool:
    """Return whether a system has a key it could sign with now."""
    live = Q(state=CredentialState.ACTIVE, valid_from__lte=now, valid_to__gt=now)
    return system.is_active and system.credentials.filter(live).exists()
