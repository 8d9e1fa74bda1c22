"""Access requests (共享申请): from basket and draft over the desks to the decision; clocks, returns, remarks, supervision.

What a decision grants is in `granting`.
"""
