"""From draft to publication (编制、审批、发布、变更、下线): the commands on a catalogue entry, Order 809 art. 13, 16, 17.

A published entry is never edited in place: others rely on it and grants name its items. `start_change` makes a working copy
that walks the same path; publishing the copy writes it into the entry as its next version, under the same code and uid.
Until then everybody else goes on seeing the last version. Mounting is in `mounting`, the state table in `workflow`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from catalog import checks, codes, content, desks, mounting, search
from catalog.content import Entry
from catalog.models import Binding, Resource, ResourceVersion
from catalog.workflow import Command, Step
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid
from core.models import Department
from core.roles import Role

OPEN = ("DRAFTED", "SUBMITTED", "ENDORSED")
LONGEST_REASON = 500


@transaction.atomic
def draft(*, entry: Entry, actor: Actor, now: datetime, dataset_code: str = "") -> Resource:
    """Draft an entry of the actor's own department; with a dataset, mount its same-named items on it at once."""
    if not actor.has(Role.OPERATOR) or actor.department_id is None:
        raise Forbidden("resource.forbidden", _("只有部门经办人可以编制目录。"))
    resource = Resource(provider=Department.objects.get(pk=actor.department_id), drafted_by_id=actor.user_id)
    checks.check_draft(entry, resource)
    with _title_taken_is_a_conflict():
        content.write(entry, resource)
    if dataset_code:
        columns = mounting.same_named(entry.items, dataset_code)
        Binding.objects.create(
            resource=resource, dataset=dataset_code, columns=columns, mounted_at=now, mounted_by_id=actor.user_id
        )
    _record(actor, "resource.drafted", resource, now, dataset=dataset_code)
    return resource


@transaction.atomic
def edit(*, uid: UUID, entry: Entry, revision: int, actor: Actor, now: datetime) -> Resource:
    """Replace what a draft says; a mounting follows its items."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.EDIT, actor)
    checks.check_draft(entry, resource)
    with _title_taken_is_a_conflict():
        changed = content.write(entry, resource)
    mounting.follow_items(resource, entry)
    desks.advance(resource, step, now=now)
    _record(actor, "resource.edited", resource, now, changed=changed)
    return resource


@transaction.atomic
def submit(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> Resource:
    """Hand a complete draft to the own head. What is missing is told at once and completely."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.SUBMIT, actor)
    entry = content.entry_of(resource)
    checks.check_draft(entry, resource)
    checks.check_submission(entry, resource)
    resource.submitted_at, resource.return_reason = now, ""
    _move(resource, step, "resource.submitted", actor, now, title=_("待审批目录：%(title)s"))
    return resource


@transaction.atomic
def recall(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> Resource:
    """Take a submitted entry back for editing, before it is published."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.RECALL, actor)
    _move(resource, step, "resource.recalled", actor, now)
    return resource


@transaction.atomic
def endorse(*, uid: UUID, revision: int, actor: Actor, now: datetime, reason: str = "") -> Resource:
    """Agree as head of the providing department (Order 809 art. 13) and pass the entry to the data centre."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.ENDORSE, actor)
    _move(resource, step, "resource.endorsed", actor, now, title=_("待发布目录：%(title)s"), reason=_reason(reason, needed=False))
    return resource


@transaction.atomic
def send_back(*, uid: UUID, revision: int, reason: str, actor: Actor, now: datetime) -> Resource:
    """Return an entry to its operators with a reason (退回)."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.RETURN, actor)
    resource.return_reason = _reason(reason)
    _move(
        resource, step, "resource.returned", actor, now, title=_("目录被退回：%(title)s"), reason=resource.return_reason,
    )  # fmt: skip
    return resource


@transaction.atomic
def publish(*, uid: UUID, revision: int, actor: Actor, now: datetime, reason: str = "") -> Resource:
    """Publish an entry, or write a change into the entry it belongs to; return the published entry.

    The first publication assigns the code; every publication keeps a version and renews the search document.
    """
    reviewed = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(reviewed, Command.PUBLISH, actor)
    entry = content.entry_of(reviewed)
    checks.check_draft(entry, reviewed)
    checks.check_submission(entry, reviewed)
    resource = reviewed
    if reviewed.change_of_id is not None:
        resource = _merge(reviewed, entry, now=now)
    else:
        resource.code = next_code(resource.classification)
    before = resource.versions.order_by("-version").values_list("snapshot", flat=True).first() or {}
    resource.version += 1
    resource.published_at = now
    desks.advance(resource, step, now=now)
    kept = content.snapshot(Resource.objects.select_related("provider", "binding").get(pk=resource.pk))
    ResourceVersion.objects.create(
        resource=resource, version=resource.version, snapshot=kept, published_at=now, published_by_id=actor.user_id
    )
    search.index(resource)
    _record(
        actor, "resource.published", resource, now, code=resource.code, version=resource.version,
        changed=content.differences(before, kept) if before else [], reason=_reason(reason, needed=False),
    )  # fmt: skip
    desks.tell_provider(resource, title=_("目录已发布：%(title)s") % {"title": resource.title}, now=now, body=str(resource.code))
    return resource


@transaction.atomic
def start_change(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> Resource:
    """Return a working copy (变更稿) of a published entry; the entry stays as it is until the copy is published."""
    original = desks.open_for(uid, actor=actor, revision=revision)
    desks.decide_for(original, Command.CHANGE, actor)
    if original.changes.filter(state__in=OPEN).exists():
        raise Conflict("resource.change_open", _("这条目录已有一份变更稿在办理，请在变更稿上继续。"))
    change = Resource(provider=original.provider, change_of=original, drafted_by_id=actor.user_id)
    content.write(content.entry_of(original), change)
    binding = mounting.binding_of(original)
    if binding is not None:
        Binding.objects.create(
            resource=change,
            dataset=binding.dataset,
            columns=binding.columns,
            mounted_at=binding.mounted_at,
            mounted_by_id=binding.mounted_by_id,
        )
    _record(actor, "resource.change_drafted", change, now, of=str(original.uid), version=original.version)
    return change


@transaction.atomic
def discard(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> Resource:
    """Give up a draft or a change (作废): it stays on record and frees its title."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.DISCARD, actor)
    _move(resource, step, "resource.discarded", actor, now)
    return resource


@transaction.atomic
def withdraw(*, uid: UUID, revision: int, reason: str, actor: Actor, now: datetime) -> Resource:
    """Take a published entry off the catalogue (下线) with a reason; its code is never used again, an open change ends."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.WITHDRAW, actor)
    why = _reason(reason)
    for change in Resource.objects.filter(change_of=resource, state__in=OPEN).for_update():
        _move(change, step, "resource.discarded", actor, now, reason=why)
    resource.return_reason = why
    resource.search_vector = None
    _move(resource, step, "resource.withdrawn", actor, now, reason=why)
    desks.tell_provider(resource, title=_("目录已下线：%(title)s") % {"title": resource.title}, now=now, body=why)
    return resource


def next_code(classification: str) -> str:
    """Return the next code of a front part, under a lock on it; withdrawn entries keep theirs, so none is used twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"catalog.code:{classification}"])
    serial = RawSQL("split_part(code, '/', 2)::bigint", ())
    taken = Resource.objects.filter(code__startswith=f"{classification}/").aggregate(last=Max(serial))
    return codes.format_code(classification, (taken["last"] or 0) + 1)


def _merge(change: Resource, entry: Entry, *, now: datetime) -> Resource:
    """Write a reviewed change into its entry, mounting included, and close the change."""
    original = Resource.objects.get(changes=change)  # locked together with its change
    if original.state != "PUBLISHED":
        raise Conflict("resource.original_withdrawn", _("原目录已下线，这份变更不能发布。"), {"state": original.state})
    binding = mounting.binding_of(change)
    if binding is None and mounting.binding_of(original) is not None:
        raise Conflict("resource.change_unmounted", _("原目录已挂接，请先为变更稿挂接数据集。"))
    content.write(entry, original)
    if binding is not None:
        Binding.objects.update_or_create(
            resource=original,
            defaults={
                "dataset": binding.dataset,
                "columns": binding.columns,
                "mounted_at": binding.mounted_at,
                "mounted_by_id": binding.mounted_by_id,
            },
        )
    change.state, change.due_at = "MERGED", None
    change.revision += 1
    change.save()
    return original


def _move(resource: Resource, step: Step, action: str, actor: Actor, now: datetime, *, title: str = "", reason: str = "") -> None:
    before = resource.state
    desks.advance(resource, step, now=now)
    _record(actor, action, resource, now, before=before, after=resource.state, **({"reason": reason} if reason else {}))
    if title:
        desks.tell_holder(resource, step, title=title % {"title": resource.title}, now=now, body=reason)


def _record(actor: Actor, action: str, resource: Resource, now: datetime, **detail: object) -> None:
    audit.record(actor, action, resource, at=now, department_ids=[resource.provider_id], revision=resource.revision, **detail)


def _reason(text: str, *, needed: bool = True) -> str:
    text = text.strip()
    if needed and not text:
        raise Invalid("resource.reason_missing", _("请填写原因。"), {"reason": [_("请填写原因。")]})
    if len(text) > LONGEST_REASON:
        raise Invalid("resource.reason_long", _("原因不能超过 500 字。"), {"reason": [_("不能超过 500 字。")]})
    return text


@contextmanager
def _title_taken_is_a_conflict() -> Iterator[None]:
    """Two people who write the same title at the same moment: the second is told."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "resource_title_once" not in str(error):
            raise
        raise Conflict("resource.title_taken", _("本部门刚刚有人编制了同名目录。")) from error
