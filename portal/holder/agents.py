"""Pages of an enterprise's legal representative: whom the enterprise lets present its licenses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Conflict, Invalid
from licenses.models import EnterpriseAgent
from licenses.presenting import agents
from licenses.presenting.sessions import Session
from portal.forms import PortalForm
from portal.holder.session import actor_of, for_holder, shown_name


class AgentForm(PortalForm):
    """Whom, for which types, until when."""

    name = forms.CharField(label=gettext_lazy("代办人姓名"), max_length=50)
    citizen_id = forms.CharField(label=gettext_lazy("代办人公民身份号码"), max_length=18, min_length=15)
    until = forms.DateField(label=gettext_lazy("授权至"), widget=forms.DateInput(), help_text=gettext_lazy("含当天，最长一年。"))
    type_codes = forms.MultipleChoiceField(
        label=gettext_lazy("可出示的证照"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("不选表示全部证照。"),
    )

    def __init__(self, *args: Any, types: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["type_codes"]
        field.choices = list(types.items())


@require_http_methods(["GET", "POST"])
@for_holder
def agent_list(request: HttpRequest, session: Session) -> HttpResponse:
    """The authorizations, and a form for a new one."""
    rows = agents.of_enterprise(session=session)
    types = agents.types_of(session.subject_key)
    form = AgentForm(request.POST or None, types=types)
    now, today = timezone.now(), timezone.localdate()
    if request.method == "POST" and form.is_valid():
        try:
            agents.authorize(session=session, **form.cleaned_data, actor=actor_of(request, session), today=today, now=now)
        except (Invalid, Conflict) as error:
            form.add_domain_error(error)
        else:
            messages.success(request, _("已授权。代办人用自己的身份登录身份应用后即可代企业亮证。"))
            return redirect("portal:holder-agents")
    lines = [
        {
            "agent": row,
            "types": [types.get(code, code) for code in row.type_codes],
            "last_day": _last_day(row),
            "is_live": row.revoked_at is None and today <= _last_day(row),
        }
        for row in rows
    ]
    context = {"session": session, "holder": shown_name(session), "section": "agents", "form": form, "lines": lines}
    return render(request, "portal/holder/agents.html", context, status=form.status if request.method == "POST" else 200)


def _last_day(agent: EnterpriseAgent) -> date:
    """Return the last day of an authorization; the database keeps it bounded."""
    return (agent.period.upper or date.max) - timedelta(days=1)


@require_POST
@for_holder
def agent_revoke(request: HttpRequest, session: Session, uid: UUID) -> HttpResponse:
    """Take an authorization back."""
    agents.revoke(session=session, uid=uid, actor=actor_of(request, session), now=timezone.now())
    messages.success(request, _("已撤回，代办人的会话和亮证码随即停用。"))
    return redirect("portal:holder-agents")
