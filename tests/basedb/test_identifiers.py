"""Citizen ids and social credit codes: the standards' rules, and Python and SQL that never disagree."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb import identifiers as ids
from tests.basedb.conftest import Evaluate

with_database = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip

anything = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=24)
days = st.dates(date(1800, 1, 1), date(2099, 12, 31))
good_ids = st.builds(ids.generate_citizen_id, st.integers(990101, 990199).map(str), days, st.integers(0, 999))
good_codes = st.builds(
    lambda division, serial, kind: ids.generate_uscc(serial, region=division, kind=kind),
    st.integers(990101, 990199).map(str),
    st.integers(0, 99_999_999),
    st.sampled_from(["91", "92", "12", "51", "A1", "N1"]),
)


@st.composite
def nearly(draw: st.DrawFn, good: st.SearchStrategy[str]) -> str:
    """A good code with one character replaced, dropped or added."""
    code = draw(good)
    place = draw(st.integers(0, len(code) - 1))
    other = draw(st.sampled_from([*"0123456789XABIOSVZx ", "é", "９", "", "00", "\n"]))
    return code[:place] + other + code[place + 1 :]


id_texts = st.lists(good_ids | nearly(good_ids) | anything, min_size=1, max_size=40)
code_texts = st.lists(good_codes | nearly(good_codes) | anything, min_size=1, max_size=40)


def test_example_of_the_standard_is_valid() -> None:
    assert ids.citizen_id_valid("11010519491231002X")
    assert ids.citizen_id_birth_on("11010519491231002X") == date(1949, 12, 31)
    assert ids.citizen_id_sex("11010519491231002X") == "2"


@given(good_ids)
def test_made_ids_are_valid(citizen_id: str) -> None:
    assert ids.citizen_id_valid(citizen_id)


@given(good_ids, st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(citizen_id: str, place: int, step: int) -> None:
    digit = str((int(citizen_id[place]) + step) % 10)
    assert not ids.citizen_id_valid(citizen_id[:place] + digit + citizen_id[place + 1 :])


@pytest.mark.parametrize("day", ["19000229", "20230229", "20231301", "20230431", "20230100", "17991231", "21000101"])
def test_days_that_do_not_exist_are_refused(day: str) -> None:
    assert not ids.citizen_id_format_ok(f"990101{day}0010")


def test_leap_days_are_accepted() -> None:
    assert ids.citizen_id_format_ok("990101200002290010")
    assert ids.citizen_id_format_ok("990101202402290010")


@given(days)
def test_every_day_of_three_centuries_is_accepted(day: date) -> None:
    assert ids.citizen_id_birth_on(ids.generate_citizen_id("990101", day, 1)) == day


def test_unassigned_and_dissolved_divisions_are_not_refused() -> None:
    assert ids.citizen_id_valid(ids.generate_citizen_id("990101", date(1980, 5, 6), 123))


def test_normalizing_accepts_full_width_lower_case_and_spaces() -> None:
    assert ids.normalize_citizen_id(" １１０１０５ 19491231\u3000002ｘ ") == "11010519491231002X"
    assert ids.normalize_uscc("91-3201a\t") == "913201A"


def test_fifteen_digits_are_upgraded() -> None:
    assert ids.upgrade_citizen_id("110105491231002") == "11010519491231002X"
    assert ids.citizen_id_birth_on(ids.upgrade_citizen_id("110105900101998")).year == 1890
    assert ids.upgrade_citizen_id("1101054912310") == "1101054912310"


def test_malformed_ids_say_nothing() -> None:
    with pytest.raises(ValueError, match="not a citizen id"):
        ids.citizen_id_birth_on("110105")
    with pytest.raises(ValueError, match="not a citizen id"):
        ids.citizen_id_sex("110105")
    with pytest.raises(ValueError, match="sequence"):
        ids.generate_citizen_id("990101", date(1980, 1, 1), 1000)
    with pytest.raises(ValueError, match="serial"):
        ids.generate_uscc(100_000_000, region="990101")


@pytest.mark.parametrize("uscc", ["91110000600037341L", "11100000000013338W", "11430000006122244L", "11330105002500287C"])
def test_published_codes_are_valid(uscc: str) -> None:
    assert ids.uscc_valid(uscc)


@given(good_codes)
def test_made_codes_are_valid_with_their_organization_code(uscc: str) -> None:
    assert ids.uscc_valid(uscc)
    assert ids.uscc_organization_valid(uscc)


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_outside_the_alphabet_are_refused(letter: str) -> None:
    assert not ids.uscc_valid(f"9111000060003734{letter}L")


def test_organization_code_is_checked_apart() -> None:
    good = ids.generate_uscc(1, region="990101")
    broken = good[:16] + ("1" if good[16] != "1" else "2")
    with_new_check = next(broken + check for check in ids.USCC_ALPHABET if ids.uscc_valid(broken + check))
    assert not ids.uscc_organization_valid(with_new_check)


@with_database
@given(texts=id_texts)
def test_citizen_id_check_is_the_same_in_sql(evaluate: Evaluate, texts: list[str | None]) -> None:
    known = [text for text in texts if text is not None]
    assert evaluate(ids.citizen_id_valid_sql("v"), texts) == [ids.citizen_id_valid(text) for text in known]
    assert evaluate(ids.citizen_id_format_ok_sql("v"), texts) == [ids.citizen_id_format_ok(text) for text in known]


@with_database
@given(texts=code_texts)
def test_uscc_checks_are_the_same_in_sql(evaluate: Evaluate, texts: list[str | None]) -> None:
    known = [text for text in texts if text is not None]
    assert evaluate(ids.uscc_valid_sql("v"), texts) == [ids.uscc_valid(text) for text in known]
    expected = [ids.uscc_organization_valid(text) for text in known]
    assert evaluate(ids.uscc_organization_valid_sql("v"), texts) == expected


@with_database
@given(texts=id_texts, day=days.map(lambda day: f"{day:%Y%m%d}"), sex=st.sampled_from(["0", "1", "2", "9"]))
def test_birth_and_sex_are_read_the_same_in_sql(evaluate: Evaluate, texts: list[str | None], day: str, sex: str) -> None:
    known = [text for text in texts if text is not None]
    births = [ids.birth_matches(text, day) for text in known]
    assert evaluate(ids.birth_matches_sql("v", f"'{day}'"), texts) == births
    assert evaluate(ids.birth_matches_sql("v", "substr(v,7,8)"), texts) == [True] * len(texts)
    assert evaluate(ids.sex_matches_sql("v", f"'{sex}'"), texts) == [ids.sex_matches(text, sex) for text in known]


@with_database
@given(texts=id_texts)
def test_normalizing_is_the_same_in_sql(evaluate: Evaluate, texts: list[str | None]) -> None:
    expected = [ids.normalize_citizen_id(text) for text in texts if text is not None]
    assert evaluate(ids.citizen_id_normalized_sql("v"), texts) == expected


def test_null_stays_null(evaluate: Evaluate) -> None:
    for expression in (ids.citizen_id_valid_sql("v"), ids.uscc_valid_sql("v"), ids.citizen_id_normalized_sql("v")):
        assert evaluate(expression, [None]) == [None]
