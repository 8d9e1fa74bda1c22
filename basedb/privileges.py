"""What each database role may do to the base databases. The web door only reads them."""

from core.privileges import Privileges

BASE = {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"}

PRIVILEGES: Privileges = {
    "basedb_person": BASE,
    "basedb_legalentity": BASE,
    "basedb_datasource": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"},
    "basedb_sourcerecord": {"web": "SELECT", "worker": "SELECT, INSERT, UPDATE (known)"},
    "basedb_crosswalk": {"web": "SELECT, INSERT, UPDATE (linked)", "worker": "SELECT, INSERT, UPDATE (linked)"},
    "basedb_authorityrule": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT", "reader": "SELECT"},
    "basedb_fusionconflict": {"web": "SELECT, INSERT, UPDATE", "worker": "SELECT, INSERT, UPDATE", "reader": "SELECT"},
}
