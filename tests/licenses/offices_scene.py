"""What tests of issuing offices need: the district's market bureau with its people, entrusted with the food permit or not."""

from __future__ import annotations

from datetime import datetime

from basedb.identifiers import generate_uscc
from core.models import Department
from core.roles import Role
from licenses.models import TypeOffice, TypeVersion
from licenses.types import entrusting
from tests.factories import City, make_department, make_user

BASIS = "《食品经营许可和备案管理办法》第四条"


def district_office(city: City, code: str = "320102", number: int = 71) -> Department:
    """Return the market bureau of a district; its people are `<district>_operator` and `<district>_head`."""
    region = city.districts[code]
    office = make_department(f"{region.name}市场监督管理局", region, code=generate_uscc(number, region=code, kind="11"))
    for role in (Role.OPERATOR, Role.HEAD):
        name = f"{code}_{role.lower()}"
        city.people[name] = make_user(name, office, role)
    return office


def proposed_office(city: City, version: TypeVersion, office: Department, now: datetime) -> TypeOffice:
    """Return an office the market operator proposed."""
    given = {"type_code": version.code, "department": office.uid, "basis": BASIS}
    return entrusting.propose(**given, actor=city.actor("market_operator"), now=now)


def entrusted_office(city: City, version: TypeVersion, office: Department, now: datetime) -> TypeOffice:
    """Return an office the market head confirmed."""
    made = proposed_office(city, version, office, now)
    return entrusting.confirm(uid=made.uid, actor=city.actor("market_head"), now=now)
