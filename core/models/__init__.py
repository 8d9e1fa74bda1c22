"""Tables of the kernel: a closed list."""

from core.models.audit_entry import AuditEntry
from core.models.department import Department
from core.models.holiday import Holiday
from core.models.notification import Notification
from core.models.region import Region
from core.models.sealed import SealedSecret
from core.models.shared import SharedObject, XidField
from core.models.submission import Submission
from core.models.user import RoleAssignment, User

__all__ = [
    "AuditEntry",
    "Department",
    "Holiday",
    "Notification",
    "Region",
    "RoleAssignment",
    "SealedSecret",
    "SharedObject",
    "Submission",
    "User",
    "XidField",
]
