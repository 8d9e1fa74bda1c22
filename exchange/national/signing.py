"""Signatures and headers of the national convention (国家规范签名), and the AES its session secrets travel in. Pure.

`sign = Base64(HMAC-SHA256(secret, sid + rid + rtime))`. It covers neither method nor body and has no nonce: ours adds an
optional nonce and body digest, which are then signed as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.crypto import HmacAlgorithm, hmac_digest, same

PREFIXES: Final[Mapping[str, str]] = {"gjgxjhpt": "gjgxjhpt_", "gjzwfwpt": "gjzwfwpt_", "x-gov": "X-Gov-"}
PARTS: Final = ("rid", "sid", "rtime", "sign")
BLOCK: Final = 16
KEY_LENGTHS: Final = (16, 24, 32)


def text_to_sign(sid: str, rid: str, rtime: str, nonce: str = "", digest: str = "") -> bytes:
    """Return what is signed; nonce and digest only when they were sent (version 2, ours)."""
    return f"{sid}{rid}{rtime}{nonce}{digest}".encode()


def signature(secret: str, sid: str, rid: str, rtime: str, *, nonce: str = "", digest: str = "") -> str:
    """Return the Base64 signature of one request."""
    code = hmac_digest(HmacAlgorithm.SHA256, secret.encode(), text_to_sign(sid, rid, rtime, nonce, digest))
    return base64.b64encode(code).decode()


def is_signed(given: str, secrets_: list[str], *, sid: str, rid: str, rtime: str, nonce: str = "", digest: str = "") -> bool:
    """Return whether a signature was made with one of these secrets; every secret is tried."""
    try:
        code = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return False
    text = text_to_sign(sid, rid, rtime, nonce, digest)
    codes = [hmac_digest(HmacAlgorithm.SHA256, secret.encode(), text) for secret in secrets_]
    return any(same(expected, code) for expected in codes)


def headers(family: str, *, rid: str, sid: str, rtime: str, sign: str) -> dict[str, str]:
    """Return the four headers of a generation."""
    prefix = PREFIXES[family]
    values = zip(PARTS, (rid, sid, rtime, sign), strict=True)
    return {f"{prefix}{part.title() if family == 'x-gov' else part}": value for part, value in values}


def encrypt(text: str, app_key: str, mode: str) -> str:
    """Return a secret as it travels: Base64 of AES under the app key, PKCS#5 padding; CBC carries its IV in front."""
    padder = padding.PKCS7(BLOCK * 8).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    iv = secrets.token_bytes(BLOCK) if mode == "CBC" else b""
    encryptor = _cipher(app_key, mode, iv).encryptor()
    return base64.b64encode(iv + encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(text: str, app_key: str, mode: str) -> str:
    """Return the secret that came; ValueError when it does not fit the app key."""
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error
    iv, body = (content[:BLOCK], content[BLOCK:]) if mode == "CBC" else (b"", content)
    decryptor = _cipher(app_key, mode, iv).decryptor()
    unpadder = padding.PKCS7(BLOCK * 8).unpadder()
    return (unpadder.update(decryptor.update(body) + decryptor.finalize()) + unpadder.finalize()).decode()


def _cipher(app_key: str, mode: str, iv: bytes) -> Cipher[modes.CBC] | Cipher[modes.ECB]:
    key = app_key.encode()
    if len(key) not in KEY_LENGTHS:
        key = hashlib.sha256(key).digest()
    if mode == "CBC":
        return Cipher(algorithms.AES(key), modes.CBC(iv))
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # the convention's choice; one random secret, sent over TLS
