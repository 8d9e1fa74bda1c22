"""The map: what can be seen can be clicked, from afar as well, and an address that was found stands on the map."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.person import Person

Call = Callable[[str], Person]
EDGE, STEP = 90, 4


def drawn(somebody: Person, place: Locator) -> list[tuple[int, int]]:
    """Return points of the map, in its own pixels, that have the first layer's colour."""
    picture = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    found = []
    for y in range(EDGE, picture.height - EDGE, STEP):
        for x in range(EDGE, picture.width - EDGE, STEP):
            red, _green, blue = picture.getpixel((x, y))  # type: ignore[misc]
            if blue > 180 and red < 130:
                found.append((x, y))
    return found


def test_a_parcel_seen_from_afar_tells_its_attributes_when_clicked(person: Call) -> None:
    clerk = person("land_op")
    clerk.menu("地图")
    clerk.arrives("地图")
    place = clerk.page.locator("#map")
    expect(place.locator("canvas").first).to_be_visible()
    clerk.page.wait_for_load_state("networkidle")
    points = drawn(clerk, place)
    assert points, "no parcel is drawn"
    for x, y in points[:: max(1, len(points) // 3)][:3]:
        place.click(position={"x": x, "y": y})
        expect(clerk.page.locator("#feature")).to_contain_text("宗地代码")
        clerk.page.reload()
        clerk.page.wait_for_load_state("networkidle")
