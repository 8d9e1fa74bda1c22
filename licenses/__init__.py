"""电子证照: the office that issues licenses, seals their files, presents and verifies them."""
