"""Data zones (数据专区): what a department or a region has on the platform, how fresh, how good, and who uses it."""
