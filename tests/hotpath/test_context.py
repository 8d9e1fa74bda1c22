"""What a call is made for: codes in the body, signed with it, refused when they are not codes."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.calls.context import read_context
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Context
from tests.hotpath.records import outcomes_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene

FORM = "not_a_code_of_1_to_40_letters_digits_-_"
SAID = {"matter": "000114001000", "officer": "EDU-0173", "case": "2026_0042"}


def test_context_is_read_and_may_be_partial() -> None:
    assert read_context(SAID) == Context("000114001000", "EDU-0173", "2026_0042")
    assert read_context({"case": "1"}) == Context(case_number="1")
    assert read_context({}) == Context()


def test_a_call_with_a_context_is_answered_in_every_mode(scene: Scene) -> None:
    key = {"citizen_id": scene.people[0].citizen_id}
    for mode, body in (("query", {"key": key}), ("verify", {"key": key, "attributes": {"name": "张三丰"}}), ("bulk", {})):
        assert scene.partner.call(scene.grant(mode=mode.upper()), mode, body | {"context": SAID}).status == 200


@pytest.mark.parametrize(
    ("context", "details"),
    [
        ("000114", {"context": "must_be_an_object"}),
        ({"purpose": "x"}, {"context.purpose": "unknown"}),
        ({"matter": ""}, {"context.matter": FORM}),
        ({"officer": "张三"}, {"context.officer": FORM}),
        ({"officer": 173}, {"context.officer": FORM}),
        ({"case": "1" * 41}, {"context.case": FORM}),
        ({"case": "1\n"}, {"context.case": FORM}),
    ],
)
def test_context_that_is_no_code(scene: Scene, context: Any, details: dict[str, str]) -> None:
    grant = scene.grant()
    reply = scene.partner.call(grant, "query", {"key": {"citizen_id": scene.people[0].citizen_id}, "context": context})
    check_refused(reply, "call.invalid_parameter")
    assert reply.json["details"] == details
    assert outcomes_of(grant) == ["call.invalid_parameter"]


@pytest.mark.parametrize("form", ["{}", "ID{}", "2026-{}-1", "{}x7"])
def test_a_citizen_id_is_no_context_nor_a_part_of_one(scene: Scene, form: str) -> None:
    citizen_id = scene.people[0].citizen_id
    with pytest.raises(Refusal) as refused:
        read_context({"case": form.format(citizen_id)})
    assert refused.value.details == {"context.case": "is_a_personal_identifier"}
    assert citizen_id not in str(refused.value.details)
