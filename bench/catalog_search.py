"""How long the database takes for the first page of a catalogue search among 20,000 entries.

The yardstick `like` is a LIKE scan over the same columns where they stand; `like_flat` has them copied side by side into one
table, so that it joins nothing. Neither ranks. All are timed by PostgreSQL (planning and execution), warm, query by query;
the figure is the median over the queries, for both statements of a page: the keys in order, then the rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from statistics import median
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL
from django.utils import timezone

from bench.frame import figure, in_turn, say
from catalog import search
from catalog.models import DataItem, Resource
from catalog.search import Filters
from core.keyset import PAGE_SIZE
from core.models import Department, Region

ENTRIES = 20_000
BATCH = 1_000
ITEMS = 8


def listed(text: str) -> list[str]:
    """Return the words of a list."""
    return text.split()


OFFICES = listed(
    "公安 教育 民政 司法 财政 交通 水务 农业农村 商务 卫生健康 退役军人 应急 审计 市场监管 体育 统计 医疗保障 城管 林业 气象"
)
AREAS = listed("市区 全市 农村 城镇 重点 开发区 流域 沿江 社区 园区 高校 口岸")
SUBJECTS = listed(
    "户籍人口 流动人口 常住人口 出生登记 死亡登记 婚姻登记 收养登记 低保家庭 特困人员 残疾人 养老机构 社会组织 公墓 "
    "学籍 学校 教师资格 考生 幼儿园 校外培训 企业登记 个体工商户 食品经营 药品零售 特种设备 计量器具 商标 专利 "
    "驾驶人 机动车 道路运输 公交线路 船舶 港口 航道 桥梁 隧道 停车场 取水许可 水库 河道 排污口 水质监测 空气质量 "
    "耕地 宅基地 农机 种子 兽药 渔业 林地 古树 不动产权属 房屋预售 物业 公积金缴存 社会保险参保 失业金 工伤认定 "
    "职业资格 医师执业 护士注册 医疗机构 疫苗接种 医保结算 献血 救护车 消防设施 危险化学品 矿山 安全生产许可 "
    "行政处罚 行政许可 律师 公证 法律援助 信用承诺 失信被执行人 税务登记 政府采购 招标投标 预算 国有资产 "
    "体育场馆 图书馆 文物 旅游景区 旅行社 气象预警 地震台站 测绘成果 地名 门牌"
)
KINDS = listed("基本信息 明细 变更记录 名录 台账 年度统计 监管信息 审批结果 缴费记录 巡查记录")
COLUMNS = listed("名称 编号 地址 联系电话 登记日期 有效期 状态 负责人 面积 数量 等级 类型 机构代码 公民身份号码 金额 备注")
QUERIES = listed(
    "户籍 流动人口 婚姻 低保 特困 残疾人 养老 公墓 学籍 教师资格 幼儿园 个体户 食品 特种设备 商标 驾驶人 机动车 公交线路 "
    "船舶 港口 取水 水库 排污口 空气质量 耕地 宅基地 农机 古树 不动产 物业 公积金 社保 失业金 工伤 医师 疫苗 献血 消防 矿山 "
    "行政处罚 律师 公证 失信 政府采购 文物 旅行社 气象 门牌 信息 人口 登记 公安局 身份证 蓝鲸 渔业巡查 农村学籍 全市桥梁名录"
)
FLAT = (
    "SELECT id, title FROM bench_like WHERE title LIKE %(text)s OR keywords LIKE %(text)s OR items LIKE %(text)s"
    " OR summary LIKE %(text)s OR provider LIKE %(text)s ORDER BY published_at DESC, id DESC LIMIT 21"
)
STANDING = (
    "SELECT r.id, r.title FROM catalog_resource r JOIN core_department d ON d.id = r.provider_id"
    " WHERE r.state = 'PUBLISHED' AND (r.title LIKE %(text)s OR r.keywords LIKE %(text)s OR r.summary LIKE %(text)s"
    " OR d.name LIKE %(text)s OR r.id IN"
    " (SELECT i.resource_id FROM catalog_dataitem i WHERE i.title LIKE %(text)s OR i.name LIKE %(text)s))"
    " ORDER BY r.published_at DESC, r.id DESC LIMIT 21"
)


def run() -> Iterable[dict[str, object]]:
    """Fill the catalogue once, then time every query both ways, three rounds in turn."""
    fill()
    measured = in_turn(
        {
            "search": lambda: over_queries(by_search),
            "like": lambda: over_queries(lambda text: by_like(STANDING, text)),
            "like_flat": lambda: over_queries(lambda text: by_like(FLAT, text)),
        }
    )
    ratios = {name: measured[name] / measured["search"] for name in ("like", "like_flat")}
    yield figure("catalog.search", measured["search"], "ms", **ratios) | {"entries": ENTRIES, "queries": len(QUERIES)}


def over_queries(timed: Any) -> float:
    """Return the median over the queries, in milliseconds."""
    return median(timed(text) for text in QUERIES)


def by_search(text: str) -> float:
    """Time the statements the catalogue page runs."""
    rows, order = search.ordered(text, Filters())
    first = rows.order_by(*order)[: PAGE_SIZE + 1]
    keys = [row.pk for row in first]
    statements = [first, search.whole(keys)] if keys else [first]
    return sum(_milliseconds(part.explain(format="json", analyze=True, timing=False)) for part in statements)


def by_like(statement: str, text: str) -> float:
    """Time a scan."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement, {"text": f"%{text}%"})
        return _milliseconds(cursor.fetchone()[0])


def _milliseconds(plan: Any) -> float:
    read = (json.loads(plan) if isinstance(plan, str) else plan)[0]
    return float(read["Planning Time"] + read["Execution Time"])


def fill() -> None:
    """Make the entries with their items and search documents, and the table of the yardstick."""
    say(f"Making {ENTRIES:,} entries ...")
    region = Region.objects.create(code="3201", name="南京市", level="CITY")
    departments = Department.objects.bulk_create(
        Department(code=f"1132010099{number:06d}XX", name=f"市{name}局", short_name=f"{name}局", region=region)
        for number, name in enumerate(OFFICES)
    )
    chance = random.Random(1)
    for start in range(0, ENTRIES, BATCH):
        _batch(range(start, start + BATCH), departments, chance)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_like AS SELECT r.id, r.published_at, r.title, r.keywords, r.summary, d.name AS provider,"
            " (SELECT string_agg(i.title || ' ' || i.name, ' ') FROM catalog_dataitem i WHERE i.resource_id = r.id) AS items"
            " FROM catalog_resource r JOIN core_department d ON d.id = r.provider_id"
        )
        for table in ("bench_like", "catalog_resource", "catalog_dataitem", "core_department"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def _batch(numbers: range, departments: list[Department], chance: random.Random) -> None:
    now = timezone.now()
    resources, items = [], []
    for number in numbers:
        subject, kind, provider = chance.choice(SUBJECTS), chance.choice(KINDS), chance.choice(departments)
        near = chance.sample(SUBJECTS, 2)
        resource = Resource(
            title=f"{chance.choice(AREAS)}{subject}{kind}{number}",
            code=f"307001/{number + 1:06d}",
            classification="307001",
            keywords=f"{subject} {near[0]}",
            summary=f"反映{provider.name}在履行{subject}管理职责中形成的{kind}，与{near[1]}业务衔接，供有关部门依法履职时核对使用。",
            provider=provider,
            region_id=provider.region_id,
            update_cycle="DAILY",
            share_attribute="UNCONDITIONAL",
            sharing_modes=["QUERY"],
            grade="L1",
            state="PUBLISHED",
            version=1,
            published_at=now,
        )
        titles = [f"{subject}{column}" if chance.random() < 0.3 else column for column in chance.sample(COLUMNS, ITEMS)]
        parts = [part for place, title in enumerate(titles) for part in (title, f"item_{place}")]
        document = search.document(
            title=resource.title,
            keywords=resource.keywords,
            items=parts,
            summary=resource.summary,
            provider=f"{provider.name} {provider.short_name} {resource.code}",
        )
        resource.search_vector = RawSQL("%s::tsvector", [document])
        resources.append(resource)
        items += [
            DataItem(resource=resource, position=place, name=f"item_{place}", title=title, data_type="C", grade="L1")
            for place, title in enumerate(titles)
        ]
    Resource.objects.bulk_create(resources)
    DataItem.objects.bulk_create(items, batch_size=4000)
