"""Every action and every detail that goes into the audit trail has words (留痕用语), read from the sources alone.

An action that is no literal is followed through conditions, maps, f-strings and the callers in its module;
what stays open is told in OPEN with the texts it may be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from portal.audit.actions import ACTIONS, NOUNS, PARTICIPLES
from portal.audit.details import DETAILS
from tests.house.files import ROOMS, modules, name_of, tree

RECORDERS = ("audit.record", "audit.entry")
OPEN: dict[str, tuple[str, ...]] = {
    "exchange/aggregation/ending.py: state.lower()": ("succeeded", "stopped", "failed"),
    "exchange/backflow/subscriptions.py: state.lower()": ("suspended", "ended"),
    "exchange/care/alerts.py: state.lower()": ("acknowledged", "dismissed", "acted"),
    "exchange/dossiers/opening.py: action": ("dossier.opened", "dossier.missed", "dossier.read"),
    "exchange/requests/extensions.py: extension.state.lower()": ("consented", "refused"),
}
OWN_KEYWORDS = {"at", "department_ids", "detail"}


class Source:
    """A module whose expressions can be followed to the texts they may be."""

    def __init__(self, path: Path) -> None:
        self.name = name_of(path)
        self.tree = tree(path)
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        self.home = {child: function for function in functions for child in ast.walk(function)}
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def records(self) -> list[ast.Call]:
        """Return the calls that write to the trail."""
        return [call for call in self.calls if ast.unparse(call.func) in RECORDERS]

    def texts(self, node: ast.expr) -> set[str]:
        """Return all texts an expression may be; LookupError when that does not show."""
        if told := OPEN.get(f"{self.name}: {ast.unparse(node)}"):
            return set(told)
        if isinstance(node, ast.Constant):
            return {str(node.value)}
        if isinstance(node, ast.JoinedStr):
            return {"".join(parts) for parts in product(*(self.texts(part) for part in node.values))}
        return {text for other in self.others(node) for text in self.texts(other)}

    def others(self, node: ast.expr) -> list[ast.expr]:
        """Return the expressions one of which an expression stands for."""
        if isinstance(node, ast.IfExp):
            return [node.body, node.orelse]
        if isinstance(node, ast.Dict):
            return node.values
        if isinstance(node, ast.Subscript | ast.FormattedValue):
            return [node.value]
        if isinstance(node, ast.Name):
            return self.values(node)
        raise LookupError(f"{self.name}: {ast.unparse(node)}")

    def values(self, name: ast.Name) -> list[ast.expr]:
        """Return what a name was given: in its function, by the callers of a private one, or in the module."""
        function = self.home.get(name)
        given = assigned(ast.walk(function), name.id) if function else []
        if not given and function is not None and function.name.startswith("_"):
            given = self.passed(function, name.id)
        given = given or assigned(self.tree.body, name.id)
        if not given:
            raise LookupError(f"{self.name}: {name.id}")
        return given

    def passed(self, function: ast.FunctionDef, name: str) -> list[ast.expr]:
        """Return what the callers of a private function give as one of its arguments."""
        order = [arg.arg for arg in function.args.args]
        calls = [call for call in self.calls if ast.unparse(call.func) == function.name]
        by_place = [arg for call in calls for arg, at in zip(call.args, order, strict=False) if at == name]
        return by_place + [word.value for call in calls for word in call.keywords if word.arg == name]

    def details(self, call: ast.Call) -> set[str]:
        """Return the names of the details a call gives, by itself or through the callers of its function."""
        found = {word.arg for word in call.keywords if word.arg} - OWN_KEYWORDS
        for word in call.keywords:
            if word.arg is None and isinstance(word.value, ast.Name):
                found |= self.passed_on(word.value)
        return found

    def passed_on(self, name: ast.Name) -> set[str]:
        """Return the names in a mapping that is given as `**name`."""
        function = self.home[name]
        dicts = [value for value in assigned(ast.walk(function), name.id) if isinstance(value, ast.Dict)]
        found = {key.value for value in dicts for key in value.keys if isinstance(key, ast.Constant)}
        if function.args.kwarg is not None and function.args.kwarg.arg == name.id:
            own = {arg.arg for arg in [*function.args.args, *function.args.kwonlyargs]}
            calls = [call for call in self.calls if ast.unparse(call.func) == function.name]
            found |= {word.arg for call in calls for word in call.keywords if word.arg} - own
        return {str(text) for text in found}


def assigned(nodes: Iterable[ast.AST], name: str) -> list[ast.expr]:
    """Return what is assigned to a name in such nodes."""
    found = []
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets) and node.value is not None:
            found.append(node.value)
    return found


@cache
def sources() -> list[Source]:
    """Return the modules that write to the trail."""
    return [source for source in map(Source, modules(*ROOMS)) if source.records()]


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_every_action_and_detail_has_words(source: Source) -> None:
    missing = set()
    for call in source.records():
        for action in source.texts(call.args[1]):
            noun, _dot, participle = action.partition(".")
            missing |= {noun} - set(NOUNS)
            missing |= {participle} - set(PARTICIPLES) if action not in ACTIONS else set()
        missing |= {f"{name}=" for name in source.details(call) if name not in DETAILS}
    assert missing == set()


def test_every_told_expression_is_still_there() -> None:
    there = {
        f"{source.name}: {ast.unparse(node)}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.expr)
    }
    assert set(OPEN) - there == set()
