"""证照状态: lists of the states of all licenses, compressed and signed, for checkers without a network (离线核验)."""
