"""Keys and digests: published vectors, seals that notice every change, a key file nobody else may read."""

import base64
import json
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import crypto
from core.crypto import HmacAlgorithm, KeyFileRefused, KeyRing, SealBroken, Sealed

OLD, NEW, PEPPER = b"o" * 32, b"n" * 32, b"p" * 32
OLD_RING = KeyRing(current=1, keys={1: OLD}, pepper=PEPPER)
RING = KeyRing(current=2, keys={1: OLD, 2: NEW}, pepper=PEPPER)


def test_digests_match_the_standards() -> None:
    assert crypto.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert crypto.sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_hmac_sha256_matches_rfc_4231() -> None:
    code = crypto.hmac_digest(HmacAlgorithm.SHA256, b"Jefe", b"what do ya want for nothing?")
    assert code.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@given(st.binary(max_size=100), st.binary(max_size=200))
def test_hmac_sm3_is_built_as_rfc_2104_says(key: bytes, message: bytes) -> None:
    block = (crypto.sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = crypto.sm3(bytes(byte ^ 0x36 for byte in block) + message)
    assert crypto.hmac_digest(HmacAlgorithm.SM3, key, message) == crypto.sm3(bytes(byte ^ 0x5C for byte in block) + inner)


@pytest.mark.parametrize("algorithm", HmacAlgorithm)
def test_codes_are_checked(algorithm: HmacAlgorithm) -> None:
    code = crypto.hmac_digest(algorithm, b"key", b"message")
    assert len(code) == 32
    assert crypto.hmac_matches(algorithm, b"key", b"message", code)
    assert not crypto.hmac_matches(algorithm, b"key", b"massage", code)
    assert not crypto.hmac_matches(algorithm, b"kex", b"message", code)
    assert not crypto.hmac_matches(algorithm, b"key", b"message", code[:31])
    assert crypto.same(code, bytes(code))
    assert not crypto.same(code, b"")


@pytest.mark.parametrize("algorithm", HmacAlgorithm)
def test_codes_cost_microseconds(algorithm: HmacAlgorithm) -> None:
    started = perf_counter()
    for _ in range(2000):
        crypto.hmac_digest(algorithm, b"k" * 32, b"m" * 200)
    assert (perf_counter() - started) / 2000 < 0.0001


def test_subject_key_is_sixteen_constant_bytes() -> None:
    key = RING.subject_key("99010119800101001X")
    assert len(key) == 16
    assert key == OLD_RING.subject_key("99010119800101001X") == crypto.subject_key(PEPPER, "99010119800101001X")
    assert key != RING.subject_key("990101198001010036")
    assert key != crypto.subject_key(NEW, "99010119800101001X")


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_sealed_secret_opens_in_its_place(plaintext: bytes, place: bytes) -> None:
    sealed = RING.seal(plaintext, place)
    assert sealed.key_id == 2
    assert RING.open(sealed, place) == plaintext
    assert RING.seal(plaintext, place).nonce != sealed.nonce


def test_altered_or_moved_secret_does_not_open() -> None:
    sealed = RING.seal(b"secret", b"credential:7")
    flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    for broken, place in [
        (sealed, b"credential:8"),
        (sealed._replace(ciphertext=flipped), b"credential:7"),
        (sealed._replace(nonce=b"0" * 12), b"credential:7"),
        (sealed._replace(nonce=b""), b"credential:7"),
        (sealed._replace(ciphertext=b""), b"credential:7"),
        (sealed._replace(key_id=1), b"credential:7"),
        (sealed._replace(key_id=9), b"credential:7"),
    ]:
        with pytest.raises(SealBroken):
            RING.open(broken, place)


def test_same_key_under_another_id_does_not_open() -> None:
    sealed = OLD_RING.seal(b"secret", b"place")
    twin = KeyRing(current=3, keys={3: OLD}, pepper=PEPPER)
    with pytest.raises(SealBroken):
        twin.open(sealed._replace(key_id=3), b"place")


def test_values_read_back_from_the_database_open() -> None:
    sealed = RING.seal(b"secret", b"place")
    stored = Sealed(sealed.key_id, memoryview(sealed.nonce), memoryview(sealed.ciphertext))  # type: ignore[arg-type]
    assert RING.open(stored, b"place") == b"secret"


def test_resealing_moves_to_the_current_key() -> None:
    sealed = OLD_RING.seal(b"secret", b"place")
    moved = RING.reseal(sealed, b"place")
    assert (moved.key_id, RING.open(moved, b"place")) == (2, b"secret")
    assert RING.reseal(moved, b"place") is moved
    assert RING.current_key_id == 2


def _write(path: Path, content: object, mode: int = 0o600) -> Path:
    path.write_text(json.dumps(content))
    path.chmod(mode)
    return path


def _content(**changes: object) -> dict[str, object]:
    def encoded(key: bytes) -> str:
        return base64.b64encode(key).decode()

    return {"current": 1, "keys": {"1": encoded(OLD)}, "pepper": encoded(PEPPER)} | changes


def test_key_file_is_loaded(tmp_path: Path) -> None:
    ring = KeyRing.load(_write(tmp_path / "keys.json", _content()))
    assert ring.open(OLD_RING.seal(b"secret", b"place"), b"place") == b"secret"
    assert ring.subject_key("x") == OLD_RING.subject_key("x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_key_file_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileRefused, match="mode 600"):
        KeyRing.load(_write(tmp_path / "keys.json", _content(), mode))


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        _content(current=2),
        _content(pepper="c2hvcnQ="),
        _content(pepper=7),
        _content(keys={"1": "***"}),
        _content(keys={"one": "***"}),
        _content(keys=[]),
    ],
)
def test_malformed_key_file_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(KeyFileRefused):
        KeyRing.load(_write(tmp_path / "keys.json", content))


def test_missing_or_garbled_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused, match="cannot be read"):
        KeyRing.load(tmp_path / "none.json")
    garbled = tmp_path / "keys.json"
    garbled.write_bytes(b"\xff{")
    garbled.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="not JSON"):
        KeyRing.load(garbled)


def test_key_ring_does_not_show_its_keys() -> None:
    assert repr(RING) == "KeyRing(current=2, keys=[1, 2])"
