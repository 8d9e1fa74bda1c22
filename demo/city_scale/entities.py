"""The city's legal entities (法人数源): everybody as registered, then the market-regulation bureau's files in both encodings.

Names never repeat: brand, line of business and kind are digits of one number. Heads are people of the city.
"""

from __future__ import annotations

from demo.city_scale.drawing import Soil
from demo.city_scale.people import SURVEY
from demo.city_scale.words import BRAND_HEADS, BRAND_TAILS
from demo.names import INDUSTRIES

COLUMNS = (
    "uscc", "name", "entity_kind", "legal_representative", "legal_representative_id", "region_code", "address", "industry",
    "registered_capital", "currency", "established_on", "term_from", "term_to", "business_scope", "authority",
    "registration_state", "cancelled_on",
)  # fmt: skip
ENCODINGS = ("GB18030", "UTF8")

_LINES = ", ".join(f"({place}, '{industry}', '{word}', '{scope}')" for place, (industry, word, scope) in enumerate(INDUSTRIES))
TABLES = f"""
CREATE TABLE {{schema}}.line (place int PRIMARY KEY, industry text, word text, scope text);
INSERT INTO {{schema}}.line VALUES {_LINES};
ANALYZE {{schema}}.line;
CREATE TABLE {{schema}}.entity (n bigint NOT NULL, {", ".join(f"{name} text" for name in COLUMNS)});
"""
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _sum(text: str, weights: tuple[int, ...], alphabet: str, start: int) -> str:
    return "+".join(f"(strpos('{alphabet}',substr({text},{place},1))-1)*{weight}" for place, weight in enumerate(weights, start))


_ORGANIZATION = f"substr('0X987654321', mod({_sum('serial', (3, 7, 9, 10, 5, 8, 4, 2), '0123456789', 1)}, 11) + 1, 1)"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CHECK = f"substr('{_ALPHABET}', mod(31 - mod({_sum('body', _WEIGHTS, _ALPHABET, 1)}, 31), 31) + 1, 1)"

_HEADS, _TAILS, _WORDS = len(BRAND_HEADS), len(BRAND_TAILS), len(INDUSTRIES)
_TAIL = f"substr('{BRAND_TAILS}', 1 + (mixed / {_HEADS * _WORDS}{{over}} % {_TAILS})::int, 1)"

ENTITY = f"""
INSERT INTO {{schema}}.entity (n, {", ".join(COLUMNS)})
SELECT e.n, body || {_CHECK},
    CASE kind WHEN '91' THEN '南京' || brand || word || '有限公司' WHEN '92' THEN '南京市' || district || brand || word || '经营部'
        ELSE '南京' || brand || word || '专业合作社' END,
    kind, p.name, p.citizen_id, district_code, a.address || (1 + {{schema}}.draw(e.n, 100, 20)) || '层'
        || (1 + {{schema}}.draw(e.n, 101, 30)) || '室',
    industry, CASE WHEN kind <> '92' THEN (ARRAY['10', '30', '50', '100', '200', '300', '500', '1000', '2000',
        '5000'])[1 + {{schema}}.draw(e.n, 102, 10)] END,
    CASE WHEN kind <> '92' THEN '156' END, to_char(founded, 'YYYYMMDD'), to_char(founded, 'YYYYMMDD'),
    CASE WHEN {{schema}}.draw(e.n, 103, 10) < 4 THEN to_char(founded + 10957, 'YYYYMMDD') END, scope,
    '南京市' || district || '市场监督管理局',
    CASE WHEN ended THEN '4' WHEN {{schema}}.draw(e.n, 104, 50) = 0 THEN '2' WHEN {{schema}}.draw(e.n, 105, 200) = 0
        THEN '6' ELSE '1' END,
    CASE WHEN ended THEN to_char(founded + {{schema}}.draw(e.n, 106, greatest(1, {SURVEY} - founded)), 'YYYYMMDD') END
FROM (
    SELECT *, kind || '990201' || serial || {_ORGANIZATION} AS body, {{schema}}.draw(n, 107, 100) < 6 AS ended,
        substr('{BRAND_HEADS}', 1 + (mixed / {_WORDS} % {_HEADS})::int, 1) || {_TAIL.format(over="")}
            || {_TAIL.format(over=f" / {_TAILS}")} AS brand,
        (mixed % {_WORDS})::int AS line_place
    FROM (
        SELECT n, (10000000 + n * 48271 % 89999989)::text AS serial,
            CASE WHEN {{schema}}.draw(n, 108, 100) < 42 THEN '91' WHEN {{schema}}.draw(n, 109, 100) < 95
                THEN '92' ELSE '93' END AS kind,
            n * 486187 % {_HEADS * _TAILS * _TAILS * _WORDS} AS mixed,
            date '1994-07-01' + (sqrt({{schema}}.draw(n, 110, 1000000) / 1000000.0) * 11300)::int AS founded,
            ({{schema}}.draw(n, 111, {{people}} / 12) * 12 + 1)::bigint AS head, {{schema}}.draw(n, 112,
                {{addresses}})::bigint AS address_n
        FROM generate_series({{first}}::bigint, {{last}}::bigint) AS g(n) OFFSET 0
    ) drawn OFFSET 0
) e
JOIN {{schema}}.person p ON p.n = e.head
JOIN {{schema}}.address a ON a.n = e.address_n
JOIN {{schema}}.line l ON l.place = e.line_place
"""

SOIL = Soil(
    defects={
        "uscc.check_digit": {"uscc": "{schema}.wrong_last(c.uscc)"},
        "uscc.format": {"uscc": "left(c.uscc, 15)"},
        "name.required": {"name": "''"},
        "entity_kind.code": {"entity_kind": "'企业'"},
        "region_code.format": {"region_code": "'玄武区'"},
        "registered_capital.format": {"registered_capital": "'壹佰万'", "currency": "'156'"},
        "established_on.format": {"established_on": "'20010230'"},
        "term_to.before_start": {"term_to": "{schema}.other_year(c.term_from)"},
        "registration_state.code": {"registration_state": "'在业'"},
    },
    untidy=(
        {"uscc": "lower(c.uscc)"},
        {"uscc": "left(c.uscc, 8) || '-' || substr(c.uscc, 9)"},
        {"name": "' ' || c.name"},
        {"established_on": "to_char(c.established_on::date, 'YYYY/MM/DD')"},
    ),
)

# What a file holds, in the order of numbers, the Chinese titles of the contract as header.
FILE = f"""
SELECT {{header}} FROM (
    SELECT c.n, {SOIL.columns(COLUMNS)}
    FROM (SELECT e.*, {SOIL.turns("{schema}", "e.n", 113)} FROM {{schema}}.entity e WHERE e.n BETWEEN {{first}}
        AND {{last}} OFFSET 0) c
) f ORDER BY n
"""
