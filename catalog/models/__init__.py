"""Tables of the catalogue."""

from catalog.models.resource import (
    BaseDatabase,
    Binding,
    DataItem,
    Grade,
    Resource,
    ResourceState,
    ResourceVersion,
    ShareAttribute,
    SharingMode,
    UpdateCycle,
)

__all__ = [
    "BaseDatabase",
    "Binding",
    "DataItem",
    "Grade",
    "Resource",
    "ResourceState",
    "ResourceVersion",
    "ShareAttribute",
    "SharingMode",
    "UpdateCycle",
]
