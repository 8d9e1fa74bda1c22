"""跨区域互认: how other nodes are reached from here."""
