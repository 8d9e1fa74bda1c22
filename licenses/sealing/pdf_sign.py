"""The signature of a PDF (PAdES-B-B): pyHanko fills the empty field of the page and certifies that nothing may change after it."""

from __future__ import annotations

import io
from datetime import datetime
from functools import lru_cache
from typing import Final

from asn1crypto import pem, x509
from asn1crypto.keys import PrivateKeyInfo
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.utils.translation import gettext as _
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import NoOpStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from core.calendar import SHANGHAI
from core.crypto import KeyFileRefused
from core.errors import Unavailable
from licenses.models import KeyPurpose, SealKey
from licenses.sealing import keys
from licenses.sealing.certificates import ends_at
from licenses.sealing.pdf import FIELD

DIGEST: Final = "sha256"


class _Signer(SimpleSigner):
    """pyHanko's signer with the key opened once, not at every signature."""

    def __init__(self, certificates: list[x509.Certificate], key: PrivateKeyInfo) -> None:
        registry = SimpleCertificateStore.from_certs(certificates)  # type: ignore[no-untyped-call]
        super().__init__(signing_cert=certificates[0], signing_key=key, cert_registry=registry)
        opened = load_der_private_key(key.dump(), password=None)
        if not isinstance(opened, RSAPrivateKey):
            raise KeyFileRefused("the key that seals files must be an RSA key")
        self._opened = opened

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        """Return the raw signature (PKCS #1 v1.5 over SHA-256)."""
        if digest_algorithm != DIGEST:
            raise ValueError(digest_algorithm)
        return self._opened.sign(data, PKCS1v15(), SHA256())


def certificates_of(chain: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text, the signer's first."""
    return [x509.Certificate.load(der) for _kind, _headers, der in pem.unarmor(chain.encode(), multiple=True)]


@lru_cache(maxsize=8)
def _signer(code: str, chain: str) -> _Signer:
    return _Signer(certificates_of(chain), keys.store.rsa(code))


def signer(key: SealKey) -> SimpleSigner:
    """Return who signs with a key; its private half is opened once a process."""
    try:
        return _signer(key.code, key.certificate)
    except KeyFileRefused as error:
        raise keys.unreadable(key) from error


def sign(content: bytes, *, key: SealKey, reason: str, office: str) -> bytes:
    """Return the file with its signature; `content` is what `pdf.render` returns."""
    stated = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=reason,
        name=office,
    )
    machine = PdfSigner(stated, signer(key), stamp_style=NoOpStampStyle())
    signed = machine.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(content)), existing_fields_only=True)
    return bytes(signed.getbuffer())


def seal(content: bytes, *, reason: str, office: str, at: datetime) -> tuple[bytes, SealKey]:
    """Sign with the key in force; return the file and the key. Nobody could verify what an expired certificate signs."""
    key = keys.current(KeyPurpose.FILE)
    ended = ends_at(key.certificate)
    if ended <= at:
        text = _(
            "版式文件签章证书已于 %(day)s 到期，不能再签章。请系统管理员执行 manage.py rotate_license_key FILE 轮换签章密钥后重试。"
        )
        raise Unavailable("seal_key.certificate_expired", text % {"day": f"{ended.astimezone(SHANGHAI):%Y-%m-%d}"})
    return sign(content, key=key, reason=reason, office=office), key
