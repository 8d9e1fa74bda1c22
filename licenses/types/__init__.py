"""The type catalogue (证照目录): what a type of license is, its face items and layout, versions, publication and uses.

Licenses themselves are issued elsewhere in this room.
"""
