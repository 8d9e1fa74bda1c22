"""Legal entities (法人库): what their facts add up to - verification, successors, people in them."""
