"""Reading the catalogue: who sees which entries, and whose desk an entry lies on. Invisible is not found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.workflow import DESKS, Party, State
from core.errors import NotFound
from core.roles import Role

if TYPE_CHECKING:
    from catalog.models import Resource
    from core.audit import Actor


def reviews_for_the_centre(actor: Actor) -> bool:
    """Return whether the actor sits at the data centre's review desk."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


class ResourceQuerySet(models.QuerySet["Resource"]):
    """Entries of the catalogue."""

    def visible_to(self, actor: Actor) -> Self:
        """Published entries for everybody, all of them for the own department and the data centre's reviewers."""
        if reviews_for_the_centre(actor):
            return self.all()
        return self.filter(Q(state=State.PUBLISHED) | Q(provider_id=actor.department_id))

    def published(self) -> Self:
        """What the catalogue shows and search finds."""
        return self.filter(state=State.PUBLISHED)

    def requestable(self) -> Self:
        """Published entries somebody may ask for (Order 809 art. 14: withheld data is listed, not given)."""
        return self.published().exclude(share_attribute="WITHHELD")

    def for_update(self) -> Self:
        """Lock the entries in the order of their ids; a change and its original are always locked original first."""
        return self.order_by("id").select_for_update(of=("self",))

    def get_visible(self, uid: UUID | str, actor: Actor) -> Resource:
        """Return the entry; NotFound when there is none the actor may see."""
        try:
            return self.visible_to(actor).get(uid=uid)
        except (self.model.DoesNotExist, ValidationError) as error:
            raise not_found() from error

    def waiting_for(self, actor: Actor) -> Self:
        """Return the entries that lie on the actor's desk, the most urgent first."""
        mine = Q(pk__in=[])
        at = {party: state for state, party in DESKS.items()}
        if actor.has(Role.OPERATOR):
            mine |= Q(state=at[Party.PROVIDER_OPERATOR], provider_id=actor.department_id)
        if actor.has(Role.HEAD):
            mine |= Q(state=at[Party.PROVIDER_HEAD], provider_id=actor.department_id)
        if reviews_for_the_centre(actor):
            mine |= Q(state=at[Party.DATA_CENTRE])
        return self.filter(mine).order_by(models.F("due_at").asc(nulls_last=True), "id")


def not_found(**details: Any) -> NotFound:
    """Return the one answer for entries that do not exist and for those that may not be seen."""
    return NotFound("resource.not_found", _("没有这条目录，或您无权查看。"), details)
