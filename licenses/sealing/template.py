"""A template (版式模板): the fixed part of a layout with its fonts, made once and used for every license of a type version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from licenses.sealing import fonts, printed
from licenses.sealing.drawing import Mark, Words, fixed_marks, shown_in
from licenses.sealing.fonts import Subset
from licenses.types.layout import Layout

WEIGHTS = (False, True)


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A layout, its fixed marks and the two fonts (by bold) its licenses are set in."""

    layout: Layout
    fixed: tuple[Mark, ...]
    fonts: Mapping[bool, Subset]


@dataclass(frozen=True, slots=True)
class Setting:
    """The fonts of one license: those of its template, and small ones for characters beyond them."""

    template: Template
    beyond: Mapping[bool, Subset]

    def runs(self, words: Words) -> Iterator[tuple[int, str, Subset]]:
        """Cut a line where its font changes: (font number, text, font). Numbers are 0 and 1 of the template, 2 and 3 beyond."""
        start, current = 0, -1
        for place, character in enumerate(words.text):
            number = int(words.bold) + (0 if character in self.template.fonts[words.bold].glyphs else 2)
            if number != current:
                if place:
                    yield current, words.text[start:place], self.font(current)
                start, current = place, number
        if words.text:
            yield current, words.text[start:], self.font(current)

    def font(self, number: int) -> Subset:
        """Return a font by its number."""
        return self.template.fonts[number % 2 == 1] if number < 2 else self.beyond[number % 2 == 1]

    def numbers(self) -> list[int]:
        """Return the numbers of the fonts there are."""
        return [0, 1, *(2 + int(bold) for bold in WEIGHTS if bold in self.beyond)]


def template_of(layout: Mapping[str, object]) -> Template:
    """Return the template of a layout as a type version keeps it; the second time it is there already."""
    return _made(json.dumps(layout, ensure_ascii=False, sort_keys=True))


@lru_cache(maxsize=256)
def _made(text: str) -> Template:
    layout = Layout.of(json.loads(text))
    fixed = tuple(fixed_marks(layout))
    needed = shown_in(fixed)
    made = {
        False: fonts.face(bold=False).subset(needed[False] | set(printed.common())),
        True: fonts.face(bold=True).subset(needed[True] | set(map(chr, range(0x20, 0x7F)))),
    }
    return Template(layout, fixed, made)


def setting(template: Template, marks: Sequence[Mark] | Iterable[Mark]) -> Setting:
    """Return the fonts for these marks: a second font only for what the template's lacks."""
    beyond = {}
    for bold, characters in shown_in(marks).items():
        rest = characters - template.fonts[bold].glyphs.keys()
        if rest:
            beyond[bold] = fonts.face(bold=bold).subset(rest)
    return Setting(template, beyond)
