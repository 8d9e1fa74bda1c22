"""Builders of test objects: a small city with departments and people, a published and mounted resource, a grant.

Citizens' ids carry the unassigned division prefix 990101.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib import import_module
from itertools import count
from typing import Any

from django.apps import apps

from basedb.credit import shipped
from catalog.models import Binding, DataItem, Resource
from core.accounts import actor_of
from core.audit import Actor
from core.models import Department, Region, RoleAssignment, User
from core.roles import Role
from exchange.models import AccessRequest, ConsumerSystem, Grant, SlaPolicy

_numbers = count(1)


@dataclass
class City:
    """The cast: `people[name]` are users, `actors()` turns one into an actor."""

    region: Region
    districts: dict[str, Region]
    centre: Department
    police: Department
    market: Department
    education: Department
    people: dict[str, User] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        """Return the actor of `<department>_<operator|head>`, `reviewer`, `auditor`, `system_admin` or `security_admin`."""
        return actor_of(self.people[name])


def make_region(code: str, name: str, level: str, parent: Region | None = None) -> Region:
    return Region.objects.create(code=code, name=name, level=level, parent=parent)


def make_department(name: str, region: Region, **values: Any) -> Department:
    number = next(_numbers)
    values.setdefault("code", f"11320100{number:08d}XX"[:18])
    return Department.objects.create(name=name, short_name=name[-6:], region=region, **values)


def make_user(username: str, department: Department, *roles: Role, password: str | None = None) -> User:
    user = User(username=username, display_name=username, department=department)
    user.set_password(password)
    user.save()
    for role in roles:
        RoleAssignment.objects.create(user=user, role=role)
    return user


def restore_shipped() -> None:
    """Fill what migrations had put into the database (limits of Order 809, credit catalogue, license types) when it is gone."""
    if not SlaPolicy.objects.exists():
        import_module("exchange.migrations.0010_clocks_returns_and_desks").load_order_809(apps, None)
    shipped.load_catalog(apps)
    shipped.load_tiers(apps)
    shipped.load_license_types(apps)


def make_city() -> City:
    province = make_region("32", "江苏省", "PROVINCE")
    region = make_region("3201", "南京市", "CITY", province)
    districts = {code: make_region(code, name, "COUNTY", region) for code, name in [("320102", "玄武区"), ("320104", "秦淮区")]}
    city = City(
        region=region,
        districts=districts,
        centre=make_department("市大数据管理中心", region, is_data_centre=True),
        police=make_department("市公安局", region),
        market=make_department("市市场监督管理局", region),
        education=make_department("市教育局", region),
    )
    for prefix, department in [("police", city.police), ("market", city.market), ("education", city.education)]:
        city.people[f"{prefix}_operator"] = make_user(f"{prefix}_operator", department, Role.OPERATOR)
        city.people[f"{prefix}_head"] = make_user(f"{prefix}_head", department, Role.HEAD)
    city.people["reviewer"] = make_user("reviewer", city.centre, Role.REVIEWER)
    city.people["auditor"] = make_user("auditor", city.centre, Role.AUDIT_ADMINISTRATOR)
    city.people["system_admin"] = make_user("system_admin", city.centre, Role.SYSTEM_ADMINISTRATOR)
    city.people["security_admin"] = make_user("security_admin", city.centre, Role.SECURITY_ADMINISTRATOR)
    return city


PERSON_ITEMS = [
    ("citizen_id", "公民身份号码", "CITIZEN_ID"),
    ("name", "姓名", "NAME"),
    ("sex", "性别", "NONE"),
    ("address", "住址", "NONE"),
]


def make_resource(provider: Department, *, published: bool = True, dataset: str = "population.person", **values: Any) -> Resource:
    """Return a resource with four items, published and mounted on a dataset unless told otherwise."""
    number = next(_numbers)
    now = datetime.now().astimezone()
    defaults: dict[str, Any] = {
        "title": f"人口基本信息{number}",
        "summary": "户籍人口的基本信息。",
        "classification": "101001",
        "region": provider.region,
        "update_cycle": "DAILY",
        "share_attribute": "CONDITIONAL",
        "share_conditions": "依法履职需要",
        "sharing_modes": ["VERIFY", "QUERY", "BULK"],
        "grade": "L3",
        "secrecy_assessment": "不涉密",
        "personal_information_assessment": "已评估",
    }
    if published:
        defaults |= {"state": "PUBLISHED", "code": f"101001/{number:06d}", "version": 1, "published_at": now}
    resource = Resource.objects.create(provider=provider, **defaults | values)
    for position, (name, title, mask) in enumerate(PERSON_ITEMS, start=1):
        DataItem.objects.create(
            resource=resource, position=position, name=name, title=title, data_type="C", grade="L3", mask=mask, is_key=position == 1
        )
    if published:
        columns = {name: name for name, _, _ in PERSON_ITEMS}
        Binding.objects.create(resource=resource, dataset=dataset, columns=columns, mounted_at=now)
    return resource


def make_system(department: Department, **values: Any) -> ConsumerSystem:
    return ConsumerSystem.objects.create(department=department, **{"name": f"业务系统{next(_numbers)}"} | values)


def make_request(resource: Resource, system: ConsumerSystem, user: User, **values: Any) -> AccessRequest:
    """Return an access request as a row, without walking the workflow."""
    today = date.today()
    defaults: dict[str, Any] = {
        "number": f"SQ{next(_numbers):010d}",
        "resource_version": resource.version,
        "requester": system.department,
        "created_by": user,
        "mode": "VERIFY" if resource.grade == "L4" or resource.concerns_minors else "QUERY",
        "fields": ["name", "sex"],
        "purpose": "入学资格核验",
        "legal_basis": "《义务教育法》",
        "scenario": "小学入学报名",
        "term_from": today,
        "term_to": today + timedelta(days=365),
    }
    return AccessRequest.objects.create(resource=resource, system=system, **defaults | values)


def make_grant(resource: Resource, system: ConsumerSystem, user: User, **values: Any) -> Grant:
    """Return an active grant as a row, without walking the workflow."""
    now = datetime.now().astimezone()
    access_request = make_request(resource, system, user, state="APPROVED", desk="NOBODY")
    defaults: dict[str, Any] = {
        "mode": "QUERY",
        "fields": ["name", "sex"],
        "masks": {"name": "NAME"},
        "purpose": access_request.purpose,
        "quota_per_day": 1000,
        "valid_from": now - timedelta(minutes=1),
        "valid_to": now + timedelta(days=365),
    }
    return Grant.objects.create(access_request=access_request, resource=resource, system=system, **defaults | values)
