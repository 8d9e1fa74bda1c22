"""What other catalogues harvest of ours (目录采集): the published entries as everybody may see them, oldest entry first.

Only columns the catalogue shows to all are read: no assessments, no drafts, and of a mounting only since when it stands.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce, Greatest

from catalog.models import DataItem, Resource, ResourceVersion
from catalog.querysets import ResourceQuerySet
from core.models import Department

ORDER = ("id",)  # an entry published anew keeps its place, so that no walk meets it twice
_SHOWN = (
    "uid",
    "code",
    "title",
    "summary",
    "keywords",
    "classification",
    "update_cycle",
    "share_attribute",
    "share_conditions",
    "withheld_basis",
    "published_at",
    "provider__uid",
    "provider__code",
    "provider__name",
    "region__code",
    "region__name",
)
_ITEM_SHOWN = ("resource_id", "position", "name", "title", "data_type", "is_key", "is_withheld", "standard")


def published(since: datetime | None = None) -> ResourceQuerySet:
    """Return the published entries, or those published or mounted anew at or after a moment.

    Each row also has `issued_at` (first publication), `modified_at` (last publication or mounting) and `mounted_at` (or None).
    """
    first = ResourceVersion.objects.filter(resource=OuterRef("pk")).order_by("version").values("published_at")[:1]
    rows = Resource.objects.published().annotate(
        issued_at=Coalesce(Subquery(first), "published_at"),
        modified_at=Greatest("published_at", "binding__mounted_at"),
        mounted_at=F("binding__mounted_at"),
    )
    return rows.filter(modified_at__gte=since) if since else rows


def shown(rows: ResourceQuerySet) -> ResourceQuerySet:
    """Return the same rows with all a catalogue shows of them; two queries, however many rows."""
    items = Prefetch("items", DataItem.objects.only(*_ITEM_SHOWN))
    return rows.select_related("provider", "region").only(*_SHOWN).prefetch_related(items)


def publisher() -> Department | None:
    """Return the authority that publishes the catalogue (数据主管部门)."""
    return Department.objects.filter(is_data_centre=True, valid_to=None).order_by("region__code", "id").first()
