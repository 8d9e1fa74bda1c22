"""What each database role may do to the tables of the license office: desks, doors (web) and bulk issuing (worker) write."""

from core.privileges import LEDGER, READ, Privileges

_STATES = "SELECT, INSERT, UPDATE (state, state_at, paper_state, paper_number, is_current, changed_xid)"

PRIVILEGES: Privileges = {
    "licenses_typeversion": {**READ, "web": "SELECT, INSERT, UPDATE"},
    # What was signed never changes; only its state and what is known of the paper do.
    "licenses_license": {"web": _STATES, "worker": _STATES, "reader": "SELECT"},
    "licenses_licenseholder": LEDGER,
    "licenses_licenseevent": LEDGER,
    "licenses_licensefile": {"web": "SELECT, INSERT", "worker": "SELECT, INSERT", "reader": "SELECT"},
    "licenses_licenseuse": LEDGER,
    "licenses_sealkey": READ,
}
