"""Derived columns (派生字段): a small expression language as data, typed and compiled to SQL. Pure.

A node is a constant or an object of one operation over columns named earlier. Comparisons with nothing are false, sums take
nothing for nought. There is no way to write SQL: operations are those below, names those of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.masking import Mask
from basedb.thematic.values import (
    LONGEST_LIST,
    OPERATORS,
    Term,
    Type,
    checked,
    items,
    literal,
    not_identifying,
    same_type,
    strictest_grade,
    strictest_mask,
    wrong,
)
from core.texts import listed

DEEPEST: Final = 12
MOST_NODES: Final = 300
LONGEST_SQL: Final = 20_000
_MOST_ARGUMENTS: Final = 20


@dataclass(slots=True)
class _Compiler:
    """One expression under way: the columns it may name and how much of it there was."""

    columns: Mapping[str, Term]
    today: date
    nodes: int = field(default=0)

    def term(self, node: Any, path: str, depth: int = 0) -> Term:
        """Compile one node."""
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise wrong(path, _("表达式过于复杂"))
        if not isinstance(node, dict) or set(node) <= {"today", "date"}:
            return literal(node, path, today=self.today)
        operation = next((name for name in _OPERATIONS if name in node), "")
        if not operation:
            raise wrong(path, _("没有这种运算，须为 %(names)s 之一") % {"names": listed(_OPERATIONS)})
        checked(node, path, required=(operation,), allowed=_BESIDE.get(operation, ()))
        made = _OPERATIONS[operation](self, node, f"{path}.{operation}", depth + 1)
        if len(made.sql) > LONGEST_SQL:
            raise wrong(path, _("表达式过于复杂"))
        return made

    def terms(self, nodes: Any, path: str, depth: int, *, of: Type, least: int = 1, most: int = _MOST_ARGUMENTS) -> list[Term]:
        """Compile some nodes that must be of a type."""
        found = []
        for place, node in enumerate(items(nodes, path, least=least, most=most)):
            found.append(self.typed(node, f"{path}[{place}]", depth, of=of))
        return found

    def typed(self, node: Any, path: str, depth: int, *, of: Type) -> Term:
        """Compile a node that must be of a type."""
        term = self.term(node, path, depth)
        same_type(term, Term("", of), path)
        return term


def compile_expression(node: Any, path: str, *, columns: Mapping[str, Term], today: date) -> Term:
    """Return a derived column; Invalid, naming the place, when it cannot be carried out."""
    return _Compiler(columns, today).term(node, path)


def _made(sql: str, type_: Type | None, of: list[Term], shown: list[Term] | None = None) -> Term:
    """Return a term as sensitive as the strictest it is made of; masks follow only values that are shown."""
    mask = strictest_mask(term.mask for term in shown or [])
    return Term(f"({sql})", type_, strictest_grade(term.grade for term in of), mask)


def _column(compiler: _Compiler, node: Any, path: str, _depth: int) -> Term:
    found = compiler.columns.get(node["column"]) if isinstance(node["column"], str) else None
    if found is None:
        raise wrong(path, _("此前没有列「%(name)s」") % {"name": str(node["column"])[:60]})
    return found


def _compare(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    parts = items(node["compare"], path, least=3, most=3)
    if parts[1] not in OPERATORS:
        raise wrong(f"{path}[1]", _("须为 %(operators)s 之一") % {"operators": " ".join(OPERATORS)})
    left, right = compiler.term(parts[0], f"{path}[0]", depth), compiler.term(parts[2], f"{path}[2]", depth)
    same_type(left, right, path)
    for place, term in ((0, left), (2, right)):
        not_identifying(term, f"{path}[{place}]")
    return _made(f"coalesce({left.sql} {parts[1]} {right.sql}, false)", Type.BOOLEAN, [left, right])


def _joined(word: str) -> Callable[[_Compiler, Any, str, int], Term]:
    def compile_(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
        terms = compiler.terms(node["all" if word == "AND" else "any"], path, depth, of=Type.BOOLEAN)
        return _made(f" {word} ".join(f"coalesce({term.sql}, false)" for term in terms), Type.BOOLEAN, terms)

    return compile_


def _not(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    term = compiler.typed(node["not"], path, depth, of=Type.BOOLEAN)
    return _made(f"NOT coalesce({term.sql}, false)", Type.BOOLEAN, [term])


def _is_null(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    term = compiler.term(node["is_null"], path, depth)
    return _made(f"{term.sql} IS NULL", Type.BOOLEAN, [term])


def _in(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    parts = items(node["in"], path, least=2, most=2)
    looked = compiler.term(parts[0], f"{path}[0]", depth)
    not_identifying(looked, f"{path}[0]")
    values = []
    for place, value in enumerate(items(parts[1], f"{path}[1]", least=1, most=LONGEST_LIST)):
        values.append(literal(value, f"{path}[1][{place}]", today=compiler.today))
        same_type(looked, values[-1], f"{path}[1][{place}]")
    return _made(f"coalesce({looked.sql} IN ({', '.join(value.sql for value in values)}), false)", Type.BOOLEAN, [looked])


def _sum(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    terms = compiler.terms(node["sum"], path, depth, of=Type.NUMBER, least=2)
    return _made(" + ".join(f"coalesce({term.sql}, 0)" for term in terms), Type.NUMBER, terms, terms)


def _subtract(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    terms = compiler.terms(node["subtract"], path, depth, of=Type.NUMBER, least=2, most=2)
    return _made(f"{terms[0].sql} - {terms[1].sql}", Type.NUMBER, terms, terms)


def _days_until(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    term = compiler.typed(node["days_until"], path, depth, of=Type.DATE)
    made = _made(f"({term.sql} - date '{compiler.today.isoformat()}')::numeric", Type.NUMBER, [term])
    return Term(made.sql, made.type, made.grade, Mask.HIDDEN if term.mask is not Mask.NONE else Mask.NONE)


def _case(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    """`{"case": [{"when": condition, "then": value}, ...], "else": value}`."""
    branches = []
    for place, branch in enumerate(items(node["case"], path, least=1, most=_MOST_ARGUMENTS)):
        here = f"{path}[{place}]"
        checked(branch, here, required=("when", "then"))
        when = compiler.typed(branch["when"], f"{here}.when", depth, of=Type.BOOLEAN)
        branches.append(
            (f"{here}.then", f"coalesce({when.sql}, false)", compiler.term(branch["then"], f"{here}.then", depth), when)
        )
    return _chosen(compiler, branches, node, path, depth)


def _threshold(compiler: _Compiler, node: Any, path: str, depth: int) -> Term:
    """`{"threshold": number, "steps": [{"least": 10, "then": value}, ...], "else": value}`, the highest step first."""
    looked = compiler.typed(node["threshold"], path, depth, of=Type.NUMBER)
    branches, before = [], None
    for place, step in enumerate(items(node.get("steps"), f"{path}.steps", least=1, most=_MOST_ARGUMENTS)):
        here = f"{path}.steps[{place}]"
        checked(step, here, required=("least", "then"))
        least = literal(step["least"], f"{here}.least", today=compiler.today)
        if least.type is not Type.NUMBER or (before is not None and step["least"] >= before):
            raise wrong(f"{here}.least", _("须为数值，且由高到低排列"))
        before = step["least"]
        then = compiler.term(step["then"], f"{here}.then", depth)
        branches.append((f"{here}.then", f"{looked.sql} >= {least.sql}", then, looked))
    return _chosen(compiler, branches, node, path, depth)


def _chosen(compiler: _Compiler, branches: list[tuple[str, str, Term, Term]], node: Any, path: str, depth: int) -> Term:
    """Return the CASE of branches: where it stands, its condition, its value, what it looks at."""
    otherwise = compiler.term(node.get("else"), f"{path}.else", depth)
    shown = [*(then for _where, _when, then, _looked in branches), otherwise]
    typed = next((term for term in shown if term.type), None)
    if typed is None:
        raise wrong(path, _("至少有一个分支要有取值"))
    for where, _when, then, _looked in branches:
        same_type(typed, then, where)
    same_type(typed, otherwise, f"{path}.else")
    sql = " ".join(f"WHEN {when} THEN {then.sql}" for _where, when, then, _looked in branches)
    looked_at = [looked for _where, _when, _then, looked in branches]
    return _made(f"CASE {sql} ELSE {otherwise.sql} END", typed.type, [*shown, *looked_at], shown)


_OPERATIONS: Final[Mapping[str, Callable[[_Compiler, Any, str, int], Term]]] = {
    "column": _column,
    "compare": _compare,
    "all": _joined("AND"),
    "any": _joined("OR"),
    "not": _not,
    "is_null": _is_null,
    "in": _in,
    "sum": _sum,
    "subtract": _subtract,
    "days_until": _days_until,
    "case": _case,
    "threshold": _threshold,
}
_BESIDE: Final[Mapping[str, tuple[str, ...]]] = {"case": ("else",), "threshold": ("steps", "else")}
