"""Tables of the base databases."""

from basedb.models.fusion import AuthorityRule, ConflictKind, ConflictState, Crosswalk, FusionConflict, MatchTier, Strategy
from basedb.models.legal_entity import LegalEntity
from basedb.models.person import Person
from basedb.models.source_record import DataSource, SourceRecord

__all__ = [
    "AuthorityRule",
    "ConflictKind",
    "ConflictState",
    "Crosswalk",
    "DataSource",
    "FusionConflict",
    "LegalEntity",
    "MatchTier",
    "Person",
    "SourceRecord",
    "Strategy",
]
