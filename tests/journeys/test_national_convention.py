"""Policy: a system written for the national platform's convention calls us unchanged, under a grant like any other."""

from __future__ import annotations

from datetime import datetime, timedelta

from exchange.models import CallRecord
from exchange.national import requesters, serving
from exchange.requests.access_requests import carry_out, draft
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from exchange.systems import register
from tests.hotpath.scene import Scene, db, scene, web_role  # noqa: F401  # calls need committed rows
from tests.sources.integrator import Integrator


def test_an_integrator_of_the_national_convention_calls_us_unchanged(scene: Scene, now: datetime) -> None:  # noqa: F811
    city = scene.city
    system = register(name="招生系统", actor=city.actor("education_operator"), now=now)
    terms = Terms(
        system=str(system.uid), mode="QUERY", fields=("name", "sex"), purpose="入学资格核验",
        legal_basis="《义务教育法》第九条", scenario="小学入学报名", term_from=now.date(), term_to=now.date() + timedelta(days=30),
    )  # fmt: skip
    made = draft(resource_uid=scene.resource.uid, terms=terms, actor=city.actor("education_operator"), now=now, submit=True)
    way = [
        (Command.ENDORSE, "education_head"),
        (Command.CHECK, "police_operator"),
        (Command.CLEAR, "police_head"),
        (Command.APPROVE, "reviewer"),
    ]
    for command, who in way:
        made = carry_out(request_uid=made.uid, command=command, actor=city.actor(who), now=now)
    issued = requesters.register_requester(
        system_uid=system.uid,
        rid="6a1f4a4e-9999@320100",
        requires_v2=False,
        actor=city.actor("education_operator"),
        now=now,
    )
    requesters.register_service(
        grant_uid=made.grant.uid,
        sid="s_11320100000000001X_9999",
        key_parameter="sfzh",
        parameters={},
        actor=city.actor("reviewer"),
        now=now,
    )
    serving.services.forget()
    integrator = Integrator(issued.requester.rid, issued.app_key)
    assert integrator.refresh()["code"] == "0"
    told = integrator.call("s_11320100000000001X_9999", {"sfzh": scene.people[0].citizen_id})
    assert (told["code"], told["data"]["data"]) == ("0", {"name": "张**", "sex": "1"})
    record = CallRecord.objects.get(call_id=told["data"]["call_id"])
    assert (record.outcome, record.grant_id) == ("call.answered", made.grant.id)
