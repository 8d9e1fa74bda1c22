"""Tables of the base databases."""

from basedb.models.legal_entity import LegalEntity
from basedb.models.person import Person
from basedb.models.source_record import SourceRecord

__all__ = ["LegalEntity", "Person", "SourceRecord"]
