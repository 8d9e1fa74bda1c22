"""The OFD of a license (GB/T 33190-2016): a package of XML with real text, embedded fonts, paths for code and seal; signed.

The signature is SM2 over the description of the signature, which holds the SM3 digest of every other file of the package. The
picture of the seal is part of the page; an electronic seal by GB/T 38540 is not made.
"""

from __future__ import annotations

import base64
import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from core.crypto import sm3
from licenses.models import KeyPurpose, SealKey
from licenses.sealing import fonts, keys
from licenses.sealing.drawing import Area, Mark, Picture, Words, seal_element
from licenses.sealing.pdf import Facts
from licenses.sealing.template import Setting, Template, setting
from licenses.types.layout import MM_PER_POINT

NAMESPACE: Final = "http://www.ofdspec.org/2016"
SM2_SM3: Final = "1.2.156.10197.1.501"
SM3: Final = "1.2.156.10197.1.401"
SIGNATURES: Final = "Doc_0/Signs/Signatures.xml"
SIGNATURE: Final = "Doc_0/Signs/Sign_0/Signature.xml"
SIGNED_VALUE: Final = "Doc_0/Signs/Sign_0/SignedValue.dat"
UNREFERENCED: Final = frozenset((SIGNATURES, SIGNATURE, SIGNED_VALUE))
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XMLNS: Final = f'xmlns:ofd="{NAMESPACE}"'
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # entries say nothing about the machine that made them
_FIRST_FONT, _LAYERS, _FIRST_OBJECT = 10, 20, 100


@dataclass
class _Drawing:
    """Objects of a page with their numbers."""

    faces: Setting
    number: int = _FIRST_OBJECT
    objects: list[str] = field(default_factory=list)

    def add(self, name: str, boundary: str, attributes: str, content: str) -> None:
        self.number += 1
        self.objects.append(f'<ofd:{name} ID="{self.number}" Boundary="{boundary}"{attributes}>{content}</ofd:{name}>')

    def taken(self) -> str:
        text = "".join(self.objects)
        self.objects.clear()
        return text


def seal(
    template: Template, own: Sequence[Mark], seal_: Sequence[Picture], facts: Facts, overlay: Sequence[Words] = ()
) -> tuple[bytes, SealKey]:
    """Return the signed package and the key that signed it."""
    files = package(template, own, seal_, facts, overlay)
    described = _signature_xml(files, facts)
    signature, key = keys.sign(KeyPurpose.DATA, described)
    return packed({**files, SIGNATURES: _signatures_xml(), SIGNATURE: described, SIGNED_VALUE: signature}), key


def package(
    template: Template, own: Sequence[Mark], seal_: Sequence[Picture], facts: Facts, overlay: Sequence[Words] = ()
) -> dict[str, bytes]:
    """Return the files of the package, without its signature, by their paths."""
    faces = setting(template, [*own, *overlay])
    drawing = _Drawing(faces)
    _draw(template.fixed, drawing)
    fixed = drawing.taken()
    _draw([*own, *_moved(seal_, template)], drawing)
    _draw(overlay, drawing, ' Alpha="72"')
    body = drawing.taken()
    layers = "".join(
        f'<ofd:Layer ID="{_LAYERS + place}" Type="{kind}">{objects}</ofd:Layer>'
        for place, (kind, objects) in enumerate((("Background", fixed), ("Body", body)))
    )
    page = f"<ofd:Page {_XMLNS}><ofd:Content>{layers}</ofd:Content></ofd:Page>"
    files = {
        "OFD.xml": _xml(_ofd_xml(facts)),
        "Doc_0/Document.xml": _xml(_document_xml(template, drawing.number)),
        "Doc_0/PublicRes.xml": _xml(_fonts_xml(faces)),
        "Doc_0/Pages/Page_0/Content.xml": _xml(page),
    }
    return files | {f"Doc_0/Res/font_{number}.otf": faces.font(number).opentype for number in faces.numbers()}


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one ZIP, the same for the same files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files, key=lambda path: (path != "OFD.xml", path)):
            archive.writestr(zipfile.ZipInfo(path, _MOMENT), files[path], zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _xml(text: str) -> bytes:
    return (_HEAD + text).encode()


def _ofd_xml(facts: Facts) -> str:
    return (
        f'<ofd:OFD {_XMLNS} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo><ofd:DocID>{_document_id(facts)}</ofd:DocID>'
        f"<ofd:Title>{escape(facts.title)}</ofd:Title><ofd:Author>{escape(facts.author)}</ofd:Author>"
        f"<ofd:Subject>{escape(facts.identifier)}</ofd:Subject><ofd:CreationDate>{facts.made_at:%Y-%m-%d}</ofd:CreationDate>"
        "<ofd:Creator>License Office</ofd:Creator></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>"
        f"<ofd:Signatures>/{SIGNATURES}</ofd:Signatures></ofd:DocBody></ofd:OFD>"
    )


def _document_id(facts: Facts) -> str:
    return sm3(f"{facts.identifier} {facts.made_at.isoformat()}".encode()).hex()[:32]


def _document_xml(template: Template, most: int) -> str:
    width, height = _n(template.layout.width), _n(template.layout.height)
    return (
        f"<ofd:Document {_XMLNS}><ofd:CommonData><ofd:MaxUnitID>{most}</ofd:MaxUnitID>"
        f"<ofd:PageArea><ofd:PhysicalBox>0 0 {width} {height}</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData>"
        '<ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>'
    )


def _fonts_xml(faces: Setting) -> str:
    listed = "".join(
        f'<ofd:Font ID="{_FIRST_FONT + number}" FontName="{faces.font(number).name}" FamilyName="Noto Serif CJK SC" Serif="true"'
        f' Bold="{str(number % 2 == 1).lower()}" Charset="unicode"><ofd:FontFile>font_{number}.otf</ofd:FontFile></ofd:Font>'
        for number in faces.numbers()
    )
    return f'<ofd:Res {_XMLNS} BaseLoc="Res"><ofd:Fonts>{listed}</ofd:Fonts></ofd:Res>'


def _signatures_xml() -> bytes:
    return _xml(
        f"<ofd:Signatures {_XMLNS}><ofd:MaxSignId>1</ofd:MaxSignId>"
        f'<ofd:Signature ID="1" Type="Sign" BaseLoc="/{SIGNATURE}"/></ofd:Signatures>'
    )


def _signature_xml(files: Mapping[str, bytes], facts: Facts) -> bytes:
    references = "".join(
        f"<ofd:Reference FileRef={quoteattr('/' + path)}><ofd:CheckValue>{base64.b64encode(sm3(content)).decode()}</ofd:CheckValue>"
        "</ofd:Reference>"
        for path, content in sorted(files.items())
    )
    return _xml(
        f"<ofd:Signature {_XMLNS}><ofd:SignedInfo>"
        f'<ofd:Provider ProviderName="License Office" Version="1.0" Company={quoteattr(facts.author)}/>'
        f"<ofd:SignatureMethod>{SM2_SM3}</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>{facts.made_at:%Y-%m-%d %H:%M:%S%z}</ofd:SignatureDateTime>"
        f'<ofd:References CheckMethod="{SM3}">{references}</ofd:References></ofd:SignedInfo>'
        f"<ofd:SignedValue>/{SIGNED_VALUE}</ofd:SignedValue></ofd:Signature>"
    )


def _moved(seal_: Sequence[Picture], template: Template) -> Iterator[Picture]:
    """Return the seal at its place on the page."""
    element = seal_element(template.layout)
    if element is not None:
        yield from (replace(picture, x=element.x, y=element.y) for picture in seal_)


def _draw(marks: Iterable[Mark], drawing: _Drawing, look: str = "") -> None:
    for mark in marks:
        if isinstance(mark, Words):
            _words(mark, drawing, look)
        elif isinstance(mark, Area):
            _area(mark, drawing)
        else:
            _shape(mark, drawing)


def _words(words: Words, drawing: _Drawing, look: str) -> None:
    """Draw a line as one text object for each font it needs; a turned one has the page as its box and a matrix of its own."""
    size = words.size * MM_PER_POINT
    cos, sin = math.cos(math.radians(words.turned)), math.sin(math.radians(words.turned))
    page = drawing.faces.template.layout
    passed = 0.0
    for number, text, font in drawing.faces.runs(words):
        advances = [font.widths[font.glyphs[character]] / fonts.EM * size * words.stretch for character in text]
        x, y = words.x + passed * cos, words.y - passed * sin
        width = sum(advances)
        passed += width
        attributes = f' Font="{_FIRST_FONT + number}" Size="{_n(size)}"{look}'
        attributes += f' HScale="{_n(words.stretch)}"' if words.stretch < 1 else ""
        if words.turned:
            boundary, origin = f"0 0 {_n(page.width)} {_n(page.height)}", 'X="0" Y="0"'
            attributes += f' CTM="{_n(cos)} {_n(-sin)} {_n(sin)} {_n(cos)} {_n(x)} {_n(y)}"'
        else:
            boundary, origin = f"{_n(x)} {_n(y - size)} {_n(max(width, 0.1))} {_n(size * 1.3)}", f'X="0" Y="{_n(size)}"'
        deltas = f' DeltaX="{" ".join(map(_n, advances[:-1]))}"' if len(text) > 1 else ""
        content = f'<ofd:FillColor Value="{_color(words.color)}"/><ofd:TextCode {origin}{deltas}>{escape(text)}</ofd:TextCode>'
        drawing.add("TextObject", boundary, attributes, content)


def _area(area: Area, drawing: _Drawing) -> None:
    margin = area.stroke
    boundary = f"{_n(area.x - margin)} {_n(area.y - margin)} {_n(area.w + 2 * margin)} {_n(area.h + 2 * margin)}"
    w, h = area.w + margin, area.h + margin
    if area.w and area.h:
        path = " ".join([f"M {_n(margin)} {_n(margin)} L {_n(w)} {_n(margin)}", f"L {_n(w)} {_n(h)} L {_n(margin)} {_n(h)} C"])
    else:
        path = f"M {_n(margin)} {_n(margin)} L {_n(w)} {_n(h)}"
    attributes = f' Stroke="{str(bool(area.stroke)).lower()}" Fill="{str(bool(area.fill)).lower()}" LineWidth="{_n(area.stroke)}"'
    colors = f'<ofd:FillColor Value="{_color(area.fill)}"/>' if area.fill else ""
    colors += f'<ofd:StrokeColor Value="{_color(area.color)}"/>' if area.stroke else ""
    drawing.add("PathObject", boundary, attributes, f"{colors}<ofd:AbbreviatedData>{path}</ofd:AbbreviatedData>")


def _shape(picture: Picture, drawing: _Drawing) -> None:
    signs = {"M": "M", "L": "L", "C": "B", "Z": "C"}
    path = " ".join(" ".join([signs[sign], *map(_n, points)]) for sign, points in picture.steps)
    rule = ' Rule="Even-Odd" Alpha="215"' if picture.holes else ""
    boundary = f"{_n(picture.x)} {_n(picture.y)} {_n(picture.w)} {_n(picture.h)}"
    content = f'<ofd:FillColor Value="{_color(picture.color)}"/><ofd:AbbreviatedData>{path}</ofd:AbbreviatedData>'
    drawing.add("PathObject", boundary, f' Stroke="false" Fill="true"{rule}', content)


def _color(color: str) -> str:
    return " ".join(str(int(color[start : start + 2], 16)) for start in (1, 3, 5))


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"
