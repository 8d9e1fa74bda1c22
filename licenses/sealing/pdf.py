"""The PDF of a license before it is signed (版式文件): one page, real text, embedded fonts, an empty place for the signature.

Objects are written directly, so that the fixed part of a template is compressed once. No script, no form to fill in, nothing loaded
from elsewhere. Signing is `pdf_sign`'s.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

from licenses.sealing import fonts
from licenses.sealing.drawing import Area, Mark, Picture, Words, seal_element
from licenses.sealing.fonts import Subset
from licenses.sealing.template import Setting, Template, setting

FIELD: Final = "Seal"
PT: Final = 72 / 25.4
_CATALOG, _PAGES, _PAGE, _INFO, _XMP, _FIXED, _OWN, _WIDGET, _SEAL, _FONTS = range(1, 11)
_OBJECTS_A_FONT: Final = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says about itself; no personal data."""

    title: str
    author: str
    identifier: str
    made_at: datetime


def render(template: Template, own: Sequence[Mark], seal: Sequence[Picture], facts: Facts, overlay: Sequence[Words] = ()) -> bytes:
    """Return the page as a PDF whose signature field is still empty; `overlay` is drawn over everything, half transparent."""
    height = template.layout.height
    faces = setting(template, [*own, *overlay])
    content = [_drawn(own, faces, height)]
    if overlay:
        content += [b"/GS gs", _drawn(overlay, faces, height)]
    objects = {
        _CATALOG: _catalog(),
        _PAGES: f"<</Type/Pages/Kids[{_PAGE} 0 R]/Count 1>>".encode(),
        _PAGE: _page(template, faces),
        _INFO: _info(facts),
        _XMP: _xmp(facts),
        _FIXED: _fixed(template),
        _OWN: _stream(b"\n".join(content)),
        _WIDGET: _widget(template),
        _SEAL: _seal(tuple(seal), template),
    }
    for number in faces.numbers():
        objects.update(_font(number, faces.font(number)))
    return _file(objects)


def _catalog() -> bytes:
    return (
        f"<</Type/Catalog/Version/1.7/Pages {_PAGES} 0 R/Metadata {_XMP} 0 R/Lang(zh-CN)"
        f"/ViewerPreferences<</DisplayDocTitle true>>/AcroForm<</Fields[{_WIDGET} 0 R]/SigFlags 3>>>>"
    ).encode()


def _page(template: Template, faces: Setting) -> bytes:
    named = "".join(f"/F{number} {_FONTS + number * _OBJECTS_A_FONT} 0 R" for number in faces.numbers())
    box = f"0 0 {_n(template.layout.width * PT)} {_n(template.layout.height * PT)}"
    return (
        f"<</Type/Page/Parent {_PAGES} 0 R/MediaBox[{box}]/Contents[{_FIXED} 0 R {_OWN} 0 R]/Annots[{_WIDGET} 0 R]"
        f"/Resources<</Font<<{named}>>/ExtGState<</GS<</ca 0.28>>>>>>>>"
    ).encode()


def _info(facts: Facts) -> bytes:
    made = facts.made_at.strftime("%Y%m%d%H%M%S%z")
    moment = f"(D:{made[:-2]}'{made[-2:]}')"
    told = {"Title": facts.title, "Author": facts.author, "Subject": facts.identifier, "Creator": "License Office"}
    words = "".join(f"/{name}<{_text(text)}>" for name, text in told.items())
    return f"<<{words}/CreationDate{moment}/ModDate{moment}>>".encode()


def _text(text: str) -> str:
    return ("\ufeff" + text).encode("utf-16-be").hex()


def _xmp(facts: Facts) -> bytes:
    moment = facts.made_at.isoformat(timespec="seconds")
    text = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(facts.title)}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{escape(facts.author)}</rdf:li></rdf:Seq></dc:creator>"
        f"<dc:identifier>{escape(facts.identifier)}</dc:identifier><xmp:CreateDate>{moment}</xmp:CreateDate>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()
    return b"<</Type/Metadata/Subtype/XML/Length %d>>stream\n%b\nendstream" % (len(text), text)


@lru_cache(maxsize=256)
def _fixed(template: Template) -> bytes:
    return _stream(_drawn(template.fixed, setting(template, ()), template.layout.height))


def _widget(template: Template) -> bytes:
    element = seal_element(template.layout)
    box = (0.0, 0.0, 0.0, 0.0)
    if element is not None:
        bottom = template.layout.height - element.y - element.h
        box = (element.x, bottom, element.x + element.w, bottom + element.h)
    rectangle = " ".join(_n(value * PT) for value in box)
    return (f"<</Type/Annot/Subtype/Widget/FT/Sig/T({FIELD})/Rect[{rectangle}]/F 132/P {_PAGE} 0 R/AP<</N {_SEAL} 0 R>>>>").encode()


@lru_cache(maxsize=512)
def _seal_once(seal: tuple[Picture, ...], width: float, height: float) -> bytes:
    head = f"/Type/XObject/Subtype/Form/BBox[0 0 {_n(width * PT)} {_n(height * PT)}]/Resources<</ExtGState<</GS<</BM/Multiply>>>>>>"
    return _stream(b"\n".join([b"/GS gs", *(_shape(picture, height) for picture in seal)]), head)  # as ink: words under it stay


def _seal(seal: tuple[Picture, ...], template: Template) -> bytes:
    element = seal_element(template.layout)
    return _seal_once(seal, element.w if element else 0.0, element.h if element else 0.0)


def _font(number: int, subset: Subset) -> dict[int, bytes]:
    first = _FONTS + number * _OBJECTS_A_FONT
    return dict(enumerate(_template_font(first, subset) if number < 2 else _font_made(first, subset), start=first))


@lru_cache(maxsize=512)
def _template_font(first: int, subset: Subset) -> tuple[bytes, ...]:
    return _font_made(first, subset)


def _font_made(first: int, subset: Subset) -> tuple[bytes, ...]:
    widths = " ".join(map(str, subset.widths))
    box = f"[{' '.join(map(str, fonts.BOX))}]"
    return (
        f"<</Type/Font/Subtype/Type0/BaseFont/{subset.name}/Encoding/Identity-H/DescendantFonts[{first + 1} 0 R]"
        f"/ToUnicode {first + 4} 0 R>>".encode(),
        f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{subset.name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        f"/Supplement 0>>/FontDescriptor {first + 2} 0 R/DW 1000/W[0[{widths}]]>>".encode(),
        f"<</Type/FontDescriptor/FontName/{subset.name}/Flags 6/FontBBox{box}/ItalicAngle 0/Ascent {fonts.ASCENT}"
        f"/Descent {fonts.DESCENT}/CapHeight 733/StemV 80/FontFile3 {first + 3} 0 R>>".encode(),
        _stream(subset.cff, "/Subtype/CIDFontType0C"),
        _stream(_to_unicode(subset)),
    )


def _to_unicode(subset: Subset) -> bytes:
    pairs = [f"<{glyph:04x}><{character.encode('utf-16-be').hex()}>" for character, glyph in subset.glyphs.items()]
    parts = (pairs[start : start + 100] for start in range(0, len(pairs), 100))
    blocks = "\n".join(f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CIDSystemInfo"
        " <</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def /CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        f"1 begincodespacerange <0000><ffff> endcodespacerange\n{blocks}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()


def _drawn(marks: Iterable[Mark], faces: Setting, height: float) -> bytes:
    drawn = []
    for mark in marks:
        if isinstance(mark, Words):
            drawn.append(_words(mark, faces, height))
        elif isinstance(mark, Area):
            drawn.append(_area(mark, height))
        else:
            drawn.append(_shape(mark, height))
    return b"\n".join(drawn)


def _words(words: Words, faces: Setting, height: float) -> bytes:
    cos, sin = _turn(words.turned)
    matrix = " ".join(map(_n, (cos * words.stretch, sin * words.stretch, -sin, cos, words.x * PT, (height - words.y) * PT)))
    shown = []
    for number, text, font in faces.runs(words):
        codes = "".join(f"{font.glyphs[character]:04x}" for character in text)
        shown.append(f"/F{number} {_n(words.size)} Tf <{codes}> Tj")
    return f"BT {_color(words.color)} rg {matrix} Tm {' '.join(shown)} ET".encode()


@lru_cache(maxsize=64)
def _turn(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def _area(area: Area, height: float) -> bytes:
    x, y, w, h = area.x * PT, (height - area.y - area.h) * PT, area.w * PT, area.h * PT
    parts = []
    if area.fill:
        parts.append(f"{_color(area.fill)} rg")
    if area.stroke:
        parts.append(f"{_color(area.color)} RG {_n(area.stroke * PT)} w")
    if area.w and area.h:
        ends = {(True, True): "B", (True, False): "f", (False, True): "S"}.get((bool(area.fill), bool(area.stroke)), "n")
        parts.append(f"{_n(x)} {_n(y)} {_n(w)} {_n(h)} re {ends}")
    else:
        parts.append(f"{_n(x)} {_n(y + h)} m {_n(x + w)} {_n(y)} l S")
    return " ".join(parts).encode()


def _shape(picture: Picture, height: float) -> bytes:
    signs = {"M": "m", "L": "l", "C": "c", "Z": "h"}
    place = f"{_n(PT)} 0 0 {_n(-PT)} {_n(picture.x * PT)} {_n((height - picture.y) * PT)}"
    parts = [f"q {_color(picture.color)} rg {place} cm"]
    parts += [" ".join([*map(_n, points), signs[sign]]) for sign, points in picture.steps]
    parts.append("f* Q" if picture.holes else "f Q")
    return "\n".join(parts).encode()


def _color(color: str) -> str:
    return " ".join(_n(int(color[start : start + 2], 16) / 255) for start in (1, 3, 5))


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _stream(content: bytes, head: str = "") -> bytes:
    packed = zlib.compress(content, 6)
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (head.encode(), len(packed), packed)


def _file(objects: dict[int, bytes]) -> bytes:
    """Join numbered objects to a file; numbers nobody uses are free entries."""
    parts, places, length = [b"%PDF-1.7\n%\xe5\xe4\xf6\xfc\n"], {}, 15
    for number in sorted(objects):
        whole = b"%d 0 obj\n%b\nendobj\n" % (number, objects[number])
        places[number] = length
        parts.append(whole)
        length += len(whole)
    size = max(objects) + 1
    rows = [b"0000000000 65535 f \n"]
    rows += [b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00001 f \n" for number in range(1, size)]
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
    table = b"xref\n0 %d\n%b" % (size, b"".join(rows))
    tail = f"trailer\n<</Size {size}/Root {_CATALOG} 0 R/Info {_INFO} 0 R/ID[<{digest}><{digest}>]>>\nstartxref\n{length}\n%%EOF\n"
    return b"".join([*parts, table, tail.encode()])
