"""Whether a credit record is shown on a day (公示状态), as SQL over the field contract alone: no model, no Django.

Pages and open data use `publicly_shown_sql`; what leaves through the exchange is decided by `given_out_sql`.
"""

from __future__ import annotations

from typing import Final

from basedb.dictionary import DATASETS
from basedb.dictionary.credit_fields import NATURAL_PERSON
from basedb.sql_text import quote

SHOWN: Final = "SHOWN"
DISPUTED: Final = "DISPUTED"
TODAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date"


def display_sql(dataset: str, row: str, day: str, *, with_natural_persons: bool = False) -> str:
    """The code of a record's state of display on a day, which is SQL; `row` is the alias or name of its table.

    Natural persons' records are not open; with them, the other reasons alone decide.
    """
    names = DATASETS[dataset].field_names
    standing = (
        f"EXISTS (SELECT FROM basedb_creditstanding x WHERE x.dataset = {quote(dataset)} AND x.row_key = {row}.row_key "
        "AND x.{what}_at IS NOT NULL)"
    )
    lifted = f"WHEN {row}.lifted_on <= {day} THEN 'LIFTED'" if "lifted_on" in names else ""
    natural = "" if with_natural_persons else f"WHEN {row}.subject_category = {quote(NATURAL_PERSON)} THEN 'NOT_OPEN'"
    slight = f"WHEN {row}.publish_until IS NULL THEN 'NOT_PUBLISHED'" if dataset == "credit.penalty" else ""
    return f"""(CASE
        WHEN {row}.withdrawn_at IS NOT NULL THEN 'WITHDRAWN'
        WHEN coalesce({row}.record_state, '0') NOT IN ('0', '2') OR {standing.format(what="retracted")} THEN 'RETRACTED'
        WHEN {standing.format(what="repaired")} THEN 'REPAIRED'
        {lifted}
        WHEN {row}.publish_until < {day} THEN 'ENDED'
        {natural}
        {slight}
        WHEN EXISTS (SELECT FROM basedb_creditshield h WHERE h.subject_key = {row}.subject_key AND h.period @> {day})
            THEN 'SHIELDED'
        WHEN {row}.published_on > {day} OR {row}.decided_on > {day} THEN 'NOT_PUBLISHED'
        WHEN coalesce({row}.record_state, '0') = '2' OR {standing.format(what="disputed")} THEN 'DISPUTED'
        ELSE '{SHOWN}' END)"""


def publicly_shown_sql(dataset: str, row: str, day: str) -> str:
    """Whether the public may see a record on a day."""
    return f"({display_sql(dataset, row, day)} IN ('{SHOWN}', '{DISPUTED}'))"


def given_out_sql(dataset: str, row: str, *, with_natural_persons: bool) -> str:
    """Whether a record may leave through the exchange today: what is shown, and that of natural persons only if asked for."""
    shown = display_sql(dataset, row, TODAY, with_natural_persons=with_natural_persons)
    return f"({shown} IN ('{SHOWN}', '{DISPUTED}'))"
