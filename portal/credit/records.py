"""Credit records: the department's own list, the records of one subject, one record with its timeline."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from basedb.credit import catalog, lookup, records, standing, timeliness
from basedb.credit.records import DISPLAY_TITLES, KINDS
from basedb.credit.tiers import first_day_of_repair, tier_of
from basedb.dictionary import DATASETS, DataType
from basedb.dictionary.credit_fields import NATURAL_PERSON
from basedb.geography.divisions import names_of
from basedb.masking import Mask, mask_value
from basedb.models import CreditEvent, CreditObjection, CreditRepair
from basedb.models.credit import CreditRow
from basedb.wording import named, worded
from core.calendar import today_in_shanghai
from core.errors import NotFound
from core.keyset import page
from core.working_days import calendar
from exchange.subject_keys import subject_key_of
from portal.actor import actor, roles_required
from portal.care.pages import SEERS, save, words
from portal.credit.forms import DEFAULT_KIND, RecordFilter, RetractForm, SubjectForm
from portal.credit.words import event_title


@require_GET
@roles_required(*SEERS)
def record_list(request: HttpRequest) -> HttpResponse:
    """The records of one kind one may see, the newest decision first."""
    form = RecordFilter(request.GET)
    chosen = form.chosen()
    dataset = "credit." + chosen.get("kind", DEFAULT_KIND)
    rows = records.records_visible_to(actor(request), dataset, today=_today())
    if number := chosen.get("document_number"):
        rows = rows.filter(document_number=number)
    if first := chosen.get("first_day"):
        rows = rows.filter(decided_on__gte=first)
    if last := chosen.get("last_day"):
        rows = rows.filter(decided_on__lte=last)
    each = None if number else ("source_department_id", records.departments_with(dataset))
    found = page(rows, order=("-decided_on", "-id"), cursor=request.GET.get("after", ""), within=each)
    context = {"form": form, "page": found, "lines": [_line(dataset, row) for row in found.items], "subject_form": SubjectForm()}
    return render(request, "portal/credit/records.html", context, status=422 if form.errors else 200)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def of_subject(request: HttpRequest) -> HttpResponse:
    """The records of one subject that one may see; asked by POST alone."""
    form = SubjectForm(request.POST or None)
    lines: list[dict[str, Any]] = []
    if form.is_valid():
        key = subject_key_of(form.cleaned_data["code"])
        if key is None:
            form.add_error("code", _("请填写有效的统一社会信用代码或公民身份号码。"))
        else:
            found = lookup.look_up(subject_key=key, actor=actor(request), now=timezone.now())
            lines = [_line(dataset, row) for dataset, row in found]
    asked = form.is_bound and not form.errors
    most = lookup.MOST_OF_A_KIND if len(lines) >= lookup.MOST_OF_A_KIND else None
    context = {"form": form, "lines": lines, "asked": asked, "most": most}
    return render(request, "portal/credit/subject.html", context, status=422 if form.errors else 200)


@require_GET
@roles_required(*SEERS)
def detail(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """One record: its fields, whether it is shown and until when, its history and open cases."""
    who, dataset = actor(request), "credit." + kind
    record = visible(request, kind, key)
    row = {"dataset": dataset, "row_key": bytes(record.row_key)}
    days = calendar()
    tier = tier_of(record, on=_today()) if dataset in records.ADVERSE else None
    context = {
        "line": _line(dataset, record),
        "record": record,
        "fields": _fields(dataset, record),
        "events": [(event_title(event.kind), event) for event in CreditEvent.objects.filter(**row)],
        "repairs": CreditRepair.objects.filter(**row),
        "objections": CreditObjection.objects.filter(**row),
        "tier": tier,
        "first_repair_day": first_day_of_repair(record, tier) if tier else None,
        "publish_by": timeliness.last_day(record.decided_on, days) if dataset in timeliness.DOUBLE_PUBLICITY else None,
        "is_late": timeliness.is_late(record.decided_on, record.published_on, days),
        "may_retract": "HEAD" in who.roles and records.owner_of(record).pk == who.department_id,
        "owner": records.owner_of(record),
    }
    return render(request, "portal/credit/record.html", context)


@require_http_methods(["GET", "POST"])
@roles_required(*SEERS)
def retract(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Retract a record whose decision was revoked."""
    record = visible(request, kind, key)
    form = RetractForm(request.POST or None)
    back = f"/credit/records/{kind}/{key}/"

    def act() -> str:
        standing.retract(
            dataset="credit." + kind,
            row_key=bytes(record.row_key),
            actor=actor(request),
            now=timezone.now(),
            **form.cleaned_data,
        )
        messages.success(request, _("记录已撤销，立即停止公示；已获得该记录的部门将收到变更。"))
        return back

    lead = _("文书号 %(number)s。撤销后立即停止公示，历史保留供审计。") % {"number": record.document_number}
    return save(request, form, act, **words(_("撤销信用记录"), lead, back, _("撤销"), is_grave=True))


def visible(request: HttpRequest, kind: str, key: str, *, or_public: bool = True) -> CreditRow:
    """Return the record an address names, if the actor or everybody may see it."""
    dataset = "credit." + kind
    if dataset not in KINDS:
        raise NotFound("credit.not_found", _("没有这条信用记录，或您无权查看。"))
    return records.get_visible(dataset, records.key_of(key), actor(request), today=_today(), or_public=or_public)


def _today() -> Any:
    return today_in_shanghai(timezone.now())


def _line(dataset: str, record: CreditRow) -> dict[str, Any]:
    """A record as a line of a list: whom it is about is masked for natural persons."""
    masked = record.subject_category == NATURAL_PERSON
    display = record.display  # type: ignore[attr-defined]
    return {
        "record": record,
        "kind": dataset.removeprefix("credit."),
        "kind_title": DATASETS[dataset].title,
        "key": bytes(record.row_key).hex(),
        "name": mask_value(Mask.NAME, record.subject_name) if masked else record.subject_name,
        "code": mask_value(Mask.CITIZEN_ID, record.subject_code) if masked else record.subject_code,
        "display": display,
        "display_title": DISPLAY_TITLES[display],
    }


def _fields(dataset: str, record: CreditRow) -> list[tuple[str, str]]:
    """The filled fields of a record with their titles: persons masked, numbers of representatives always."""
    is_person = record.subject_category == NATURAL_PERSON
    shown = []
    for field in DATASETS[dataset].fields:
        value = getattr(record, field.name)
        if value is None:
            continue
        text = (
            f"{value:%Y-%m-%d}"
            if field.data_type is DataType.DATE
            else f"{value.normalize():f}"
            if (field.data_type is DataType.NUMBER)
            else str(value)
        )
        if field.name == "item_code":
            text = named(text, catalog.names_of([text]))
        if field.code_set or field.is_division:
            text = worded(field, text, names_of({text}) if field.is_division else {})
        if field.name == "representative_id" or (is_person and field.mask is not Mask.NONE):
            text = mask_value(field.mask, text) or ""
        shown.append((str(field.title), text))
    return shown
