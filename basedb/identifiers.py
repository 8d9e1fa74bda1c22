"""Identifiers of people and legal entities (公民身份号码, 统一社会信用代码): writing, check digits, what they say.

Every check comes twice, as a Python function and as an immutable SQL expression that agrees with it on every text, since
rows are checked set-based. The division inside an identifier is never compared with the current GB/T 2260 table:
codes of dissolved divisions stay valid for life. Whether a subject exists is not decided here.
"""

import re
from calendar import isleap, monthrange
from datetime import date

from stdnum.cn import ric
from stdnum.cn import uscc as stdnum_uscc

from basedb.sql_text import normalize_code, normalize_code_sql, quote

# A day that exists, written YYYYMMDD, 1800 to 2099; understood alike by Python and PostgreSQL.
CALENDAR_DAY = (
    "(?:(?:18|19|20)[0-9]{2}(?:"
    "(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)"
    "|02(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:(?:18|19|20)(?:0[48]|[2468][048]|[13579][26])|2000)0229)"
)
CITIZEN_ID_PATTERN = f"[1-9][0-9]{{5}}{CALENDAR_DAY}[0-9]{{3}}[0-9X]"
DIVISION_PATTERN = "[1-9][0-9]{5}(?:[0-9]{3}){0,2}"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_PATTERN = "[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}"

_CITIZEN_ID = re.compile(CITIZEN_ID_PATTERN)
_USCC = re.compile(USCC_PATTERN)
_OLD_CITIZEN_ID = re.compile("[1-9][0-9]{14}")
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANIZATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANIZATION_CHECKS = "0X987654321"
_ORGANIZATION_START = 8
# Before 1999 these sequence numbers were kept for people older than a hundred years.
_CENTENARIANS = ("996", "997", "998", "999")

normalize_citizen_id = normalize_code
normalize_uscc = normalize_code
citizen_id_normalized_sql = normalize_code_sql


def citizen_id_format_ok(citizen_id: str) -> bool:
    """Tell whether a normalized number has 18 characters in the right places and an existing birth date."""
    return _CITIZEN_ID.fullmatch(citizen_id) is not None


def citizen_id_valid(citizen_id: str) -> bool:
    """Check form, birth date and check character (GB 11643, ISO 7064 MOD 11-2) of a normalized number."""
    return citizen_id_format_ok(citizen_id) and ric.calc_check_digit(citizen_id) == citizen_id[17]


def citizen_id_birth_on(citizen_id: str) -> date:
    """Return the birth date inside a number of valid form; ValueError otherwise."""
    if not citizen_id_format_ok(citizen_id):
        raise ValueError("not a citizen id")
    return date(int(citizen_id[6:10]), int(citizen_id[10:12]), int(citizen_id[12:14]))


def citizen_id_sex(citizen_id: str) -> str:
    """Return the sex a number of valid form says, as in GB/T 2261.1: "1" male, "2" female; ValueError otherwise."""
    if not citizen_id_format_ok(citizen_id):
        raise ValueError("not a citizen id")
    return "1" if citizen_id[16] in "13579" else "2"


def upgrade_citizen_id(old: str) -> str:
    """Turn a normalized 15-digit number into the 18-digit one; anything else is returned as it is."""
    if len(old) != 15 or not _OLD_CITIZEN_ID.fullmatch(old):
        return old
    century = "18" if old[12:] in _CENTENARIANS else "19"
    return _with_citizen_check(old[:6] + century + old[6:])


def generate_citizen_id(division: str, birth_on: date, sequence: int) -> str:
    """Compose a number for synthetic data; `division` must be one that GB/T 2260 does not assign, such as 990101."""
    if not 0 <= sequence <= 999:
        raise ValueError("sequence must be 0 to 999")
    return _with_citizen_check(f"{division}{birth_on:%Y%m%d}{sequence:03d}")


def _with_citizen_check(body: str) -> str:
    return body + ric.calc_check_digit(body + "0")


def uscc_format_ok(uscc: str) -> bool:
    """Tell whether a normalized code has 18 characters of the GB 32100 alphabet with a numeric division."""
    return _USCC.fullmatch(uscc) is not None


def uscc_valid(uscc: str) -> bool:
    """Check form and check character (GB 32100, mod 31); the organization code inside is `uscc_organization_valid`."""
    return uscc_format_ok(uscc) and stdnum_uscc.calc_check_digit(uscc[:17]) == uscc[17]


def uscc_organization_valid(uscc: str) -> bool:
    """Check the organization code (组织机构代码, GB 11714) in positions 9 to 17 of a code of valid form."""
    return uscc_format_ok(uscc) and _organization_check(uscc[8:16]) == uscc[16]


def generate_uscc(serial: int, *, region: str, kind: str = "91") -> str:
    """Compose a code for synthetic data: `kind` is authority and body class, `serial` at most eight digits."""
    if not 0 <= serial <= 99_999_999:
        raise ValueError("serial must have at most eight digits")
    organization = f"{serial:08d}"
    body = kind + region + organization + _organization_check(organization)
    return body + stdnum_uscc.calc_check_digit(body)


def _organization_check(body: str) -> str:
    total = sum(
        _ORGANIZATION_ALPHABET.index(character) * weight for character, weight in zip(body, _ORGANIZATION_WEIGHTS, strict=True)
    )
    return _ORGANIZATION_CHECKS[total % 11]


def calendar_day_sql(day: str) -> str:
    """Whether a text of eight characters is a `CALENDAR_DAY`; lists, since a regular expression costs four times as much."""
    years = ",".join(f"'{year}'" for year in range(1800, 2100))
    leap_years = ",".join(f"'{year}'" for year in range(1800, 2100) if isleap(year))
    days = ",".join(f"'{month:02d}{day:02d}'" for month in range(1, 13) for day in range(1, monthrange(2000, month)[1] + 1))
    leap = f"(substr({day},5,4) <> '0229' OR substr({day},1,4) IN ({leap_years}))"
    return f"(octet_length({day}) = 8 AND substr({day},1,4) IN ({years}) AND substr({day},5,4) IN ({days}) AND {leap})"


def division_sql(code: str) -> str:
    """Whether a text is a `DIVISION_PATTERN`; null stays null."""
    return f"(octet_length({code}) IN (6,9,12) AND ltrim({code},'0123456789') = '' AND left({code},1) <> '0')"


def citizen_id_format_ok_sql(column: str) -> str:
    """`citizen_id_format_ok` in SQL; null stays null."""
    # Eighteen octets, of which nothing or a final X is left without the leading digits: seventeen digits and the last.
    digits = f"octet_length({column}) = 18 AND ltrim({column},'0123456789') IN ('','X') AND left({column},1) <> '0'"
    return f"({digits} AND {calendar_day_sql(f'substr({column},7,8)')})"


def citizen_id_check_sql(column: str) -> str:
    """The check character alone; says something sensible only about texts of valid form, fails on none."""
    first, *others = _CITIZEN_WEIGHTS
    terms = f"ascii({column})*{first}"
    terms += "".join(f"+ascii(right({column},-{place}))*{weight}" for place, weight in enumerate(others, 1))
    zeros = ord("0") * sum(_CITIZEN_WEIGHTS)
    return f"(substr({column},18,1) = substr('{_CITIZEN_CHECKS}', mod({terms}-{zeros},11)+1, 1))"


def citizen_id_valid_sql(column: str) -> str:
    """`citizen_id_valid` in SQL; null stays null."""
    return f"({citizen_id_format_ok_sql(column)} AND {citizen_id_check_sql(column)})"


def citizen_id_upgraded_sql(expression: str) -> str:
    """`upgrade_citizen_id` in SQL; null stays null. The subquery is reached for texts of fifteen characters alone."""
    places = [*range(1, 7), *range(7, 16)]
    weights = [*_CITIZEN_WEIGHTS[:6], *_CITIZEN_WEIGHTS[8:]]
    digits = "+".join(f"(ascii(substr(v,{place},1))-48)*{weight}" for place, weight in zip(places, weights, strict=True))
    eighteen, nineteen = (sum(int(digit) * _CITIZEN_WEIGHTS[6 + n] for n, digit in enumerate(century)) for century in ("18", "19"))
    old = f"right(v,3) IN ({','.join(quote(number) for number in _CENTENARIANS)})"
    century = f"(CASE WHEN {old} THEN '18' ELSE '19' END)"
    total = f"{digits}+(CASE WHEN {old} THEN {eighteen} ELSE {nineteen} END)"
    body = f"left(v,6)||{century}||substr(v,7)||substr('{_CITIZEN_CHECKS}',mod({total},11)+1,1)"
    is_old = "ltrim(v,'0123456789') = '' AND left(v,1) <> '0'"
    upgraded = f"(SELECT CASE WHEN {is_old} THEN {body} ELSE v END FROM (SELECT {expression} AS v OFFSET 0) t)"
    return f"(CASE WHEN octet_length({expression}) = 15 THEN {upgraded} ELSE {expression} END)"


def birth_matches_sql(citizen_id: str, birth_on: str) -> str:
    """Whether a birth date column (text YYYYMMDD) agrees with the number; null when either is missing."""
    return f"(substr({citizen_id},7,8) = {birth_on})"


def birth_matches(citizen_id: str, birth_on: str) -> bool:
    """Whether a birth date written YYYYMMDD agrees with the number."""
    return citizen_id[6:14] == birth_on


def sex_matches_sql(citizen_id: str, sex: str) -> str:
    """Whether a sex column (GB/T 2261.1) agrees with the number; an unknown or unstated sex contradicts nothing."""
    odd = f"(substr({citizen_id},17,1) IN ('1','3','5','7','9'))"
    return f"(CASE {sex} WHEN '1' THEN {odd} WHEN '2' THEN NOT {odd} ELSE true END)"


def sex_matches(citizen_id: str, sex: str) -> bool:
    """Whether a sex (GB/T 2261.1) agrees with the number; an unknown or unstated sex contradicts nothing."""
    odd = citizen_id[16:17] in tuple("13579")
    return {"1": odd, "2": not odd}.get(sex, True)


def uscc_format_ok_sql(column: str) -> str:
    """`uscc_format_ok` in SQL; null stays null."""
    characters = f"octet_length({column}) = 18 AND ltrim({column},'{USCC_ALPHABET}') = ''"
    return f"({characters} AND ltrim(substr({column},3,6),'0123456789') = '')"


def uscc_check_sql(column: str) -> str:
    """The check character alone; says something sensible only about texts of valid form, fails on none."""
    total = _weighted_sum_sql(column, USCC_ALPHABET, _USCC_WEIGHTS, 1)
    return f"(substr({column},18,1) = substr('{USCC_ALPHABET}', mod(31-mod({total},31),31)+1, 1))"


def uscc_valid_sql(column: str) -> str:
    """`uscc_valid` in SQL; null stays null."""
    return f"({uscc_format_ok_sql(column)} AND {uscc_check_sql(column)})"


def uscc_organization_valid_sql(column: str) -> str:
    """`uscc_organization_valid` in SQL; null stays null."""
    total = _weighted_sum_sql(column, _ORGANIZATION_ALPHABET, _ORGANIZATION_WEIGHTS, _ORGANIZATION_START + 1)
    check = f"(substr({column},17,1) = substr('{_ORGANIZATION_CHECKS}', mod({total},11)+1, 1))"
    return f"({uscc_format_ok_sql(column)} AND {check})"


def _weighted_sum_sql(column: str, alphabet: str, weights: tuple[int, ...], start: int) -> str:
    terms = "+".join(f"strpos('{alphabet}',substr({column},{place},1))*{weight}" for place, weight in enumerate(weights, start))
    return f"({terms}-{sum(weights)})"
