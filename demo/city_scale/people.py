"""The city's people (人口数源): everybody as they are, then the public-security bureau's table of them, a little of it dirty.

Twelve people live in five households. A number is known by division and sequence alone, 9,800 unassigned divisions times five
hundred sequence numbers of each sex, so that no two people share one, nor one with the small demo, whatever their birthdays.
"""

from __future__ import annotations

from demo.city_scale.counts import DUPLICATE_EVERY, LATE_EVERY
from demo.city_scale.drawing import SLOTS, Soil
from demo.city_scale.words import GENERATIONS

SURVEY = "date '2025-06-30'"  # ages count from it, so that a seed means the same people next year
COLUMNS = (
    "citizen_id", "name", "former_name", "sex", "ethnicity", "birth_on", "person_status", "region_code", "address",
    "household_head", "household_relation", "marital_status", "died_on", "phone",
)  # fmt: skip

# position among twelve, household of the five, role, and the youngest and oldest head of such a household.
_PATTERN = """
    (0, 0, 'HEAD', 'S', 23, 88), (1, 1, 'HEAD', 'C', 28, 62), (2, 1, 'SPOUSE', 'C', 28, 62),
    (3, 2, 'HEAD', 'C', 27, 54), (4, 2, 'SPOUSE', 'C', 27, 54), (5, 2, 'CHILD', 'C', 27, 54),
    (6, 3, 'HEAD', 'C', 58, 90), (7, 3, 'SPOUSE', 'C', 58, 90),
    (8, 4, 'HEAD', 'C', 30, 58), (9, 4, 'SPOUSE', 'C', 30, 58), (10, 4, 'CHILD', 'C', 30, 58), (11, 4, 'PARENT', 'C', 30, 58)
"""

TABLES = f"""
CREATE TABLE {{schema}}.pattern (position int PRIMARY KEY, home int, role text, kind text, youngest int, oldest int);
INSERT INTO {{schema}}.pattern VALUES {_PATTERN};
ANALYZE {{schema}}.pattern;
CREATE TABLE {{schema}}.person (n bigint NOT NULL, home bigint NOT NULL, age_days int NOT NULL, changed_at timestamptz NOT NULL,
    {", ".join(f"{name} text" for name in COLUMNS)});
CREATE TABLE {{schema}}.public_security_resident (row_id bigint NOT NULL,
    {", ".join(f"{name} text" for name in COLUMNS)}, effective_on date, updated_at timestamptz NOT NULL);
"""


def _given(number: str, born: str, is_male: str, salt: int) -> str:
    """A given name that suits year of birth and sex: the commoner characters more often, one in five of one character."""
    cases = []
    for before, male, female in GENERATIONS:
        cases.append(f"WHEN {born} < {before} THEN CASE WHEN {is_male} THEN '{male}' ELSE '{female}' END")
    chosen = f"(CASE {' '.join(cases)} END)"
    first = f"least({{schema}}.draw({number}, {salt}, 20), {{schema}}.draw({number}, {salt + 1}, 20))"
    another = f"substr({chosen}, 1 + {{schema}}.draw({number}, {salt + 3}, 20), 1)"
    second = f"CASE WHEN {{schema}}.draw({number}, {salt + 2}, 5) > 0 THEN {another} ELSE '' END"
    return f"substr({chosen}, 1 + {first}, 1) || {second}"


_CHECK = (
    "substr('10X98765432', mod("
    + "+".join(
        f"(ascii(substr(body,{place},1))-48)*{weight}"
        for place, weight in enumerate((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 1)
    )
    + ", 11) + 1, 1)"
)

# Fences (OFFSET 0) keep what is drawn once from being drawn again wherever it is used.
PERSON = f"""
INSERT INTO {{schema}}.person (n, home, age_days, changed_at, {", ".join(COLUMNS)})
SELECT number, home, age_days, timestamptz '2025-05-31 00:00+08' + number * interval '30 days' / {{people}}, body || {_CHECK},
    CASE role WHEN 'HEAD' THEN head_name ELSE
        CASE WHEN role = 'CHILD' OR role = 'PARENT' AND is_male THEN left(head_name, 1) ELSE own.surname END
        || {_given("number", "born_year", "is_male", 30)} END,
    CASE WHEN {{schema}}.draw(number, 40, 100) = 0 THEN left(head_name, 1) || substr('国建明德荣秀英兰珍凤',
        1 + {{schema}}.draw(number, 41, 10), 1) END,
    CASE WHEN is_male THEN '1' ELSE '2' END, e.ethnicity, to_char(born, 'YYYYMMDD'),
    CASE WHEN died_days IS NOT NULL THEN '9' WHEN {{schema}}.draw(number, 42, 200) = 0 THEN '8' ELSE '0' END,
    a.street_code, a.address || (1 + {{schema}}.draw(home, 43, 3)) || '单元' || (1 + {{schema}}.draw(home, 44, 18)) || '0'
        || (1 + {{schema}}.draw(home, 45, 4)) || '室',
    head_name,
    CASE role WHEN 'HEAD' THEN '02' WHEN 'SPOUSE' THEN CASE WHEN is_male THEN '11' ELSE '12' END
        WHEN 'CHILD' THEN CASE WHEN is_male THEN '20' ELSE '30' END ELSE CASE WHEN is_male THEN '51' ELSE '52' END END,
    CASE WHEN kind = 'S' THEN CASE WHEN {{schema}}.draw(home, 46, 4) = 0 THEN '40' ELSE '10' END WHEN role = 'CHILD' THEN '10'
        WHEN role = 'PARENT' THEN '20' WHEN {{schema}}.draw(home, 47, 10) = 0 THEN '30' ELSE '20' END,
    to_char({SURVEY} - died_days, 'YYYYMMDD'),
    CASE WHEN age_days > 4400 AND {{schema}}.draw(number, 48, 5) > 0
        THEN '100' || lpad({{schema}}.draw(number, 49, 100000000)::text, 8, '0') END
FROM (
    SELECT *, n AS number, extract(year FROM born)::int AS born_year,
        (990200 + n * 7919 % 9800)::text || to_char(born, 'YYYYMMDD')
            || lpad((n / 9800 * 2 + CASE WHEN is_male THEN 1 ELSE 0 END)::text, 3, '0') AS body,
        CASE WHEN age_days > 21900 AND {{schema}}.draw(n, 50, 25) = 0 THEN {{schema}}.draw(n, 51, 1500) END AS died_days
    FROM (
        SELECT *, {SURVEY} - age_days AS born,
            CASE role WHEN 'HEAD' THEN head_male WHEN 'SPOUSE' THEN NOT head_male ELSE {{schema}}.draw(n, 52, 2) = 0 END AS is_male,
            h.surname || {_given("home", "head_year", "head_male", 20)} AS head_name
        FROM (
            SELECT *, extract(year FROM {SURVEY} - head_days)::int AS head_year,
                {{schema}}.draw(home, 3, {SLOTS}) AS surname_slot, {{schema}}.draw(n, 4, {SLOTS}) AS own_slot,
                {{schema}}.draw(home, 5, {SLOTS}) AS group_slot, {{schema}}.draw(home, 6, {{addresses}})::bigint AS address_n,
                CASE role WHEN 'HEAD' THEN head_days WHEN 'SPOUSE' THEN greatest(8100, head_days + {{schema}}.draw(n, 7,
                    2920) - 1460)
                    WHEN 'CHILD' THEN head_days - 8030 - {{schema}}.draw(n, 8, least(4380, head_days - 8040))
                    ELSE head_days + 8030 + {{schema}}.draw(n, 9, 3650) END AS age_days
            FROM (
                SELECT *, {{schema}}.draw(home, 10, 10) < 7 AS head_male,
                    youngest * 365 + {{schema}}.draw(home, 11, (oldest - youngest) * 365) AS head_days
                FROM (
                    SELECT g.n, g.n / 12 * 5 + p.home AS home, p.role, p.kind, p.youngest, p.oldest
                    FROM generate_series({{first}}::bigint, {{last}}::bigint) AS g(n)
                    JOIN {{schema}}.pattern p ON p.position = g.n % 12 OFFSET 0
                ) homes OFFSET 0
            ) heads OFFSET 0
        ) members JOIN {{schema}}.surname h ON h.slot = surname_slot OFFSET 0
    ) named OFFSET 0
) people
JOIN {{schema}}.surname own ON own.slot = own_slot
JOIN {{schema}}.ethnicity e ON e.slot = group_slot
JOIN {{schema}}.address a ON a.n = address_n
"""

SOIL = Soil(
    defects={
        "citizen_id.check_digit": {"citizen_id": "{schema}.wrong_last(c.citizen_id)"},
        "citizen_id.format": {"citizen_id": "left(c.citizen_id, 17)"},
        "citizen_id.required": {"citizen_id": "''"},
        "name.required": {"name": "' '"},
        "name.control_character": {"name": "left(c.name, 1) || U&'\\FFFD'"},
        "birth_on.mismatch": {"birth_on": "{schema}.other_year(c.birth_on)"},
        "birth_on.format": {"birth_on": "left(c.birth_on, 4) || '0230'"},
        "sex.mismatch": {"sex": "CASE c.sex WHEN '1' THEN '2' ELSE '1' END"},
        "sex.code": {"sex": "CASE c.sex WHEN '1' THEN '男' ELSE '女' END"},
        "ethnicity.code": {"ethnicity": "'汉族'"},
        "region_code.format": {"region_code": "left(c.region_code, 4)"},
        "died_on.before_birth": {"died_on": "{schema}.other_year(c.birth_on)", "person_status": "'9'"},
    },
    untidy=(
        {"citizen_id": "lower(c.citizen_id)"},
        {"citizen_id": "{schema}.full_width(c.citizen_id)"},
        {"citizen_id": "' ' || left(c.citizen_id, 6) || ' ' || substr(c.citizen_id, 7)"},
        {"name": "c.name || '　'"},
        {"birth_on": "left(c.birth_on, 4) || '-' || substr(c.birth_on, 5, 2) || '-' || substr(c.birth_on, 7)"},
    ),
)

RESIDENT = f"""
INSERT INTO {{schema}}.public_security_resident (row_id, {", ".join(COLUMNS)}, effective_on, updated_at)
SELECT c.n + 1, {SOIL.columns(COLUMNS)},
    c.changed_at::date - CASE WHEN {{schema}}.draw(c.n / {LATE_EVERY}, 60, {LATE_EVERY}) = c.n % {LATE_EVERY}
        THEN 200 + {{schema}}.draw(c.n, 61, 1000) ELSE 1 END,
    c.changed_at
FROM (SELECT p.*, {SOIL.turns("{schema}", "p.n", 62)} FROM {{schema}}.person p WHERE p.n BETWEEN {{first}} AND {{last}} OFFSET 0) c
"""

# The same person entered twice, as it stands: a second row of its own number.
DUPLICATES = f"""
INSERT INTO {{schema}}.public_security_resident (row_id, {", ".join(COLUMNS)}, effective_on, updated_at)
SELECT {{people}} + 1 + p.n / {DUPLICATE_EVERY}, {", ".join(f"p.{name}" for name in COLUMNS)}, p.changed_at::date,
        p.changed_at + interval '1 hour'
FROM {{schema}}.person p
WHERE p.n % {DUPLICATE_EVERY} = 0 AND p.n BETWEEN {{first}} AND {{last}}
"""
INDEXES = """
ALTER TABLE {schema}.public_security_resident ADD PRIMARY KEY (row_id);
CREATE INDEX ON {schema}.public_security_resident (updated_at, row_id);
ANALYZE {schema}.public_security_resident;
"""
