"""The office's root (签章根证书): under which certificate the keys that seal files are made, and where its private half lies.

A truly empty office makes one. Where certificates under a root are known, that root goes on; when its key file is away nothing is
made in its place unless somebody says so (`manage.py rotate_license_key FILE --new-root`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from django.conf import settings
from django.utils.translation import gettext as _

from core.crypto import KeyFileRefused
from core.errors import Conflict
from core.signing import key_id
from licenses.models import KeyPurpose, SealKey
from licenses.sealing import certificates, key_files, printed

PURPOSE: Final = "ROOT"


@dataclass(frozen=True, slots=True)
class Root:
    """A root with its private half."""

    certificate: x509.Certificate
    key: RSAPrivateKey

    @property
    def code(self) -> str:
        """The name of its file."""
        return code_of(PURPOSE, self.certificate)


def office() -> str:
    """Return in whose name certificates are made."""
    return printed.office_name(settings.NODE_CODE)


def code_of(purpose: str, certificate: x509.Certificate) -> str:
    """Return the code of the key a certificate is about."""
    return f"{purpose}-{key_id(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}"


def standing_code() -> str:
    """Return the code of the root new certificates are made under, empty for an office that has none yet.

    That is the root of the newest certificate the database knows; before there is one, whatever the key directory holds.
    """
    newest = SealKey.objects.filter(purpose=KeyPurpose.FILE).order_by("-valid_from", "-id").first()
    if newest is not None:
        return code_of(PURPOSE, certificates.chain(newest.certificate)[-1])
    if roots := _files(PURPOSE):
        return roots[-1].stem
    if sealing := _files(KeyPurpose.FILE.value):
        return code_of(PURPOSE, certificates.chain(key_files.certificates_of(sealing[-1].stem))[-1])
    return ""


def standing(now: datetime) -> Root:
    """Return the root in use, made at the very first time; between rotations its file may be kept elsewhere."""
    code = standing_code()
    if not code:
        return begin(now)
    if not key_files.path_of(code).exists():
        text = _(
            "签章根证书的私钥文件 %(file)s 不在密钥目录中，没有另立新根。请从备份把该文件放回密钥目录后重试；确已丢失的，"
            "执行 manage.py rotate_license_key FILE --new-root 另立新根，并向核验方重新公布根证书。"
        )
        raise Conflict("seal_key.root_missing", text % {"file": f"{code}.pem"}, {"file": f"{code}.pem"})
    certificate = certificates.chain(key_files.certificates_of(code))[0]
    private = load_der_private_key(key_files.read(code), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise KeyFileRefused(f"the license key {code} must be an RSA key")
    if certificate.not_valid_after_utc <= now:
        text = _(
            "签章根证书已于 %(day)s 到期，不能再签发签章证书。请执行 manage.py rotate_license_key FILE --new-root 另立新根，"
            "并向核验方重新公布根证书。"
        )
        raise Conflict("seal_key.root_expired", text % {"day": f"{certificate.not_valid_after_utc:%Y-%m-%d}"})
    return Root(certificate, private)


def begin(now: datetime) -> Root:
    """Make a root; whoever checks files has to be given it."""
    encrypted, key = key_files.new_rsa(key_files.passphrase())
    root = Root(certificates.new_root(key, office=office(), now=now), key)
    key_files.write(root.code, encrypted, certificates.pem(root.certificate))
    return root


def _files(purpose: str) -> list[Path]:
    """Return the key files of a purpose, the newest last."""
    return sorted(settings.LICENSE_KEYS_DIR.glob(f"{purpose}-*.pem"), key=lambda path: (path.stat().st_mtime, path.name))
