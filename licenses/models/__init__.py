"""Tables of the license office."""

from licenses.models.key import KeyPurpose, SealKey
from licenses.models.license import (
    FileKind,
    License,
    LicenseEvent,
    LicenseFile,
    LicenseHolder,
    LicenseState,
    LicenseUse,
    Operation,
    PaperState,
    UseChannel,
)
from licenses.models.type_version import HolderKind, TypeState, TypeVersion, ValidityKind

__all__ = [
    "FileKind",
    "HolderKind",
    "KeyPurpose",
    "License",
    "LicenseEvent",
    "LicenseFile",
    "LicenseHolder",
    "LicenseState",
    "LicenseUse",
    "Operation",
    "PaperState",
    "SealKey",
    "TypeState",
    "TypeVersion",
    "UseChannel",
    "ValidityKind",
]
