"""Departments (部门): list for the three administrators, set up and changed by the system administrator."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core import departments as rules
from core.errors import Conflict, Invalid
from core.keyset import page
from core.models import Department
from core.roles import Role
from core.submissions import digest_of, once
from portal.actor import actor, roles_required
from portal.people.forms import DepartmentFilter, DepartmentForm, DissolveForm, NewDepartmentForm

ADMINISTRATORS = (Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR)


@require_GET
@roles_required(*ADMINISTRATORS)
def departments(request: HttpRequest) -> HttpResponse:
    """The departments there are and were."""
    form = DepartmentFilter(request.GET)
    rows = Department.objects.select_related("region", "successor")
    text = form.chosen().get("q")
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(short_name__icontains=text) | Q(code=text))
    found = page(rows, order=("id",), cursor=request.GET.get("after", ""), size=50)
    return render(request, "portal/people/departments.html", {"form": form, "page": found, "may_edit": may_edit(request)})


@require_http_methods(["GET", "POST"])
@roles_required(Role.SYSTEM_ADMINISTRATOR)
def create(request: HttpRequest) -> HttpResponse:
    """Set up a department."""
    form = NewDepartmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in ("code", "name", "short_name")}
        values["region_code"] = form.cleaned_data["region"].code
        acting = actor(request)
        try:
            once(
                owner=f"user:{acting.user_id}",
                token=form.cleaned_data["submission"],
                digest=digest_of(values),
                make=lambda: str(rules.create_department(actor=acting, now=timezone.now(), **values).uid),
            )
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("部门已新建，现在可以为它新建用户。"))
            return redirect("portal:department-list")
    return render(request, "portal/people/form.html", {"form": form, "heading": _("新建部门")}, status=form.status)


@require_http_methods(["GET", "POST"])
@roles_required(Role.SYSTEM_ADMINISTRATOR)
def change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Rename a department or move it to another region."""
    department = department_or_404(uid)
    form = DepartmentForm(request.POST or None, initial=initial_of(department))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            rules.change_department(
                actor=actor(request),
                uid=uid,
                revision=given["revision"],
                name=given["name"],
                short_name=given["short_name"],
                region_code=given["region"].code,
                now=timezone.now(),
            )
        except Invalid as error:
            form.add_domain_error(error)
        except Conflict as error:
            form.overtake(error, initial_of(department_or_404(uid)))
        else:
            messages.success(request, _("部门信息已修改。"))
            return redirect("portal:department-list")
    context = {"form": form, "heading": department.name, "department": department}
    return render(request, "portal/people/form.html", context, status=form.status)


def initial_of(department: Department) -> dict[str, object]:
    """Return a department as its form shows it."""
    values = {name: getattr(department, name) for name in ("name", "short_name", "revision")}
    return values | {"region": department.region.code}


@require_http_methods(["GET", "POST"])
@roles_required(Role.SYSTEM_ADMINISTRATOR)
def dissolve(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Dissolve a department in favour of another."""
    department = department_or_404(uid)
    form = DissolveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            rules.dissolve_department(
                actor=actor(request),
                uid=uid,
                successor_uid=form.cleaned_data["successor"].uid,
                on=form.cleaned_data["on"],
                now=timezone.now(),
            )
        except Invalid as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("部门已撤销，其历史记录保持不变。"))
            return redirect("portal:department-list")
    context = {"form": form, "heading": _("撤销部门：%(name)s") % {"name": department.name}}
    return render(request, "portal/people/form.html", context, status=422 if form.errors else 200)


def department_or_404(uid: UUID) -> Department:
    """Return a department there is now."""
    department = Department.objects.select_related("region").filter(uid=uid, valid_to=None).first()
    if department is None:
        raise Http404
    return department


def may_edit(request: HttpRequest) -> bool:
    """Return whether this person keeps departments and users."""
    return actor(request).has(Role.SYSTEM_ADMINISTRATOR)
