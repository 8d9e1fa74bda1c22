"""Who may look into a dossier and how far (档案查看权限): pure, denied by default.

The data centre's reviewers and head see every source, departments what they themselves delivered, nobody else anything.
Values of grades L3 and L4 are masked for all but reviewers who compare sources and departments with their own deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.dictionary import ENTERPRISE, PERSON, Dataset, DataType, Field, Grade
from basedb.masking import HIDDEN_TEXT, Mask, mask_value
from basedb.wording import worded
from core.audit import Actor
from core.errors import Forbidden
from core.roles import Role

SENSITIVE: Final = (Grade.L3, Grade.L4)


class DossierKind(StrEnum):
    """Of whom a dossier is."""

    PERSON = "PERSON"
    ENTERPRISE = "ENTERPRISE"

    @property
    def master(self) -> Dataset:
        """The dataset its identity comes from."""
        return PERSON if self is DossierKind.PERSON else ENTERPRISE


class Reason(TextChoices):
    """What a dossier is opened for; the subject is told of it."""

    COMPARISON = "COMPARISON", gettext_lazy("核对数源、处理存疑与更正")
    MATTER = "MATTER", gettext_lazy("办理业务事项")
    SUPERVISION = "SUPERVISION", gettext_lazy("监督检查")


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why, and the number of the matter it is for."""

    reason: str
    matter: str


@dataclass(frozen=True, slots=True)
class View:
    """How far somebody sees: `department_id` None is every source, else only what that department delivered.

    `divisions` are the names of the divisions whose codes are to be shown, `items` those of the catalogue of credit information.
    """

    department_id: int | None
    is_plain: bool
    sees_candidates: bool
    sees_accesses: bool
    divisions: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)

    def covers(self, department_id: int) -> bool:
        """Return whether deliveries of a department are shown."""
        return self.department_id is None or self.department_id == department_id

    def show(self, field: Field, raw: str | None) -> str:
        """Return a value in standard writing as this view shows it."""
        if raw is None or field.data_type is DataType.SUBJECT:
            return ""
        if field.grade in SENSITIVE and not self.is_plain:
            mask = Mask.HIDDEN if field.mask is Mask.NONE else field.mask
            return mask_value(mask, raw) or HIDDEN_TEXT
        return worded(field, raw, self.divisions)

    def show_name(self, name: str | None) -> str:
        """Return the name of another person."""
        return name or "" if self.is_plain else mask_value(Mask.NAME, name) or ""


def view_of(actor: Actor, purpose: Purpose) -> View:
    """Return how far an actor sees for a purpose; Forbidden for those who see nothing."""
    if actor.is_data_centre and actor.has(Role.REVIEWER):
        return View(None, purpose.reason == Reason.COMPARISON, sees_candidates=True, sees_accesses=True)
    if actor.is_data_centre and actor.has(Role.HEAD):
        return View(None, is_plain=False, sees_candidates=False, sees_accesses=True)
    if not actor.is_data_centre and actor.department_id is not None and actor.has(Role.OPERATOR, Role.HEAD):
        return View(actor.department_id, is_plain=True, sees_candidates=False, sees_accesses=False)
    raise Forbidden("dossier.not_yours", _("档案仅限数据中心审核员、负责人和报送数据的部门查看；部门只能看到本部门报送的内容。"))
