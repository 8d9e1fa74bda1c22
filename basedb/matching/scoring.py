"""Scoring (概率匹配打分): how likely a record and a person are the same, by the versioned model, each comparison with its weight.

The model (`person_model.json`) is data: levels with fixed m and u, frequencies of names from the base. Splink finds and scores the
pairs of one chunk inside DuckDB, in memory that is bounded and given back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker

from basedb.matching.features import Features

MODEL: Final = json.loads((Path(__file__).parent / "person_model.json").read_text(encoding="utf-8"))
VERSION: Final[str] = MODEL["version"]
MEMORY: Final = "512MB"
_FEATURES: Final = tuple(Features.__dataclass_fields__)
_SCHEMA: Final = pa.schema([(name, pa.string()) for name in _FEATURES])
_ONE_SIDED: Final = -8.0  # pairs below this weight are not worth carrying out of DuckDB


@dataclass(frozen=True, slots=True)
class Why:
    """The level a comparison reached and what it weighs; it names no value."""

    comparison: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Pair:
    """A record and a person with the probability that they are one."""

    record: str
    person: str
    score: float
    why: tuple[Why, ...]

    def level(self, comparison: str) -> str:
        """Return the level a comparison reached."""
        return next(reason.level for reason in self.why if reason.comparison == comparison)


def score_pairs(
    records: Sequence[Features], people: Sequence[Features], *, name_counts: Mapping[str, int], population: int
) -> list[Pair]:
    """Return the pairs of a record and a person that share a block, scored; `name_counts` of how many people have a name."""
    if not records or not people:
        return []
    with duckdb.connect(":memory:", config={"memory_limit": MEMORY, "threads": 1}) as database:
        api = DuckDBAPI(connection=database)
        left = api.register(_table(records), dataset_display_name="records")
        right = api.register(_table(people), dataset_display_name="people")
        linker = Linker([left, right], _settings(), log_level="ERROR", validate_settings=False)
        names = {side.name for side in (*records, *people) if side.name}
        total = population + MODEL["reference_population"]
        terms = {"name": list(names), "tf_name": [(name_counts.get(name, 0) + 1) / total for name in names]}
        linker.table_management.register_term_frequency_lookup(api.register(pa.table(terms), dataset_display_name="terms"), "name")
        found = linker.inference.predict_between(left, right, threshold_match_weight=_ONE_SIDED, warning_mode="never")
        return [_pair(row) for row in found.as_record_list()]


def _table(sides: Sequence[Features]) -> pa.Table:
    return pa.Table.from_pylist([asdict(side) for side in sides], schema=_SCHEMA)


def _pair(row: Mapping[str, Any]) -> Pair:
    """`l` is the record: Splink keeps the roles of `predict_between`."""
    reasons = []
    for comparison in MODEL["comparisons"]:
        name = comparison["name"]
        levels = [level["level"] for level in comparison["levels"]]
        gamma = int(row[f"gamma_{name}"])
        weight = row[f"mw_{name}"] + (row.get(f"mw_tf_adj_{name}") or 0.0)
        reasons.append(Why(name, levels[0] if gamma < 0 else levels[len(levels) - 1 - gamma], round(float(weight), 2)))
    return Pair(row["unique_id_l"], row["unique_id_r"], float(row["match_probability"]), tuple(reasons))


@cache
def _settings() -> dict[str, Any]:
    """The model as Splink wants it."""
    return {
        "link_type": "link_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "probability_two_random_records_match": MODEL["probability_two_random_records_match"],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": MODEL["blocks"],
        "comparisons": [
            {"output_column_name": comparison["name"], "comparison_levels": [_level(level) for level in comparison["levels"]]}
            for comparison in MODEL["comparisons"]
        ],
    }


def _level(level: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"sql_condition": level["sql"], "label_for_charts": level["level"]}
    if level["level"] == "missing":
        return made | {"is_null_level": True}
    made |= {"m_probability": level["m"], "u_probability": level["u"]}
    if "term" in level:
        made |= {"tf_adjustment_column": level["term"], "tf_adjustment_weight": 1.0}
    return made
