"""The one decision point: two thousand random calls, each decided again by a naive oracle that shares no code with it."""

from __future__ import annotations

import ipaddress
import json
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from basedb.identifiers import generate_citizen_id
from exchange.models import Grant
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner, Reply
from tests.hotpath.refused import now
from tests.hotpath.scene import Scene

CASES = 2_000
GRANTS = 80
ITEMS = ["citizen_id", "name", "sex", "address"]
VALUES = {"citizen_id": "", "name": "张三丰", "sex": "1", "address": "某路"}
ADDRESSES = ["192.0.2.7", "192.0.2.200", "198.51.100.3", "2001:db8::7", "::ffff:192.0.2.7"]
LISTS = [[], [], ["192.0.2.7/32"], ["192.0.2.0/24"], ["198.51.100.0/24", "2001:db8::/32"]]
MATTERS = ["A-1", "B-2", "C-3"]
PARAMETERS: list[dict[str, list[str]]] = [{}, {}, {"division": ["990101"]}, {"division": ["990101", "990102"], "channel": ["web"]}]


@dataclass(frozen=True)
class Case:
    """One call: by whom, on which grant, how, for which items, from where, for what."""

    partner: Partner
    grant: Grant
    mode: str
    items: list[str]
    client_ip: str
    matter: str | None
    parameters: dict[str, str] | None

    def body(self, citizen_id: str) -> dict[str, Any]:
        made: dict[str, Any] = {} if self.mode == "bulk" else {"key": {"citizen_id": citizen_id}}
        made |= {"attributes": {name: VALUES[name] or citizen_id for name in self.items}} if self.mode == "verify" else {}
        made |= {"fields": self.items} if self.mode != "verify" else {}
        made |= {"context": {"matter": self.matter}} if self.matter else {}
        return made | ({} if self.parameters is None else {"parameters": self.parameters})


def expected(case: Case) -> str:
    """The oracle: what a reader of the rules would say, in the order they are told."""
    grant, moment = case.grant, now()
    address = ipaddress.ip_address(case.client_ip.replace("::ffff:", ""))
    is_listed = any(address in ipaddress.ip_network(listed) for listed in grant.ip_list)
    sent, controlled = case.parameters or {}, grant.control_parameters
    told = [
        ("grant.not_found", grant.system_id != case.partner.system.pk),
        ("grant.suspended", grant.state == "SUSPENDED"),
        ("grant.revoked", grant.state == "REVOKED"),
        ("grant.not_yet_valid", moment < grant.valid_from),
        ("grant.expired", moment >= grant.valid_to),
        ("grant.mode_mismatch", grant.mode.lower() != case.mode),
        ("grant.ip_not_listed", bool(grant.ip_list) and not is_listed),
        ("grant.field_not_granted", any(item not in grant.fields for item in case.items)),
        ("call.control_parameter", set(sent) != set(controlled) or any(sent[name] not in controlled[name] for name in sent)),
        ("call.matter_required", bool(grant.matters) and case.matter is None),
        ("grant.matter_not_granted", bool(grant.matters) and case.matter not in grant.matters),
    ]
    return next((code for code, is_so in told if is_so), "")


def make_grants(scene: Scene, systems: list[Partner], dice: random.Random) -> list[Grant]:
    made = []
    for _ in range(GRANTS):
        begin = now() + timedelta(hours=dice.choice([-48, -48, -48, -48, 1]))
        made.append(
            partners.grant_to(
                dice.choice(systems),
                scene.resource,
                scene.city,
                mode=dice.choice(["QUERY", "QUERY", "VERIFY", "VERIFY", "BULK"]),
                fields=dice.sample(ITEMS, dice.randint(1, 4)),
                masks={},
                state=dice.choice(["ACTIVE"] * 8 + ["SUSPENDED", "REVOKED"]),
                valid_from=begin,
                valid_to=begin + timedelta(hours=dice.choice([24, 480, 480, 480, 480])),
                ip_list=dice.choice(LISTS),
                matters=dice.choice([[], [], ["A-1"], ["A-1", "B-2"]]),
                control_parameters=dice.choice(PARAMETERS),
                quota_per_day=1_000_000,
                quota_per_second=10_000,
            )
        )
    return made


def draw(grants: list[Grant], systems: dict[int, Partner], dice: random.Random) -> Case:
    """Return a call that is right in most respects: one drawn blindly would hardly ever get through."""
    grant = dice.choice(grants)
    is_careful = dice.random() < 0.6
    items = dice.sample(grant.fields, dice.randint(1, len(grant.fields)))
    sent = {name: dice.choice(values) for name, values in grant.control_parameters.items()}
    return Case(
        partner=systems[grant.system_id] if is_careful or dice.random() < 0.7 else dice.choice(list(systems.values())),
        grant=grant,
        mode=grant.mode.lower() if is_careful or dice.random() < 0.7 else dice.choice(["query", "verify", "bulk"]),
        items=items if is_careful or dice.random() < 0.7 else dice.sample(ITEMS, 2),
        client_ip=dice.choice(ADDRESSES),
        matter=dice.choice([*grant.matters, *MATTERS, None]),
        parameters=sent if is_careful else dice.choice([sent or None, None, {}, {"division": "990102"}, {"other": "1"}]),
    )


def someone(number: int) -> str:
    """Return another person for every call: limits of one subject are not what is decided here."""
    return generate_citizen_id("990101", date(1950, 1, 1) + timedelta(days=number), 11)


def send(case: Case, citizen_id: str) -> Reply:
    raw = json.dumps(case.body(citizen_id)).encode()
    path = partners.path_of(case.grant, case.mode)
    return partners.send(path, case.partner.headers(path, raw), raw, client_ip=case.client_ip)


def test_the_decision_point_agrees_with_a_naive_oracle_on_two_thousand_calls(scene: Scene) -> None:
    dice = random.Random(809)
    systems = [scene.partner, partners.make_partner(scene.city.market)]
    grants = make_grants(scene, systems, dice)
    by_system = {partner.system.pk: partner for partner in systems}
    seen: dict[str, int] = {}
    for number in range(CASES):
        case = draw(grants, by_system, dice)
        wanted = expected(case)
        reply = send(case, someone(number))
        got = "" if reply.status == 200 else reply.code
        assert got == wanted, case
        seen[got] = seen.get(got, 0) + 1
    assert seen[""] >= CASES / 10
    assert len(seen) == 12, seen  # every rule was met


def test_the_oracles_own_items_are_those_of_the_resource(scene: Scene) -> None:
    assert [name for name, _, _ in factories.PERSON_ITEMS] == ITEMS
