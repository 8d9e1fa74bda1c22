"""The demo's catalogue: two entries served out of base databases, one out of the bureau's rows, and what other departments list."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from catalog import mounting
from catalog.content import Entry, Item
from demo import city

POPULATION = "户籍人口基本信息"
ENTERPRISES = "企业法人登记信息"
MARRIAGE = "居民婚姻与居住状况"
ASSESSED = "已按要求评估：不涉及国家秘密，风险可控。"
PERSONAL = "涉及个人信息：限于法定职责所必需的信息项，默认脱敏，逐次留痕。"


@dataclass(frozen=True)
class Listing:
    """An entry and who provides it; with a dataset it is mounted."""

    department: str
    entry: Entry
    dataset: str = ""


def mounted() -> list[Listing]:
    """Return the entries that can be called."""
    return [
        Listing(
            city.POLICE,
            replace(
                mounting.draft_from("population.person"),
                title=POPULATION,
                classification="101001",
                summary="全市户籍人口的姓名、性别、民族、出生日期、人员状态和户籍地址，由公安机关采集，是人口库的数源。",
                keywords="人口 户籍 身份 居民",
                share_conditions="用于依法履职中的身份核验和资格审查，不得转提供。",
                sharing_modes=("VERIFY", "QUERY", "BULK", "SUBSCRIBE"),
                secrecy_assessment=ASSESSED,
                personal_information_assessment=PERSONAL,
            ),
            "population.person",
        ),
        Listing(
            city.MARKET,
            replace(
                mounting.draft_from("legal_entity.enterprise"),
                title=ENTERPRISES,
                classification="102001",
                summary="全市市场主体的统一社会信用代码、名称、法定代表人、住所、注册资本和登记状态。",
                keywords="企业 法人 工商 登记 信用代码",
                share_conditions="用于涉企审批和监管。",
                sharing_modes=("VERIFY", "QUERY", "BULK", "SUBSCRIBE"),
                secrecy_assessment=ASSESSED,
                personal_information_assessment=PERSONAL,
            ),
            "legal_entity.enterprise",
        ),
        Listing(city.POLICE, _marriage(), "population.person"),
    ]


def _marriage() -> Entry:
    whole = mounting.draft_from("population.person")
    wanted = ("citizen_id", "name", "marital_status", "address", "region_code")
    return replace(
        whole,
        base_database="",
        title=MARRIAGE,
        classification="307011",
        summary="居民的婚姻状况和居住地址，供办理社会救助、住房保障时比对。",
        keywords="婚姻 居住 社会救助 住房保障",
        share_conditions="须经提供方逐项审核，只用于核对申请人本人情况。",
        sharing_modes=("VERIFY", "QUERY"),
        secrecy_assessment=ASSESSED,
        personal_information_assessment=PERSONAL,
        items=tuple(item for item in whole.items if item.name in wanted),
    )


def listed() -> list[Listing]:
    """Return the entries that are catalogued but not mounted yet (`entries.csv`)."""
    with (Path(__file__).parent / "entries.csv").open(encoding="utf-8", newline="") as file:
        return [_listed(row) for row in csv.DictReader(file)]


def _listed(row: dict[str, str]) -> Listing:
    items = tuple(
        Item(name=name, title=title, data_type="C", length=100, is_key=position == 0, grade="L2")
        for position, (name, title) in enumerate(pair.split(":") for pair in row["items"].split())
    )
    attribute = row["share_attribute"]
    is_withheld = attribute == "WITHHELD"
    return Listing(
        row["department"],
        Entry(
            title=row["title"],
            classification=row["classification"],
            summary=row["summary"],
            keywords=row["keywords"],
            update_cycle="MONTHLY",
            share_attribute=attribute,
            share_conditions="仅限业务办理使用，用途须与申请一致。" if attribute == "CONDITIONAL" else "",
            withheld_basis="《中华人民共和国刑事诉讼法》关于侦查保密的规定。" if is_withheld else "",
            sharing_modes=() if is_withheld else ("VERIFY", "QUERY"),
            grade="L2",
            secrecy_assessment=ASSESSED,
            personal_information_assessment="不涉及个人信息。",
            items=items,
        ),
    )
