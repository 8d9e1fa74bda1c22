"""Audit entries in words (留痕用语): their actions, the kinds of their objects, and their details with names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext

from core.roles import Role
from portal.audit.actions import ACTIONS, NOUNS, PARTICIPLES
from portal.audit.codes import titles_of
from portal.audit.details import DETAILS


def detail_title(name: str, kind: str = "") -> str:
    """Return the name of a detail in words; a column of such an object is called as the object calls it."""
    called = (field.verbose_name for model in _models(kind) for field in model._meta.fields if field.name == name)
    own = (title for title in called if title != name.replace("_", " "))  # what Django makes of a column nobody named
    return str(next(own, DETAILS.get(name, name)))


def words_of(kind: str, detail: Mapping[str, Any], action: str = "") -> dict[str, Any]:
    """Return the details of an entry about such an object with their names and values in words."""
    shown = {}
    for name, value in detail.items():
        if name == "changed" and isinstance(value, list):
            shown[detail_title(name, kind)] = [detail_title(str(part), kind) for part in value]
        else:
            shown[detail_title(name, kind)] = value_title(kind, value, titles_of(action, name))
    return shown


def value_title(kind: str, value: Any, codes: Mapping[Any, Any]) -> Any:
    """Return a value in words where it is yes or no, a role, one of its own codes or of the choices of such an object's columns."""
    if isinstance(value, dict):
        return {str(codes.get(name, name)): part for name, part in value.items()} if codes else words_of(kind, value)
    if isinstance(value, list):
        return [value_title(kind, part, codes) for part in value]
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    titles: dict[Any, Any] = dict(Role.choices)
    for field in (field for model in _models(kind) for field in model._meta.fields if field.choices):
        titles |= dict(field.flatchoices)
    titles |= codes
    return str(titles[value]) if isinstance(value, str) and titles.get(value) else value


def action_title(action: str) -> str:
    """Return an action in words; a half nobody translated stays as it is."""
    noun, _dot, participle = action.partition(".")
    return f"{NOUNS.get(noun, noun)} · {ACTIONS.get(action) or PARTICIPLES.get(participle, participle)}"


def object_kind_title(kind: str) -> str:
    """Return what kind of object an entry is about, in words."""
    found = _models(kind)
    return str(found[0]._meta.verbose_name) if found else kind


def _models(kind: str) -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.model_name == kind]
