"""Departments and users."""

from tests.factories import City
from tests.house.table import Row, only

SEE = ("auditor", "system_admin", "security_admin")

ROWS: list[Row] = [
    ("GET", "portal:department-list", {}, only(200, *SEE)),
    ("GET", "portal:department-create", {}, only(200, "system_admin")),
    ("POST", "portal:department-create", {}, only(422, "system_admin")),
    ("GET", "portal:department-change", {"uid": "department"}, only(200, "system_admin")),
    ("POST", "portal:department-change", {"uid": "department"}, only(422, "system_admin")),
    ("GET", "portal:department-dissolve", {"uid": "department"}, only(200, "system_admin")),
    ("POST", "portal:department-dissolve", {"uid": "department"}, only(422, "system_admin")),
    ("GET", "portal:user-list", {}, only(200, *SEE)),
    ("GET", "portal:user-create", {}, only(200, "system_admin")),
    ("POST", "portal:user-create", {}, only(422, "system_admin")),
    ("GET", "portal:user-detail", {"uid": "user"}, only(200, *SEE)),
    ("GET", "portal:user-change", {"uid": "user"}, only(200, "system_admin")),
    ("POST", "portal:user-change", {"uid": "user"}, only(422, "system_admin")),
    ("POST", "portal:user-appoint", {"uid": "user"}, only(422, "security_admin")),
    ("POST", "portal:user-reset-password", {"uid": "user"}, only(200, "security_admin")),
    ("POST", "portal:user-unlock", {"uid": "user"}, only(302, "security_admin")),
]


def things(city: City) -> dict[str, str]:
    return {"department": str(city.market.uid), "user": str(city.people["market_operator"].uid)}
