"""The city's credit records (信用数源): permits, penalties, commitments and lists, in the tables of one platform.

Two thirds are about entities, the rest about people. Every item is one of the catalogue, except those that must be refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from basedb.credit.shipped import read
from basedb.identifiers import generate_uscc
from demo.city_scale.counts import Counts
from demo.city_scale.drawing import Soil

_COMMON = (
    "subject_name", "subject_category", "subject_code", "document_number", "item_code", "decided_on", "authority",
    "authority_code", "published_on", "publish_until", "record_state", "region_code",
)  # fmt: skip
_ADVERSE = ("severity", "facts", "basis")
IN_FILES = ("abnormal",)  # delivered as JSON lines; the others as tables
TITLES = {
    "permit": "行政许可",
    "penalty": "行政处罚",
    "commitment": "信用承诺",
    "dishonesty": "严重失信名单",
    "abnormal": "经营异常名录",
}
OWN = {
    "permit": ("document_title", "permit_category", "content", "valid_from", "valid_to", "source_unit"),
    "penalty": (*_ADVERSE, "violation", "penalty_category", "content", "fine"),
    "commitment": ("commitment_kind", "matter", "content", "valid_to", "performance"),
    "dishonesty": (*_ADVERSE, "list_title"),
    "abnormal": ("severity", "facts"),
}
_VALUES = {
    "document_title": "'准予行政许可决定书'",
    "permit_category": "(ARRAY['普通', '核准', '登记', '认可'])[1 + c.pick % 4]",
    "content": "'决定内容第' || c.pick || '项'",
    "valid_from": "to_char(c.decided, 'YYYYMMDD')",
    "valid_to": "to_char(c.decided + 1095, 'YYYYMMDD')",
    "source_unit": "c.authority",
    "severity": "'2'",
    "facts": "'经查，当事人存在第' || c.pick || '类违法行为'",
    "basis": "'《中华人民共和国行政处罚法》第二十八条'",
    "violation": "'未按规定办理第' || c.pick || '项手续'",
    "penalty_category": "(ARRAY['罚款', '警告', '警告、罚款'])[1 + c.pick % 3]",
    "fine": "CASE WHEN c.pick % 3 <> 1 THEN round((1 + c.pick) / 20.0, 2)::text END",
    "commitment_kind": "(ARRAY['审批替代型', '主动公示型', '容缺受理型'])[1 + c.pick % 3]",
    "matter": "'申请办理第' || c.pick || '项许可'",
    "performance": "CASE WHEN c.pick % 3 = 0 THEN '未到期' ELSE '已履约' END",
    "list_title": "(ARRAY['失信被执行人', '拖欠农民工工资失信联合惩戒对象', '重大税收违法失信主体'])[1 + c.pick % 3]",
}
AUTHORITIES = ("市场监督管理局", "交通运输局", "生态环境局", "应急管理局", "城市管理局", "卫生健康委员会", "农业农村局", "税务局")
_MARKS = {"permit": "许", "penalty": "罚", "commitment": "诺", "dishonesty": "失", "abnormal": "异"}


def item_codes(kind: str) -> list[str]:
    """Return the items of the shipped catalogue that records of this kind belong to."""
    return [str(item["code"]) for item in read("credit_catalog")["items"] if item["dataset"] == f"credit.{kind}"]


def soil(kind: str) -> Soil:
    """The dirt of a kind: what all have, and what its own rules refuse."""
    common = {
        "subject_name.required": {"subject_name": "''"},
        "record_state.code": {"record_state": "'有效'"},
        "subject_code.required": {"subject_code": "''"},
        "document_number.required": {"document_number": "' '"},
        "item_code.not_in_catalogue": {"item_code": "'ZZ9999'"},
        "decided_on.format": {"decided_on": "left(c.decided_on, 4) || '0230'"},
        "region_code.format": {"region_code": "left(c.region_code, 3)"},
    }
    own: dict[str, dict[str, dict[str, str]]] = {
        "permit": {
            "permit_category.code": {"permit_category": "'一般'"},
            "valid_to.before_valid_from": {"valid_to": "{schema}.other_year(c.valid_from)"},
        },
        "penalty": {"severity.code": {"severity": "'重'"}, "fine.unit": {"fine": "'250000000'"}},
        "commitment": {"commitment_kind.code": {"commitment_kind": "'口头'"}, "breach.required": {"performance": "'违诺'"}},
        "dishonesty": {"severity.code": {"severity": "'重'"}, "list_title.required": {"list_title": "''"}},
        "abnormal": {"severity.code": {"severity": "'重'"}, "facts.required": {"facts": "''"}},
    }
    untidy = (
        {"subject_name": "'　' || c.subject_name"},
        {"subject_code": "lower(c.subject_code)"},
        {"decided_on": "left(c.decided_on, 4) || '.' || substr(c.decided_on, 5, 2) || '.' || substr(c.decided_on, 7)"},
    )
    return Soil(defects=common | own[kind], untidy=untidy)


@dataclass(frozen=True)
class CreditKind:
    """One kind of credit record, its table and the range of its numbers among all."""

    name: str
    first: int
    count: int

    @property
    def table(self) -> str:
        """The table the credit platform keeps it in."""
        return f"credit_{self.name}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table, by the names of the contract."""
        return _COMMON + OWN[self.name]


def kinds(counts: Counts) -> list[CreditKind]:
    """Return the kinds with their ranges, which follow each other without a gap."""
    found, first = [], 0
    for name, count in counts.credit().items():
        found.append(CreditKind(name, first, count))
        first += count
    return found


def tables(kind: CreditKind) -> str:
    """Return the statement that creates a kind's table."""
    columns = ", ".join(f"{name} text" for name in kind.columns)
    own = f"row_id bigint NOT NULL, {columns}, effective_on date, updated_at timestamptz NOT NULL"
    return f"CREATE TABLE {{schema}}.{kind.table} ({own});"


def statement(kind: CreditKind) -> str:
    """Return the statement that makes records of one kind in a range of all numbers."""
    dirt = soil(kind.name)
    codes_of_items = item_codes(kind.name)
    items = "', '".join(codes_of_items)
    authorities = "', '".join(f"南京市{name}" for name in AUTHORITIES)
    codes = "', '".join(generate_uscc(70 + place, region="320100", kind="11") for place in range(len(AUTHORITIES)))
    own = ", ".join(f"{_VALUES[name]} AS {name}" for name in OWN[kind.name])
    return f"""
INSERT INTO {{schema}}.{kind.table} (row_id, {", ".join(kind.columns)}, effective_on, updated_at)
SELECT c.n + 1, {dirt.columns(kind.columns)}, c.decided, timestamptz '2025-06-06 00:00+08' + c.n * interval '100 milliseconds'
FROM (
    SELECT c.*, {own}, {dirt.turns("{schema}", "c.n", 130)}
    FROM (
        SELECT d.n, d.decided, d.pick, coalesce(e.name, p.name) AS subject_name,
            CASE WHEN p.n IS NOT NULL THEN '自然人' WHEN e.entity_kind = '92'
                THEN '个体工商户' ELSE '法人及非法人组织' END AS subject_category,
            coalesce(e.uscc, p.citizen_id) AS subject_code,
            '宁{_MARKS[kind.name]}决字〔' || extract(year FROM d.decided) || '〕' || d.n || '号' AS document_number,
            (ARRAY['{items}'])[1 + d.pick % {len(codes_of_items)}] AS item_code, to_char(d.decided, 'YYYYMMDD') AS decided_on,
            (ARRAY['{authorities}'])[1 + d.pick % {len(AUTHORITIES)}] AS authority,
            (ARRAY['{codes}'])[1 + d.pick % {len(AUTHORITIES)}] AS authority_code,
            to_char(d.decided + d.late, 'YYYYMMDD') AS published_on, to_char(d.decided + 365, 'YYYYMMDD') AS publish_until,
            '0' AS record_state, coalesce(e.region_code, left(p.region_code, 6)) AS region_code
        FROM (
            SELECT n, date '2025-06-01' - {{schema}}.draw(n, 131, 300) AS decided, {{schema}}.draw(n, 132, 97) AS pick,
                CASE WHEN {{schema}}.draw(n, 133, 100) = 0 THEN 60 ELSE 1 + {{schema}}.draw(n, 134, 7) END AS late,
                CASE WHEN {{schema}}.draw(n, 135, 3) > 0 THEN {{schema}}.draw(n, 136, {{entities}})::bigint END AS entity_n,
                CASE WHEN {{schema}}.draw(n, 135, 3) = 0 THEN {{schema}}.draw(n, 137, {{people}})::bigint END AS person_n
            FROM generate_series({{first}}::bigint, {{last}}::bigint) AS g(n) OFFSET 0
        ) d LEFT JOIN {{schema}}.entity e ON e.n = d.entity_n LEFT JOIN {{schema}}.person p ON p.n = d.person_n OFFSET 0
    ) c OFFSET 0
) c
"""


def json_lines(kind: CreditKind) -> str:
    """Return the query that tells records as JSON, one a line."""
    columns = ", ".join(("row_id", *kind.columns, "effective_on"))
    told = f"SELECT {columns} FROM {{schema}}.{kind.table} WHERE row_id BETWEEN {{first}} AND {{last}}"
    return f"SELECT row_to_json(f) FROM ({told} ORDER BY row_id) f"
