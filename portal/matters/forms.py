"""Forms of matters: the head, a party, a material, the review, and the window's case with a field for every party."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from basedb.dictionary import DATASETS
from basedb.dictionary.licenses import LICENSE
from core.errors import DomainError
from core.models import Department
from exchange.license_statistics.reading import type_names
from exchange.matters.content import FACE, Content, Material, Party, fetchable_datasets, items_of, suits
from exchange.models import ConsumerSystem, MaterialSource, Matter, MatterState, PartyKind
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm, speak_plainly

CODE_HINT = _("小写字母开头，只含小写字母、数字和下划线。")
_QUIET = {"autocomplete": "off", "spellcheck": "false"}


class MatterFilter(FilterForm):
    """Which matters."""

    q = forms.CharField(label=_("名称或编码"), max_length=100)
    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *MatterState.choices])


class CaseFilter(FilterForm):
    """Which cases."""

    matter_code = forms.ChoiceField(label=_("事项"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict(Matter.objects.exclude(state=MatterState.DRAFT).order_by("number").values_list("code", "name"))
        field: Any = self.fields["matter_code"]
        field.choices = [("", _("全部")), *sorted(names.items())]


class Head(forms.Form):
    """What a matter is called, on what basis, and who handles it with the leading department."""

    name = forms.CharField(label=_("事项名称"), max_length=100)
    legal_basis = forms.CharField(label=_("依据"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    summary = forms.CharField(label=_("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    consumers = forms.ModelMultipleChoiceField(
        label=_("联办部门"),
        queryset=Department.objects.none(),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
        help_text=_("除牵头部门外，办理中需要取数的部门。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["consumers"]
        field.queryset = Department.objects.filter(valid_to=None).order_by("code")

    def head(self) -> dict[str, Any]:
        """Return the head as `Content` takes it."""
        given = self.cleaned_data
        return {name: given[name].replace("\r\n", " ").strip() for name in ("name", "legal_basis", "summary")} | {
            "consumers": tuple(department.pk for department in given["consumers"])
        }


class NewForm(Head, OnceForm):
    """A new matter."""

    code = forms.CharField(label=_("事项编码"), max_length=40, help_text=_("1 至 40 位字母、数字、下划线或连字符，发布后不变。"))
    field_order = ("code", "name", "legal_basis", "summary", "consumers")


class HeadForm(Head, RevisedForm):
    """The head of a draft."""


class RowForm(RevisedForm):
    """A further row of a draft: what is wrong with the row is told of its fields."""

    def add_domain_error(self, error: DomainError) -> None:
        """Show what is wrong beside the fields."""
        named = {name.rpartition("].")[2]: text for name, text in error.details.items()}
        super().add_domain_error(type(error)(error.code, error.message, named))


class PartyForm(RowForm):
    """A further party."""

    title = forms.CharField(label=_("当事人名称"), max_length=40, help_text=_("例如：母亲、买方、经营主体。"))
    role = forms.CharField(label=_("标识"), max_length=40, help_text=CODE_HINT)
    kind = forms.ChoiceField(label=_("类型"), choices=PartyKind.choices)
    is_required = forms.BooleanField(label=_("必填"), required=False, initial=True)
    may_coincide = forms.BooleanField(label=_("可与其他当事人相同"), required=False)

    def party(self) -> Party:
        """Return what was typed in."""
        return Party(**{name: self.cleaned_data[name] for name in ("title", "role", "kind", "is_required", "may_coincide")})


def sources_for(kind: str) -> list[tuple[Any, Any]]:
    """Return what may replace a material of a kind of party, in groups."""
    datasets = [(f"dataset:{one.code}", str(one.title)) for one in fetchable_datasets() if suits(one, kind)]
    types = [(f"license:{code}", name) for code, name in sorted(type_names().items(), key=lambda pair: pair[1])]
    return [("", _("不能替代，须由申请人提交")), (_("基础库数据"), datasets), (_("电子证照"), types)]


class SourceFilter(FilterForm):
    """Of which party the new material is, and what replaces it."""

    party = forms.ChoiceField(label=_("当事人"))
    replaced_by = forms.ChoiceField(label=_("由什么替代"))

    def __init__(self, *args: Any, parties: Sequence[Party], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        party: Any = self.fields["party"]
        party.choices = [(one.role, one.title) for one in parties]
        replaced_by: Any = self.fields["replaced_by"]
        chosen = next((one for one in parties if one.role == self.data.get("party")), parties[0] if parties else None)
        replaced_by.choices = sources_for(chosen.kind if chosen else PartyKind.PERSON)


class MaterialForm(RowForm):
    """A further material, of a party and a source that are chosen already."""

    title = forms.CharField(label=_("材料名称"), max_length=100)
    code = forms.CharField(label=_("标识"), max_length=40, help_text=CODE_HINT)
    is_required = forms.BooleanField(label=_("必要材料"), required=False, initial=True)
    items = forms.MultipleChoiceField(label=_("需要的信息项"), required=False, widget=forms.CheckboxSelectMultiple)
    face = forms.CharField(
        label=_("照面项目"), max_length=1000, required=False, help_text=_("证照照面上的项目名称，用空格分隔；没有可不填。")
    )

    def __init__(self, *args: Any, party: str, replaced_by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, _colon, code = replaced_by.partition(":")
        self._party, self._kind, self._code = party, kind, code
        if kind != "license":
            del self.fields["face"]
        if not kind:
            del self.fields["items"]
        else:
            items: Any = self.fields["items"]
            items.choices = items_of(LICENSE if kind == "license" else DATASETS[code])

    def material(self) -> Material:
        """Return what was typed in."""
        given = self.cleaned_data
        sources = {"license": MaterialSource.LICENSE, "dataset": MaterialSource.DATASET, "": MaterialSource.SUBMIT}
        face = [f"{FACE}.{name}" for name in given.get("face", "").split()]
        return Material(
            code=given["code"],
            title=given["title"],
            party=self._party,
            source=sources[self._kind],
            is_required=given["is_required"],
            type_code=self._code if self._kind == "license" else "",
            dataset=self._code if self._kind == "dataset" else "",
            items=(*given.get("items", ()), *face),
        )


class DecisionForm(RevisedForm):
    """The data centre's review."""

    actions = ("publish", "return")
    note = forms.CharField(label=_("审核意见"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class PlainForm(RevisedForm):
    """A button: nothing but the revision the page was opened with."""


class AskForm(PortalForm):
    """The button that leads to the basket."""


class CaseForm(OnceForm):
    """A case at the window: under which system, its number, the codes of the parties. Never in an address."""

    system = forms.ModelChoiceField(label=_("使用哪个系统的授权"), queryset=ConsumerSystem.objects.none(), to_field_name="uid")
    case_number = forms.CharField(label=_("办件编号"), max_length=40, help_text=_("本部门业务系统中的编号，不要填写身份号码。"))
    purpose = forms.CharField(label=_("用途"), max_length=200)
    officer = forms.CharField(label=_("经办人工号"), max_length=40, required=False)

    def __init__(self, *args: Any, matter: Matter, systems: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        system: Any = self.fields["system"]
        system.queryset = systems
        if len(systems) == 1:
            system.initial = systems[0].uid
        self._roles = []
        for party in matter.parties.all():
            self._roles.append(party.role)
            hint = _("公民身份号码") if party.kind == PartyKind.PERSON else _("统一社会信用代码")
            field = forms.CharField(
                label=party.title,
                max_length=18,
                required=party.is_required,
                help_text=hint,
                widget=forms.TextInput(attrs={**_QUIET, "class": "form-control"}),
            )
            speak_plainly(field)
            self.fields[f"party_{party.role}"] = field

    def parties(self) -> list[tuple[str, str]]:
        """Return role and code of every party that was typed in."""
        typed = [(role, self.cleaned_data.get(f"party_{role}", "")) for role in self._roles]
        return [(role, code) for role, code in typed if code]

    def add_domain_error(self, error: DomainError) -> None:
        """Show what is wrong with a party beside its field."""
        named = {name.replace("parties.", "party_"): text for name, text in error.details.items()}
        super().add_domain_error(type(error)(error.code, error.message, named))


class MonthsFilter(FilterForm):
    """Which matter, over how many months."""

    matter = forms.ChoiceField(label=_("事项"))
    months = forms.TypedChoiceField(
        label=_("时段"), coerce=int, choices=[(12, _("近12个月")), (24, _("近24个月")), (3, _("近3个月"))]
    )

    def __init__(self, *args: Any, matters: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["matter"]
        field.choices = [("", _("全部")), *matters]


def with_party(content: Content, party: Party) -> Content:
    """Return the content with one more party."""
    return replace(content, parties=(*content.parties, party))


def without_party(content: Content, role: str) -> Content:
    """Return the content without a party and its materials."""
    return replace(
        content,
        parties=tuple(one for one in content.parties if one.role != role),
        materials=tuple(one for one in content.materials if one.party != role),
    )


def with_material(content: Content, material: Material) -> Content:
    """Return the content with one more material."""
    return replace(content, materials=(*content.materials, material))


def without_material(content: Content, code: str) -> Content:
    """Return the content without a material."""
    return replace(content, materials=tuple(one for one in content.materials if one.code != code))
