"""From a license to its page (证照版面): the values its layout shows, its code, its seal, and the file they are drawn into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from core.calendar import SHANGHAI
from core.errors import Conflict
from licenses.models import FileKind, License, SealKey
from licenses.sealing import fonts, ofd, pdf, pdf_sign
from licenses.sealing.canonical import LicenseData, data_of
from licenses.sealing.drawing import Mark, Picture, Words, own_marks, seal_element, seal_marks
from licenses.sealing.pdf import Facts
from licenses.sealing.template import Template, template_of
from licenses.status.checker import code_text
from licenses.types.printed import FOR_EVER, day_printed, validity_printed
from licenses.types.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Page:
    """Everything a file of a license is drawn from."""

    template: Template
    own: tuple[Mark, ...]
    seal: tuple[Picture, ...]
    facts: Facts


def verification_url(license: License) -> str:
    """Return the text of the code on a license: where it is verified, and what a checker without a network needs."""
    return code_text(settings.PUBLIC_URL, license.identifier, license.position, license.valid_to)


def values_of(data: LicenseData, *, type_name: str, rulebook: Rulebook) -> dict[str, str]:
    """Return what a layout may show of a license: its items as people read them, and what every license has."""
    return rulebook.shown(data.face) | {
        "license.type_name": type_name,
        "license.number": data.number,
        "license.identifier": data.identifier,
        "license.holder_names": "、".join(holder.name for holder in data.holders),
        "license.holder_codes": "、".join(holder.code for holder in data.holders),
        "license.issuer_name": data.issuer_name,
        "license.issued_on": day_printed(data.issued_on),
        "license.valid_from": day_printed(data.valid_from),
        "license.valid_to": day_printed(data.valid_to) if data.valid_to else FOR_EVER,
        "license.validity": validity_printed(data.valid_from, data.valid_to),
        "license.version": f"{data.version:03d}",
    }


def page_of(license: License, *, now: datetime) -> Page:
    """Lay a license out; Conflict when its type has no layout, Invalid when a character cannot be printed."""
    version = license.type_version
    if not version.layout.get("elements"):
        text = _("证照类型“%(name)s”没有版式，不能制作版式文件；请先由维护部门发布带版式的版本。")
        raise Conflict("file.no_layout", text % {"name": version.name})
    template, rulebook = template_of(version.layout), Rulebook.of(version.rulebook)
    data = data_of(license)
    values = values_of(data, type_name=version.name, rulebook=rulebook)
    titles = {item.name: item.title for item in rulebook.items}
    shown = {element.item for element in template.layout.elements if element.item}
    fonts.refuse_unprintable({titles.get(name, name): values.get(name, "") for name in shown})
    element = seal_element(template.layout)
    seal = seal_marks(license.issuer_name, min(element.w, element.h)) if element else ()
    facts = Facts(version.name, license.issuer_name, license.identifier, now.astimezone(SHANGHAI))
    return Page(template, tuple(own_marks(template.layout, values, verification_url(license))), seal, facts)


def sealed(page: Page, kind: FileKind, *, reason: str, overlay: Sequence[Words] = ()) -> tuple[bytes, SealKey]:
    """Return the signed file of a page and the key that signed it."""
    if kind == FileKind.OFD:
        return ofd.seal(page.template, page.own, page.seal, page.facts, overlay)
    unsigned = pdf.render(page.template, page.own, page.seal, page.facts, overlay)
    return pdf_sign.seal(unsigned, reason=reason, office=page.facts.author, at=page.facts.made_at)
