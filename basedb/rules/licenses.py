"""Rules of license rows (电子证照校验规则): lenient on numbers, since bulk deliveries hold old ones.

An identifier whose check character is wrong, a type nobody defined and a license of somebody who is no more are taken in and
marked for review (`basedb.licenses`), not rejected.
"""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.licenses import DATASETS, LICENSE
from basedb.identifiers import citizen_id_valid_sql, uscc_valid_sql
from basedb.rules.conditions import Rule, column, later, ordered, present, rule_of

LENGTH_OF_TYPE_CODE = 21


def _license_rules() -> Iterator[Rule]:
    s = column
    yield rule_of(
        LICENSE,
        "holder_code.citizen_id",
        _("{field}不是有效的公民身份号码"),
        f"{s('holder_code_type')} = '111' AND NOT {citizen_id_valid_sql(s('holder_code'))}",
    )
    yield rule_of(
        LICENSE,
        "holder_code.uscc",
        _("{field}不是有效的统一社会信用代码"),
        f"{s('holder_code_type')} = '001' AND NOT {uscc_valid_sql(s('holder_code'))}",
    )
    yield rule_of(
        LICENSE,
        "type_code.length",
        _("{field}应为 21 位"),
        f"{present('type_code')} AND octet_length({s('type_code')}) <> {LENGTH_OF_TYPE_CODE}",
    )
    yield rule_of(
        LICENSE,
        "valid_to.before_start",
        _("{field}早于有效期起始日期"),
        f"{present('valid_to')} AND {later(s('valid_from'), s('valid_to'))}",
    )
    yield rule_of(
        LICENSE,
        "face.not_an_object",
        _("{field}不是 JSON 对象"),
        f"{present('face')} AND NOT basedb_is_json_object({s('face')})",
    )


RULES = {dataset.code: ordered(dataset, _license_rules()) for dataset in DATASETS}
