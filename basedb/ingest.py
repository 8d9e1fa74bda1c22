"""Taking delivered rows into the bases (入库): judge, reject with a reason, keep what differs as a version, project.

One batch is one COPY into a staging table and a few set-based statements, in the transaction of the caller, who also writes
what the run has to remember. The same rows taken twice change nothing. Where rows come from, runs and checkpoints, and
the table of rejected rows belong to the room above, which hands in the statement that keeps the rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from django.db import connection
from django.utils.translation import gettext_lazy as _

from basedb import followers, staging
from basedb.cleaning import clean_sql
from basedb.dictionary import DATASETS, Dataset, Kind
from basedb.fusion import projecting
from basedb.fusion.survivorship import RULE_VERSION
from basedb.intake import facts, judging, unchanged, versions
from basedb.intake.contract import (
    BROKEN_COLUMNS,
    BROKEN_GEOMETRY,
    BROKEN_JSON,
    BROKEN_QUOTE,
    BROKEN_SINCE,
    DUPLICATE,
    LOST_DIGITS,
    NUL_BYTE,
    SUPERSEDED,
    TOO_LONG,
    Counts,
    Intake,
    RejectSink,
    Staged,
)
from basedb.intake.versions import Laid
from basedb.rules import broken_rule_sql, rule_named
from basedb.staging import JoinedRow, RawRow

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

__all__ = [
    "BROKEN_COLUMNS",
    "BROKEN_JSON",
    "BROKEN_QUOTE",
    "BROKEN_SINCE",
    "DUPLICATE",
    "ROW_RULES",
    "SUPERSEDED",
    "TOO_LONG",
    "Counts",
    "Intake",
    "RejectSink",
    "Staged",
    "broken_rule",
    "merge",
    "message_of",
    "stage",
]

WITHOUT_KEY = "来源记录没有标识，待匹配"

ROW_RULES: dict[str, _StrPromise] = {
    BROKEN_COLUMNS: _("列数与表头不一致"),
    BROKEN_QUOTE: _("引号不配对"),
    TOO_LONG: _("一行过长"),
    BROKEN_SINCE: _("生效时间不是有效的日期或时间"),
    SUPERSEDED: _("该记录已被更新的来源数据取代"),
    BROKEN_JSON: _("不是一个 JSON 对象"),
    BROKEN_GEOMETRY: _("图形无法读取"),
    LOST_DIGITS: _("单元格把超过 15 位的号码存成了数字，末几位已丢失，请改为文本格式"),
    NUL_BYTE: _("含有空字节(NUL)"),
}


def message_of(dataset_code: str, rule: str, related_line: int | None = None) -> str:
    """Return the sentence that explains a rule to the source department; it never quotes a value."""
    if rule in ROW_RULES:
        return str(ROW_RULES[rule])
    dataset = DATASETS[dataset_code]
    field, _dot, reason = rule.partition(".")
    if reason == DUPLICATE:
        return str(_("%(field)s与第 %(line)s 行重复")) % {"field": dataset.field(field).title, "line": related_line}
    try:
        return rule_named(dataset, rule).text()
    except KeyError:
        return rule


def broken_rule(dataset: Dataset, values: Mapping[str, str | None], *, today: date) -> str | None:
    """Return the first rule one row breaks, None when it is good; nothing is stored."""
    columns = ", ".join(f"%s::text AS {name}" for name in dataset.field_names)
    cleaned = ", ".join(f"{clean_sql(field, f'r.{field.name}')} AS {field.name}" for field in dataset.fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {broken_rule_sql(dataset, today=today)} FROM (SELECT {cleaned} FROM (SELECT {columns}) r OFFSET 0) s",
            [values.get(name) for name in dataset.field_names],
        )
        code: str | None = cursor.fetchone()[0]
        return code


def stage(intake: Intake, table: str, rows: Iterable[RawRow | JoinedRow]) -> Staged:
    """Stream the rows of a batch that tell something new into staging table `table`. Needs an open transaction."""
    key_fields = intake.key_fields
    keyed = [staging.keyed(row, intake.dataset, intake.fields, key_fields) for row in rows]
    places = unchanged.places_of_news(intake.source, [row.source_key for row in keyed], [row.digest for row in keyed])
    staging.create(table, intake.fields)
    if places:
        staging.fill(table, intake.dataset, intake.fields, (keyed[place] for place in places), intake.subject_key)
    checksum = sum(int.from_bytes(row.digest[:8], "big") for row in keyed)
    return Staged(table, read=len(keyed), unchanged=len(keyed) - len(places), checksum=checksum)


def merge(intake: Intake, staged: Staged, *, may_load: Callable[[int], bool] | None = None) -> Counts:
    """Judge the staged rows, keep the rejected, lay down the versions of the rest, project them, drop the staging table.

    One writer per dataset at a time: a lock held to the end of the transaction keeps two runs from the same subject. Judging
    comes before it. `may_load` is asked with the number of rejected rows once the lock is held; a batch it refuses leaves its
    rejected rows and nothing else.
    """
    rejected = changed = deleted = 0
    judged = ""
    if staged.read > staged.unchanged:
        judged, rejected = judging.judge(intake, staged.table)
        versions.lock(intake.dataset)
    is_loaded = may_load is None or may_load(rejected)
    if judged and is_loaded:
        laid = versions.lay(intake, staged.table, judged)
        changed, deleted = laid.changed, laid.deleted
        if changed or deleted:
            _project(intake, laid, staged.table)
    _drop_all(staged.table)
    accepted = staged.read - rejected if is_loaded else 0
    return Counts(
        read=staged.read,
        accepted=accepted,
        changed=changed,
        rejected=rejected,
        unchanged=accepted - changed - deleted,
        deleted=deleted,
        is_loaded=is_loaded,
    )


def _drop_all(table: str) -> None:
    """Drop what the batch left: the next one of the run uses the same names."""
    names = ", ".join(f"{step}_{table}" for step in ("judged", "known", "news", "pieces", "closed", "best", "touched"))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {names}")
    staging.drop(table)


def _project(intake: Intake, laid: Laid, table: str) -> None:
    dataset, touched = intake.dataset, f"touched_{table}"
    if dataset.kind is Kind.FACT:
        facts.project(dataset, laid, table=table)
        if not followers.has_followers(dataset.code):
            return
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {touched} ON COMMIT DROP AS"
            f" SELECT r.subject_key FROM {laid.pieces} p JOIN basedb_sourcerecord r ON r.id = p.new_id"
            f" WHERE r.subject_key IS NOT NULL UNION SELECT subject_key FROM {laid.closed} WHERE subject_key IS NOT NULL"
        )
    if dataset.kind is Kind.FACT:
        followers.follow(dataset.code, touched=touched, now=intake.now)
    else:
        if intake.source.is_keyless:
            _part_nameless(intake, laid, touched)
            _touch_matched(laid, touched)
        projecting.project(dataset, touched=touched, run_id=intake.run_id, now=intake.now)
        if intake.source.is_keyless:
            _hold_nameless(intake, laid)


def _part_nameless(intake: Intake, laid: Laid, touched: str) -> None:
    """A record that came with an identifier and comes without one now no longer follows it, unless a person linked it there."""
    projecting.lock(intake.dataset)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH parted AS (UPDATE basedb_crosswalk x SET linked = tstzrange(lower(x.linked), greatest(lower(x.linked), %s))"
            f" FROM {laid.pieces} p JOIN basedb_sourcerecord r ON r.id = p.new_id"
            " WHERE x.chain = p.chain AND upper_inf(x.linked) AND x.tier = 'EXACT' AND x.decided_by_id IS NULL"
            " AND r.subject_key IS NULL AND upper_inf(r.valid) AND upper_inf(r.known) RETURNING x.entity_key)"
            f" INSERT INTO {touched} SELECT DISTINCT entity_key FROM parted WHERE entity_key IS NOT NULL",
            [intake.now],
        )


def _touch_matched(laid: Laid, touched: str) -> None:
    """A record without an identifier changes the entity matching linked it to."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {touched} SELECT DISTINCT x.entity_key FROM {laid.pieces} p"
            " JOIN basedb_crosswalk x ON x.chain = p.chain AND upper_inf(x.linked) WHERE x.entity_key IS NOT NULL"
        )


def _hold_nameless(intake: Intake, laid: Laid) -> None:
    """Records without an identifier belong to nobody until they are matched."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO basedb_crosswalk (chain, dataset, tier, rule_version, reason, linked)"
            " SELECT DISTINCT r.chain, %s, 'HELD', %s, %s, tstzrange(%s, NULL)"
            f" FROM {laid.pieces} p JOIN basedb_sourcerecord r ON r.id = p.new_id WHERE r.subject_key IS NULL AND NOT p.gone"
            " AND NOT EXISTS (SELECT FROM basedb_crosswalk x WHERE x.chain = r.chain AND upper_inf(x.linked))",
            [intake.dataset.code, RULE_VERSION, WITHOUT_KEY, intake.now],
        )
