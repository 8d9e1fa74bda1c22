"""Identifiers of licenses: the published vectors, strictness when composing, leniency when reading, one truth with SQL."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from licenses import numbering
from licenses.numbering import Warn

VECTORS = [
    ("11100000000013338W011", "11430000006122244L", "20230000403", "001", "U"),
    ("11100000000013338W011", "11430000006122244L", "20230000403", "002", "S"),
    ("11100000MB03271699022", "340100", "000000016", "001", "9"),
    ("11100000000013338W009", "11330105002500287C", "2025052201", "002", "0"),
]
CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TYPE, ISSUER = VECTORS[0][0], VECTORS[0][1]
serials = st.text(CAPITALS, min_size=9, max_size=32)
versions = st.integers(1, 999)


@pytest.mark.parametrize(("type_code", "issuer", "serial", "version", "check"), VECTORS)
def test_published_vectors_have_their_check_character(type_code: str, issuer: str, serial: str, version: str, check: str) -> None:
    assert numbering.check_character(type_code, issuer, serial, version) == check
    written = f"{numbering.ROOT}.{type_code}.{issuer}.{serial}.{version}.{check}"
    assert numbering.check_ok(written)
    odd = (Warn.ISSUER_FORM,) if len(issuer) != 18 else ()
    assert numbering.parse(written) == numbering.Identifier(type_code, issuer, serial, int(version), check, odd)


@given(serial=serials, version=versions)
@settings(max_examples=60)
def test_what_is_composed_is_read_back_without_a_warning(serial: str, version: int) -> None:
    read = numbering.parse(numbering.compose(TYPE, ISSUER, serial, version))
    assert (read.type_code, read.issuer_code, read.serial, read.version, read.warnings) == (TYPE, ISSUER, serial, version, ())


@given(serial=serials, version=versions, place=st.integers(0, 200), other=st.sampled_from(CAPITALS))
@settings(max_examples=60)
def test_one_changed_character_is_always_noticed(serial: str, version: int, place: int, other: str) -> None:
    written = numbering.compose(TYPE, ISSUER, serial, version)
    start = len(numbering.ROOT) + 1
    place = start + place % (len(written) - start)
    if written[place] in (".", other):
        return
    assert not numbering.check_ok(written[:place] + other + written[place + 1 :])


@pytest.mark.parametrize(
    ("type_code", "issuer", "serial", "version"),
    [
        (TYPE[:-1], ISSUER, "123456789", 1),
        (TYPE, "340100", "123456789", 1),
        (TYPE, ISSUER, "12345678", 1),
        (TYPE, ISSUER, "12345678a", 1),
        (TYPE, ISSUER, "1" * 33, 1),
        (TYPE, ISSUER, "123456789", 0),
        (TYPE, ISSUER, "123456789", 1000),
    ],
)
def test_nothing_is_composed_of_parts_the_standard_does_not_know(type_code: str, issuer: str, serial: str, version: int) -> None:
    with pytest.raises(ValueError, match=r"^(a|an|versions) "):
        numbering.compose(type_code, issuer, serial, version)


def test_a_wrong_check_character_is_accepted_with_a_warning() -> None:
    written = f"{numbering.ROOT}.{TYPE}.{ISSUER}.20230000403.001.S"
    assert numbering.parse(written).warnings == (Warn.CHECK,)
    assert not numbering.check_ok(written)


def test_small_letters_and_a_missing_root_are_warned_of() -> None:
    read = numbering.parse(f" {TYPE}.{ISSUER}.20230000403.001.u ".lower())
    assert set(read.warnings) == {Warn.CASE, Warn.ROOT}


@pytest.mark.parametrize("text", ["", "1.2.156.3005.2", "a.b.c", f"{numbering.ROOT}.{TYPE}.{ISSUER}.2023.1x1.U", "." * 9, "无"])
def test_what_cannot_be_told_apart_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        numbering.parse(text)


@pytest.mark.django_db
@given(
    text=st.one_of(
        st.text(CAPITALS + ".x", max_size=60),
        st.builds(
            lambda serial, check: f"{numbering.ROOT}.{TYPE}.{ISSUER}.{serial}.001.{check}", serials, st.sampled_from(CAPITALS)
        ),
        st.builds(lambda serial, version: numbering.compose(TYPE, ISSUER, serial, version).lower(), serials, versions),
    )
)
@settings(max_examples=100)
def test_the_check_of_the_database_and_ours_are_one_truth(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT basedb_license_identifier_ok(%s)", [text])
        assert cursor.fetchone()[0] is numbering.check_ok(text)
