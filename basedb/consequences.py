"""What follows what in this room (联动登记): the followers of each dataset, and the things the dead and the ended still hold."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from basedb import followers, holdings_of, life_events
from basedb.dictionary import ENTERPRISE, PERSON
from basedb.dictionary.legal_entity_facts import INSURANCE_REGISTRATION, QUALIFICATION, TAX_REGISTRATION
from basedb.dictionary.population_facts import ATTRIBUTE, VITAL_EVENT
from basedb.fusion import projecting
from basedb.holdings_of import Holding
from basedb.population import deaths

_LIVE = "withdrawn_at IS NULL"
_COLUMNS = "subject_key, row_key, source_department_id AS owner_id"

HOLDINGS = (
    Holding(
        "population.benefit",
        _("社会救助与保险待遇"),
        f"SELECT {_COLUMNS} FROM {ATTRIBUTE.table} WHERE {_LIVE} AND (valid_to IS NULL OR valid_to >= current_date) AND "
        "(attribute_kind = 'DISABILITY' OR (attribute_kind IN ('PENSION', 'MEDICAL_INSURANCE') AND attribute_value <> '4')"
        " OR (attribute_kind = 'HARDSHIP' AND attribute_value <> '9'))",
    ),
    Holding(
        "legal_entity.qualification",
        _("法人资质"),
        f"SELECT {_COLUMNS} FROM {QUALIFICATION.table} WHERE {_LIVE} AND qualification_state IN ('1', '2')"
        " AND (valid_to IS NULL OR valid_to >= current_date)",
    ),
    Holding(
        "legal_entity.tax_registration",
        _("税务登记"),
        f"SELECT {_COLUMNS} FROM {TAX_REGISTRATION.table} WHERE {_LIVE} AND tax_state <> '4'",
    ),
    Holding(
        "legal_entity.insurance_registration",
        _("社会保险登记"),
        f"SELECT {_COLUMNS} FROM {INSURANCE_REGISTRATION.table} WHERE {_LIVE} AND insurance_state <> '3'",
    ),
)


def connect() -> None:
    """Register all of it; called when the room starts. A death lies over the golden row before it goes out."""
    projecting.lay_over(PERSON.code, deaths.OVERLAY)
    followers.register(PERSON.code, deaths.overlay)
    followers.register(VITAL_EVENT.code, deaths.follow_vital_events)
    followers.register(VITAL_EVENT.code, life_events.follow_people)
    followers.register(ENTERPRISE.code, life_events.follow_entities)
    for dataset in (ATTRIBUTE, QUALIFICATION, TAX_REGISTRATION, INSURANCE_REGISTRATION):
        followers.register(dataset.code, life_events.follow_holdings)
    holdings_of.register(HOLDINGS)
