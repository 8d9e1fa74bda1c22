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
    "exchange_materialreturn": BY_WEB,
    "exchange_slapolicy": READ,
    "exchange_clockextension": BY_WEB,
    "exchange_supervisionnotice": BY_WEB,
    "exchange_grant": BY_WEB,
    "exchange_grantversion": LEDGER,
    "exchange_grantsubject": {**READ, "web": "SELECT, INSERT, DELETE"},
    "exchange_terminationfiling": {**LEDGER, "worker": "SELECT"},
    "exchange_claim": BY_WEB,
    "exchange_delegation": BY_WEB,
    "exchange_savedfilter": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "exchange_bulkdecision": {"web": "SELECT, INSERT", "reader": "SELECT"},
    "exchange_bulkline": {"web": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
    "exchange_dailydigest": {"worker": "SELECT, INSERT"},
    "exchange_basketentry": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "exchange_requestbundle": BY_WEB,
    "exchange_remark": {**READ, "web": "SELECT, INSERT"},
    "exchange_attachment": {
        **READ,
        # A draft's file may be taken off again; of a submitted one only the redaction is written.
        "web": "SELECT, INSERT, DELETE, UPDATE (redacted_at, redacted_by_id, redaction_reason)",
    },
    "exchange_grantendreminder": {**LEDGER, "web": "SELECT"},
    "exchange_callrecord": {**LEDGER, "worker": "SELECT"},
    "exchange_callsubjects": {**LEDGER, "worker": "SELECT"},
    "exchange_rejectedattempt": {**READ, "web": "SELECT, INSERT, UPDATE (count)"},
    "exchange_aggregationplan": ENTITY,
    "exchange_aggregationrun": ENTITY,
    "exchange_aggregationbatch": {**LEDGER, "web": "SELECT"},
    "exchange_rejectedrow": ENTITY,
    "exchange_dropfile": BY_WORKER,
    "exchange_backflowsubscription": ENTITY,
    "exchange_backflowbatch": ENTITY,
    "exchange_callstatistic": {**READ, "worker": "SELECT, INSERT, UPDATE, DELETE"},
    "exchange_statisticscursor": BY_WORKER,
    "exchange_seal": {"sealer": "SELECT, INSERT", **READ},
    "exchange_archive": {"worker": "SELECT, INSERT", "web": "SELECT", "reader": "SELECT"},
    "exchange_bulkjob": ENTITY,
    "exchange_bulkpart": BY_WORKER | {"worker": "SELECT, INSERT"},
    "exchange_bulkfetch": LEDGER | {"worker": "SELECT"},
    "exchange_feedmember": {"web": "SELECT, INSERT", "reader": "SELECT"},
    "exchange_backflowmember": {"worker": "SELECT, INSERT, DELETE", "reader": "SELECT"},
    "exchange_sourceconnection": BY_WEB,
    "exchange_upstreaminterface": ENTITY,
    "exchange_upstreamaccount": ENTITY,
    "exchange_upstreamsecret": BY_WEB,
    "exchange_nationalrequester": BY_WEB,
    "exchange_nationalsession": BY_WEB,
    "exchange_nationalservice": BY_WEB,
    "exchange_upstreamauthorization": BY_WEB,
    "exchange_upstreamrelay": ENTITY,
    "exchange_upstreamreceipt": LEDGER,
}
