"""What each database role may do to the catalogue's tables."""

from core.privileges import ENTITY, LEDGER, Privileges

PRIVILEGES: Privileges = {
    "catalog_resource": ENTITY,
    "catalog_dataitem": {**ENTITY, "web": "SELECT, INSERT, UPDATE, DELETE"},
    "catalog_resourceversion": LEDGER,
    "catalog_binding": {**ENTITY, "web": "SELECT, INSERT, UPDATE, DELETE"},
}
