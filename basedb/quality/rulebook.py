"""The rules in force (质量规则): those that follow from the field contract, and what reviewers add, change or retire.

A rule is never changed in place: the next version takes over, and results keep pointing at the version they were found by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import Error, IntegrityError, connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS, Dataset, DataType, Field, Kind, Subject
from basedb.models import Dimension, QualityRule, RuleKind
from basedb.quality.compiling import failing_sql, looks_apart, passes_sql
from basedb.quality.measures import MEASURES
from core import audit
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role
from core.texts import listed

CHANGEABLE: Final = ("title", "dimension", "kind", "field", "parameters", "warn_below", "fail_below", "weight", "is_active")
_MEASURES: Final = (
    ("freshness", Dimension.TIMELINESS, gettext_noop("按承诺周期更新")),
    ("reconciliation", Dimension.COMPLETENESS, gettext_noop("与数源记录数一致")),
    ("accessibility", Dimension.ACCESSIBILITY, gettext_noop("共享服务可用")),
)
_FILE: Final = Path(__file__).parent / "standard_rules.json"


def standard_rules(dataset: Dataset) -> Iterator[QualityRule]:
    """Yield the rules every dataset gets out of its contract, then those of its own; codes are stable."""
    with translation.override(None):
        for field in dataset.fields:
            yield from _of_field(dataset, field)
        for row in json.loads(_FILE.read_text(encoding="utf-8")):
            if row["dataset"] == dataset.code:
                yield QualityRule(**row)
        for name, dimension, title in _MEASURES:
            yield QualityRule(
                dataset=dataset.code,
                code=f"measure.{name}",
                title=title,
                dimension=dimension,
                kind=RuleKind.MEASURE,
                parameters={"name": name},
            )


def _of_field(dataset: Dataset, field: Field) -> Iterator[QualityRule]:
    given: dict[str, Any] = {"dataset": dataset.code, "field": field.name}
    if field.required:
        yield QualityRule(
            code=f"{field.name}.required",
            title=f"{field.title}不为空"[:100],
            dimension=Dimension.COMPLETENESS,
            kind=RuleKind.REQUIRED,
            **given,
        )
    closed = bool(field.code_set) and CODE_SETS[field.code_set].closed
    if field.data_type is DataType.TEXT and (closed or field.pattern):
        yield QualityRule(
            code=f"{field.name}.form",
            title=f"{field.title}符合规范"[:100],
            dimension=Dimension.CONFORMITY,
            kind=RuleKind.FORM,
            **given,
        )
    if dataset.kind is Kind.MASTER and dataset.subject is not Subject.PLACE and field.name != dataset.key_field:
        yield QualityRule(
            code=f"{field.name}.agreed",
            title=f"{field.title}多源一致"[:100],
            dimension=Dimension.CONSISTENCY,
            kind=RuleKind.NOT_DOUBTFUL,
            **given,
        )


@transaction.atomic
def load_standard_rules(*, now: datetime) -> int:
    """Write the standard rules whose code is not there in any version; return how many. What people changed stays."""
    there = set(QualityRule.objects.values_list("dataset", "code"))
    new = [rule for dataset in DATASETS.values() for rule in standard_rules(dataset) if (rule.dataset, rule.code) not in there]
    for rule in new:
        rule.created_at = now
    QualityRule.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def current_rule(uid: UUID) -> QualityRule:
    """Return a rule that is in force; NotFound otherwise."""
    rule = QualityRule.objects.filter(uid=uid, retired_at=None).first()
    if rule is None:
        raise NotFound("quality.rule_not_found", _("没有这条质量规则，或它已被新版本取代。"))
    return rule


@transaction.atomic
def add_rule(*, dataset: str, code: str, actor: Actor, now: datetime, **values: Any) -> QualityRule:
    """Add a rule of a new code; one that cannot be carried out is Invalid."""
    _must_be_reviewer(actor)
    rule = QualityRule(dataset=dataset, code=code, created_at=now, created_by_id=actor.user_id, **values)
    _try_out(rule, now)
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("quality.rule_exists", _("该数据集已有同一代码的规则。")) from error
    audit.record(actor, "quality_rule.added", rule, at=now, dataset=dataset, code=code)
    return rule


@transaction.atomic
def change_rule(*, uid: UUID, actor: Actor, now: datetime, **values: Any) -> QualityRule:
    """Put the next version of a rule in force."""
    _must_be_reviewer(actor)
    old = QualityRule.objects.select_for_update(no_key=True).filter(uid=uid, retired_at=None).first()
    if old is None:
        raise Conflict("quality.rule_superseded", _("这条规则已被他人更新，请刷新后在新版本上修改。"))
    kept = {name: getattr(old, name) for name in CHANGEABLE} | {name: values[name] for name in CHANGEABLE if name in values}
    rule = QualityRule(
        dataset=old.dataset, code=old.code, version=old.version + 1, created_at=now, created_by_id=actor.user_id, **kept
    )
    _try_out(rule, now)
    old.retired_at = now
    old.save(update_fields=["retired_at"])
    rule.save(force_insert=True)
    changed = sorted(name for name in CHANGEABLE if getattr(old, name) != getattr(rule, name))
    audit.record(actor, "quality_rule.changed", rule, at=now, dataset=rule.dataset, code=rule.code, changed=changed)
    return rule


def _must_be_reviewer(actor: Actor) -> None:
    if not (actor.is_data_centre and actor.has(Role.REVIEWER)):
        raise Forbidden("quality.rules_of_the_centre", _("质量规则由数据主管部门的审核员维护。"))


def _try_out(rule: QualityRule, now: datetime) -> None:
    """Let PostgreSQL plan the rule without touching a row; Invalid when it cannot."""
    dataset = DATASETS.get(rule.dataset)
    if dataset is None:
        raise Invalid("quality.rule_invalid", _("没有这个数据集。"), {"dataset": _("没有这个数据集。")})
    if rule.kind == RuleKind.MEASURE:
        if rule.parameters.get("name") not in MEASURES:
            raise Invalid("quality.rule_invalid", _("没有这项运行指标。"), {"parameters": listed(MEASURES)})
        return
    if looks_apart(rule):
        query = failing_sql(dataset, rule, "false")
    else:
        query = f"SELECT {passes_sql(dataset, rule, today=today_in_shanghai(now))} FROM {dataset.table} b WHERE false"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query}")
    except Error as error:
        text = _("数据库不能执行这条规则，请检查字段与参数的类型。")
        raise Invalid("quality.rule_invalid", text, {"parameters": text}) from error
