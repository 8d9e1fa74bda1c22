"""The pages of bulk jobs, of both sides, and the pages a subscription appears on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from exchange.models import BulkJob
from tests import factories
from tests.factories import City
from tests.house.permission_table.bulk_jobs import things

pytestmark = pytest.mark.django_db


def test_job_shows_digests_and_is_cancelled_once(city: City, client: Client) -> None:
    made = things(city)
    client.force_login(city.people["education_operator"])
    page = client.get(reverse("portal:bulk-detail", args=[made["bulk_job"]]))
    assert "SM3" in page.content.decode()
    assert reverse("portal:bulk-list", args=[made["bulk_grant"]]) in page.content.decode()
    assert client.get(reverse("portal:bulk-list", args=[made["bulk_grant"]])).status_code == 200
    cancel = reverse("portal:bulk-cancel", args=[made["bulk_job"]])
    assert client.post(cancel).status_code == 302
    assert BulkJob.objects.get(uid=made["bulk_job"]).state == "CANCELLED"
    assert client.post(cancel).status_code == 409
    client.force_login(city.people["market_operator"])
    assert client.get(reverse("portal:bulk-detail", args=[made["bulk_job"]])).status_code == 404


def test_subscription_is_asked_for_and_shown_like_any_way_of_sharing(city: City, client: Client) -> None:
    resource = factories.make_resource(city.police, sharing_modes=["SUBSCRIBE"])
    system = factories.make_system(city.education)
    client.force_login(city.people["education_operator"])
    asked = client.get(reverse("portal:request-new", args=[resource.uid]))
    assert "变更订阅" in asked.content.decode()
    grant = factories.make_grant(resource, system, city.people["education_operator"], mode="SUBSCRIBE")
    shown = client.get(reverse("portal:grant-detail", args=[grant.uid])).content.decode()
    assert f"/openapi/v1/calls/{grant.uid}/subscribe" in shown
