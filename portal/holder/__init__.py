"""The holder's pages on the phone (亮证), apart from everything staff sees."""
