"""What each database role may do to the tables of the license office: desks, doors (web) and bulk issuing (worker) write."""

from core.privileges import ENTITY, LEDGER, READ, Privileges

_STATES = "SELECT, INSERT, UPDATE (state, state_at, paper_state, paper_number, is_current, changed_xid, signature, key_id)"

PRIVILEGES: Privileges = {
    "licenses_typeversion": {**READ, "web": "SELECT, INSERT, UPDATE"},
    "licenses_typeuse": {**READ, "web": "SELECT, INSERT, UPDATE"},
    # Which office and on what basis never changes; it is confirmed once and ends once.
    "licenses_typeoffice": {
        **READ,
        "web": "SELECT, INSERT, UPDATE (effective, confirmed_by_id, confirmed_at, ended_by_id, ended_at, end_reason, revision,"
        " updated_at)",
    },
    # What was signed never changes; only its state and what is known of the paper do. A signature is set once, by a trigger.
    "licenses_license": {"web": _STATES, "worker": _STATES, "reader": "SELECT"},
    "licenses_issuingdraft": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"},
    "licenses_issuingbatch": ENTITY,
    "licenses_issuingrow": {"web": "SELECT, INSERT", "worker": "SELECT, INSERT, UPDATE (state, faults, license_id)"},
    "licenses_issuingfeed": {
        "web": "SELECT, INSERT, UPDATE (closed_at)",
        "worker": "SELECT, UPDATE (through_xid)",
        "reader": "SELECT",
    },
    "licenses_serialcounter": ENTITY,
    "licenses_licensedelivery": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
    "licenses_licenseholder": LEDGER,
    "licenses_licenseevent": LEDGER,
    "licenses_licensefile": {"web": "SELECT, INSERT", "worker": "SELECT, INSERT", "reader": "SELECT"},
    # Purpose, receiver and file of a copy never change; only that it was fetched is counted.
    "licenses_licensecopy": {**READ, "web": "SELECT, INSERT, UPDATE (downloads, downloaded_at)"},
    "licenses_licenseuse": LEDGER,
    # Who is let in and what is shown is decided at the doors; the worker only looks.
    "licenses_holdersession": {"web": "SELECT, INSERT, UPDATE (token_digest, opened_at, expires_at, ended_at)", "worker": "SELECT"},
    "licenses_presentingcode": {**READ, "web": "SELECT, INSERT, UPDATE"},
    "licenses_enterpriseagent": {**READ, "web": "SELECT, INSERT, UPDATE (revoked_at)"},
    "licenses_holderblock": {**READ, "web": "SELECT, INSERT, UPDATE (lifted_at, lifted_by_id, lifted_reason)"},
    "licenses_presentingtry": {**LEDGER, "worker": "SELECT"},
    "licenses_sealkey": READ,
    "licenses_statuslist": {**READ, "worker": "SELECT, INSERT, DELETE, UPDATE (through_xid, checked_at)"},
    "licenses_verificationcount": {"web": "SELECT, INSERT, UPDATE (count)", "worker": "SELECT", "reader": "SELECT"},
    "licenses_missingreport": {**READ, "web": "SELECT, INSERT, UPDATE", "worker": "SELECT, UPDATE"},
    "licenses_missingstep": LEDGER,
    "licenses_missingclock": {**READ, "web": "SELECT, INSERT, UPDATE (effective)"},
    "licenses_trustednode": {**READ, "web": "SELECT, INSERT, UPDATE"},
    "licenses_trustedkey": {
        **READ,
        "web": "SELECT, INSERT, UPDATE (confirmed_by_id, confirmed_at, revoked_at, revoked_reason)",
    },
    "licenses_nodeposition": ENTITY,
    "licenses_outbatch": {**READ, "web": "SELECT, UPDATE (state, next_attempt_at)", "worker": "SELECT, INSERT, UPDATE"},
    "licenses_inbatch": {"web": "SELECT, INSERT", "worker": "SELECT, UPDATE (delivered_at)", "reader": "SELECT"},
    "licenses_exchangerow": {"web": "SELECT, INSERT", "worker": "SELECT, UPDATE (state, code, document)", "reader": "SELECT"},
    "licenses_nodequestion": LEDGER,
    "licenses_nodestatuslist": {**READ, "worker": "SELECT, INSERT, UPDATE"},
    "licenses_foreignlicense": {"web": "SELECT, INSERT", "worker": "SELECT, UPDATE (document)"},
    "licenses_differencereport": {**READ, "worker": "SELECT, INSERT"},
    "licenses_differenceline": {**READ, "worker": "SELECT, INSERT"},
    "licenses_differenceitem": {**READ, "worker": "SELECT, INSERT"},
}
