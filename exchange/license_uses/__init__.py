"""Who used licenses (谁用过证照): use records and the ordinary calls on license data in one list for holder, issuer and centre."""
