"""The text of a code (亮证码文本): 128 random bits in letters a scanner types and a person can read out. Pure.

Only its digest is stored. The text names nobody; whoever photographs it has 90 seconds, and the holder still has to agree.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import Final

HEAD: Final = "SFM1"
BYTES: Final = 16
LETTERS: Final = 26
FORM: Final = re.compile(f"{HEAD}[A-Z2-7]{{{LETTERS}}}")
DROPPED: Final = str.maketrans("", "", " -\t\r\n\u3000")


def new_code() -> str:
    """Return the text of a new code."""
    return HEAD + base64.b32encode(secrets.token_bytes(BYTES)).decode().rstrip("=")


def read_code(text: str) -> str:
    """Return a code as it was made out of what a scanner or a person typed, "" for what cannot be one."""
    typed = text.translate(DROPPED).upper()
    return typed if FORM.fullmatch(typed) else ""


def digest_of(text: str) -> bytes:
    """Return what is stored of a code, a ticket or a session's token."""
    return hashlib.sha256(text.encode()).digest()


def in_groups(text: str) -> str:
    """Return a code as it is read out: five letters at a time."""
    body = text.removeprefix(HEAD)
    return " ".join([HEAD, *(body[start : start + 5] for start in range(0, len(body), 5))])
