"""What shared tables have in common: public id, origin, revision; and the transaction-id column type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Func

from core.ids import uuid7

if TYPE_CHECKING:
    IntegerLike = models.Field[int, int]
else:
    IntegerLike = models.Field


def this_node() -> str:
    """Return the code of this node of the federation (one database = one node)."""
    return str(settings.NODE_CODE)


class SharedObject(models.Model):
    """An object other nodes may copy: `uid` in URLs, `origin_node` + `origin_id` across nodes, `revision` counts changes."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    origin_node = models.CharField(max_length=12, default=this_node, editable=False)
    origin_id = models.CharField(max_length=64, blank=True, default="", editable=False)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class XidField(IntegerLike):
    """PostgreSQL `xid8`: the writing transaction. Feeds read below `pg_snapshot_xmin(pg_current_snapshot())`, never `id > last`."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else str(value)


class CurrentXid(Func):
    """`pg_current_xact_id()` as a database default."""

    function = "pg_current_xact_id"
    arity = 0
