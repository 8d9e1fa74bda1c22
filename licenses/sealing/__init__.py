"""签章: what a license's signature covers, the keys that sign, sealed PDF and OFD files, copies made for a purpose (加注件)."""
