"""The city at full scale (全市规模演示): a prefecture's sources made in its departments' own databases and files, then taken in."""
