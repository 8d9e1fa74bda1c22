"""How much there is of everything (规模): the figures a city published of its own bases, and the dirt its sources carry.

The figures are those of 株洲市 (株行审字〔2022〕9号): people, legal entities, licenses of 85 types with two named ones, credit
records. `share` makes a proportionally smaller city; every count stays a multiple of `BLOCK`, so that shares hold exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

PEOPLE = 4_120_000
ENTITIES = 677_000
LICENSES = 2_190_000
CREDIT_RECORDS = 10_000_000
ADDRESSES = 100_000
PARCELS = 50_000

LICENSE_TYPES = 85
REAL_ESTATE_PROOFS = 546_000  # 不动产登记证明
REAL_ESTATE_CERTIFICATES = 435_000  # 不动产权证书

# One row in BROKEN_EVERY breaks a rule, another is untidy and passes after cleaning; one in LATE_EVERY was true long before.
BROKEN_EVERY = 50
LATE_EVERY = 100
DUPLICATE_EVERY = 200
BLOCK = 400

# Rows of the second departments, as one in so many of the first department's, and how many of those disagree.
MARRIAGES_EVERY, MARRIAGES_DISAGREE_EVERY = 10, 20
WORKERS_EVERY, PHONES_DISAGREE_EVERY, NAMES_DISAGREE_EVERY = 5, 50, 200
DEATHS_EVERY = 100
TAXPAYERS_EVERY, TAXPAYERS_DISAGREE_EVERY = 4, 25

# What the credit records are made of; the shares add up to the whole.
CREDIT_KINDS = {"permit": 0.6, "penalty": 0.15, "commitment": 0.2, "abnormal": 0.04, "dishonesty": 0.01}


@dataclass(frozen=True)
class Counts:
    """Rows of every kind in a city of the given share."""

    people: int
    entities: int
    licenses: int
    credit_records: int
    addresses: int
    parcels: int

    @property
    def rows(self) -> int:
        """All rows of the leading sources together."""
        return self.people + self.entities + self.licenses + self.credit_records + self.addresses + self.parcels

    def second_sources(self) -> dict[str, int]:
        """Rows of the departments that add to what others lead."""
        return {
            "marriages": self.people // MARRIAGES_EVERY,
            "workers": self.people // WORKERS_EVERY,
            "deaths": self.people // DEATHS_EVERY,
            "taxpayers": self.entities // TAXPAYERS_EVERY,
        }

    def disagreements(self) -> dict[str, int]:
        """How many of those disagree with the leading source: one in a hundred of the people and of the entities."""
        second = self.second_sources()
        return {
            "marriages": second["marriages"] // MARRIAGES_DISAGREE_EVERY,
            "phones": second["workers"] // PHONES_DISAGREE_EVERY,
            "names": second["workers"] // NAMES_DISAGREE_EVERY,
            "taxpayers": second["taxpayers"] // TAXPAYERS_DISAGREE_EVERY,
        }

    def credit(self) -> dict[str, int]:
        """Credit records by kind; they add up."""
        return dict(zip(CREDIT_KINDS, _parted(self.credit_records, list(CREDIT_KINDS.values())), strict=True))

    def licenses_by_type(self) -> list[int]:
        """Licenses of each type, the two of real estate first; they add up."""
        named = [_scaled_of(count, self.licenses, LICENSES) for count in (REAL_ESTATE_PROOFS, REAL_ESTATE_CERTIFICATES)]
        weights = [1 / (rank + 4) for rank in range(LICENSE_TYPES - 2)]
        return [*named, *_parted(self.licenses - sum(named), weights)]


def counts_of(share: float) -> Counts:
    """Return what a city of this share of the whole holds."""
    if not 0 < share <= 1:
        raise ValueError("the share of the city lies above 0 and at most at 1")
    return Counts(*(_scaled(count, share) for count in (PEOPLE, ENTITIES, LICENSES, CREDIT_RECORDS, ADDRESSES, PARCELS)))


def _scaled(count: int, share: float) -> int:
    """Scale and round to a whole number of blocks; at full size nothing is rounded."""
    return count if share == 1 else max(BLOCK, round(count * share / BLOCK) * BLOCK)


def _scaled_of(count: int, scaled_whole: int, whole: int) -> int:
    return round(count * scaled_whole / whole)


def _parted(total: int, weights: list[float]) -> list[int]:
    """Part a total by weights so that the parts add up to it."""
    whole, parts, reached, sofar = sum(weights), [], 0, 0.0
    for weight in weights:
        sofar += weight
        until = round(total * sofar / whole)
        parts.append(until - reached)
        reached = until
    return parts
