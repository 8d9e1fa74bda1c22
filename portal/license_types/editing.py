"""The editor of a draft: its head, items, elements and page. Every change is one form; drawing it again saves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict, DomainError, Invalid
from core.roles import Role
from licenses.models import TypeState, TypeVersion
from licenses.types import layout as layouts
from licenses.types import publishing, reading
from licenses.types import rulebook as rulebooks
from licenses.types.arranging import arranged
from licenses.types.comparing import Content
from licenses.types.faults import Fault, refuse
from licenses.types.publishing import content_of
from portal.actor import actor, roles_required
from portal.care.pages import created, save
from portal.forms import RevisedForm
from portal.license_types import words
from portal.license_types.forms import ElementForm, FactsForm, ItemForm, MoveForm, NewTypeForm, PageForm

FORM = "portal/license_types/form.html"
Record = dict[str, Any]


@require_http_methods(["GET", "POST"])
@roles_required(Role.OPERATOR)
def new(request: HttpRequest) -> HttpResponse:
    """Draft a type nobody has entered yet."""
    form = NewTypeForm(request.POST or None, initial=words.blank_facts().to_json())

    def act() -> str:
        uid = created(request, form, lambda: publishing.draft(facts=form.facts(), actor=actor(request), now=timezone.now()))
        messages.success(request, _("草稿已建立，由本部门维护。接下来增加照面项目、排版，然后送审。"))
        return f"/license-types/versions/{uid}/"

    context = {
        "title": _("登记新的证照类型"),
        "back": "/license-types/",
        "button": _("建立草稿"),
        "lead": _("登记后由本部门维护：经办人编制，负责人发布。"),
    }
    return save(request, form, act, FORM, **context)


@require_http_methods(["GET", "POST"])
def facts(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change the head of a draft."""
    version = _draft(request, uid)
    content = content_of(version)
    form = FactsForm(request.POST or None, initial=content.facts.to_json() | {"revision": version.revision})

    def changed() -> Content:
        refuse("license_type.invalid", _("类型基本信息不符合要求，请按所列字段修改。"), form.facts().faults())
        return Content(form.facts(), content.rulebook, content.layout)

    def write(new: Content) -> None:
        _revise(request, version, form, facts=new.facts)

    return _edited(request, version, form, changed, write, title=_("基本信息"), anchor="facts")


@require_http_methods(["GET", "POST"])
def item(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add an item, or change the one `name` names."""
    version = _draft(request, uid)
    content = content_of(version)
    name = request.GET.get("name", "")
    known = content.rulebook.by_name.get(name)
    if name and known is None:
        raise reading.not_found()
    place = content.rulebook.items.index(known) if known else len(content.rulebook.items)
    initial = (ItemForm.values(known) if known else {}) | {"revision": version.revision}
    form = ItemForm(request.POST or None, initial=initial)

    def changed() -> Content:
        records = content.rulebook.to_json()
        records[place : place + 1] = [form.record()]
        book, faults = rulebooks.read(records)
        refuse("rulebook.invalid", _("照面项目不符合要求，请按所列字段修改。"), _local(faults))
        return Content(content.facts, book, _renamed(content.layout, name, form.record()["name"]))

    def write(new: Content) -> None:
        _revise(request, version, form, rulebook=new.rulebook.to_json(), layout=new.layout.to_json())

    title = _("照面项目：%(title)s") % {"title": known.title} if known else _("增加照面项目")
    return _edited(request, version, form, changed, write, title=title, anchor="items")


@require_http_methods(["GET", "POST"])
def element(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Add an element, or change the one at place `at`."""
    version = _draft(request, uid)
    content = content_of(version)
    elements, at = content.layout.elements, request.GET.get("at", "")
    if at and not (at.isascii() and at.isdigit() and len(at) < 5 and int(at) < len(elements)):
        raise reading.not_found()
    place = int(at) if at else len(elements)
    known = elements[place] if at else layouts.Element(layouts.ElementKind.ITEM, 20, 20, 60, 8)
    form = ElementForm(
        request.POST or None, initial=ElementForm.values(known) | {"revision": version.revision}, rulebook=content.rulebook
    )  # fmt: skip

    def changed() -> Content:
        record = content.layout.to_json()
        record["elements"][place : place + 1] = [form.record()]
        page, faults = layouts.read(record)
        refuse("layout.invalid", _("版式元素不符合要求，请按所列字段修改。"), _local(faults))
        return Content(content.facts, content.rulebook, page)

    def write(new: Content) -> None:
        _revise(request, version, form, layout=new.layout.to_json())

    title = _("版式元素 %(number)d") % {"number": place + 1} if at else _("增加版式元素")
    return _edited(request, version, form, changed, write, title=title, anchor="layout", highlighted=place)


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change the size and color of the page."""
    version = _draft(request, uid)
    content = content_of(version)
    form = PageForm(request.POST or None, initial=PageForm.values(content.layout) | {"revision": version.revision})

    def changed() -> Content:
        return Content(content.facts, content.rulebook, layouts.Layout.of(content.layout.to_json() | form.record()))

    def write(new: Content) -> None:
        _revise(request, version, form, layout=new.layout.to_json())

    return _edited(request, version, form, changed, write, title=_("页面"), anchor="layout")


@require_POST
def arrange(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Carry out a button of the editor: move or remove an item or element, copy an element, lay the page out anew."""
    version = _draft(request, uid)
    form = MoveForm(request.POST)
    if not form.is_valid():
        raise Invalid("license_type.move_invalid", _("没有这种操作，内容没有保存。请使用页面上的按钮。"), dict(form.errors))
    content = content_of(version)
    what, _sign, rest = request.POST.get("do", "").partition(":")
    thing, _dash, verb = what.partition("-")
    if (thing, verb) == ("layout", "auto"):
        _revise(request, version, form, layout=arranged(content.facts.name, content.rulebook).to_json())
    else:
        records = {"item": content.rulebook.to_json(), "element": content.layout.to_json()["elements"]}.get(thing)
        if records is None or not (rest.isascii() and rest.isdigit() and len(rest) < 5 and int(rest) < len(records)):
            raise Invalid("license_type.move_invalid", _("没有这种操作，内容没有保存。请使用页面上的按钮。"))
        moved = _moved(records, verb, int(rest))
        given = {"rulebook": moved} if thing == "item" else {"layout": content.layout.to_json() | {"elements": moved}}
        _revise(request, version, form, **given)
    return redirect(f"{_editor(version)}#{'items' if thing == 'item' else 'layout'}")


def _moved(records: list[Record], verb: str, place: int) -> list[Record]:
    taken = records[place]
    rest = records[:place] + records[place + 1 :]
    match verb:
        case "up":
            return [*rest[: max(0, place - 1)], taken, *rest[max(0, place - 1) :]]
        case "down":
            return [*rest[: place + 1], taken, *rest[place + 1 :]]
        case "remove":
            return rest
        case "copy":
            return [*records[: place + 1], taken | {"y": round(taken.get("y", 0) + 5, 2)}, *records[place + 1 :]]
    raise Invalid("license_type.move_invalid", _("没有这种操作，内容没有保存。请使用页面上的按钮。"))


def _edited(
    request: HttpRequest,
    version: TypeVersion,
    form: RevisedForm,
    changed: Callable[[], Content],
    write: Callable[[Content], None],
    *,
    title: str,
    anchor: str,
    highlighted: int | None = None,
) -> HttpResponse:
    """Save a part of a draft, or draw what it would look like; over htmx only the drawing is answered."""
    content, is_live = content_of(version), bool(getattr(request, "htmx", False))
    if request.method == "POST" and form.is_valid():
        try:
            content = changed()
            if form.pressed == "save" and not is_live:
                write(content)
                messages.success(request, _("已保存。全部改好后请送审。"))
                return redirect(f"{_editor(version)}#{anchor}")
        except DomainError as error:
            if error.code == "license_type.stale":
                form.overtake(error, form.initial)
            elif error.status != 422:
                raise
            else:
                form.add_domain_error(error)
    context = {
        "form": form,
        "title": title,
        "version": version,
        "drawing": words.drawing(content, version.department.name, highlighted=highlighted),
    }
    if is_live:
        return render(request, "portal/license_types/_preview.html", context)
    return render(request, "portal/license_types/part.html", context, status=form.status)


def _revise(request: HttpRequest, version: TypeVersion, form: RevisedForm, **given: Any) -> None:
    revision = form.cleaned_data["revision"]
    publishing.revise(uid=version.uid, revision=revision, actor=actor(request), now=timezone.now(), **given)


def _draft(request: HttpRequest, uid: UUID) -> TypeVersion:
    version = reading.get_visible(uid, actor(request))
    publishing.require_keeper(actor(request), Role.OPERATOR, version)
    if version.state != TypeState.DRAFT:
        raise Conflict("license_type.not_draft", _("这个版本已经发布，内容不能再改；修改请编制新版本。"))
    return version


def _local(faults: list[Fault]) -> list[Fault]:
    """Return faults under the names of the form's fields; of two items of one name the later one is told, whichever is edited."""
    return [Fault(fault.field.rpartition("].")[2], fault.code, fault.message) for fault in faults]


def _renamed(layout: layouts.Layout, old: str, new: str) -> layouts.Layout:
    """Let the layout follow an item whose name changed."""
    if not old or old == new:
        return layout
    record = layout.to_json()
    record["elements"] = [one | {"item": new} if one.get("item") == old else one for one in record["elements"]]
    return layouts.Layout.of(record)


def _editor(version: TypeVersion) -> str:
    return f"/license-types/versions/{version.uid}/"
