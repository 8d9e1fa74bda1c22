"""Layers of the demo (示意图层): places for everybody, addresses and parcels under grants. All of it is made up."""

from __future__ import annotations

from dataclasses import replace

from catalog import mounting
from demo import city, places
from demo.entries import ASSESSED, Listing

NOBODY = "不涉及个人信息。"
PLACES = "标准地名图层"
ADDRESSES = "标准地址图层"
PARCELS = "宗地图层"
ADDRESS_ITEMS = ("address_code", "region_code", "full_address", "address_state", "location")
PLANNING = {
    "purpose": "规划编制中的地址上图",
    "legal_basis": "《中华人民共和国城乡规划法》第二十五条",
    "scenario": "编制详细规划时叠加标准地址，核对用地现状。",
}


def layers() -> list[Listing]:
    """Return the entries whose rows can be looked at on a map."""
    return [
        Listing(
            places.CIVIL,
            replace(
                mounting.draft_from("geo.place"),
                title=PLACES,
                summary="标准地名及其位置，供公众和各部门查看。",
                keywords="地名 位置 地图",
                share_attribute="UNCONDITIONAL",
                sharing_modes=("FEATURES",),
                secrecy_assessment=ASSESSED,
                personal_information_assessment=NOBODY,
            ),
            "geo.place",
        ),
        _conditional(city.POLICE, "geo.address", ADDRESSES, "标准地址及其位置，供地址核对和上图使用。"),
        _conditional(places.LAND, "geo.parcel", PARCELS, "宗地代码、坐落、用途和界址，供选址和监管使用。"),
    ]


def _conditional(department: str, dataset: str, title: str, summary: str) -> Listing:
    entry = replace(
        mounting.draft_from(dataset),
        title=title,
        summary=summary,
        keywords="空间 图层 地图",
        share_conditions="用于依法履职，界址和位置按授权的精度提供。",
        sharing_modes=("FEATURES",),
        secrecy_assessment=ASSESSED,
        personal_information_assessment=NOBODY,
    )
    return Listing(department, entry, dataset)
