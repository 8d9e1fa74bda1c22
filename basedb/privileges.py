"""What each database role may do to the base databases. The web door only reads them."""

from core.privileges import Privileges

BASE = {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"}

PRIVILEGES: Privileges = {
    "basedb_person": BASE,
    "basedb_legalentity": BASE,
    "basedb_sourcerecord": {"web": "SELECT", "worker": "SELECT, INSERT"},
}
