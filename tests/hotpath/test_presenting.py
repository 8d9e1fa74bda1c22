"""A round of presenting: code, scan, answer, read; what each part refuses, and that nothing is handed over without its records.

What ceases meanwhile is `test_presenting_ended`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

from exchange.calls import connections
from exchange.models import CallRecord, Material, Matter, MatterParty
from exchange.presenting import needs
from licenses.models import PresentingCode, PresentingTry, TypeVersion
from licenses.presenting import holders
from tests.hotpath.partner import Reply, make_partner, make_person
from tests.hotpath.scene import Scene
from tests.hotpath.windows import Window, refused, sequences, uses_of
from tests.licenses import presented
from tests.licenses.presented import MATTER, answer, enter_person, new_code, post, read, scan


def test_a_round_hands_over_what_the_matter_may_use_and_nothing_else(window: Window) -> None:
    _code, uid = window.scanned()
    assert answer(window.token, uid).json["state"] == "CONFIRMED"
    reply = read(window.partner, window.grant, uid)
    assert reply.status == 200, reply.body
    [told] = reply.json["licenses"]
    assert told["items"] == {
        "license.number": window.license.number,
        "license.holder_names": "王小明",
        "house_address": presented.FACE["house_address"],
        "area": "88.5",
    }
    assert (told["type_code"], told["title"], reply.json["matter"]) == (presented.TYPE, "不动产权证书", MATTER)
    assert reply.headers["X-Gov-Call-Id"] == reply.json["call_id"]


def test_what_is_handed_over_stands_in_a_use_record_and_a_call_record(window: Window, scene: Scene) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    reply = read(window.partner, window.grant, uid)
    [use] = uses_of(window)
    assert (use.channel, use.matter, use.system_id, use.department_name) == (
        "PRESENTED", MATTER, window.partner.system.pk, scene.city.education.name,
    )  # fmt: skip
    assert (use.identifier, sorted(use.items), str(use.call_id)) == (
        window.license.identifier, sorted(presented.ITEMS), reply.json["call_id"],
    )  # fmt: skip
    record = CallRecord.objects.get(call_id=reply.json["call_id"])
    assert (record.outcome, record.row_count, record.matter, record.grant_id) == ("call.answered", 1, MATTER, window.grant.pk)
    assert bytes(record.subject_key or b"") == bytes(window.person.subject_key)
    assert sorted(record.fields or []) == sorted(presented.ITEMS)


def test_what_was_confirmed_is_read_once(window: Window) -> None:
    _code, uid = window.scanned()
    answer(window.token, uid)
    assert read(window.partner, window.grant, uid).status == 200
    refused(read(window.partner, window.grant, uid), "presenting.already_read")
    assert len(uses_of(window)) == 1


def test_nothing_is_read_before_the_holder_agreed_nor_after_a_no(window: Window) -> None:
    _code, uid = window.scanned()
    reply = read(window.partner, window.grant, uid)
    refused(reply, "presenting.not_confirmed")
    assert CallRecord.objects.get(call_id=reply.json["request_id"]).outcome == "presenting.not_confirmed"
    assert answer(window.token, uid, "refuse").json["state"] == "REFUSED"
    refused(read(window.partner, window.grant, uid), "presenting.refused_by_holder")
    refused(answer(window.token, uid), "presenting.already_answered")
    assert uses_of(window) == []


def test_a_second_scan_is_refused_and_both_are_told(window: Window, scene: Scene, listed: Any) -> None:
    code, uid = window.scanned()
    other = make_partner(scene.city.police)
    grant = presented.make_grant(listed, other.system, scene.city.people["police_operator"])
    refused(scan(other, grant, code), "presenting.code_used")
    kept = PresentingCode.objects.get(uid=uid)
    assert (kept.rescans, kept.system_id, kept.state) == (1, window.partner.system.pk, "SCANNED")
    assert PresentingTry.objects.filter(system_id=other.system.pk, code="presenting.code_used").count() == 1
    refused(read(other, grant, uid), "presenting.not_found")


def test_a_code_that_expired_or_was_altered_or_stopped_opens_nothing(window: Window) -> None:
    code, uid = new_code(window.token)
    PresentingCode.objects.filter(uid=uid).update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    refused(scan(window.partner, window.grant, code), "presenting.code_expired")
    code, uid = new_code(window.token)
    altered = code[:-1] + ("A" if code[-1] != "A" else "B")
    refused(scan(window.partner, window.grant, altered), "presenting.code_unknown")
    refused(scan(window.partner, window.grant, "SFM1"), "presenting.code_malformed")
    refused(scan(window.partner, window.grant, "https://example.test/?q=1"), "presenting.code_malformed")
    PresentingCode.objects.filter(uid=uid).update(state="BLOCKED")
    refused(scan(window.partner, window.grant, code), "presenting.code_blocked")


def test_too_many_refused_codes_hold_a_system_back(window: Window) -> None:
    unknown = "SFM1" + "A" * 26
    for _ in range(20):
        refused(scan(window.partner, window.grant, unknown), "presenting.code_unknown")
    code, _uid = new_code(window.token)
    refused(scan(window.partner, window.grant, code), "presenting.too_many_tries")


def test_a_signed_scan_is_not_sent_twice(window: Window) -> None:
    code, _uid = new_code(window.token)
    path, raw = "/openapi/v1/presentations", json.dumps({"code": code, "matter": MATTER, "grant": str(window.grant.uid)}).encode()
    headers = window.partner.headers(path, raw)
    assert presented.send(path, raw, headers).status == 201
    refused(presented.send(path, raw, headers), "call.replayed")


def test_another_holder_cannot_answer(window: Window, scene: Scene) -> None:
    _code, uid = window.scanned()
    stranger = make_person(scene.city.police, next(sequences), name="赵六")
    reply = answer(enter_person(stranger, datetime.now(tz=UTC)), uid)
    assert (reply.status, reply.code) == (404, "presenting.code_not_found")
    assert answer("", uid).code == "presenting.session_ended"
    assert PresentingCode.objects.get(uid=uid).state == "SCANNED"


def test_only_the_chosen_license_is_asked_for(window: Window, scene: Scene) -> None:
    other = presented.make_license(scene.city.market, window.person)
    _code, uid = window.scanned(window.license)
    assert [one["row"] for one in PresentingCode.objects.get(uid=uid).asked] == [bytes(window.license.row_key).hex()]
    answer(window.token, uid)
    [told] = read(window.partner, window.grant, uid).json["licenses"]
    assert told["items"]["license.number"] == window.license.number != other.number


def test_an_over_asking_system_gets_what_list_and_grant_have_in_common(window: Window, scene: Scene, listed: Any) -> None:
    user = scene.city.people["education_operator"]
    narrow = presented.make_grant(listed, window.partner.system, user, fields=["title", "number"])
    code, uid = new_code(window.token)
    reply = scan(window.partner, narrow, code)
    assert [item["name"] for one in reply.json["asked"] for item in one["items"]] == ["license.number"]
    answer(window.token, uid)
    [told] = read(window.partner, narrow, uid).json["licenses"]
    assert set(told["items"]) == {"license.number"}
    code, _uid = new_code(window.token)
    nothing = presented.make_grant(listed, window.partner.system, user, fields=["title", "license_state"])
    refused(scan(window.partner, nothing, code), "presenting.nothing_allowed")
    refused(scan(window.partner, window.grant, code, matter="OTHER"), "presenting.matter_unknown")
    refused(scan(window.partner, scene.grant(), code), "grant.not_found")
    people = scene.grant().__class__.objects.get(pk=scene.grant().pk)
    people.system = window.partner.system
    people.save(update_fields=["system"])
    refused(scan(window.partner, people, code), "presenting.grant_not_for_licenses")


def test_masks_of_the_grant_hold_here_too(window: Window, scene: Scene, listed: Any) -> None:
    user = scene.city.people["education_operator"]
    masked = presented.make_grant(listed, window.partner.system, user, masks={"holder_name": "NAME", "face": "HIDDEN"})
    code, uid = new_code(window.token)
    assert scan(window.partner, masked, code).status == 201
    answer(window.token, uid)
    [told] = read(window.partner, masked, uid).json["licenses"]
    assert told["items"] == {"license.number": window.license.number, "license.holder_names": "王**"}


def test_the_holder_may_leave_out_what_the_matter_can_do_without(window: Window, scene: Scene) -> None:
    matter = Matter.objects.create(
        code=MATTER, name="不动产转移登记", legal_basis="条例", department=scene.city.market, state="PUBLISHED"
    )
    party = MatterParty.objects.create(matter=matter, ordinal=1, role="seller", title="卖方", kind="PERSON")
    for number, (items, is_required) in enumerate(((["license.number"], True), (["house_address", "area"], False)), start=1):
        Material.objects.create(
            matter=matter, party=party, ordinal=number, code=f"m{number}", title="产权证", source="LICENSE",
            type_code=presented.TYPE, items=items, is_required=is_required,
        )  # fmt: skip
    needs.remembered.forget()
    try:
        _code, uid = window.scanned()
        [asked] = PresentingCode.objects.get(uid=uid).asked
        assert {item["name"]: item["required"] for item in asked["items"]} == {
            "license.number": True, "house_address": False, "area": False,
        }  # fmt: skip
        row = asked["row"]
        refused(answer(window.token, uid, items={row: ["area"]}), "presenting.item_required")
        refused(answer(window.token, uid, items={row: ["license.number", "co_owner"]}), "presenting.not_asked")
        assert answer(window.token, uid, items={row: ["license.number", "area"]}).status == 200
        [told] = read(window.partner, window.grant, uid).json["licenses"]
        assert told["items"] == {"license.number": window.license.number, "area": "88.5"}
        [use] = uses_of(window)
        assert sorted(use.items) == ["area", "license.number"]
        assert use.matter == "不动产转移登记"
    finally:
        Material.objects.all().delete()
        MatterParty.objects.all().delete()
        matter.delete()


def test_a_license_that_begins_later_is_not_asked_for_yet(window: Window, scene: Scene) -> None:
    ahead = (datetime.now(tz=UTC) + timedelta(days=9)).date()
    presented.make_license(scene.city.market, window.person, valid_from=ahead)
    _code, uid = window.scanned()
    assert [one["row"] for one in PresentingCode.objects.get(uid=uid).asked] == [bytes(window.license.row_key).hex()]


def test_a_face_issued_to_somebody_else_is_not_handed_over(window: Window, scene: Scene) -> None:
    from tests.licenses.verified import make_license

    version = TypeVersion.objects.get(code=presented.TYPE)
    serial = window.license.identifier.split(".")[-3]
    make_license(
        version, identifier=window.license.identifier, serial=serial, holder="别人", face={"area": "1", "house_address": "别处"}
    )
    _code, uid = window.scanned()
    answer(window.token, uid)
    (told,) = read(window.partner, window.grant, uid).json["licenses"]
    assert told["items"]["house_address"] == presented.FACE["house_address"]


def at_once(*jobs: Any) -> list[Reply]:
    """Run jobs on connections of their own, started together."""
    barrier, results = Barrier(len(jobs)), [None] * len(jobs)

    def run(place: int, job: Any) -> None:
        try:
            barrier.wait(timeout=10)
            results[place] = job()
        finally:
            connections.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results  # type: ignore[return-value]


def test_of_two_desks_that_scan_at_once_one_gets_the_code(window: Window, scene: Scene, listed: Any) -> None:
    other = make_partner(scene.city.police)
    grant = presented.make_grant(listed, other.system, scene.city.people["police_operator"])
    for _ in range(5):
        code, _uid = new_code(window.token)
        replies = at_once(partial(scan, window.partner, window.grant, code), partial(scan, other, grant, code))
        assert sorted(reply.status for reply in replies) == [201, 409]


def test_of_two_readings_at_once_one_is_answered(window: Window) -> None:
    for _ in range(5):
        _code, uid = window.scanned()
        answer(window.token, uid)
        replies = at_once(*[partial(read, window.partner, window.grant, uid)] * 2)
        assert sorted(reply.status for reply in replies) == [200, 409]
    assert len(uses_of(window)) == 5


def test_a_body_that_is_not_what_it_should_be_is_refused(window: Window) -> None:
    code, uid = new_code(window.token)
    assert post("/openapi/v1/presentations", b"not json", partner=window.partner).code in (
        "grant.not_found",
        "call.invalid_parameter",
    )
    assert scan(window.partner, window.grant, code, more=1).code == "call.invalid_parameter"
    assert post("/openapi/v1/holder/codes", {"licenses": "x"}, token=window.token).code == "call.invalid_parameter"
    assert post("/openapi/v1/holder/codes", {"licenses": ["zz"]}, token=window.token).code == "presenting.chosen"
    assert post("/openapi/v1/holder/codes", b"x" * 20_000, token=window.token).code == "call.body_too_large"
    assert answer(window.token, uid, "perhaps").code == "call.invalid_parameter"
    assert answer(window.token, uid).code == "presenting.not_scanned"


def test_names_and_numbers_of_holders_stand_nowhere_in_what_is_kept(window: Window) -> None:
    _code, uid = window.scanned()
    kept = PresentingCode.objects.filter(uid=uid).values().get()
    assert window.person.citizen_id not in str(kept)
    assert window.person.name not in str(kept)
    assert holders.name_of(bytes(window.person.subject_key), "PERSON") == window.person.name
