"""Sources outside the base databases in the demo (外部数据源): the bureau's own table, registered and tested, to be mounted on."""

from __future__ import annotations

import os
from datetime import datetime
from urllib.parse import urlsplit

from core.accounts import actor_of
from core.models import Department, User
from core.roles import Role
from demo import city, sources
from exchange.models import SourceConnection
from exchange.sources import registering

TITLE = "户籍登记表（部门库直连）"
COLUMNS = (("full_name", "姓名"), ("sex", "性别"), ("household_division", "户籍区划"), ("status_code", "人员状态"))


def register_table(departments: dict[str, Department], now: datetime) -> int:
    """Register the table in the name of the bureau's operator and test it once."""
    department = departments[city.POLICE]
    if SourceConnection.objects.filter(department=department, title=TITLE).exists():
        return 0
    operator = User.objects.filter(department=department, role_assignments__role=Role.OPERATOR).order_by("pk").first()
    if operator is None:
        return 0
    place = urlsplit(os.environ["DEMO_SOURCE_URL"])
    values = {
        "title": TITLE,
        "kind": "POSTGRESQL",
        "key_kind": "CITIZEN_ID",
        "host": place.hostname,
        "port": place.port,
        "database": place.path[1:],
        "username": place.username,
        "table": sources.SOURCE_TABLE,
        "key_column": sources.SOURCE_COLUMNS["citizen_id"],
        "region_column": sources.SOURCE_COLUMNS["region_code"],
        "columns": [{"name": name, "title": title} for name, title in COLUMNS],
    }
    actor = actor_of(operator)
    row = registering.register_connection(values=values, password=place.password or "", actor=actor, now=now)
    registering.test(uid=row.uid, actor=actor, now=now)
    return 1
