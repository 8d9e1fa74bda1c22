"""Missing licenses and other regions in the demo (演示缺失证照与互认): reports at every desk; a county, a province, a neighbour.

The nodes are simulated in this process; afterwards they have no address, so that nothing is sent to nobody.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any, Final

from basedb.identifiers import generate_citizen_id, generate_uscc
from basedb.models import License as CityLicense
from basedb.models import LicenseType
from core.audit import Actor
from core.calendar import SHANGHAI
from core.roles import Role
from demo import story
from demo.licenses.nodes import Held, SimulatedNode, data_of
from licenses import numbering
from licenses.models import MissingReport, TrustedNode
from licenses.recognition import (
    delivering,
    differences,
    judging,
    keeping,
    pulling,
    pushing,
    receiving,
    sending,
    transport,
)
from licenses.reissue import checking, reports
from licenses.reissue.workflow import Command

COUNTY: Final = ("320118", "高淳区证照节点")
PROVINCE: Final = ("320000", "江苏省证照节点")
NEIGHBOUR: Final = ("330100", "杭州市证照节点")
CITIZENS: Final = "自然人"
REPORTERS: Final = ("edu_op", "hr_op", "market_op")
PUSHED: Final = 3  # batches the province takes in the demo; the rest waits for a real one
NAMES: Final = ("王芳", "李建国", "张敏", "刘洋", "陈静", "杨帆", "赵磊", "黄丽", "周强", "吴婷", "徐明", "孙悦")
KINDS: Final = ("PAPER_ONLY", "NOT_FOUND", "LOST", "WRONG")
# How far each report has come: the commands its desk has given.
WALKS: Final[tuple[tuple[Command, ...], ...]] = (
    (),
    (Command.RECEIVE,),
    (Command.RECEIVE, Command.DENY),
    (Command.RECEIVE, Command.DENY, Command.CONFIRM),
    (Command.RECEIVE, Command.REISSUE),
    (Command.WITHDRAW,),
)


def report(now: datetime) -> int:
    """Let clerks report missing licenses, and their desks work on them; return how many there are."""
    if MissingReport.objects.exists():
        return MissingReport.objects.count()
    today = now.astimezone(SHANGHAI).date()
    types = list(LicenseType.objects.filter(effective__contains=today, holder_kind=CITIZENS).order_by("code")[:4])
    for number, name in enumerate(NAMES):
        at = now - timedelta(days=75 - number * 6)
        kind = types[number % len(types)]
        reporter = story.actor(REPORTERS[number % len(REPORTERS)])
        made = reports.report_missing(
            kind=KINDS[number % len(KINDS)], type_code=kind.code, region_code="320102", holder_name=name,
            holder_code=generate_citizen_id("990101", date(1970 + number, 3, 8), 300 + number),
            note="窗口办件时群众出示纸质证照，系统中查不到电子证照。", paper_number=f"YS{number:06d}",
            actor=reporter, now=at,
        )  # fmt: skip
        _walk(made, WALKS[number % len(WALKS)], reporter, at)
    return len(NAMES)


def _walk(made: MissingReport, commands: tuple[Command, ...], reporter: Actor, at: datetime) -> None:
    for hours, command in enumerate(commands, 1):
        made.refresh_from_db()
        role = Role.HEAD if command is Command.CONFIRM else Role.OPERATOR
        who = Actor(
            name=f"{made.department.short_name}({role.label})", department_id=made.department_id,
            department=made.department.name, roles=frozenset({role}),
        )  # fmt: skip
        if command is Command.WITHDRAW:
            who = reporter
        checking.advance(
            uid=made.uid, revision=made.revision, command=command, text="经核查档案，情况如上。", actor=who,
            now=at + timedelta(hours=hours),
        )  # fmt: skip


def exchange(now: datetime) -> int:
    """Let a county deliver, a province take, a neighbour answer, and compare; return how many nodes are trusted."""
    if TrustedNode.objects.exists():
        return TrustedNode.objects.count()
    before = transport.current()
    county = SimulatedNode(*COUNTY, "BELOW", endpoint="https://county.invalid")
    province = SimulatedNode(*PROVINCE, "ABOVE", endpoint="https://province.invalid")
    neighbour = SimulatedNode(*NEIGHBOUR, "PEER", endpoint="https://neighbour.invalid")
    nodes = {node.code: _trust(node, now) for node in (county, province, neighbour)}
    try:
        _deliver(county, now)
        transport.use(province)
        for _number in range(PUSHED):
            if pushing.make_batch(node=nodes[province.code], now=now) is not None:
                sending.send_next(node_id=nodes[province.code].pk, now=now)
        _remember(county)
        transport.use(county)
        differences.compare(node=nodes[county.code], now=now)
        transport.use(neighbour)
        _fetch(neighbour, now)
    finally:
        transport.use(before)
    TrustedNode.objects.update(endpoint="")
    spare = SimulatedNode(*COUNTY, "BELOW")  # a key to come, for somebody to confirm
    keeping.propose(content=spare.card(now), actor=story.actor("reviewer"), now=now)
    return len(nodes)


def _trust(node: SimulatedNode, now: datetime) -> TrustedNode:
    made = keeping.propose(content=node.card(now), actor=story.actor("reviewer"), now=now - timedelta(days=20))
    keeping.confirm(
        key_uid=made.keys.get().uid, typed=node.fingerprint(), actor=story.actor("centre_head"), now=now - timedelta(days=19)
    )
    return made


def _deliver(county: SimulatedNode, now: datetime) -> None:
    """Two batches, with rows that are sent back for four reasons."""
    for number in (0, 1):
        rows = [judging.row_of(_license(number * 20 + place), title=_kind().name, state="01") for place in range(20)]
        rows[3]["data"] = rows[3]["data"] | {"region": "320115"}
        rows[7]["state"] = "88"
        rows[11]["data"] = rows[11]["data"] | {"identifier": "1.2.156.3005.2.错误"}
        rows[15] |= {"key": county.key.public.id, "signature": "MEUCIQ=="}
        envelope = county.batch(rows)
        receiving.receive(envelope=envelope, client_ip=None, now=now - timedelta(days=2 - number))
        county.sent.append(envelope)
    delivering.deliver_due(now=now)


def _license(number: int, region: str = COUNTY[0]) -> dict[str, Any]:
    kind = _kind()
    issuer = generate_uscc(81, region=region, kind="11")
    identifier = numbering.compose(kind.code, issuer, f"2026{number:08d}", 1)
    citizen = generate_citizen_id("990101", date(1965 + number % 40, 5, 1 + number % 28), (500 + number) % 1000)
    holder = (NAMES[number % len(NAMES)], citizen, "111")
    issued_on = f"2026-{1 + number % 6:02d}-15"
    return data_of(identifier, title_number=f"GC{number:08d}", region=region, holder=holder, issued_on=issued_on)


def _kind() -> LicenseType:
    """The type whose licenses cross the borders of regions here."""
    return LicenseType.objects.filter(holder_kind=CITIZENS).order_by("code")[0]


def _remember(county: SimulatedNode) -> None:
    """The county holds what it delivered, but for a few that differ."""
    held = CityLicense.objects.filter(region_code__startswith=county.code, withdrawn_at=None, identifier__isnull=False)
    for number, license in enumerate(held.order_by("id")):
        if number % 9 == 4:
            continue
        state = "04" if number % 9 == 7 else license.license_state
        county.held[license.identifier or ""] = Held(license.type_code, f"{license.issued_on:%Y-%m}", state)
    for extra in range(3):
        data = _license(900 + extra)
        county.held[data["identifier"]] = Held(data["type"], data["issued_on"][:7], "01")


def _fetch(neighbour: SimulatedNode, now: datetime) -> None:
    data = _license(70, "330102")
    neighbour.held[data["identifier"]] = Held(data["type"], data["issued_on"][:7], "01", json.loads(json.dumps(data)), position=4)
    pulling.fetch(
        identifier=data["identifier"], matter="义务教育入学报名", purpose="核验监护人异地证照", actor=story.actor("edu_op"), now=now
    )
