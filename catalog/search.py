"""Finding entries (目录检索): the search document, the ranked first page, facets. Only published entries are found.

A hit inside the title comes first, then the rank of the weighted document: title, then items and keywords, then the abstract,
then the provider. Pages are keyset pages without a total. How text becomes lexemes is in `words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import BooleanField, Count, F, FloatField, Q
from django.db.models.expressions import RawSQL

from catalog import words
from catalog.models import Resource, SharingMode
from catalog.querysets import ResourceQuerySet
from core.keyset import PAGE_SIZE, Page, page
from core.models import Department

# Weights of D, C, B, A in ts_rank; a hit inside the title outweighs every rank.
_RANK = (
    "ts_rank('{0.05, 0.2, 0.4, 1.0}', catalog_resource.search_vector, %s::tsquery)::float8"
    " + (CASE WHEN strpos(catalog_resource.title, %s) > 0 THEN 10 ELSE 0 END)"
)
_RANK_LATIN = _RANK.replace("catalog_resource.title", "lower(catalog_resource.title)")
LEARNED_TITLES = 5000
MOST_PROVIDERS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list is narrowed to; empty means not narrowed."""

    base_database: str = ""
    share_attribute: str = ""
    provider: UUID | None = None
    grade: str = ""
    mode: str = ""

    def conditions(self) -> Q:
        """Return the filters as one condition."""
        plain = {"base_database": self.base_database, "share_attribute": self.share_attribute, "grade": self.grade}
        condition = Q(**{name: value for name, value in plain.items() if value})
        if self.provider:
            condition &= Q(provider__uid=self.provider)
        if self.mode:
            condition &= Q(sharing_modes__contains=[self.mode])
        return condition

    def without(self, name: str) -> Filters:
        """Return the other filters."""
        empty: dict[str, Any] = {name: None if name == "provider" else ""}
        return replace(self, **empty)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet and how many entries it would show."""

    value: str
    count: int
    label: str = ""


def matching(text: str, filters: Filters) -> ResourceQuerySet:
    """Return the published entries that match a query and filters, unordered. A query without any word matches all."""
    _learn()
    rows = Resource.objects.published().filter(filters.conditions())
    if query := words.query(text):
        rows = rows.filter(RawSQL("catalog_resource.search_vector @@ %s::tsquery", [query], output_field=BooleanField()))
    return rows


def ordered(text: str, filters: Filters) -> tuple[ResourceQuerySet, tuple[str, ...]]:
    """Return the keys of what matches and the order to read them in: by rank when something is asked for, else the latest first."""
    rows = matching(text, filters).only("pk", "published_at")
    query = words.query(text)
    if not query:
        return rows, ("-published_at", "-id")
    typed = "".join(words.normal(text[: words.LONGEST_QUERY]).split())
    ranked = _RANK_LATIN if any(c.isascii() for c in typed) else _RANK  # lower() costs as much as the rank itself
    rank = RawSQL(ranked, [query, typed], output_field=FloatField())  # noqa: S611  constant SQL, values are parameters
    return rows.annotate(rank=rank), ("-rank", "-id")


def whole(keys: Iterable[int]) -> ResourceQuerySet:
    """Return the entries of a page as lists show them."""
    return Resource.objects.filter(pk__in=list(keys)).select_related("provider", "region").defer("search_vector")


def find(text: str, filters: Filters, *, cursor: str = "", size: int = PAGE_SIZE) -> Page[Resource]:
    """Return one page of what matches, without a total: first the keys in order, then these rows alone."""
    rows, order = ordered(text, filters)
    found = page(rows, order=order, cursor=cursor, size=size)
    entries = {entry.pk: entry for entry in whole(row.pk for row in found.items)}
    return replace(found, items=[entries[row.pk] for row in found.items if row.pk in entries])


def facets(text: str, filters: Filters) -> Mapping[str, list[Choice]]:
    """Return the counts per value of every facet; each ignores its own filter, so that one may change one's mind."""
    found: dict[str, list[Choice]] = {}
    for name in ("base_database", "share_attribute", "grade"):
        rows = matching(text, filters.without(name)).order_by().values_list(name).annotate(count=Count("pk"))
        found[name] = [Choice(value, count) for value, count in sorted(rows) if value]
    counts = {mode: Count("pk", filter=Q(sharing_modes__contains=[mode])) for mode in SharingMode.values}
    modes = matching(text, filters.without("mode")).order_by().aggregate(**counts)
    found["mode"] = [Choice(mode, count) for mode, count in modes.items() if count]
    owners = matching(text, filters.without("provider")).order_by().values_list("provider__uid", "provider__short_name")
    top = owners.annotate(count=Count("pk")).order_by("-count", "provider__short_name")[:MOST_PROVIDERS]
    found["provider"] = [Choice(str(uid), count, label) for uid, label, count in top]
    return found


def index(resource: Resource) -> None:
    """Write the search document of a published entry, in the transaction of its publication."""
    _learn()
    items = list(resource.items.values_list("title", "name"))
    text = document(
        title=resource.title,
        keywords=resource.keywords,
        items=[part for item in items for part in item],
        summary=resource.summary,
        provider=f"{resource.provider.name} {resource.provider.short_name} {resource.code or ''}",
    )
    resource.search_vector = text
    Resource.objects.filter(pk=resource.pk).update(search_vector=RawSQL("%s::tsvector", [text]))


def document(*, title: str, keywords: str, items: Iterable[str], summary: str, provider: str) -> str:
    """Return the search document as a `tsvector` literal: words by weight, all neighbouring characters at the lowest."""
    inner = f"{keywords} {' '.join(items)}"
    return words.vector(
        [
            ("A", words.words(title)),
            ("B", words.words(inner)),
            ("C", words.words(summary)),
            ("D", [*words.words(provider), *words.bigrams(f"{title} {inner} {summary} {provider}")]),
        ]
    )


@cache
def _learn() -> None:
    """Teach the dictionary the names this catalogue uses, once per process; unknown words are found by their characters."""
    words.keep_cache_in(settings.ENV.run_dir / "cache")
    words.learn(Department.objects.filter(valid_to=None).values_list("name", flat=True))
    words.learn(Department.objects.filter(valid_to=None).values_list("short_name", flat=True))
    titles = Resource.objects.published().order_by(F("published_at").desc())
    words.learn(titles.values_list("title", flat=True)[:LEARNED_TITLES])
