"""Reading a dossier (查看档案): identity with its sources, facts, relations, licenses, credit and who used the data, at one moment.

At most six queries, whatever the entity has: rules of authority, identity, facts, relations, holdings, uses. Every reading is
audited. What another moment cannot tell any more (relations, standing of licenses and credit) is left out there, not made up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.credit import catalog
from basedb.dictionary import DATASETS, PERSON
from basedb.dictionary.population_facts import VITAL_EVENT
from basedb.dossier import entities, facts, relations
from basedb.dossier.facts import HELD, FactsOf, facts_about, own_facts
from basedb.dossier.holdings import Holdings, holdings_of
from basedb.dossier.relations import Relations
from basedb.fusion.reading import Golden, read_entity
from basedb.geography.divisions import names_of
from basedb.population import deaths
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.errors import NotFound
from exchange.dossiers import accesses
from exchange.dossiers.accesses import Use
from exchange.dossiers.opening import note
from exchange.dossiers.rights import DossierKind, Purpose, View, view_of
from exchange.dossiers.showing import Section, Value, age_of, divisions_of, items_of, section_of, values_of

READ = "dossier.read"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier as one view shows it. Relations, holdings and uses are None where the view or the moment does not tell them."""

    kind: DossierKind
    key: bytes
    view: View
    as_of: datetime | None
    known_at: datetime | None
    read_at: datetime
    is_known: bool
    is_vouched: bool
    age: int | None
    identity: list[Value]
    sections: list[Section]
    relations: Relations | None = None
    holdings: Holdings | None = None
    uses: list[Use] | None = None
    keys: list[bytes] = field(default_factory=list)

    @property
    def is_past(self) -> bool:
        """Whether another moment than now is told."""
        return self.as_of is not None or self.known_at is not None

    @property
    def doubtful(self) -> list[Value]:
        """The values in doubt."""
        return [value for value in self.identity if value.is_doubtful]

    @property
    def is_minor(self) -> bool:
        """Whether the person is under eighteen (未成年人保护法第二条)."""
        return self.age is not None and self.age < 18

    @property
    def is_child(self) -> bool:
        """Whether the person is under fourteen: all of it is sensitive (个人信息保护法第二十八条)."""
        return self.age is not None and self.age < 14


@transaction.atomic(durable=True)
def read_dossier(
    *,
    kind: DossierKind,
    entity_key: bytes,
    actor: Actor,
    purpose: Purpose,
    now: datetime,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Dossier:
    """Return the dossier of an entity as it is, or as it was at `as_of` by what the platform knew at `known_at`."""
    view, is_past = view_of(actor, purpose), as_of is not None or known_at is not None
    golden = read_entity(kind.master, entity_key, as_of, known_at)
    datasets = (*own_facts(kind.master), *(HELD if is_past else ()))
    found = facts_about(kind.master, entity_key, datasets, as_of=as_of, known_at=known_at, department_id=view.department_id)
    if golden is not None and kind.master is PERSON:
        events = found.rows.get(VITAL_EVENT.code, [])
        golden = deaths.over(golden, [row for row in events if row.subject_key in found.certain])
    today = today_in_shanghai(now)
    related = _relations(kind, view, found, divisions_of(kind.master, golden, found), today=None if is_past else today)
    view = replace(view, divisions=related.divisions, items=_item_names(found))
    dossier = Dossier(
        kind=kind,
        key=entity_key,
        view=view,
        as_of=as_of,
        known_at=known_at,
        read_at=now,
        is_known=golden is not None,
        is_vouched=golden is not None and golden.is_vouched,
        age=_age(golden, as_of, today),
        identity=values_of(kind.master, golden, view) if golden else [],
        sections=[section_of(dataset, found, related, view) for dataset in datasets if dataset.code in found.rows],
        relations=None if is_past or view.department_id is not None else related,
        holdings=None if is_past else holdings_of(found.keys, today=today, department_id=view.department_id),
        uses=accesses.newest_uses(found.keys) if view.sees_accesses else None,
        keys=found.keys,
    )
    _audit(dossier, actor, purpose, now)
    return dossier


@dataclass(frozen=True, slots=True)
class History:
    """What was said of one field over time, the newest knowledge first."""

    title: str
    lines: list[tuple[str, entities.Version]]


@transaction.atomic(durable=True)
def read_history(*, kind: DossierKind, entity_key: bytes, name: str, actor: Actor, purpose: Purpose, now: datetime) -> History:
    """Return the periods of a value; those who see no other candidates see the versions of the one that stands."""
    view = view_of(actor, purpose)
    if name not in kind.master.field_names:
        raise NotFound("dossier.no_such_field", _("档案中没有这一项。"))
    versions = entities.versions_of(kind.master, entity_key, name, department_id=view.department_id, most=facts.MORE)
    if view.department_id is None and not view.sees_candidates:
        golden = read_entity(kind.master, entity_key)
        chosen = golden.values[name].chosen if golden else None
        versions = [version for version in versions if chosen is not None and version.chain == chosen.chain]
    _note(entity_key, {"kind": kind.value, "field": name}, actor, purpose, now)
    known = kind.master.field(name)
    if known.is_division:
        view = replace(view, divisions=names_of({version.value for version in versions if version.value}))
    return History(str(known.title), [(view.show(known, version.value), version) for version in versions])


@transaction.atomic(durable=True)
def read_section(
    *,
    kind: DossierKind,
    entity_key: bytes,
    dataset: str,
    actor: Actor,
    purpose: Purpose,
    now: datetime,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Section:
    """Return one section alone, up to `facts.MORE` rows."""
    view, known = view_of(actor, purpose), DATASETS.get(dataset)
    if known is None or known not in (*own_facts(kind.master), *HELD):
        raise NotFound("dossier.no_such_section", _("档案中没有这一部分。"))
    found = facts_about(
        kind.master,
        entity_key,
        [known],
        as_of=as_of,
        known_at=known_at,
        department_id=view.department_id,
        most=facts.MORE,
    )
    related = _relations(kind, view, found, divisions_of(kind.master, None, found), today=None)
    _note(entity_key, {"kind": kind.value, "section": dataset}, actor, purpose, now)
    return section_of(known, found, related, replace(view, divisions=related.divisions, items=_item_names(found)))


def _item_names(found: FactsOf) -> dict[str, str]:
    codes = items_of(found)
    return catalog.names_of(codes) if codes else {}


def _relations(kind: DossierKind, view: View, found: FactsOf, codes: set[str], *, today: date | None) -> Relations:
    """Names of others come from all sources: a department that sees its own deliveries alone sees none."""
    if view.department_id is not None:
        return relations.names_of((), codes)
    if today is None:
        return relations.names_of(found.linked, codes)
    if kind is DossierKind.PERSON:
        return relations.of_person(found.keys, found.linked, codes)
    return relations.of_entity(found.keys, found.linked, codes, today=today)


def _age(golden: Golden | None, as_of: datetime | None, today: date) -> int | None:
    if golden is None or "birth_on" not in golden.values:
        return None
    return age_of(golden.values["birth_on"].value, today_in_shanghai(as_of) if as_of else today)


def _audit(dossier: Dossier, actor: Actor, purpose: Purpose, now: datetime) -> None:
    moments = {"as_of": dossier.as_of, "known_at": dossier.known_at}
    detail = {"kind": dossier.kind.value} | {name: moment.isoformat() for name, moment in moments.items() if moment}
    _note(dossier.key, detail, actor, purpose, now)


def _note(key: bytes, detail: dict[str, Any], actor: Actor, purpose: Purpose, now: datetime) -> None:
    detail |= {"reason": purpose.reason, "matter": purpose.matter}
    note(READ, key, actor=actor, at=now, detail=detail).save(force_insert=True)
