"""What each database role may do to the tables of the exchange.

Who may call what is decided and recorded at the doors (web); what is gathered and delivered, by the worker.
"""

from core.privileges import ENTITY, LEDGER, READ, Privileges

BY_WEB = {**READ, "web": "SELECT, INSERT, UPDATE"}
BY_WORKER = {**READ, "worker": "SELECT, INSERT, UPDATE"}

PRIVILEGES: Privileges = {
    "exchange_consumersystem": BY_WEB,
    "exchange_credential": BY_WEB,
    "exchange_accessrequest": ENTITY,
    "exchange_accessrequeststep": LEDGER,
    "exchange_grant": BY_WEB,
    "exchange_callrecord": {**LEDGER, "worker": "SELECT"},
    "exchange_rejectedattempt": {**READ, "web": "SELECT, INSERT, UPDATE (count)"},
    "exchange_aggregationplan": ENTITY,
    "exchange_aggregationrun": ENTITY,
    "exchange_aggregationbatch": {**LEDGER, "web": "SELECT"},
    "exchange_rejectedrow": ENTITY,
    "exchange_dropfile": BY_WORKER,
    "exchange_backflowsubscription": ENTITY,
    "exchange_backflowbatch": ENTITY,
    "exchange_seal": {"sealer": "SELECT, INSERT", **READ},
    "exchange_archive": {"worker": "SELECT, INSERT", "web": "SELECT", "reader": "SELECT"},
    "exchange_backflowmember": {"worker": "SELECT, INSERT, DELETE", "reader": "SELECT"},
}
