"""Matters in the demo (演示一件事): birth, real estate with utilities, enterprise start; their grants, cases fetched, figures.

Who holds what is invented. One matter waits for the data centre's review, one item lacks a grant and may be asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from basedb.models import LegalEntity, LicenseType, Person
from catalog.models import Resource
from core.audit import PLATFORM, Actor
from core.models import Department
from core.roles import Role
from demo import city, credit, entries, facts_called, story
from exchange import systems
from exchange.aggregation import plans, runs
from exchange.license_statistics import measuring
from exchange.matters import definition, figures
from exchange.matters.asking import Ask
from exchange.matters.content import Content, Material, Party
from exchange.matters.fetching import fetch_at_desk
from exchange.models import AggregationPlan, ConnectorKind, ConsumerSystem, MaterialSource, Matter, MatterCase
from exchange.requests.workflow import Command

OFFICE: Final = "市政务服务管理办公室"
HEALTH: Final = "市卫生健康委员会"
LAND: Final = "市规划和自然资源局"
PLAN: Final = "个人电子证照归集"
FOLDER: Final = "citizen-licenses"
BIRTH_SYSTEM: Final = "出生一件事联办系统"
ESTATE_SYSTEM: Final = "不动产登记与水电气联动系统"
START_SYSTEM: Final = "企业开办联办系统"
COUPLES: Final = 8
WINDOWS: Final = {  # matter -> under which system's grants, and who sits there
    "birth": (BIRTH_SYSTEM, "hr_op"),
    "estate-transfer": (ESTATE_SYSTEM, "land_op"),
    "enterprise-start": (START_SYSTEM, "market_op"),
}
PERSON_ITEMS: Final = ("name", "sex", "birth_on", "region_code", "address")
LICENSE_ITEMS: Final = (
    "type_code", "identifier", "title", "number", "holder_name", "issuer", "issued_on", "valid_to", "license_state",
)  # fmt: skip
_SHOWN: Final = ("title", "number", "holder_name", "issued_on", "license_state")
_HELD: Final = (("结婚证", "市民政局"), ("居民户口簿", city.POLICE), ("出生医学证明", HEALTH), ("不动产权证书", LAND))


def aggregate(departments: dict[str, Department], now: datetime) -> int:
    """Deliver licenses of some citizens: all four of most, some revoked or never delivered; return how many came in."""
    if AggregationPlan.objects.filter(title=PLAN).exists():
        return 0
    codes = _codes()
    rows = [
        _license(person, codes[title], title, departments[issuer], number * 10 + place)
        for number, person in enumerate((one for couple in _couples() for one in couple), 1)
        for place, (title, issuer) in enumerate(_HELD)
        if title in codes and (number + place) % 5
    ]
    plan = plans.create_plan(
        title=PLAN,
        department=departments[OFFICE],
        dataset="license.license",
        connector=ConnectorKind.CSV_DROP,
        settings={"folder": FOLDER, "pattern": "license_license_*.csv"},
        columns=credit.drop_file(Path(settings.DROP_DIR) / FOLDER, "license.license", rows, "utf-8"),
        key_column="",
        every_minutes=1440,
        actor=PLATFORM,
        now=now,
    )
    run = plans.queue(plan, now=timezone.now())
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    return run.accepted_count


def _couples() -> list[tuple[Person, Person]]:
    """Return women and men of the base by twos; that they are married to each other is made up."""
    married = Person.objects.filter(person_status="0", marital_status="20", withdrawn_at=None).order_by("id")
    return list(zip(married.filter(sex="2")[:COUPLES], married.filter(sex="1")[:COUPLES], strict=False))


def _codes() -> dict[str, str]:
    return dict(LicenseType.objects.order_by("effective").values_list("name", "code"))


def _license(person: Person, type_code: str, title: str, issuer: Department, number: int) -> dict[str, str]:
    return {
        "type_code": type_code, "identifier": "", "title": title, "number": f"YSZ{number:08d}", "holder_name": person.name,
        "holder_code": person.citizen_id, "holder_code_type": "111", "issuer": issuer.name, "issuer_code": issuer.code,
        "issued_on": f"{2015 + number % 10}-0{1 + number % 9}-15", "valid_from": "", "valid_to": "",
        "region_code": person.region_code, "license_state": "07" if number % 17 == 0 else "01", "license_version": "001",
        "face": "",
    }  # fmt: skip


def _identity(party: str, title: str) -> Material:
    return Material(
        code=f"{party}_identity", title=title, party=party, source=MaterialSource.DATASET, dataset="population.person",
        items=PERSON_ITEMS,
    )  # fmt: skip


def _of_license(code: str, title: str, party: str, type_name: str) -> Material:
    return Material(
        code=code, title=title, party=party, source=MaterialSource.LICENSE, type_code=_codes().get(type_name, ""), items=_SHOWN
    )


def _brought(code: str, title: str, party: str) -> Material:
    return Material(code=code, title=title, party=party, source=MaterialSource.SUBMIT)


def _birth(departments: dict[str, Department]) -> Content:
    return Content(
        name="出生一件事",
        legal_basis="国办函〔2023〕1号；《国务院关于在线政务服务的若干规定》第七条",
        summary="出生医学证明、户口登记、社会保障卡、医保参保一次办理。",
        consumers=(departments[city.POLICE].pk, departments[city.SOCIAL_SECURITY].pk),
        parties=(
            Party(role="mother", title="母亲", kind="PERSON"),
            Party(role="father", title="父亲", kind="PERSON", is_required=False),
        ),
        materials=(
            _identity("mother", "母亲居民身份证"),
            _identity("father", "父亲居民身份证"),
            _of_license("marriage", "结婚证", "mother", "结婚证"),
            _of_license("household", "居民户口簿", "mother", "居民户口簿"),
            _of_license("birth_certificate", "出生医学证明", "mother", "出生医学证明"),
            _brought("name_statement", "新生儿姓名申报表", "mother"),
        ),
    )


def _estate(departments: dict[str, Department]) -> Content:
    return Content(
        name="不动产登记与水电气联动过户",
        legal_basis="《不动产登记暂行条例》第二十四条；《国务院关于在线政务服务的若干规定》第七条",
        summary="二手房转移登记与水、电、燃气过户一次申请、同步办理。",
        consumers=(departments["市住房保障和房产局"].pk,),
        parties=(Party(role="seller", title="出让方", kind="PERSON"), Party(role="buyer", title="受让方", kind="PERSON")),
        materials=(
            _identity("seller", "出让方居民身份证"),
            _identity("buyer", "受让方居民身份证"),
            _of_license("title", "不动产权证书", "seller", "不动产权证书"),
            _of_license("seller_marriage", "出让方结婚证", "seller", "结婚证"),
            _of_license("buyer_household", "受让方居民户口簿", "buyer", "居民户口簿"),
            _brought("contract", "存量房买卖合同", "seller"),
            _brought("meters", "水、电、燃气户号", "seller"),
        ),
    )


def _enterprise(departments: dict[str, Department]) -> Content:
    officers = ("representative", "法定代表人"), ("finance", "财务负责人")
    investor = Party(role="investor", title="法人股东", kind="LEGAL_ENTITY", is_required=False)
    return Content(
        name="企业开办",
        legal_basis="《市场主体登记管理条例》第十六条；《国务院关于在线政务服务的若干规定》第七条",
        summary="设立登记、公章刻制、发票、社保、公积金和银行开户一次办理。",
        consumers=(departments[city.SOCIAL_SECURITY].pk, departments["市税务局"].pk),
        parties=(*(Party(role=role, title=title, kind="PERSON", may_coincide=True) for role, title in officers), investor),
        materials=(
            *(_identity(role, f"{title}居民身份证") for role, title in officers),
            _of_license("premises", "住所证明（不动产权证书）", "representative", "不动产权证书"),
            _of_license("investor_license", "法人股东营业执照", "investor", "营业执照"),
            Material(
                code="investor_state", title="法人股东登记状态", party="investor", source=MaterialSource.DATASET,
                dataset="legal_entity.enterprise", items=("name", "registration_state"),
            ),
            _brought("articles", "公司章程", "representative"),
        ),
    )  # fmt: skip


def prepare(departments: dict[str, Department], now: datetime) -> None:
    """Publish the matters, leave one to the reviewer, and grant three systems what their matters need."""
    month = now - timedelta(days=30)
    for code, lead, content in (
        ("birth", HEALTH, _birth(departments)),
        ("estate-transfer", LAND, _estate(departments)),
        ("enterprise-start", city.MARKET, _enterprise(departments)),
    ):
        made = _submitted(code, content, departments[lead], month)
        definition.decide(uid=made.uid, revision=made.revision, is_approved=True, note="", actor=story.actor("reviewer"), now=month)
    vehicle = Content(
        name="新车上牌一件事",
        legal_basis="《道路交通安全法》第九条",
        parties=(Party(role="owner", title="机动车所有人", kind="PERSON"),),
        materials=(_identity("owner", "所有人居民身份证"), _brought("invoice", "机动车销售统一发票", "owner")),
    )
    _submitted("new-vehicle", vehicle, departments[city.POLICE], now)
    for name, people, why in (
        (
            BIRTH_SYSTEM,
            "hr",
            ("出生一件事联办", "《国务院关于在线政务服务的若干规定》第七条", "办理出生一件事时免提交身份和证照材料。"),
        ),
        (ESTATE_SYSTEM, "land", ("不动产转移登记", "《不动产登记暂行条例》第二十四条", "办理转移登记时免提交身份和证照材料。")),
        (START_SYSTEM, "market", ("企业开办", "《市场主体登记管理条例》第十六条", "办理企业开办时免提交身份和证照材料。")),
    ):
        system = systems.register(name=name, actor=story.actor(f"{people}_op"), now=month)
        told = dict(zip(("purpose", "legal_basis", "scenario"), why, strict=True))
        for title, items in ((entries.POPULATION, PERSON_ITEMS), (facts_called.LICENSES, LICENSE_ITEMS)):
            _grant(story.Ask(Resource.objects.get(title=title), system, people, "QUERY", items, told), month)


def _submitted(code: str, content: Content, lead: Department, at: datetime) -> Matter:
    operator = Actor(name=f"{lead.short_name}(经办)", department_id=lead.pk, department=lead.name, roles=frozenset({Role.OPERATOR}))
    made = definition.draft(code=code, content=content, actor=operator, now=at)
    return definition.submit(uid=made.uid, revision=made.revision, actor=operator, now=at)


def _grant(ask: story.Ask, at: datetime) -> None:
    request = story.submitted(ask, at)
    story.carry(request, Command.ENDORSE, f"{ask.people}_head", at)
    story.carry(request, Command.APPROVE, "reviewer", at)


def fetch_cases(now: datetime) -> int:
    """Fetch for some cases and count materials and licenses; return how many cases there are."""
    if MatterCase.objects.exists() or not Matter.objects.filter(code="birth").exists():
        return 0
    couples = _couples()
    for number, (one, other) in enumerate(couples, 1):
        parties = [("mother", one.citizen_id), ("father", other.citizen_id)]
        _fetch("birth", parties, f"CS-2026-{number:04d}")
        if number % 2:
            parties = [("seller", one.citizen_id), ("buyer", other.citizen_id)]
            _fetch("estate-transfer", parties, f"BDC-2026-{number:04d}")
    entity = LegalEntity.objects.filter(withdrawn_at=None).order_by("id").first()
    if couples:
        parties = [(role, couples[0][0].citizen_id) for role in ("representative", "finance")]
        parties += [("investor", entity.uscc)] if entity is not None else []
        _fetch("enterprise-start", parties, "QY-2026-0001")
    figures.measure(now=now, is_whole=True)
    measuring.measure(now=now)
    return MatterCase.objects.count()


def _fetch(matter: str, parties: list[tuple[str, str]], case_number: str) -> None:
    system, who = WINDOWS[matter]
    ask = Ask(matter=matter, case_number=case_number, parties=parties, purpose="办理申请人提出的申请", key=f"demo:{case_number}")
    owner = ConsumerSystem.objects.get(name=system)
    fetch_at_desk(ask=ask, system_uid=owner.uid, actor=story.actor(who), now=timezone.now())
