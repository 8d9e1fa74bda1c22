"""Certificates of the office's own small authority (自建签章证书): a root, and under it the signer of sealed files.

Nobody trusts this root by itself: whoever checks a file is given it and decides. A real office puts a certificate of an
accredited authority in its place. Made with `cryptography`; nothing here is kept or asked of a database.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from licenses.sealing import printed

ROOT_YEARS: Final = 20
SIGNER_YEARS: Final = 5
_EARLY: Final = timedelta(minutes=5)  # clocks of two machines differ
_YEAR: Final = timedelta(days=365)


def _name(common_name: str, office: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, office),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: RSAPublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def new_root(key: RSAPrivateKey, *, office: str, now: datetime) -> x509.Certificate:
    """Return the certificate of the office's root, signed by itself."""
    name = _name(printed.ROOT_NAME, office)
    builder = _builder(name, name, key.public_key(), now, now + ROOT_YEARS * _YEAR)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_usage(signs_certificates=True), critical=True).sign(key, SHA256())


def new_signer(
    public: RSAPublicKey, *, root: x509.Certificate, root_key: RSAPrivateKey, office: str, now: datetime
) -> x509.Certificate:
    """Return the certificate of a key that seals files; it ends with its root at the latest."""
    until = min(now + SIGNER_YEARS * _YEAR, root.not_valid_after_utc)
    builder = _builder(_name(printed.SIGNER_NAME, office), root.subject, public, now, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    return builder.add_extension(_usage(signs_certificates=False), critical=True).sign(root_key, SHA256())


def chain(pem: str) -> list[x509.Certificate]:
    """Read certificates of a PEM text, the signer's first."""
    return x509.load_pem_x509_certificates(pem.encode())


def ends_at(pem: str) -> datetime:
    """Return when the first certificate of a PEM text ends."""
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def pem(*certificates: x509.Certificate) -> str:
    """Return certificates as one PEM text."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)
