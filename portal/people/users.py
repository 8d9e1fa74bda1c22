"""Users (用户): kept by the system administrator, appointed and unlocked by the security administrator, seen by the auditor."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import accounts
from core.errors import Conflict, Invalid
from core.keyset import page
from core.models import User
from core.roles import Role
from core.submissions import digest_of, once
from portal.actor import actor, roles_required
from portal.people.departments import ADMINISTRATORS, may_edit
from portal.people.forms import NewUserForm, RolesForm, UserFilter, UserForm

OWN_FIELDS = ("display_name", "is_contractor", "is_active", "revision")


@require_GET
@roles_required(*ADMINISTRATORS)
def users(request: HttpRequest) -> HttpResponse:
    """All accounts with their roles."""
    form = UserFilter(request.GET)
    chosen = form.chosen()
    rows = User.objects.select_related("department").prefetch_related("role_assignments")
    if chosen.get("q"):
        rows = rows.filter(Q(username__icontains=chosen["q"]) | Q(display_name__icontains=chosen["q"]))
    if chosen.get("department"):
        rows = rows.filter(department=chosen["department"])
    if chosen.get("role"):
        rows = rows.filter(role_assignments__role=chosen["role"])
    found = page(rows, order=("id",), cursor=request.GET.get("after", ""), size=50)
    return render(request, "portal/people/users.html", {"form": form, "page": found, "may_edit": may_edit(request)})


@never_cache
@require_http_methods(["GET", "POST"])
@roles_required(Role.SYSTEM_ADMINISTRATOR)
def create(request: HttpRequest) -> HttpResponse:
    """Create a user; the temporary password is shown once, on the page that answers."""
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        values = {name: given[name] for name in ("username", "display_name", "is_contractor")}
        values["department_uid"] = given["department"].uid
        acting = actor(request)
        shown: list[str] = []

        def make() -> str:
            made = accounts.create_user(actor=acting, now=timezone.now(), **values)
            shown.append(made.password)
            return str(made.user.uid)

        try:
            uid, _is_new = once(owner=f"user:{acting.user_id}", token=given["submission"], digest=digest_of(values), make=make)
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            return show_once(request, user_or_404(UUID(uid)), shown[0] if shown else "")
    return render(request, "portal/people/form.html", {"form": form, "heading": _("新建用户")}, status=form.status)


def show_once(request: HttpRequest, user: User, password: str) -> HttpResponse:
    """Show a temporary password; a repeated submit has none to show any more."""
    return render(request, "portal/people/password_once.html", {"person": user, "password": password})


@require_GET
@roles_required(*ADMINISTRATORS)
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One account: who, where, which roles; buttons by the reader's own role."""
    person = user_or_404(uid)
    return render(request, "portal/people/user.html", detail_context(request, person))


def detail_context(request: HttpRequest, person: User, form: RolesForm | None = None) -> dict[str, object]:
    """Return what the account page shows."""
    held = list(person.role_assignments.values_list("role", flat=True))
    return {
        "person": person,
        "roles": [Role(role).label for role in sorted(held)],
        "may_edit": may_edit(request),
        "may_appoint": actor(request).has(Role.SECURITY_ADMINISTRATOR) and person.pk != actor(request).user_id,
        "form": form or RolesForm(initial={"roles": held, "revision": person.revision}),
    }


@require_http_methods(["GET", "POST"])
@roles_required(Role.SYSTEM_ADMINISTRATOR)
def change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change name, department or whether the account is open."""
    person = user_or_404(uid)
    form = UserForm(request.POST or None, initial=initial_of(person))
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in OWN_FIELDS}
        try:
            changed = accounts.change_user(
                actor=actor(request),
                uid=uid,
                department_uid=form.cleaned_data["department"].uid,
                now=timezone.now(),
                **given,
            )
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            form.overtake(error, initial_of(user_or_404(uid)))
        else:
            has_moved = changed.department_id != person.department_id
            moved = _("用户信息已修改。调动部门后需由安全管理员重新任命角色。")
            messages.success(request, moved if has_moved else _("用户信息已修改。"))
            return redirect("portal:user-detail", uid=uid)
    context = {"form": form, "heading": person.display_name}
    return render(request, "portal/people/form.html", context, status=form.status)


def initial_of(person: User) -> dict[str, object]:
    """Return an account as its form shows it."""
    return {name: getattr(person, name) for name in OWN_FIELDS} | {"department": person.department.uid}


@require_POST
@roles_required(Role.SECURITY_ADMINISTRATOR)
def appoint(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Set the roles of a user."""
    person = user_or_404(uid)
    form = RolesForm(request.POST)
    if form.is_valid():
        given = {"revision": form.cleaned_data["revision"], "roles": frozenset(form.cleaned_data["roles"])}
        try:
            accounts.appoint(actor=actor(request), uid=uid, now=timezone.now(), **given)
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            person = user_or_404(uid)
            held = sorted(person.role_assignments.values_list("role", flat=True))
            form.overtake(error, {"roles": held, "revision": person.revision})
        else:
            messages.success(request, _("角色已任命，立即生效。"))
            return redirect("portal:user-detail", uid=uid)
    return render(request, "portal/people/user.html", detail_context(request, person, form), status=form.status)


@never_cache
@require_POST
@roles_required(Role.SECURITY_ADMINISTRATOR)
def reset_password(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give a new temporary password and show it once."""
    made = accounts.reset_password(actor=actor(request), uid=uid, now=timezone.now())
    return show_once(request, made.user, made.password)


@require_POST
@roles_required(Role.SECURITY_ADMINISTRATOR)
def unlock(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Open a lock-out."""
    accounts.unlock(actor=actor(request), uid=uid, now=timezone.now())
    messages.success(request, _("账户已解锁，可以重新登录。"))
    return redirect("portal:user-detail", uid=uid)


def user_or_404(uid: UUID) -> User:
    """Return a user."""
    person = User.objects.select_related("department").filter(uid=uid).first()
    if person is None:
        raise Http404
    return person
