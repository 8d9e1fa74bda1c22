"""Every route of both doors with the methods it takes, read from the URL resolver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# Views of the libraries that do not say their methods in a way we can read.
SPOKEN_FOR = {"set_language": ["POST"]}
# The last route below /openapi/ answers 404 to everything.
NOT_A_ROUTE = {"openapi.errors.not_found"}


def all_routes() -> set[tuple[str, str]]:
    """Return (method, view name) of every route."""
    return {(method, name) for name, callback in _views(get_resolver().url_patterns) for method in methods_of(name, callback)}


def _views(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(part for part in (namespace, pattern.namespace) if part)
            yield from _views(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.lookup_str not in NOT_A_ROUTE:
            assert pattern.name, f"the route {pattern.pattern} has no name"
            yield f"{namespace}:{pattern.name}" if namespace else pattern.name, pattern.callback


def methods_of(name: str, view: Callable[..., Any]) -> list[str]:
    """Return the methods a view takes; a function view has to say so with require_http_methods or its kin."""
    if name in SPOKEN_FOR:
        return SPOKEN_FOR[name]
    by_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if by_class is not None:
        served = getattr(view, "actions", None) or {m: m for m in ("get", "post", "put", "patch", "delete") if hasattr(by_class, m)}
        return [method.upper() for method in served if method not in ("head", "options")]
    said = _said(view, set())
    assert said is not None, f"{name} does not say which methods it takes (require_http_methods)"
    return [method for method in said if method != "HEAD"]


def _said(view: Any, seen: set[int]) -> list[str] | None:
    """Return the list given to require_http_methods, looked up in the closures of the decorators around a view."""
    if id(view) in seen or not hasattr(view, "__code__"):
        return None
    seen.add(id(view))
    cells = dict(zip(view.__code__.co_freevars, view.__closure__ or (), strict=False))
    if "request_method_list" in cells:
        return list(cells["request_method_list"].cell_contents)
    inner = [getattr(view, "__wrapped__", None), *(cell.cell_contents for cell in cells.values())]
    return next((found for part in inner if (found := _said(part, seen)) is not None), None)
