"""Statistics of licenses (证照统计): how many are held, how far they cover those who should hold them, what they were used for."""
