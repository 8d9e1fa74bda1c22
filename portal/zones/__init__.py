"""Data zones (数据专区) at the door for people: a department's and a region's part of the platform."""
