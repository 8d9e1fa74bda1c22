"""The demo city: the province's real divisions, some twenty departments, and the people who work there.

Synthetic throughout except the division names (GB/T 2260, see core/data/NOTICE).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from basedb.identifiers import generate_uscc
from core.divisions import divisions
from core.models import Department, Region, RoleAssignment, User
from core.roles import Role

PROVINCE = "32"
CITY = "3201"
BACKFLOW_DISTRICT = "320102"


@dataclass(frozen=True)
class Seat:
    """A demo account: who sits where."""

    username: str
    display_name: str
    department: str
    roles: tuple[Role, ...]


CENTRE = "市大数据管理中心"
POLICE = "市公安局"
MARKET = "市市场监督管理局"
EDUCATION = "市教育局"
SOCIAL_SECURITY = "市人力资源和社会保障局"
DISTRICT_OFFICE = "玄武区数据局"
DISTRICT_MARKETS = {"xuanwu": "玄武区市场监督管理局", "qinhuai": "秦淮区市场监督管理局", "jiangning": "江宁区市场监督管理局"}
DISTRICT_OF = {
    DISTRICT_OFFICE: BACKFLOW_DISTRICT,
    "玄武区市场监督管理局": "320102",
    "秦淮区市场监督管理局": "320104",
    "江宁区市场监督管理局": "320115",
}

DEPARTMENTS = (
    (CENTRE, "大数据中心"),
    (POLICE, "公安局"),
    (MARKET, "市场监管局"),
    (EDUCATION, "教育局"),
    (SOCIAL_SECURITY, "人社局"),
    ("市民政局", "民政局"),
    ("市卫生健康委员会", "卫健委"),
    ("市规划和自然资源局", "规资局"),
    ("市城乡建设委员会", "建委"),
    ("市住房保障和房产局", "房产局"),
    ("市交通运输局", "交通局"),
    ("市生态环境局", "生态环境局"),
    ("市农业农村局", "农业农村局"),
    ("市司法局", "司法局"),
    ("市财政局", "财政局"),
    ("市税务局", "税务局"),
    ("市应急管理局", "应急局"),
    ("市医疗保障局", "医保局"),
    ("市政务服务管理办公室", "政务办"),
    ("市住房公积金管理中心", "公积金中心"),
    (DISTRICT_OFFICE, "玄武区数据局"),
    ("玄武区市场监督管理局", "玄武市监局"),
    ("秦淮区市场监督管理局", "秦淮市监局"),
    ("江宁区市场监督管理局", "江宁市监局"),
)

SEATS = (
    Seat("police_op", "周敏(公安经办)", POLICE, (Role.OPERATOR,)),
    Seat("police_head", "郑强(公安负责人)", POLICE, (Role.HEAD,)),
    Seat("market_op", "吴倩(市监经办)", MARKET, (Role.OPERATOR,)),
    Seat("market_head", "冯涛(市监负责人)", MARKET, (Role.HEAD,)),
    Seat("edu_op", "陈晨(教育经办)", EDUCATION, (Role.OPERATOR,)),
    Seat("edu_head", "孙伟(教育负责人)", EDUCATION, (Role.HEAD,)),
    Seat("hr_op", "何静(人社经办)", SOCIAL_SECURITY, (Role.OPERATOR,)),
    Seat("hr_head", "许峰(人社负责人)", SOCIAL_SECURITY, (Role.HEAD,)),
    Seat("land_op", "邵颖(规资经办)", "市规划和自然资源局", (Role.OPERATOR,)),
    Seat("land_head", "汤勇(规资负责人)", "市规划和自然资源局", (Role.HEAD,)),
    Seat("agri_op", "蒋芸(农业农村经办)", "市农业农村局", (Role.OPERATOR,)),
    Seat("eco_op", "韩立(生态环境经办)", "市生态环境局", (Role.OPERATOR,)),
    Seat("xuanwu_op", "沈洁(玄武经办)", DISTRICT_OFFICE, (Role.OPERATOR,)),
    Seat("xuanwu_market_op", "姚敏(玄武市监经办)", DISTRICT_MARKETS["xuanwu"], (Role.OPERATOR,)),
    Seat("xuanwu_market_head", "丁磊(玄武市监负责人)", DISTRICT_MARKETS["xuanwu"], (Role.HEAD,)),
    Seat("qinhuai_market_op", "邹洁(秦淮市监经办)", DISTRICT_MARKETS["qinhuai"], (Role.OPERATOR,)),
    Seat("qinhuai_market_head", "戴军(秦淮市监负责人)", DISTRICT_MARKETS["qinhuai"], (Role.HEAD,)),
    Seat("reviewer", "钱进(数据中心审核)", CENTRE, (Role.REVIEWER, Role.OPERATOR)),
    Seat("centre_head", "赵磊(数据中心负责人)", CENTRE, (Role.HEAD,)),
    Seat("sysadmin", "系统管理员", CENTRE, (Role.SYSTEM_ADMINISTRATOR,)),
    Seat("secadmin", "安全管理员", CENTRE, (Role.SECURITY_ADMINISTRATOR,)),
    Seat("auditor", "审计管理员", CENTRE, (Role.AUDIT_ADMINISTRATOR,)),
)


def load_divisions() -> int:
    """Load the province with its cities, counties and streets; return how many regions there are."""
    if Region.objects.exists():
        return Region.objects.count()
    rows = [row for row in divisions() if row.code.startswith(PROVINCE)]
    ids: dict[str, int] = {}
    for level in ("PROVINCE", "CITY", "COUNTY", "STREET"):
        batch = [
            Region(code=row.code, name=row.name, level=level, parent_id=ids.get(row.parent_code or ""))
            for row in rows
            if row.level == level
        ]
        ids |= {region.code: region.pk for region in Region.objects.bulk_create(batch)}
    return len(ids)


def load_departments() -> dict[str, Department]:
    """Create the departments that are missing; return all by name."""
    city = Region.objects.get(code=CITY)
    districts = {name: Region.objects.get(code=code) for name, code in DISTRICT_OF.items()}
    for number, (name, short_name) in enumerate(DEPARTMENTS, start=1):
        region = districts.get(name, city)
        Department.objects.get_or_create(
            name=name,
            region=region,
            defaults={
                "code": generate_uscc(number, region=DISTRICT_OF.get(name, "320100"), kind="11"),
                "short_name": short_name,
                "is_data_centre": name == CENTRE,
            },
        )
    return {department.name: department for department in Department.objects.filter(name__in=dict(DEPARTMENTS))}


def load_accounts(departments: dict[str, Department], known: dict[str, str]) -> dict[str, str]:
    """Create the accounts that are missing; return passwords by username. A password nobody knows any more is set anew."""
    passwords: dict[str, str] = {}
    for seat in SEATS:
        user = User.objects.filter(username=seat.username).first()
        if user and seat.username in known:
            passwords[seat.username] = known[seat.username]
            continue
        password = secrets.token_urlsafe(12)
        user = user or User(username=seat.username, display_name=seat.display_name, department=departments[seat.department])
        user.set_password(password)
        user.save()
        for role in seat.roles:
            RoleAssignment.objects.get_or_create(user=user, role=role)
        passwords[seat.username] = password
    return passwords
