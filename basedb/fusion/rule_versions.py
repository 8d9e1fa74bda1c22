"""Versions of the rules of authority (数源责任规则): what counts from when, by which law, and what a change would do.

A version is never altered: a new one ends the old one on its first day, and a worker then chooses all values anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS, Dataset, Kind, Source
from basedb.fusion import merging
from basedb.fusion.standard_rules import STANDARD
from basedb.fusion.survivorship import Plan, Rule, chosen_sql, plan_of, rules_at, survivors_sql
from basedb.models import AuthorityRule, DecisionKind, Strategy
from core import audit
from core.audit import Actor
from core.errors import Forbidden, Invalid
from core.roles import Role

KEEPERS = (Role.REVIEWER, Role.SECURITY_ADMINISTRATOR)
SEERS = (*KEEPERS, Role.OPERATOR, Role.HEAD, Role.AUDIT_ADMINISTRATOR)
SAMPLE = 5000
LONGEST_BASIS = 200
LONGEST_AGE = 36_500


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule as typed in: fields chosen together have one."""

    dataset: str
    fields: tuple[str, ...]
    collectors: tuple[str, ...]
    strategy: str
    max_age_days: int | None
    legal_basis: str
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would change among `entities` entities of several sources; `is_sample` when there are more."""

    entities: int
    changed: int
    is_sample: bool


def masters() -> dict[str, Dataset]:
    """Return the datasets that have rules."""
    return {code: dataset for code, dataset in DATASETS.items() if dataset.kind is Kind.MASTER}


def versions(dataset: str) -> QuerySet[AuthorityRule]:
    """Return all versions of a dataset's rules, the newest of each field first."""
    return AuthorityRule.objects.filter(dataset=dataset).order_by("field", "-id")


@transaction.atomic
def add(*, proposal: Proposal, actor: Actor, now: datetime) -> AuthorityRule:
    """Add a version; it ends the one in force, and values are chosen anew when it takes effect."""
    if not actor.has(*KEEPERS) or actor.user_id is None:
        raise Forbidden("authority_rule.not_yours", _("由数据中心审核员或安全管理员维护数源责任规则。"))
    _check(proposal, now)
    rows = []
    for name in proposal.fields:
        _end(proposal.dataset, name, proposal.effective_from)
        rows.append(_row(proposal, name))
    AuthorityRule.objects.bulk_create(rows)
    audit.record(
        actor, "authority_rule.added", rows[0], at=now, dataset=proposal.dataset, fields=list(proposal.fields),
        collectors=list(proposal.collectors), strategy=proposal.strategy, legal_basis=proposal.legal_basis,
        effective_from=proposal.effective_from.isoformat(),
    )  # fmt: skip
    merging.queue(DecisionKind.REBUILD, dataset=proposal.dataset, user_id=actor.user_id, now=now, due_at=proposal.effective_from)
    return rows[0]


def preview(*, proposal: Proposal, actor: Actor, now: datetime, sample: int = SAMPLE) -> Preview:
    """Count the golden values that would change, among entities that have more than one record; nothing is written."""
    if not actor.has(*SEERS):
        raise Forbidden("authority_rule.not_yours", _("由数据中心审核员或安全管理员维护数源责任规则。"))
    _check(replace(proposal, effective_from=max(now, proposal.effective_from)), now)
    dataset = DATASETS[proposal.dataset]
    present = rules_at(dataset, now)
    kept = [rule for rule in present if rule.field not in proposal.fields]
    future = plan_of(dataset, [*kept, *(_rule(proposal, name) for name in proposal.fields)])
    statement, parameters = _comparison_sql(plan_of(dataset, present), future, proposal.fields, sample)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        entities, changed = cursor.fetchone()
    return Preview(min(entities, sample), changed, entities > sample)


@transaction.atomic
def load_standard(*, now: datetime) -> int:
    """Fill in the standard rules of fields that never had one; return how many."""
    known = set(AuthorityRule.objects.values_list("dataset", "field"))
    rows = [
        AuthorityRule(
            dataset=dataset, field=name, group=rule.group, collectors=list(rule.collectors), strategy=rule.strategy,
            max_age_days=rule.max_age_days, legal_basis=rule.legal_basis, effective=(None, None),
        )
        for dataset, rules in STANDARD.items()
        for rule in rules
        for name in rule.fields
        if (dataset, name) not in known and name in DATASETS[dataset].field_names
    ]  # fmt: skip
    AuthorityRule.objects.bulk_create(rows)
    if rows:
        audit.record(audit.PLATFORM, "authority_rule.loaded", None, at=now, rules=len(rows))
    return len(rows)


def _check(proposal: Proposal, now: datetime) -> None:
    faults: dict[str, list[str]] = {}
    dataset = masters().get(proposal.dataset)
    if dataset is None:
        faults["dataset"] = [_("没有这个数据集，或它不做融合。")]
    elif not proposal.fields or any(name not in dataset.field_names for name in proposal.fields):
        faults["fields"] = [_("请选择数据集里的字段。")]
    if proposal.strategy not in Strategy.values:
        faults["strategy"] = [_("没有这种取值方式。")]
    unknown = [name for name in proposal.collectors if name not in list(Source)]
    if unknown or len(set(proposal.collectors)) != len(proposal.collectors):
        faults["collectors"] = [_("数源顺序里有不认识的或重复的部门类别。")]
    elif proposal.strategy == Strategy.AUTHORITY and not proposal.collectors:
        faults["collectors"] = [_("按数源责任取值时，至少写一类部门。")]
    if not proposal.legal_basis.strip() or len(proposal.legal_basis) > LONGEST_BASIS:
        faults["legal_basis"] = [_("请写明依据的法规条款，最多 %(longest)d 字。") % {"longest": LONGEST_BASIS}]
    if proposal.max_age_days is not None and not 0 < proposal.max_age_days <= LONGEST_AGE:
        faults["max_age_days"] = [_("最长有效天数须在 1 到 %(longest)d 之间。") % {"longest": LONGEST_AGE}]
    if proposal.effective_from < now - timedelta(minutes=5):
        faults["effective_from"] = [_("生效时间不能早于现在：已经作出的取值不追溯更改。")]
    if faults:
        raise Invalid("authority_rule.invalid", _("规则有误，请按提示修改。"), faults)


def _end(dataset: str, name: str, moment: datetime) -> None:
    """End the version in force at a moment and leave out those that were to follow it."""
    open_ones = AuthorityRule.objects.select_for_update().filter(dataset=dataset, field=name)
    later = open_ones.filter(effective__startswith__gte=moment)
    if later.exists():
        text = _("已有更晚生效的版本，请把生效时间定在它之后。")
        raise Invalid("authority_rule.later_exists", text, {"effective_from": [text]})
    for row in open_ones.filter(effective__contains=moment):
        row.effective = (row.effective.lower, moment)
        row.save(update_fields=["effective"])


def _row(proposal: Proposal, name: str) -> AuthorityRule:
    rule = _rule(proposal, name)
    return AuthorityRule(
        dataset=proposal.dataset, field=name, group=rule.group, collectors=list(rule.collectors), strategy=rule.strategy,
        max_age_days=rule.max_age_days, legal_basis=rule.legal_basis, effective=(proposal.effective_from, None),
    )  # fmt: skip


def _rule(proposal: Proposal, name: str) -> Rule:
    """A group says since when: fields an older version leaves behind in its group are not drawn into the new one."""
    return Rule(
        field=name,
        collectors=proposal.collectors,
        group=f"{proposal.fields[0]}@{proposal.effective_from:%Y%m%d%H%M%S}" if len(proposal.fields) > 1 else "",
        strategy=proposal.strategy,
        max_age_days=proposal.max_age_days,
        legal_basis=proposal.legal_basis.strip(),
    )


def _comparison_sql(present: Plan, future: Plan, names: Sequence[str], sample: int) -> tuple[str, list[Any]]:
    dataset = present.dataset
    members = """
        SELECT x.entity_key, r.subject_key, r.id AS record_id, r.chain, s.collector, s.department_id, s.is_lead, r.run_id,
            lower(r.valid) AS begin, lower(r.known) AS known_from, r.payload
        FROM taken k JOIN basedb_crosswalk x ON x.entity_key = k.entity_key AND upper_inf(x.linked) AND x.dataset = k.dataset
        JOIN basedb_sourcerecord r ON r.chain = x.chain AND upper_inf(r.known) AND upper_inf(r.valid)
        JOIN basedb_datasource s ON s.id = r.source_id"""
    fields = [dataset.field(name) for name in names]
    old = ", ".join(chosen_sql(present, field, "a") for field in fields)
    new = ", ".join(chosen_sql(future, field, "b") for field in fields)
    sql = f"""
        WITH several AS MATERIALIZED (
            SELECT entity_key, %s::text AS dataset FROM basedb_crosswalk WHERE upper_inf(linked) AND entity_key IS NOT NULL
            AND dataset = %s GROUP BY entity_key HAVING count(*) > 1 ORDER BY entity_key LIMIT %s
        ), taken AS MATERIALIZED (SELECT * FROM several LIMIT %s)
        SELECT (SELECT count(*) FROM several), count(*) FILTER (WHERE ROW({old}) IS DISTINCT FROM ROW({new}))
        FROM ({survivors_sql(present, members)}) a JOIN ({survivors_sql(future, members)}) b USING (entity_key)
        WHERE a.lead IS NOT NULL"""
    return sql, [dataset.code, dataset.code, sample + 1, sample]
