"""Two connections submit the same form at the same moment: one makes, the other finds."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from core.models import Region, Submission
from core.submissions import digest_of, once


@pytest.mark.django_db(transaction=True)
def test_simultaneous_submits_make_one_thing() -> None:
    barrier = Barrier(8)

    def submit(_number: int) -> tuple[str, bool]:
        barrier.wait()
        try:
            return once(
                owner="user:1",
                token="t",
                digest=digest_of({"a": 1}),
                make=lambda: str(Region.objects.create(code="99", name="x", level="CITY").uid),
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submit, range(8)))
    assert len({uid for uid, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    assert Region.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_failed_make_frees_the_token() -> None:
    def fail() -> str:
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        once(owner="user:1", token="t", digest=b"0" * 32, make=fail)
    assert not Submission.objects.exists()
    assert once(owner="user:1", token="t", digest=b"0" * 32, make=lambda: "done") == ("done", True)
