"""Paths of bulk jobs, change feeds and layers (作业路径): which operation a method on a path asks for. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from exchange.calls.refusals import Refusal

UID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ROOT: Final = f"/openapi/v1/calls/({UID})"
LAYER: Final = f"/openapi/v1/ogc/collections/({UID})"
TILE: Final = "/".join(["tiles/WebMercatorQuad", *["(0|[1-9][0-9]{0,8})"] * 3])  # zoom, row, column
# path -> mode, and method -> operation
PATHS: Final = (
    (re.compile(f"{ROOT}/jobs"), "BULK", {"POST": "job.open"}),
    (re.compile(f"{ROOT}/jobs/({UID})"), "BULK", {"GET": "job.show", "DELETE": "job.cancel"}),
    (re.compile(f"{ROOT}/jobs/({UID})/parts/([1-9][0-9]{{0,5}})"), "BULK", {"GET": "job.part"}),
    (re.compile(f"{ROOT}/subscribe"), "SUBSCRIBE", {"POST": "feed.changes"}),
    (re.compile(f"{LAYER}/items"), "FEATURES", {"GET": "features.items"}),
    (re.compile(f"{LAYER}/items/([0-9a-f]{{32}})"), "FEATURES", {"GET": "features.item"}),
    (re.compile(f"{LAYER}/{TILE}"), "FEATURES", {"GET": "features.tile"}),
)


class Asked(NamedTuple):
    """What a request asks for: of which grant, in which mode, which operation, on what behind it."""

    grant_uid: str
    mode: str
    operation: str = ""
    place: tuple[str, ...] = ()


def operation_at(path: str, method: str) -> Asked:
    """Return what a method on a path asks for; refuse paths and methods that do not exist."""
    for form, mode, operations in PATHS:
        matched = form.fullmatch(path)
        if matched is None:
            continue
        if method not in operations:
            raise Refusal("call.method_not_allowed", {"allowed": ", ".join(sorted(operations))})
        return Asked(matched[1], mode, operations[method], matched.groups()[1:])
    raise Refusal("call.unknown_path")
