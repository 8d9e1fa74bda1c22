"""Keys, digests and sealed secrets (商用密码): one port over OpenSSL and `cryptography`, no algorithm of our own.

Message authentication with HMAC-SHA256 and HMAC-SM3, digests, AES-256-GCM sealing under a versioned key file that lives
outside database and repository, and the constant subject keys. Where secrets are stored and who may open them is not here.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUBJECT_KEY_LENGTH = 16
_KEY_LENGTH = 32
_NONCE_LENGTH = 12
_OTHERS = 0o077


class HmacAlgorithm(StrEnum):
    """Ways to authenticate a message, named as callers write them."""

    SHA256 = "HMAC-SHA256"
    SM3 = "HMAC-SM3"


_DIGEST_NAMES = {HmacAlgorithm.SHA256: "sha256", HmacAlgorithm.SM3: "sm3"}


class KeyFileRefused(RuntimeError):
    """The key file is missing, readable by others or malformed: the process must not start with it."""


class SealBroken(ValueError):
    """A sealed value was altered, belongs to another place, or its key is gone."""


class Sealed(NamedTuple):
    """What is stored of a secret: which key sealed it, the nonce, and the ciphertext with its tag."""

    key_id: int
    nonce: bytes
    ciphertext: bytes


def hmac_digest(algorithm: HmacAlgorithm, key: bytes, message: bytes) -> bytes:
    """Return the 32-byte code of a message; about 2 µs, since OpenSSL does it in one call."""
    return hmac.digest(key, message, _DIGEST_NAMES[algorithm])


def hmac_matches(algorithm: HmacAlgorithm, key: bytes, message: bytes, code: bytes) -> bool:
    """Check a code in constant time."""
    return hmac.compare_digest(hmac_digest(algorithm, key, message), code)


def same(left: bytes, right: bytes) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left, right)


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 digest."""
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905)."""
    return hashlib.new("sm3", data).digest()


def subject_key(pepper: bytes, normalized_id: str) -> bytes:
    """Return the constant key of a subject: the first 16 bytes of HMAC-SM3 over its normalized identifier."""
    return hmac_digest(HmacAlgorithm.SM3, pepper, normalized_id.encode())[:SUBJECT_KEY_LENGTH]


class KeyRing:
    """The keys of this node: versioned sealing keys and the pepper of subject keys, which is never rotated."""

    def __init__(self, *, current: int, keys: Mapping[int, bytes], pepper: bytes) -> None:
        if current not in keys:
            raise KeyFileRefused("the current key is not among the keys")
        if any(len(key) != _KEY_LENGTH for key in (*keys.values(), pepper)):
            raise KeyFileRefused(f"keys and pepper must have {_KEY_LENGTH} bytes")
        self._current = current
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._pepper = pepper

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key file; refuse one that group or others may touch."""
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise KeyFileRefused("the key file must be accessible by its owner only (mode 600)")
                content = json.load(file)
        except OSError as error:
            raise KeyFileRefused(f"the key file cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise KeyFileRefused("the key file is not JSON") from error
        return cls._from_content(content)

    @classmethod
    def _from_content(cls, content: Any) -> Self:
        try:
            keys = {int(key_id): _decoded(key) for key_id, key in content["keys"].items()}
            return cls(current=int(content["current"]), keys=keys, pepper=_decoded(content["pepper"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise KeyFileRefused("the key file lacks current, keys or pepper, or they are malformed") from error

    def __repr__(self) -> str:
        return f"KeyRing(current={self._current}, keys={sorted(self._ciphers)})"

    @property
    def current_key_id(self) -> int:
        """The key that seals what is sealed from now on."""
        return self._current

    def seal(self, plaintext: bytes, associated_data: bytes) -> Sealed:
        """Encrypt under the current key, bound to `associated_data` (where it is stored) and the key id."""
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        ciphertext = self._ciphers[self._current].encrypt(nonce, plaintext, _bound(self._current, associated_data))
        return Sealed(self._current, nonce, ciphertext)

    def open(self, sealed: Sealed, associated_data: bytes) -> bytes:
        """Return the plaintext; SealBroken when it was altered or moved, or its key is not on the ring."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise SealBroken("the key is not on the ring")
        try:
            return cipher.decrypt(bytes(sealed.nonce), bytes(sealed.ciphertext), _bound(sealed.key_id, associated_data))
        except (InvalidTag, ValueError) as error:
            raise SealBroken("the sealed value does not fit its place") from error

    def reseal(self, sealed: Sealed, associated_data: bytes) -> Sealed:
        """Move a sealed value to the current key; one that is there already is returned as it is."""
        if sealed.key_id == self._current:
            return sealed
        return self.seal(self.open(sealed, associated_data), associated_data)

    def subject_key(self, normalized_id: str) -> bytes:
        """Return the constant 16-byte key of a person or legal entity."""
        return subject_key(self._pepper, normalized_id)

    def code(self, purpose: str, message: bytes) -> bytes:
        """Return a 32-byte code that only this node can make; each purpose has a key of its own, derived from the pepper."""
        key = hmac_digest(HmacAlgorithm.SM3, self._pepper, b"purpose:" + purpose.encode())
        return hmac_digest(HmacAlgorithm.SM3, key, message)


def _bound(key_id: int, associated_data: bytes) -> bytes:
    return b"%d:%b" % (key_id, associated_data)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
