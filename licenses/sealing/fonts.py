"""The font files are set in (字体): glyphs of Noto Serif CJK, taken out character by character, and small fonts made of them.

A template's font holds its fixed words and the characters most licenses use; it is made once. What a license needs beyond it comes
into a second, tiny font of its own, so that a rare name never prints as an empty box. A character no font has is refused.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont, TTLibError

from core.errors import Invalid, Unavailable
from core.texts import listed

EM: Final = 1000
ASCENT: Final = 880
DESCENT: Final = -120
BOX: Final = (-200, -320, 1200, 1080)
_SIMPLIFIED: Final = 2  # which of the fonts in the collection writes simplified Chinese
_FILES: Final = {False: "NotoSerifCJK-Regular.ttc", True: "NotoSerifCJK-Bold.ttc"}


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """A font of a few characters: as OpenType and as its bare CFF table, its glyph numbers and widths (thousandths of an em)."""

    name: str
    opentype: bytes
    cff: bytes
    glyphs: Mapping[str, int]
    widths: tuple[int, ...]


class Face:
    """One weight of the font; characters are taken out of the big file once a process."""

    def __init__(self, *, bold: bool) -> None:
        self.name = "NotoSerifCJKsc-Bold" if bold else "NotoSerifCJKsc-Regular"
        self._lock = threading.Lock()
        self._outlines: dict[str, tuple[Any, int]] = {}
        try:
            font = TTFont(settings.LICENSE_FONTS_DIR / _FILES[bold], fontNumber=_SIMPLIFIED, lazy=True)
        except (OSError, TTLibError) as error:
            raise Unavailable("font.missing", _("本节点缺少证照文件所用字体，请联系系统管理员安装。")) from error
        self._names: Mapping[int, str] = font.getBestCmap()
        self._glyphs = font.getGlyphSet()

    def has(self, character: str) -> bool:
        """Return whether the font can draw a character."""
        return ord(character) in self._names

    def outline(self, character: str) -> tuple[Any, int]:
        """Return the outline of a character (Type 2 charstring) and its width."""
        found = self._outlines.get(character)
        if found is None:
            with self._lock:
                glyph = self._glyphs[self._names[ord(character)]]
                pen = T2CharStringPen(glyph.width, self._glyphs)
                glyph.draw(pen)
                found = self._outlines[character] = (pen.getCharString(), glyph.width)
        return found

    def width(self, text: str) -> int:
        """Return how wide a text runs, in thousandths of an em."""
        return sum(self.outline(character)[1] for character in text)

    def strokes(self, character: str) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
        """Return the outline as pen movements, for what is drawn as a picture."""
        pen = RecordingPen()
        with self._lock:
            self._glyphs[self._names[ord(character)]].draw(pen)
        return list(pen.value)

    def subset(self, characters: Iterable[str]) -> Subset:
        """Make a font of these characters."""
        wanted = sorted(set(characters))
        names = [".notdef", *(f"u{ord(character):05X}" for character in wanted)]
        outlines = [self.outline("□" if self.has("□") else " "), *map(self.outline, wanted)]
        tag = "".join(chr(65 + byte % 26) for byte in hashlib.sha256("".join(wanted).encode()).digest()[:6])
        name = f"{tag}+{self.name}"
        builder = FontBuilder(EM, isTTF=False)
        builder.font.recalcBBoxes = False  # the whole font's box is stated instead
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap({ord(character): names[place + 1] for place, character in enumerate(wanted)})
        charstrings = dict(zip(names, (outline for outline, _width in outlines), strict=True))
        builder.setupCFF(name, {"FullName": name, "FamilyName": self.name}, charstrings, {})
        builder.font["CFF "].cff.topDictIndex[0].FontBBox = list(BOX)
        builder.setupHorizontalMetrics({glyph: (width, 0) for glyph, (_o, width) in zip(names, outlines, strict=True)})
        builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
        builder.setupNameTable({"familyName": self.name, "styleName": "Regular", "psName": name})
        builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT, usWinAscent=ASCENT, usWinDescent=-DESCENT)
        builder.setupPost()
        whole = io.BytesIO()
        builder.save(whole)
        made = TTFont(io.BytesIO(whole.getvalue()), lazy=True)
        glyphs = {character: place + 1 for place, character in enumerate(wanted)}
        return Subset(name, whole.getvalue(), made.reader["CFF "], glyphs, tuple(width for _o, width in outlines))


@lru_cache(maxsize=2)
def face(*, bold: bool) -> Face:
    """Return a weight of the font, opened once a process."""
    return Face(bold=bold)


def refuse_unprintable(words: Mapping[str, str]) -> None:
    """Refuse texts (by what they are called) with characters that no font of ours can draw."""
    font = face(bold=False)
    for title, text in words.items():
        missing = sorted({character for character in text if character != "\n" and not font.has(character)})
        if missing:
            shown = listed(f"{character}(U+{ord(character):04X})" for character in missing[:5])
            told = _("“%(title)s”中的字 %(characters)s 不在签章字体中，无法制作版式文件。请核对用字，确需使用的请联系系统管理员。")
            raise Invalid("file.unprintable", told % {"title": title, "characters": shown}, {title: shown})
