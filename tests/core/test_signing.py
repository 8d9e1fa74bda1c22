"""Signing keys: made and checked by OpenSSL's own program, both algorithms, every flipped byte noticed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.crypto import KeyFileRefused
from core.signing import PublicKey, SigningKey, public_keys

ALGORITHMS = {"SM2": ["EC", "-pkeyopt", "ec_paramgen_curve:SM2"], "ED25519": ["ed25519"]}
CHECKS = {"SM2": ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"], "ED25519": []}


def new_key(algorithm: str, folder: Path) -> Path:
    path = folder / f"{algorithm}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", *ALGORITHMS[algorithm], "-out", path], check=True, capture_output=True)
    path.chmod(0o600)
    return path


def openssl_accepts(key: PublicKey, message: bytes, signature: bytes, folder: Path) -> bool:
    (folder / "public.pem").write_text(key.pem)
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public.pem",
        "-rawin",
        "-in",
        "message",
        "-sigfile",
        "signature",
    ]
    return subprocess.run([*command, *CHECKS[key.algorithm]], cwd=folder, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_openssl_accepts_what_we_sign_and_nothing_else(algorithm: str, tmp_path: Path) -> None:
    key = SigningKey.load(new_key(algorithm, tmp_path))
    assert key.public.algorithm == algorithm
    message = "封存记录 seal\n".encode() * 20
    signature = key.sign(message)
    assert openssl_accepts(key.public, message, signature, tmp_path)
    assert not openssl_accepts(key.public, message[:-1] + b"\r", signature, tmp_path)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_flipped_bit_anywhere_is_noticed(algorithm: str, tmp_path: Path) -> None:
    key = SigningKey.load(new_key(algorithm, tmp_path))
    message = b"batch 12, 345 records"
    signature = key.sign(message)
    assert key.public.verifies(message, signature)
    for place in range(len(message)):
        assert not key.public.verifies(message[:place] + bytes([message[place] ^ 1]) + message[place + 1 :], signature)
    for place in range(len(signature)):
        assert not key.public.verifies(message, signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :])
    assert not key.public.verifies(message, b"")
    assert not SigningKey.load(new_key(algorithm, tmp_path)).public.verifies(message, signature)


def test_a_key_others_may_read_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = new_key("SM2", tmp_path)
    path.chmod(0o640)
    with pytest.raises(KeyFileRefused):
        SigningKey.load(path)
    other = tmp_path / "p256.pem"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other],
        check=True,
        capture_output=True,
    )
    for text in (other.read_text(), "", "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----"):
        other.write_text(text)
        other.chmod(0o600)
        with pytest.raises(KeyFileRefused):
            SigningKey.load(other)
    with pytest.raises(KeyFileRefused):
        SigningKey.load(tmp_path / "missing.pem")


def test_public_keys_of_the_past_stand_beside_the_current_one(tmp_path: Path) -> None:
    keys = [SigningKey.load(new_key(algorithm, tmp_path)).public for algorithm in ALGORITHMS]
    bundle = tmp_path / "seal_keys.pem"
    bundle.write_text("".join(key.pem for key in keys))
    assert public_keys(bundle) == {key.id: key for key in keys}
    assert all(len(name) == 16 for name in public_keys(bundle))
