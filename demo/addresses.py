"""Addresses of the demo city (地址): real districts, streets and road names, invented house numbers.

Which street a road crosses is not kept: an address is believable, not surveyed.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.divisions import divisions

CITY_NAME = "江苏省南京市"

ROADS = {
    "320102": "珠江路 太平北路 北京东路 中山东路 龙蟠路 丹凤街 成贤街 红山路 锁金村 苜蓿园大街 孝陵卫街 玄武大道",
    "320104": "中华路 中山南路 洪武路 白下路 长乐路 升州路 瑞金路 大光路 光华路 建康路 秦虹路 集庆路",
    "320105": "江东中路 汉中门大街 水西门大街 应天大街 奥体大街 兴隆大街 河西大街 梦都大街 嘉陵江东街 云锦路 楠溪江东街",
    "320106": "中山北路 湖南路 山西路 北京西路 汉口路 广州路 草场门大街 龙江路 建宁路 幕府西路 热河路 虎踞北路",
    "320111": "浦珠中路 江浦街 公园北路 大桥北路 柳洲东路 天浦路 文德路 浦云路 星甸大道 汤泉路",
    "320113": "尧新大道 和燕路 迈皋桥大街 文苑路 仙林大道 学衡路 栖霞大道 燕江路 马群大道 龙潭大道",
    "320114": "雨花东路 雨花西路 共青团路 软件大道 安德门大街 宁双路 小行路 梅山大道 板桥大道 凤台南路",
    "320115": "天元中路 双龙大道 竹山路 上元大街 金箔路 将军大道 秣周东路 胜太路 清水亭东路 汤山大道 禄口大道",
    "320116": "雄州南路 园林西路 板门口 棠城西路 泰山路 龙津路 新华路 平顶山路 宁六路 竹镇大街",
    "320117": "珍珠南路 大东门街 致远路 秦淮大道 中山西路 交通路 天生桥大道 文昌路 幸庄路 双塘路",
    "320118": "镇兴路 宝塔路 淳中路 石臼湖北路 康乐路 北岭路 通贤街 丹阳湖北路 固城湖北路 汶溪路",
}
DISTRICTS = tuple(ROADS)


@dataclass(frozen=True)
class Street:
    """A street office (街道) or town with the roads an address in it may name."""

    code: str
    name: str
    district_code: str
    district_name: str
    roads: tuple[str, ...]


def streets(districts: Sequence[str] = DISTRICTS) -> list[Street]:
    """Return the streets and towns of the given districts; parks, farms and the like have no residents and are left out."""
    found = []
    for district in districts:
        rows = list(divisions(district))
        name = rows[0].name
        roads = tuple(ROADS[district].split())
        found += [Street(row.code, row.name, district, name, roads) for row in rows[1:] if row.name.endswith(("街道", "镇"))]
    return found


def home_address(street: Street, rng: random.Random) -> str:
    """Compose the address of a flat."""
    number, building, unit, flat = _number(rng, 320), _number(rng, 24), _number(rng, 4), _number(rng, 18)
    door = f"{flat}{_number(rng, 4):02d}"
    road = _pick(street.roads, rng)
    return f"{CITY_NAME}{street.district_name}{street.name}{road}{number}号{building}幢{unit}单元{door}室"


def office_address(street: Street, rng: random.Random) -> str:
    """Compose the address of an office."""
    road = _pick(street.roads, rng)
    return f"{CITY_NAME}{street.district_name}{road}{_number(rng, 480)}号{_number(rng, 26)}层{_number(rng, 12):02d}室"


def _number(rng: random.Random, highest: int) -> int:
    return int(rng.random() * highest) + 1


def _pick(words: Sequence[str], rng: random.Random) -> str:
    return words[int(rng.random() * len(words))]
