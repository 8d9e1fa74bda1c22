"""From a definition to one query (定义编译): subject, region, level, the values of each row. Pure.

A definition has `where` (rows of the base itself), `sources` (datasets joined to the subject), `columns` and perhaps `keep`, the
expression of the rows to be kept, and `level`, the column people filter by. A source is summed up to one row a subject before it
is joined, so nothing multiplies. Each column is as sensitive as the strictest field it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.dictionary import BY_SUBJECT, DATASETS, Dataset, Subject
from basedb.dictionary.contract import Grade
from basedb.masking import Mask
from basedb.models import ThematicSubject
from basedb.thematic.conditions import conditions_sql
from basedb.thematic.expressions import compile_expression
from basedb.thematic.values import (
    LONGEST_TEXT,
    Term,
    Type,
    checked,
    field_of,
    items,
    name_of,
    strictest_grade,
    wrong,
)

BASE: Final = "b"
_OWN_HOUSEHOLD: Final = "h"
_MEMBERS: Final = "basedb_householdmember"
MOST_SOURCES: Final = 12
MOST_COLUMNS: Final = 40
BY_SUBJECT_KEY, BY_HOUSEHOLD, BY_LINK = "SUBJECT", "HOUSEHOLD", "LINK"
LONGEST_LEVEL: Final = 40
_BASES: Final[Mapping[str, Dataset]] = {str(dataset.subject): dataset for dataset in BY_SUBJECT.values()}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a thematic database as its readers know it."""

    name: str
    title: str
    type: Type
    grade: Grade
    mask: Mask
    origin: str  # how it comes about, in words of the definition


@dataclass(slots=True)
class _Source:
    """A source under way: where its rows stand, what joins them, which sums are asked of it."""

    alias: str
    dataset: Dataset
    where: Term
    join: str
    link: str
    is_required: bool
    sums: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Return its name in the query."""
        return f"a_{self.alias}"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A definition that can be carried out: the query and its columns."""

    sql: str
    columns: Sequence[Column]
    level: str
    region_mask: Mask  # what the contract has rows of this subject shown of their division
    datasets: Sequence[str]


def compile_spec(subject: str, spec: Any, *, today: date) -> Compiled:
    """Return the query of a definition; Invalid, naming the place, when it cannot be carried out."""
    given = checked(spec, "spec", required=("columns",), allowed=("where", "sources", "keep", "level"))
    base = _BASES[ThematicSubject(subject)]
    where = conditions_sql(base, given.get("where", []), BASE, "where", today=today)
    sources = _sources(base, given.get("sources", []), today)
    terms: dict[str, Term] = {}
    columns: list[Column] = []
    for place, node in enumerate(items(given["columns"], "columns", least=1, most=MOST_COLUMNS)):
        column, term = _column(base, sources, terms, node, path=f"columns[{place}]", today=today)
        terms[column.name] = term
        columns.append(column)
    level = _level(given.get("level", ""), columns)
    keep = Term("true", Type.BOOLEAN)
    if "keep" in given:
        keep = compile_expression(given["keep"], "keep", columns=terms, today=today)
        if keep.type is not Type.BOOLEAN:
            raise wrong("keep", _("须为真假值"))
    sql = _query(base, where.sql, sources, terms, level=level, keep=keep.sql)
    datasets = [base.code, *(source.dataset.code for source in sources.values())]
    return Compiled(sql, columns, level, base.field(base.region_field).mask, datasets)


def _sources(base: Dataset, nodes: Any, today: date) -> dict[str, _Source]:
    found: dict[str, _Source] = {}
    for place, node in enumerate(items(nodes, "sources", most=MOST_SOURCES)):
        path = f"sources[{place}]"
        given = checked(node, path, required=("alias", "dataset"), allowed=("where", "join", "link", "required"))
        alias = name_of(given["alias"], f"{path}.alias")
        if alias in found:
            raise wrong(f"{path}.alias", _("名称重复"))
        dataset = DATASETS.get(str(given["dataset"]))
        if dataset is None:
            raise wrong(f"{path}.dataset", _("没有这个数据集"))
        where = conditions_sql(dataset, given.get("where", []), "s", f"{path}.where", today=today)
        join = str(given.get("join", BY_SUBJECT_KEY))
        link = _link(base, dataset, join, given.get("link"), path)
        found[alias] = _Source(alias, dataset, where, join, link, given.get("required") is True)
    return found


def _link(base: Dataset, dataset: Dataset, join: str, link: Any, path: str) -> str:
    """Return the field a source is joined by, none for its subject; Invalid when it cannot be joined so."""
    if join == BY_LINK:
        field = next((one for one in dataset.fields if one.name == link and one.link is base.subject), None)
        if field is None:
            raise wrong(f"{path}.link", _("不是指向该类主体的字段"))
        return field.name
    if link is not None:
        raise wrong(f"{path}.link", _("只用于 LINK 关联"))
    if join == BY_HOUSEHOLD and base.subject is Subject.PERSON is dataset.subject:
        return ""
    if join == BY_SUBJECT_KEY and dataset.subject in (base.subject, Subject.EITHER):
        return ""
    if join not in (BY_SUBJECT_KEY, BY_HOUSEHOLD):
        raise wrong(f"{path}.join", _("须为 SUBJECT、HOUSEHOLD、LINK 之一"))
    raise wrong(f"{path}.join", _("该数据集不能这样关联到主体"))


def _column(
    base: Dataset, sources: Mapping[str, _Source], terms: Mapping[str, Term], node: Any, *, path: str, today: date
) -> tuple[Column, Term]:
    """Return one column; direct, summed up over a source, or derived."""
    forms = ("field", "aggregate", "derive")
    given = checked(node, path, required=("name", "title"), allowed=(*forms, "source", "of", "by", "grade"))
    name = name_of(given["name"], f"{path}.name")
    if name in terms:
        raise wrong(f"{path}.name", _("名称重复"))
    title = given["title"]
    if not isinstance(title, str) or not 0 < len(title.strip()) <= LONGEST_TEXT:
        raise wrong(f"{path}.title", _("须为文本"))
    if sum(form in given for form in forms) != 1:
        raise wrong(path, _("须有且只有 field、aggregate、derive 之一"))
    if "field" in given:
        found, type_ = field_of(base, given["field"], f"{path}.field")
        term = Term(f"{BASE}.{found.name}", type_, Grade(found.grade), found.mask)
        origin = f"{base.title} · {found.title}"
    elif "aggregate" in given:
        term, origin = _aggregate(sources, name, given, path)
    else:
        term = compile_expression(given["derive"], f"{path}.derive", columns=terms, today=today)
        origin = _("由前列计算")
    if term.type is None:
        raise wrong(path, _("须有取值"))
    grade = _raised(term.grade, given.get("grade"), f"{path}.grade")
    term = Term(term.sql, term.type, grade, term.mask)
    return Column(name, title.strip(), Type(str(term.type)), grade, term.mask, str(origin)), term


def _raised(inherited: Grade, asked: Any, path: str) -> Grade:
    """Return the grade of a column: an author may make it stricter, never laxer."""
    if asked is None:
        return inherited
    if asked not in list(Grade):
        raise wrong(path, _("须为 L1 至 L4"))
    if strictest_grade((Grade(asked), inherited)) is not Grade(asked):
        raise wrong(path, _("不能低于来源字段的等级 %(grade)s") % {"grade": inherited})
    return Grade(asked)


def _aggregate(sources: Mapping[str, _Source], name: str, given: Mapping[str, Any], path: str) -> tuple[Term, str]:
    """Return what is summed up over a source: count (of rows), subjects, exists, sum, min, max or latest."""
    source = sources.get(str(given.get("source")))
    if source is None:
        raise wrong(f"{path}.source", _("没有这个来源"))
    kind, sql_name = given["aggregate"], f"c_{name}"
    reference = f"{source.table}.{sql_name}"
    if kind in ("count", "subjects", "exists"):
        source.sums.append(f"count({'DISTINCT s.subject_key' if kind == 'subjects' else '*'}) AS {sql_name}")
        told = f"coalesce({reference}, 0)"
        of = Term(f"({told} > 0)", Type.BOOLEAN) if kind == "exists" else Term(f"{told}::numeric", Type.NUMBER)
        return Term(of.sql, of.type, source.where.grade), f"{source.dataset.title} · {kind}"
    if kind not in ("sum", "min", "max", "latest"):
        raise wrong(f"{path}.aggregate", _("须为 count、subjects、exists、sum、min、max、latest 之一"))
    field, type_ = field_of(source.dataset, given.get("of"), f"{path}.of")
    if kind == "sum" and type_ is not Type.NUMBER:
        raise wrong(f"{path}.of", _("「%(name)s」不是数值字段") % {"name": field.title})
    grades, sums = [Grade(field.grade), source.where.grade], f"{kind}(s.{field.name})"
    if kind == "latest":
        by, _type = field_of(source.dataset, given.get("by"), f"{path}.by")
        grades.append(Grade(by.grade))
        sums = f"(array_agg(s.{field.name} ORDER BY s.{by.name} DESC NULLS LAST, s.id DESC))[1]"
    source.sums.append(f"{sums} AS {sql_name}")
    return Term(reference, type_, strictest_grade(grades), field.mask), f"{source.dataset.title} · {field.title} · {kind}"


def _level(name: Any, columns: Sequence[Column]) -> str:
    if name in ("", None):
        return ""
    column = next((one for one in columns if one.name == name and one.type is Type.TEXT), None)
    if column is None:
        raise wrong("level", _("须为一个文本列的名称"))
    if column.mask is not Mask.NONE:  # how many rows each level has is told to all who work here
        raise wrong("level", _("各等级行数公开显示，不能以脱敏的列为等级"))
    return column.name


def _query(base: Dataset, where: str, sources: Mapping[str, _Source], terms: Mapping[str, Term], *, level: str, keep: str) -> str:
    values = ", ".join(f"'{name}', {_json(term)}" for name, term in terms.items())
    tables = [f"{base.table} {BASE}"]
    if any(source.join == BY_HOUSEHOLD for source in sources.values()):
        on = f"{_OWN_HOUSEHOLD}.subject_key = {BASE}.subject_key AND {_living(_OWN_HOUSEHOLD)}"
        tables.append(f"LEFT JOIN {_MEMBERS} {_OWN_HOUSEHOLD} ON {on}")
    for source in sources.values():
        key = f"{_OWN_HOUSEHOLD}.household_number" if source.join == BY_HOUSEHOLD else f"{BASE}.subject_key"
        tables.append(f"{'JOIN' if source.is_required else 'LEFT JOIN'} {source.table} ON {source.table}.k = {key}")
    summed = ", ".join(f"{source.table} AS ({_sum_sql(source)})" for source in sources.values())
    shown = f"left(coalesce({terms[level].sql}, ''), {LONGEST_LEVEL})" if level else "''::text"
    return (
        (f"WITH {summed} " if summed else "")
        + f"SELECT {BASE}.subject_key, {BASE}.{base.region_field} AS region_code, {shown} AS level, "
        + f"jsonb_build_object({values}) AS values FROM {' '.join(tables)} "
        + f"WHERE {BASE}.withdrawn_at IS NULL AND {where} AND coalesce({keep}, false)"
    )


def _sum_sql(source: _Source) -> str:
    """Return the source summed up to one row a key."""
    tables = f"{source.dataset.table} s"
    key = f"s.{source.link or 'subject_key'}"
    if source.join == BY_HOUSEHOLD:
        tables += f" JOIN {_MEMBERS} m ON m.subject_key = s.subject_key AND {_living('m')}"
        key = "m.household_number"
    sums = "".join(f", {one}" for one in source.sums)
    rows = f"s.withdrawn_at IS NULL AND {source.where.sql}"
    return f"SELECT {key} AS k{sums} FROM {tables} WHERE {rows} AND {key} IS NOT NULL GROUP BY 1"


def _living(alias: str) -> str:
    return f"{alias}.withdrawn_at IS NULL AND {alias}.left_on IS NULL"


def _json(term: Term) -> str:
    """Return a term as it stands in the row's values: days as text, numbers without idle nought."""
    if term.type is Type.DATE:
        return f"to_char({term.sql}, 'YYYY-MM-DD')"
    return f"trim_scale({term.sql})" if term.type is Type.NUMBER else term.sql
