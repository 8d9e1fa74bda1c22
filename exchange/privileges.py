"""What each database role may do to the tables of the exchange."""

from core.privileges import ENTITY, LEDGER, READ, Privileges

PRIVILEGES: Privileges = {
    "exchange_consumersystem": ENTITY,
    "exchange_credential": ENTITY,
    "exchange_accessrequest": ENTITY,
    "exchange_accessrequeststep": LEDGER,
    "exchange_grant": ENTITY,
    "exchange_callrecord": LEDGER,
    "exchange_rejectedattempt": {**LEDGER, "web": "SELECT, INSERT, UPDATE (count)"},
    "exchange_aggregationplan": ENTITY,
    "exchange_aggregationrun": ENTITY,
    "exchange_aggregationbatch": LEDGER,
    "exchange_rejectedrow": ENTITY,
    "exchange_dropfile": ENTITY,
    "exchange_backflowsubscription": ENTITY,
    "exchange_backflowbatch": ENTITY,
    "exchange_seal": {"sealer": "SELECT, INSERT", **READ},
    "exchange_archive": {"worker": "SELECT, INSERT", "web": "SELECT", "reader": "SELECT"},
    "exchange_backflowmember": {"worker": "SELECT, INSERT, DELETE", "reader": "SELECT"},
}
