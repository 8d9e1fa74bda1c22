"""Pointing into a JSON answer (JSON 指针, RFC 6901) and reading what is there as text. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final

FORM: Final = re.compile(r"(/([^~/]|~[01])*)*")
MISSING: Final = object()


def is_pointer(text: str) -> bool:
    """Return whether a text is a pointer."""
    return FORM.fullmatch(text) is not None


def at(document: Any, pointer: str) -> Any:
    """Return what a pointer names, MISSING when there is no such thing."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name, MISSING)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return MISSING
        if found is MISSING:
            return MISSING
    return found


def text_at(document: Any, pointer: str) -> str | None:
    """Return the text of a scalar; None for null, nothing and the empty text. Objects and lists are written as JSON."""
    found = at(document, pointer)
    if found is MISSING or found is None or found == "":
        return None
    if isinstance(found, str):
        return found
    return json.dumps(found, ensure_ascii=False)
