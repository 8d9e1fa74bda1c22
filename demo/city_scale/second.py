"""Departments that add to what others lead (补充数源): marriages, deaths, the insured, taxpayers, a share of them disagreeing.

One row in a hundred of the people and of the entities disagrees with the leading source in a field or in the name.
"""

from __future__ import annotations

from demo.city_scale import counts
from demo.city_scale.people import SURVEY

TABLES = """
CREATE TABLE {schema}.civil_affairs_marriage (row_id bigint NOT NULL, citizen_id text, name text, marital_status text,
    effective_on date, updated_at timestamptz NOT NULL);
CREATE TABLE {schema}.health_death (row_id bigint NOT NULL, citizen_id text, name text, person_status text, died_on text,
    effective_on date, updated_at timestamptz NOT NULL);
CREATE TABLE {schema}.social_security_insured (row_id bigint NOT NULL, citizen_id text, name text, phone text, address text,
    effective_on date, updated_at timestamptz NOT NULL);
CREATE TABLE {schema}.tax_taxpayer (row_id bigint NOT NULL, uscc text, name text, legal_representative text, address text,
    effective_on date, updated_at timestamptz NOT NULL);
"""


def _each(every: int, among: int) -> str:
    """Whether row `r` is the one of its block that disagrees: a whole number of them, wherever they lie."""
    return f"r % {among} = {{schema}}.draw(r / {among}, {every}, {among})"


# Row r is about person r * every + a drawn offset, so that no person stands twice.
MARRIAGE = f"""
INSERT INTO {{schema}}.civil_affairs_marriage
SELECT r + 1, citizen_id, name,
    CASE WHEN {_each(80, counts.MARRIAGES_DISAGREE_EVERY)}
        THEN CASE marital_status WHEN '20' THEN '40' WHEN '10' THEN '20' WHEN '40' THEN '20' ELSE '20' END ELSE marital_status END,
    (changed_at - interval '90 days')::date, changed_at
FROM (
    SELECT p.n / {counts.MARRIAGES_EVERY} AS r, p.* FROM {{schema}}.person p
    WHERE p.n BETWEEN {{first}} AND {{last}}
        AND p.n % {counts.MARRIAGES_EVERY} = {{schema}}.draw(p.n / {counts.MARRIAGES_EVERY}, 81, {counts.MARRIAGES_EVERY}) OFFSET 0
) m
"""
# The police know only a part of the dead; people who died lately are alive in their table.
DEATH = f"""
INSERT INTO {{schema}}.health_death
SELECT r + 1, citizen_id, name, '9', coalesce(died_on, to_char({SURVEY} - {{schema}}.draw(n, 82, 60), 'YYYYMMDD')),
    {SURVEY} - 1, changed_at
FROM (
    SELECT p.n / {counts.DEATHS_EVERY} AS r, p.*, row_number() OVER (PARTITION BY p.n / {counts.DEATHS_EVERY}
        ORDER BY p.died_on IS NULL, p.age_days DESC, p.n) AS place
    FROM {{schema}}.person p WHERE p.n BETWEEN {{first}} AND {{last}} OFFSET 0
) d WHERE place = 1
"""
INSURED = f"""
INSERT INTO {{schema}}.social_security_insured
SELECT r + 1, citizen_id,
    CASE WHEN {_each(83, counts.NAMES_DISAGREE_EVERY)} THEN substr(name, 1, 1) || translate(substr(name, 2),
        '国建明秀英丽静强伟磊', '') || '某' ELSE name END,
    CASE WHEN {_each(84, counts.PHONES_DISAGREE_EVERY)} THEN '101' || lpad({{schema}}.draw(n, 85, 100000000)::text, 8,
        '0') ELSE phone END,
    address, (changed_at - interval '30 days')::date, changed_at
FROM (
    SELECT p.n / {counts.WORKERS_EVERY} AS r, p.* FROM {{schema}}.person p
    WHERE p.n BETWEEN {{first}} AND {{last}}
        AND p.n % {counts.WORKERS_EVERY} = {{schema}}.draw(p.n / {counts.WORKERS_EVERY}, 86, {counts.WORKERS_EVERY}) OFFSET 0
) i
"""
TAXPAYER = f"""
INSERT INTO {{schema}}.tax_taxpayer
SELECT r + 1, uscc, name, legal_representative,
    CASE WHEN {_each(87, counts.TAXPAYERS_DISAGREE_EVERY)} THEN address || '附' || (1 + {{schema}}.draw(n, 88, 9))
        || '号' ELSE address END,
    date '2025-05-01', timestamptz '2025-06-10 00:00+08' + n * interval '1 second'
FROM (
    SELECT e.n / {counts.TAXPAYERS_EVERY} AS r, e.* FROM {{schema}}.entity e
    WHERE e.n BETWEEN {{first}} AND {{last}}
        AND e.n % {counts.TAXPAYERS_EVERY} = {{schema}}.draw(e.n / {counts.TAXPAYERS_EVERY}, 89, {counts.TAXPAYERS_EVERY}) OFFSET 0
) t
"""
INDEXES = "".join(
    f"ALTER TABLE {{schema}}.{table} ADD PRIMARY KEY (row_id); ANALYZE {{schema}}.{table};"
    for table in ("civil_affairs_marriage", "health_death", "social_security_insured", "tax_taxpayer")
)
