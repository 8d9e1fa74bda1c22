"""Signing keys (签名密钥): SM2 with SM3 (国密) and Ed25519 behind one port; the key file decides which.

Keys are PEM as OpenSSL writes them, so that `openssl` alone can make them and check a signature. Secrets shared with others,
message authentication and sealed values are `core.crypto`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from gmssl_pyx import GmsslInnerError, sm2_sign, sm2_verify

from core.crypto import KeyFileRefused

SM2: Final = "SM2"
ED25519: Final = "ED25519"

# DER has one way of writing these: everything but the numbers themselves is fixed (RFC 5208, RFC 5915, GM/T 0010; RFC 8410).
_SM2_PUBLIC: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_SM2_PRIVATE: Final = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_SM2_PRIVATE_MIDDLE: Final = bytes.fromhex("a14403420004")
_ED25519_PUBLIC: Final = bytes.fromhex("302a300506032b6570032100")
_ED25519_PRIVATE: Final = bytes.fromhex("302e020100300506032b657004220420")
_PEM: Final = re.compile("-----BEGIN (PRIVATE|PUBLIC) KEY-----([A-Za-z0-9+/=\\s]+)-----END \\1 KEY-----")
_OTHERS: Final = 0o077


def key_id(der: bytes) -> str:
    """Return the name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(der).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that checks signatures; `der` is its SubjectPublicKeyInfo."""

    algorithm: str
    der: bytes

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Read a public key; another kind of key raises KeyFileRefused."""
        if der.startswith(_SM2_PUBLIC) and len(der) == len(_SM2_PUBLIC) + 64:
            return cls(SM2, der)
        if der.startswith(_ED25519_PUBLIC) and len(der) == len(_ED25519_PUBLIC) + 32:
            return cls(ED25519, der)
        raise KeyFileRefused("only SM2 and Ed25519 keys are known")

    @property
    def id(self) -> str:
        """The name a signature gives its key."""
        return key_id(self.der)

    @property
    def pem(self) -> str:
        """The key as OpenSSL reads it."""
        text = base64.b64encode(self.der).decode()
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether this key signed the message (SM2: DER, default signer id; about 1.4 ms)."""
        try:
            if self.algorithm == SM2:
                return bool(sm2_verify(self.der[len(_SM2_PUBLIC) :], message, signature))
            Ed25519PublicKey.from_public_bytes(self.der[len(_ED25519_PUBLIC) :]).verify(signature, message)
        except (InvalidSignature, GmsslInnerError, ValueError):
            return False
        return True


class Signing(Protocol):
    """Whoever can sign: a key file today, a machine behind the same two words tomorrow."""

    public: PublicKey

    def sign(self, message: bytes) -> bytes:
        """Return a signature over the message."""


class SigningKey:
    """The platform's private key, read from its file."""

    def __init__(self, public: PublicKey, secret: bytes) -> None:
        self.public = public
        self._secret = secret

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key file; refuse one that group or others may touch, and any other kind of key."""
        try:
            with path.open() as file:
                if os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise KeyFileRefused("the signing key must be accessible by its owner only (mode 600)")
                return cls.from_pem(file.read())
        except OSError as error:
            raise KeyFileRefused(f"the signing key cannot be read: {error.strerror}") from error

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Read one private key."""
        found = pem_blocks(text)
        if len(found) != 1 or found[0][0] != "PRIVATE":
            raise KeyFileRefused("the signing key file must hold exactly one private key (PKCS#8, PEM)")
        return cls._from_der(found[0][1])

    @classmethod
    def _from_der(cls, der: bytes) -> Self:
        if der.startswith(_SM2_PRIVATE) and len(der) == len(_SM2_PRIVATE) + 32 + len(_SM2_PRIVATE_MIDDLE) + 64:
            rest = der[len(_SM2_PRIVATE) :]
            return cls(PublicKey.from_der(_SM2_PUBLIC + rest[-64:]), rest[:32])
        if der.startswith(_ED25519_PRIVATE) and len(der) == len(_ED25519_PRIVATE) + 32:
            secret = der[len(_ED25519_PRIVATE) :]
            public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
            return cls(PublicKey.from_der(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)), secret)
        raise KeyFileRefused("only SM2 and Ed25519 keys are known")

    def __repr__(self) -> str:
        return f"SigningKey({self.public.algorithm} {self.public.id})"

    def sign(self, message: bytes) -> bytes:
        """Return a signature: DER for SM2 (signer id 1234567812345678, about 5 ms), 64 bytes for Ed25519."""
        if self.public.algorithm == SM2:
            return bytes(sm2_sign(self._secret, self.public.der[len(_SM2_PUBLIC) :], message))
        return Ed25519PrivateKey.from_private_bytes(self._secret).sign(message)


def pem_blocks(text: str) -> list[tuple[str, bytes]]:
    """Return kind (PRIVATE, PUBLIC) and DER of every key in a PEM text."""
    try:
        return [(kind, base64.b64decode("".join(body.split()), validate=True)) for kind, body in _PEM.findall(text)]
    except binascii.Error as error:
        raise KeyFileRefused("a key is not PEM") from error


def public_keys(path: Path) -> Mapping[str, PublicKey]:
    """Return the public keys of a PEM file by their ids: the current one and those of the past."""
    try:
        found = pem_blocks(path.read_text())
    except OSError as error:
        raise KeyFileRefused(f"the public keys cannot be read: {error.strerror}") from error
    keys = [PublicKey.from_der(der) for kind, der in found if kind == "PUBLIC"]
    return {key.id: key for key in keys}
