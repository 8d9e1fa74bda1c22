"""What each database role may do to the kernel's tables and to those of the libraries. Not listed = nothing.

`ENTITY`, `LEDGER` and `READ` are the three usual shapes; a ledger is append-only for everyone.
"""

from collections.abc import Mapping

Privileges = Mapping[str, Mapping[str, str]]

ENTITY = {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"}
LEDGER = {"web": "SELECT, INSERT", "worker": "SELECT, INSERT", "sealer": "SELECT", "reader": "SELECT"}
READ = {"web": "SELECT", "worker": "SELECT", "reader": "SELECT"}

PRIVILEGES: Privileges = {
    "core_region": READ,
    "core_region_successors": READ,
    "core_department": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"},
    "core_user": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT"},
    "core_roleassignment": {"web": "SELECT, INSERT, DELETE", "worker": "SELECT", "reader": "SELECT"},
    "core_auditentry": LEDGER,
    "core_holiday": {"web": "SELECT, INSERT, UPDATE, DELETE", "worker": "SELECT", "reader": "SELECT"},
    "core_notification": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT, INSERT"},
    "core_submission": {"web": "SELECT, INSERT, UPDATE"},
    "django_session": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "django_content_type": READ,
    "django_migrations": READ,
    "axes_accessattempt": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "axes_accessfailurelog": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "axes_accesslog": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "axes_accessattemptexpiration": {"web": "SELECT, INSERT, UPDATE, DELETE"},
    "auth_group": {},
    "auth_group_permissions": {},
    "auth_permission": {},
}
