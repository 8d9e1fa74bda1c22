"""Policy: one basket of three providers comes back as one page; each part goes its own way."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.test import Client
from django.urls import reverse

from exchange.models import Grant
from exchange.requests.access_requests import carry_out
from exchange.requests.baskets import Ask, endorse_all, parts_of, submit
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command
from tests import factories
from tests.factories import City


def test_one_basket_of_three_providers_comes_back_as_one_page(city: City, client: Client, now: datetime) -> None:
    population = factories.make_resource(city.police, title="户籍人口", base_database="POPULATION")
    companies = factories.make_resource(city.market, title="企业登记")
    dwellings = factories.make_resource(city.centre, title="住房登记", base_database="POPULATION")
    system = factories.make_system(city.education)
    terms = Terms(
        system=str(system.uid), mode="QUERY", fields=("name", "sex"), purpose="入学资格核验", legal_basis="《义务教育法》第九条",
        scenario="小学入学报名", term_from=now.date(), term_to=now.date() + timedelta(days=30),
    )  # fmt: skip
    clerk, head = city.actor("education_operator"), city.actor("education_head")
    asks = [Ask(resource.uid, terms) for resource in (population, companies, dwellings)]
    bundle = submit(asks=asks, actor=clerk, now=now)
    seen = {part.uid: part.revision for part in parts_of(bundle, head)}
    assert [result.error for result in endorse_all(bundle_uid=bundle.uid, seen=seen, actor=head, now=now)] == ["", "", ""]

    people, firms, homes = parts_of(bundle, clerk)
    carry_out(request_uid=people.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)
    carry_out(request_uid=homes.uid, command=Command.REFUSE, actor=city.actor("reviewer"), now=now, reason="与目的无关")
    carry_out(request_uid=firms.uid, command=Command.CHECK, actor=city.actor("market_operator"), now=now, reason="同意")

    client.force_login(city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("portal:request-bundle", args=[bundle.uid])).content.decode()
    for shown in ("户籍人口", "企业登记", "住房登记", "已授权", "待提供方负责人", "与目的无关", "已办结 2 项，共 3 项"):
        assert shown in page
    assert str(Grant.objects.get().uid) in page
