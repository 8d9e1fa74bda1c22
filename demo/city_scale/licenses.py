"""The city's licenses (证照数源): 85 types, each department's in its own table, those of the market bureau as files.

Two types of real estate make up two fifths. Numbers count up within a type; a few are of people and entities that are no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from basedb.identifiers import generate_uscc
from demo.city_scale.counts import Counts
from demo.city_scale.drawing import Soil
from demo.city_scale.words import license_types

COLUMNS = (
    "type_code", "title", "number", "holder_name", "holder_code", "holder_code_type", "issuer", "issuer_code", "issued_on",
    "valid_from", "valid_to", "region_code", "license_state", "license_version", "face",
)  # fmt: skip
IN_FILES = "MARKET_REGULATION"
_ISSUERS = {
    "NATURAL_RESOURCES": "南京市规划和自然资源局", "PUBLIC_SECURITY": "南京市公安局", "MARKET_REGULATION": "南京市市场监督管理局",
    "CIVIL_AFFAIRS": "南京市民政局", "HEALTH": "南京市卫生健康委员会", "SOCIAL_SECURITY": "南京市人力资源和社会保障局",
    "EDUCATION": "南京市教育局", "TRANSPORT": "南京市交通运输局", "HOUSING": "南京市住房保障和房产局",
    "ENVIRONMENT": "南京市生态环境局",
    "AGRICULTURE": "南京市农业农村局", "DISABLED_FEDERATION": "南京市残疾人联合会", "OTHER": "南京市应急管理局",
}  # fmt: skip
DEPARTMENTS = tuple(_ISSUERS)


@dataclass(frozen=True)
class LicenseKind:
    """One of the 85 types: who issues it, to whom, and which numbers its licenses have among all."""

    place: int
    code: str
    name: str
    holder: str  # P a person, E an entity
    department: str
    first: int
    count: int

    @property
    def issuer_code(self) -> str:
        """The code of the issuing department."""
        return generate_uscc(50 + DEPARTMENTS.index(self.department), region="320100", kind="11")

    @property
    def table(self) -> str:
        """Where its department keeps it."""
        return table_of(self.department)


def table_of(department: str) -> str:
    """Return the table of a department's licenses."""
    return f"{department.lower()}_license"


def kinds(counts: Counts) -> Iterator[LicenseKind]:
    """Yield the types with their ranges of numbers; the ranges follow each other without a gap."""
    first = 0
    for place, ((code, name, holder, department), count) in enumerate(zip(license_types(), counts.licenses_by_type(), strict=True)):
        yield LicenseKind(place, code, name, holder, department, first, count)
        first += count


TABLES = "".join(
    f"CREATE TABLE {{schema}}.{table_of(department)} (row_id bigint NOT NULL, {', '.join(f'{name} text' for name in COLUMNS)}, "
    "effective_on date, updated_at timestamptz NOT NULL);"
    for department in DEPARTMENTS
)
SOIL = Soil(
    defects={
        "holder_code.required": {"holder_code": "''"},
        "holder_name.required": {"holder_name": "''"},
        "holder_code_type.code": {"holder_code_type": "'身份证'"},
        "type_code.length": {"type_code": "left(c.type_code, 12)"},
        "number.required": {"number": "''"},
        "issued_on.format": {"issued_on": "left(c.issued_on, 4) || '0230'"},
        "valid_to.before_start": {"valid_to": "{schema}.other_year(c.valid_from)"},
        "license_state.code": {"license_state": "'有效'"},
        "face.not_an_object": {"face": "left(c.face, 9)"},
    },
    untidy=(
        {"holder_name": "c.holder_name || '　'"},
        {"holder_code": "' ' || lower(c.holder_code)"},
        {"issued_on": "left(c.issued_on, 4) || '年' || substr(c.issued_on, 5, 2) || '月' || substr(c.issued_on, 7) || '日'"},
    ),
)
_HOLDER = {
    "P": ("{schema}.person", "{people}", "h.citizen_id", "'111'", "left(h.region_code, 6)"),
    "E": ("{schema}.entity", "{entities}", "h.uscc", "'001'", "h.region_code"),
}


def statement(kind: LicenseKind) -> str:
    """Return the statement that makes the licenses of one type in a range of all numbers."""
    table, count, code, code_type, region = _HOLDER[kind.holder]
    issuer = _ISSUERS[kind.department]
    return f"""
INSERT INTO {{schema}}.{kind.table} (row_id, {", ".join(COLUMNS)}, effective_on, updated_at)
SELECT c.n + 1, {SOIL.columns(COLUMNS)}, c.issued, timestamptz '2025-06-05 00:00+08' + c.n * interval '1 second'
FROM (
    SELECT d.n, d.issued, '{kind.code}' AS type_code, '{kind.name}' AS title,
        '苏{kind.place + 1:02d}（' || extract(year FROM d.issued) || '）南京市第' || lpad((d.n - {kind.first} + 1)::text, 7,
            '0') || '号' AS number,
        h.name AS holder_name, {code} AS holder_code, {code_type} AS holder_code_type, '{issuer}' AS issuer,
        '{kind.issuer_code}' AS issuer_code, to_char(d.issued, 'YYYYMMDD') AS issued_on, to_char(d.issued,
            'YYYYMMDD') AS valid_from,
        CASE WHEN d.years > 0 THEN to_char(d.issued + d.years * 365, 'YYYYMMDD') END AS valid_to, {region} AS region_code,
        CASE WHEN d.state < 93 THEN '01' WHEN d.state < 97 THEN '04' WHEN d.state < 98 THEN '07' ELSE '05' END AS license_state,
        '001' AS license_version, '{{{{"登记日期":"' || to_char(d.issued, 'YYYY-MM-DD') || '","附注":"' || d.n % 97
            || '"}}}}' AS face,
        {SOIL.turns("{schema}", "d.n", 120)}
    FROM (
        SELECT n, date '2025-06-01' - {{schema}}.draw(n, 121, 5400) AS issued, {{schema}}.draw(n, 122, {count})::bigint AS holder,
            (ARRAY[0, 5, 10, 3])[1 + {kind.place} % 4] AS years, {{schema}}.draw(n, 123, 100) AS state
        FROM generate_series({{first}}::bigint, {{last}}::bigint) AS g(n) OFFSET 0
    ) d JOIN {table} h ON h.n = d.holder OFFSET 0
) c
"""


INDEXES = "".join(
    f"ALTER TABLE {{schema}}.{table_of(department)} ADD PRIMARY KEY (row_id); ANALYZE {{schema}}.{table_of(department)};"
    for department in DEPARTMENTS
)
FILE = f"SELECT {{header}} FROM {{schema}}.{table_of(IN_FILES)} f WHERE row_id BETWEEN {{first}} AND {{last}} ORDER BY row_id"
