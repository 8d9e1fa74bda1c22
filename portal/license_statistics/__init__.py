"""Statistics of licenses (证照统计) at the door for people."""
