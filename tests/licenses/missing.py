"""What tests about missing licenses need: a type the police issue, and a report a clerk of the education bureau made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from basedb.identifiers import generate_citizen_id
from licenses.models import MissingReport, TypeVersion
from licenses.reissue import reports
from tests.factories import City
from tests.licenses.verified import TYPE, make_type

HOLDER = generate_citizen_id("990101", date(1980, 5, 6), 121)
OTHER = generate_citizen_id("990101", date(1981, 5, 6), 122)


def issued_by_police(city: City) -> TypeVersion:
    """Return the type, made once."""
    return TypeVersion.objects.filter(code=TYPE).first() or make_type(city.police)


def missing_report(city: City, now: datetime, **values: Any) -> MissingReport:
    """Return a report of the education bureau about a license of the police."""
    issued_by_police(city)
    given: dict[str, Any] = {
        "kind": "PAPER_ONLY",
        "type_code": TYPE,
        "region_code": "320102",
        "holder_name": "王小国",
        "holder_code": HOLDER,
        "note": "窗口收到纸质证照，系统查不到。",
        "actor": city.actor("education_operator"),
    }
    return reports.report_missing(**given | values, now=now)
