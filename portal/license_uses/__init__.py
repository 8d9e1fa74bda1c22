"""Use records (用证记录) at the door for people."""
