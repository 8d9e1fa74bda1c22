"""Reading the type catalogue (查阅证照目录): who sees which version, which one is in force on a day, one line a type."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import NotFound
from core.roles import Role
from licenses.models import TypeState, TypeVersion

STANDINGS = ("LAID_OUT", "LISTED", "DRAFT", "RETIRED")


def visible_to(actor: Actor) -> QuerySet[TypeVersion]:
    """Published and retired versions are every signed-in person's; drafts the department's, the data centre's and the auditor's."""
    rows = TypeVersion.objects.select_related("department")
    if actor.has(Role.AUDIT_ADMINISTRATOR) or (actor.is_data_centre and actor.has(Role.REVIEWER)):
        return rows
    return rows.filter(~Q(state=TypeState.DRAFT) | Q(department_id=actor.department_id))


def get_visible(uid: UUID, actor: Actor) -> TypeVersion:
    """Return a version the actor may see, or raise NotFound."""
    found = visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise not_found()
    return found


def not_found() -> NotFound:
    """A type or version that does not exist and one that may not be seen are told alike."""
    return NotFound("license_type.not_found", _("没有这个证照类型或版本，或您无权查看。"))


def in_force(code: str, on: date) -> TypeVersion:
    """Return the version of a type in force on a day; a type nobody published, or retired by then, raises NotFound."""
    found = find_in_force(code, on)
    if found is None:
        text = _("证照类型 %(code)s 在 %(day)s 没有施行的版本，请核对类型代码或先发布该类型。")
        raise NotFound("license_type.not_in_force", text % {"code": code[:21], "day": on.isoformat()})
    return found


def find_in_force(code: str, on: date) -> TypeVersion | None:
    """Return the version of a type in force on a day, or None."""
    return TypeVersion.objects.select_related("department").filter(code=code, effective__contains=on).first()


def versions_of(code: str, actor: Actor) -> list[TypeVersion]:
    """Return the versions of a type the actor may see, the newest first; none raises NotFound."""
    found = list(visible_to(actor).filter(code=code).select_related("created_by", "published_by", "revised_by").order_by("-number"))
    if not found:
        raise not_found()
    return found


def latest_of(versions: list[TypeVersion], today: date) -> TypeVersion:
    """Return the version a type's page shows: the one in force, else the newest published one, else the draft."""
    in_force_now = [version for version in versions if version.effective and today in version.effective]
    published = [version for version in versions if version.state != TypeState.DRAFT]
    return (in_force_now or published or versions)[0]


def catalogue(actor: Actor, today: date) -> QuerySet[TypeVersion]:
    """Return one version for each type the actor may see, the one its page shows; `has_draft` says a draft waits beside it."""
    seen = visible_to(actor)
    rank = Case(
        When(effective__contains=today, then=Value(0)),
        When(~Q(state=TypeState.DRAFT), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    chosen = seen.filter(code=OuterRef("code")).order_by(rank, "-number").values("pk")[:1]
    draft = seen.filter(code=OuterRef("code"), state=TypeState.DRAFT)
    return seen.filter(pk=Subquery(chosen)).annotate(has_draft=Exists(draft))


def of_standing(rows: QuerySet[TypeVersion], standing: str) -> QuerySet[TypeVersion]:
    """Keep the types that can be issued, are only listed, are being drafted, or are retired."""
    conditions = {
        "LAID_OUT": Q(state=TypeState.PUBLISHED) & ~Q(rulebook=[]),
        "LISTED": Q(state=TypeState.PUBLISHED, rulebook=[]),
        "DRAFT": Q(has_draft=True),
        "RETIRED": Q(state=TypeState.RETIRED),
    }
    return rows.filter(conditions[standing])


def searched(rows: QuerySet[TypeVersion], words: str) -> QuerySet[TypeVersion]:
    """Keep the types whose name, code or defining body has every word."""
    for word in words.split():
        rows = rows.filter(Q(name__icontains=word) | Q(code__icontains=word) | Q(defining_body__icontains=word))
    return rows
