"""Whose files they are (文件查阅权限): people of the issuing department and the data centre's reviewers open files and make copies.

Holders open their own on their own pages; whoever has the link of a copy fetches that copy.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import NotFound
from core.roles import Role
from licenses.models import License


def files_visible_to(actor: Actor) -> QuerySet[License]:
    """Return the licenses whose files the actor may open."""
    rows = License.objects.select_related("type_version", "issuer")
    if actor.is_data_centre and actor.has(Role.REVIEWER):
        return rows
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return rows.none()
    return rows.filter(issuer_id=actor.department_id)


def get_visible(uid: UUID, actor: Actor) -> License:
    """Return a license whose files the actor may open, or raise NotFound."""
    found = files_visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound("license.not_found", _("没有这份证照，或您无权查看。"))
    return found
