"""Policy: a department may follow changes instead of copying again and again, and holds only what it was granted."""

from __future__ import annotations

from django.db import connection

from basedb.models import Person
from exchange.calls import registry
from exchange.models import Grant
from tests.hotpath.jobs import Mirror, changes
from tests.hotpath.partner import make_person
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]


def test_consumer_follows_changes(scene: Scene) -> None:
    grant = scene.grant(mode="SUBSCRIBE", fields=["name", "address"], masks={}, region_prefix="320102")
    mirror = Mirror(scene.partner, grant)
    mirror.follow()
    assert [row["name"] for row in mirror.rows.values()] == ["张三丰"]

    newcomer = make_person(scene.city.police, 301, name="新落户")
    mirror.follow()
    assert sorted(row["name"] for row in mirror.rows.values()) == ["张三丰", "新落户"]

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE basedb_person SET region_code = '320104', changed_xid = pg_current_xact_id() WHERE id = %s", [newcomer.pk]
        )
    mirror.follow()
    assert [row["name"] for row in mirror.rows.values()] == ["张三丰"]
    assert Person.objects.count() == 3

    Grant.objects.filter(pk=grant.pk).update(fields=["name"], version=2)  # narrowed: what is held has to be taken anew
    registry.grants.forget()
    assert changes(scene.partner, grant, mirror.after).code == "feed.terms_changed"
    anew = Mirror(scene.partner, grant)
    anew.follow()
    assert list(anew.rows.values()) == [{"name": "张三丰"}]
