"""What every refused call has in common, and the moment grants of these tests are counted from."""

from __future__ import annotations

from datetime import datetime

from exchange.calls.refusals import REFUSALS
from tests.hotpath.partner import Reply

SECRET_OF_THE_PERSON = "张三丰"


def check_refused(reply: Reply, code: str) -> None:
    """Assert the error body of a code, and that nothing of the data left."""
    assert (reply.code, reply.status) == (code, REFUSALS[code].status)
    assert reply.json.keys() == {"code", "message", "details", "request_id"}
    assert reply.json["message"]
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]
    assert SECRET_OF_THE_PERSON not in reply.body.decode()


def now() -> datetime:
    return datetime.now().astimezone()
