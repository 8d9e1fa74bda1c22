"""Thematic databases (主题库, 专题库) at the door for people: definitions, their rows, writing and approving them."""
