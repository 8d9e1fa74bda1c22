"""Words of the catalogue (分词): how Chinese text becomes lexemes of a search document and of a search query.

Words come from jieba with a dictionary of our own; every pair of neighbouring characters (bigram) is a lexeme too, so that
a word no dictionary knows is still found. PostgreSQL's own parser is not used: documents and queries are written literally.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import jieba

RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+|[a-z0-9]+")
LONGEST_QUERY = 100
MOST_WORDS = 12
LONGEST_POSITION = 16383

SYNONYMS = (
    ("社保", "社会保险"),
    ("医保", "医疗保险", "医疗保障"),
    ("工商", "市场监管", "市场监督管理"),
    ("身份证", "公民身份号码", "居民身份证"),
    ("户口", "户籍"),
    ("房产", "不动产", "房屋"),
    ("公积金", "住房公积金"),
    ("低保", "最低生活保障"),
    ("信用代码", "统一社会信用代码"),
    ("营业执照", "企业登记"),
    ("死亡", "火化"),
    ("结婚", "婚姻"),
    ("车辆", "机动车"),
    ("个体户", "个体工商户"),
    ("公司", "企业", "法人"),
    ("残联", "残疾人"),
    ("人社", "人力资源"),
    ("住建", "住房和城乡建设"),
)
_OFFICE_WORDS = ("一网通办", "一网统管", "一件事", "政务服务", "数据归集", "法定代表人", "经营范围", "婚姻登记", "行政许可")
_TITLE_ENDS = re.compile(r"(基本信息|登记信息|数据信息|信息|数据|清单|目录|名录|名单|记录|台账)$")


@cache
def _tokenizer() -> jieba.Tokenizer:
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(_cache_dir) if _cache_dir else None
    for word in (*_OFFICE_WORDS, *(word for group in SYNONYMS for word in group)):
        tokenizer.add_word(word)
    return tokenizer


_cache_dir: Path | None = None


def keep_cache_in(directory: Path) -> None:
    """Have the dictionary's cache in a directory of our own instead of the machine's shared one."""
    global _cache_dir  # noqa: PLW0603  jieba's tokenizer is one per process as well
    directory.mkdir(parents=True, exist_ok=True)
    _cache_dir = directory


def learn(names: Iterable[str]) -> None:
    """Add catalogue titles and department names to the dictionary; a title teaches its subject without its common ending."""
    for name in names:
        for run in RUN.findall(normal(name)):
            word = _TITLE_ENDS.sub("", run)
            if 2 <= len(word) <= 12:
                _tokenizer().add_word(word)


def normal(text: str) -> str:
    """Return text in one writing: half width, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def words(text: str) -> list[str]:
    """Return the words of a text in order, long words with the shorter ones inside them."""
    found: list[str] = []
    for run in RUN.findall(normal(text)):
        found += [run] if run.isascii() else [w for w in _tokenizer().cut_for_search(run) if len(w) > 1]
    return found


def bigrams(text: str) -> list[str]:
    """Return every pair of neighbouring Chinese characters, and the last character of each run on its own."""
    found: list[str] = []
    for run in RUN.findall(normal(text)):
        if not run.isascii():
            found += [*_pairs(run), run[-1]]
    return found


def vector(parts: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a `tsvector` literal of (weight, lexemes) parts; a lexeme keeps its first place in each part."""
    places: dict[str, dict[str, int]] = {}
    position = 0
    for weight, lexemes in parts:
        for lexeme in lexemes:
            position = min(position + 1, LONGEST_POSITION)
            places.setdefault(lexeme, {}).setdefault(weight, position)
    return " ".join(f"'{lexeme}':" + ",".join(f"{p}{w}" for w, p in found.items()) for lexeme, found in places.items())


def query(text: str) -> str:
    """Return a `tsquery` literal that finds every text containing what was typed; empty when there is nothing to look for."""
    return " & ".join(_run_query(run) for run in _typed_runs(text))


def terms(text: str) -> list[str]:
    """Return what to highlight for a query: what was typed, its words and their synonyms, longest first."""
    found: set[str] = set()
    for run in _typed_runs(text):
        found |= {run, *(w for word in _cut(run) for w in _alternatives(word))}
    return sorted(found, key=lambda word: (-len(word), word))


def _typed_runs(text: str) -> list[str]:
    return list(islice(RUN.findall(normal(text[:LONGEST_QUERY])), MOST_WORDS))


def _cut(run: str) -> list[str]:
    """Return the words of a typed run; single characters count only where there is nothing longer."""
    if run.isascii():
        return [run]
    return [word for word in _tokenizer().cut(run) if len(word) > 1] or _pairs(run) or [run]


def _run_query(run: str) -> str:
    if run.isascii() or len(run) == 1:
        return f"'{run}':*"
    asked = [[_word_query(word) for word in _alternatives(word)] for word in _cut(run)]
    return " & ".join(f"({' | '.join(choices)})" if len(choices) > 1 else choices[0] for choices in asked)


def _word_query(word: str) -> str:
    """Return a query for one word: itself, the shorter words inside it, or all its pairs."""
    if len(word) <= 2:
        return f"'{word}'"
    inner = [w for w in _tokenizer().cut_for_search(word) if 1 < len(w) < len(word)]
    ways = [f"'{word}'", "(" + " & ".join(f"'{pair}'" for pair in _pairs(word)) + ")"]
    if len("".join(inner)) >= len(word):
        ways.append("(" + " & ".join(f"'{w}'" for w in inner) + ")")
    return f"({' | '.join(ways)})"


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    return {word: group for group in SYNONYMS for word in group}


def _alternatives(word: str) -> list[str]:
    return [word, *(other for other in _synonyms().get(word, ()) if other != word)]


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
