"""What each database role may do to the base databases. The web door only reads them."""

from core.privileges import LEDGER, Privileges

BASE = {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"}

_CASE = {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"}
_CREDIT: Privileges = {
    **{
        f"basedb_credit{kind}": {**BASE, "web": "SELECT, UPDATE (changed_xid)"}
        for kind in ("permit", "penalty", "dishonesty", "abnormal", "commitment", "evaluation", "measure")
    },
    "basedb_creditcatalogversion": _CASE,
    "basedb_creditcatalogitem": {"web": "SELECT, INSERT", "worker": "SELECT", "reader": "SELECT"},
    "basedb_credittier": _CASE,
    "basedb_creditstanding": _CASE,
    "basedb_creditshield": _CASE,
    "basedb_creditevent": LEDGER,
    "basedb_credittakedown": {"web": "SELECT", "worker": "SELECT, INSERT", "reader": "SELECT"},
    "basedb_creditrepair": _CASE,
    "basedb_creditobjection": _CASE,
    "basedb_license": BASE,
    "basedb_licensetype": _CASE,
    "basedb_licensemark": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
    "basedb_licensereview": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
}

_FACTS: Privileges = {
    f"basedb_{table}": BASE
    for table in (
        "nameusage",
        "identifier",
        "household",
        "householdmember",
        "residence",
        "vitalevent",
        "attribute",
        "entitychange",
        "entitybranch",
        "entityofficer",
        "entityshareholder",
        "entityqualification",
        "entityannualreport",
        "entitytaxregistration",
        "entityinsuranceregistration",
        "entitylegacyidentifier",
        "entitysuccession",
        "entityverification",
    )
}
_EVENTS: Privileges = {
    "basedb_lifeevent": {"web": "SELECT", "worker": "SELECT, INSERT", "reader": "SELECT"},
    "basedb_lifeeventsubscription": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"},
    "basedb_lifeeventnotice": {"web": "SELECT, UPDATE (seen_at, seen_by_id)", "worker": "SELECT, INSERT", "reader": "SELECT"},
    "basedb_reviewmark": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
}

PRIVILEGES: Privileges = {
    **_FACTS,
    **_EVENTS,
    **_CREDIT,
    "basedb_person": BASE,
    "basedb_legalentity": BASE,
    "basedb_datasource": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"},
    "basedb_sourcerecord": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE (known)"},
    "basedb_crosswalk": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE (linked)"},
    "basedb_authorityrule": {"web": "SELECT, INSERT, UPDATE (effective)", "worker": "SELECT", "reader": "SELECT"},
    "basedb_fusiondecision": {
        "web": "SELECT, INSERT, UPDATE (state, decided_by_id, decided_at, due_at)",
        "worker": "SELECT, INSERT, UPDATE",
        "reader": "SELECT",
    },
    "basedb_matchcandidate": {
        "web": "SELECT, UPDATE (state, decided_by_id, decided_at, reason, applied_at)",
        "worker": "SELECT, INSERT, UPDATE",
        "reader": "SELECT",
    },
    "basedb_fusionconflict": {
        "web": "SELECT, UPDATE (state, answer, answered_at, answered_by_id, resolved_at)",
        "worker": "SELECT, INSERT, UPDATE",
        "reader": "SELECT",
    },
    "basedb_division": BASE,
    "basedb_address": BASE,
    "basedb_parcel": BASE,
    "basedb_realestateunit": BASE,
    "basedb_building": BASE,
    "basedb_planningzone": BASE,
    "basedb_place": BASE,
    "basedb_grid": BASE,
    "basedb_ownership": BASE,
    "basedb_boundaryload": {"web": "SELECT, INSERT", "worker": "SELECT", "reader": "SELECT"},
    "basedb_divisionoutline": {"web": "SELECT, INSERT, UPDATE (superseded_at)", "worker": "SELECT", "reader": "SELECT"},
    "basedb_geometrysource": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT"},
    "basedb_divisionfigure": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE, DELETE", "reader": "SELECT"},
    "basedb_thematicdataset": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT, UPDATE (next_refresh_at)", "reader": "SELECT"},
    "basedb_thematicrow": {"web": "SELECT, UPDATE (left_at, changed_at, changed_xid)", "worker": "SELECT, INSERT, UPDATE"},
    "basedb_thematicrefresh": {"web": "SELECT, INSERT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
    "basedb_qualityrule": {"web": "SELECT, INSERT, UPDATE (retired_at)", "worker": "SELECT", "reader": "SELECT"},
    "basedb_qualitycheck": {"web": "SELECT, INSERT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
    "basedb_qualityresult": {"web": "SELECT", "worker": "SELECT, INSERT", "reader": "SELECT"},
    "basedb_qualitytask": {"web": "SELECT, UPDATE (open_count, closed_at)", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
    "basedb_qualityfault": {
        "web": "SELECT, UPDATE (state, reason, settled_at)",
        "worker": "SELECT, INSERT, UPDATE",
        "reader": "SELECT",
    },
}
