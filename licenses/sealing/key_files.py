"""Private halves of the seal keys (签章私钥): one encrypted PKCS#8 file a key in a directory outside the database.

The passphrase lies in a file of its own. A file that group or others may touch is refused, of keys as of the passphrase.
SM2 keys are made by OpenSSL, RSA keys by `cryptography`; both are opened here the same way (PBES2, AES-256-CBC).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Final

from asn1crypto.keys import EncryptedPrivateKeyInfo
from asn1crypto.pem import unarmor
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from django.conf import settings

from core.crypto import KeyFileRefused

RSA_BITS: Final = 3072
_OTHERS: Final = 0o077
_CODE: Final = re.compile("[A-Z]{2,10}-[0-9a-f]{16}")


def read_own(path: Path, what: str) -> bytes:
    """Return the content of a file its owner alone may touch."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise KeyFileRefused(f"{what} must be accessible by its owner only (mode 600)")
            return file.read()
    except OSError as error:
        raise KeyFileRefused(f"{what} cannot be read: {error.strerror}") from error


def passphrase() -> bytes:
    """Return the passphrase of the key files."""
    text = read_own(settings.LICENSE_PASSPHRASE_FILE, "the passphrase of the license keys").strip()
    if len(text) < 16:
        raise KeyFileRefused("the passphrase of the license keys is too short")
    return text


def path_of(code: str) -> Path:
    """Return where the key of this code lies."""
    if not _CODE.fullmatch(code):
        raise KeyFileRefused("a seal key has a code of an unknown form")
    directory: Path = settings.LICENSE_KEYS_DIR
    return directory / f"{code}.pem"


def write(code: str, encrypted_pem: bytes, certificates: str = "") -> None:
    """Keep a new key with its certificates: whole on the disk before its name appears, and never over another."""
    path = path_of(code)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(encrypted_pem + certificates.encode())
        file.flush()
        os.fsync(file.fileno())
    os.link(draft, path)
    draft.unlink()


def read(code: str) -> bytes:
    """Return the private key of this code as plain PKCS#8 (DER)."""
    return decrypt(read_own(path_of(code), f"the license key {code}"), passphrase())


def certificates_of(code: str) -> str:
    """Return the certificates kept with a key (PEM), the key's own first."""
    text = path_of(code).read_text()
    return text[text.index("-----BEGIN CERTIFICATE-----") :]


def decrypt(encrypted_pem: bytes, secret: bytes) -> bytes:
    """Open an encrypted PKCS#8 file; KeyFileRefused when the passphrase is not its own."""
    try:
        _, _, der = unarmor(encrypted_pem)
        box = EncryptedPrivateKeyInfo.load(der)
        scheme = box["encryption_algorithm"]
        key = hashlib.pbkdf2_hmac(scheme.kdf_hmac, secret, scheme.kdf_salt, scheme.kdf_iterations, dklen=scheme.key_length)
        reader = Cipher(algorithms.AES(key), modes.CBC(scheme.encryption_iv)).decryptor()
        padded = reader.update(box["encrypted_data"].native) + reader.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, TypeError, KeyError) as error:
        raise KeyFileRefused("a license key cannot be opened with the passphrase of this office") from error


def pem_of(der: bytes) -> str:
    """Return plain PKCS#8 as PEM, for readers that take nothing else; it stays in memory."""
    return f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"


def new_sm2(secret: bytes) -> bytes:
    """Return a fresh SM2 key, encrypted; the passphrase goes to OpenSSL through a pipe."""
    arguments = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-aes-256-cbc", "-pass", "stdin")
    done = subprocess.run(["openssl", *arguments], input=secret + b"\n", capture_output=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise KeyFileRefused("openssl made no SM2 key; version 1.1.1 or newer is needed")
    return done.stdout


def new_rsa(secret: bytes) -> tuple[bytes, rsa.RSAPrivateKey]:
    """Return a fresh RSA key, encrypted and open."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(secret)), key
