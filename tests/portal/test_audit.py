"""The audit trail: who sees what, the filters, the export, and that looking leaves a trace."""

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from basedb.dictionary import DATASETS
from core import audit
from core.audit import PLATFORM
from core.models import AuditEntry
from exchange.models import AggregationRun
from portal.audit.codes import CODES
from portal.audit.details import DETAILS
from portal.audit.words import detail_title, words_of
from tests.factories import City, make_resource


@pytest.fixture
def trail(city: City, now: datetime) -> City:
    """An entry each of the police, the market regulation and the data centre."""
    resource = make_resource(city.police)
    audit.record(city.actor("police_head"), "resource.endorsed", resource, at=now, department_ids=[city.police.pk])
    audit.record(city.actor("market_head"), "system.registered", None, at=now, department_ids=[city.market.pk])
    audit.record(city.actor("reviewer"), "resource.published", resource, at=now, department_ids=[city.police.pk])
    return city


def read(client: Client, city: City, name: str, **query: str) -> str:
    client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("portal:audit-list"), query)
    assert answer.status_code == 200
    body = answer.content.decode().partition("<tbody>")[2]
    return body.partition("</tbody>")[0]


def test_auditor_sees_everything_and_a_department_its_own(client: Client, trail: City) -> None:
    everything = read(client, trail, "auditor")
    assert "resource.endorsed" in everything
    assert "system.registered" in everything
    police = read(client, trail, "police_operator")
    assert "resource.published" in police
    assert "system.registered" not in police


def test_page_asks_once_for_the_actions_to_choose_from(client: Client, trail: City, now: datetime) -> None:
    for number in range(40):
        audit.record(trail.actor("police_head"), f"example{number:02d}.done", None, at=now, department_ids=[trail.police.pk])
    client.force_login(trail.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse("portal:audit-list"))
    assert len(queries) < 20
    chosen = [value for value, _title in page.context["form"].fields["action"].choices]
    assert chosen[0] == ""
    assert chosen[1:] == sorted({*(f"example{number:02d}.done" for number in range(40)), "resource.endorsed",
                                 "resource.published", "system.registered"})  # fmt: skip


def test_reviewer_sees_what_the_centre_decided(client: Client, trail: City) -> None:
    seen = read(client, trail, "reviewer")
    assert "resource.published" in seen
    assert "resource.endorsed" not in seen


@pytest.mark.parametrize("name", ["system_admin", "security_admin"])
def test_other_administrators_are_kept_out(client: Client, trail: City, name: str) -> None:
    client.force_login(trail.people[name], backend="django.contrib.auth.backends.ModelBackend")
    for page in ("portal:audit-list", "portal:audit-export"):
        assert client.get(reverse(page)).status_code == 403


def test_reading_and_exporting_are_audited(client: Client, trail: City) -> None:
    read(client, trail, "auditor", action="resource.published")
    entry = AuditEntry.objects.get(action="audit.read")
    assert entry.actor_name == "auditor"
    assert entry.detail["filters"] == {"action": "resource.published"}
    answer = client.get(reverse("portal:audit-export"), {"department": "市公安局"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "resource.endorsed" in text
    assert "system.registered" not in text
    assert AuditEntry.objects.get(action="audit.exported").detail["row_count"] == 1


def test_filters_limit_and_bad_filters_are_refused(client: Client, trail: City) -> None:
    assert "resource.endorsed" not in read(client, trail, "auditor", actor="market")
    assert "system.registered" not in read(client, trail, "auditor", until="2000-01-01")
    for query in ({"since": "yesterday"}, {"actor": "x" * 61}, {"nonsense": "1"}, {"actor": "a\x00b"}):
        assert client.get(reverse("portal:audit-list"), query).status_code == 422
        assert client.get(reverse("portal:audit-export"), query).status_code == 422
    assert client.get(reverse("portal:audit-list"), {"after": "!!"}).status_code == 422


def test_pages_follow_each_other_without_gaps(client: Client, city: City, now: datetime) -> None:
    for number in range(120):
        audit.record(city.actor("reviewer"), "probe.made", None, at=now, number=number)
    client.force_login(city.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    seen, after = [], ""
    while True:
        page = client.get(reverse("portal:audit-list"), {"action": "probe.made", "after": after}).context["page"]
        seen += [entry.detail["number"] for entry in page.items]
        after = page.next
        if not after:
            break
    assert seen == list(reversed(range(120)))


def test_formulas_in_the_export_are_disarmed(client: Client, city: City, now: datetime) -> None:
    city.police.name = "=1+1"
    audit.record(city.actor("auditor"), "probe.made", city.police, at=now)
    client.force_login(city.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("portal:audit-export"), {"action": "probe.made"})
    assert "'=1+1" in b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_an_export_says_details_in_words(client: Client, city: City, now: datetime) -> None:
    person = city.people["police_operator"]
    audit.record(city.actor("security_admin"), "role.appointed", person, at=now, added=["HEAD"], removed=[])
    client.force_login(city.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    text = b"".join(client.get(reverse("portal:audit-export")).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "增加=部门负责人" in text


def test_a_detail_is_called_as_its_object_calls_it() -> None:
    assert detail_title("kind", "issuingdraft") == "办理类型"
    assert detail_title("kind") == "类型"
    assert detail_title("revision", "grant") == DETAILS["revision"]  # a column nobody named


@pytest.mark.parametrize(("noun", "name"), CODES)
def test_a_code_is_shown_by_its_label(noun: str, name: str) -> None:
    for code, label in CODES[noun, name]:
        value = {code: 2} if name == "states" else code
        [shown] = words_of("", {name: value}, f"{noun}.done").values()
        assert shown == ({str(label): 2} if name == "states" else str(label))
        [elsewhere] = words_of("", {name: value}, "probe.made").values()
        assert elsewhere == value, "the same code means nothing where it was not given a meaning"


def test_a_dataset_is_shown_by_its_title_and_a_stranger_stays_as_it_is() -> None:
    title = str(DATASETS["population.person"].title)
    told = words_of("", {"dataset": "population.person", "section": "attempts"}, "dossier.read")
    assert list(told.values()) == [title, "attempts"]


def test_the_trail_says_what_a_review_found(client: Client, city: City, now: datetime) -> None:
    audit.record(city.actor("reviewer"), "break_glass.reviewed", None, at=now, verdict="UNJUSTIFIED", side="DATA_CENTRE")
    client.force_login(city.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("portal:audit-list")).content.decode()
    assert "结论=不正当" in page
    assert "岗位方=数据中心" in page


def test_an_object_without_a_name_is_told_by_its_number(now: datetime) -> None:
    entry = audit.entry(PLATFORM, "aggregation_run.queued", AggregationRun(pk=49), at=now, detail={})
    assert entry.object_title == "#49"
