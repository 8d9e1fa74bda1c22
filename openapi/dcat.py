"""The catalogue in DCAT 3 (数据目录词表), as JSON-LD with a context of its own: nobody has to fetch another to read it.

Pure: rows of `catalog.harvesting` in, plain values out. Types are spelled out (publisher, rights, places), since validators
infer none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from catalog.models import DataItem, ShareAttribute
from core.models import Department
from openapi.dcat_context import CONTEXT, EU

CHINESE: Final = f"{EU}/language/ZHO"
FREQUENCIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "REALTIME": "UPDATE_CONT",
        "DAILY": "DAILY",
        "WEEKLY": "WEEKLY",
        "MONTHLY": "MONTHLY",
        "QUARTERLY": "QUARTERLY",
        "HALF_YEARLY": "ANNUAL_2",
        "YEARLY": "ANNUAL",
        "IRREGULAR": "IRREG",
        "NEVER": "NEVER",
    }
)
# Sharing is among departments (Order 809 art. 14): even what is shared without conditions is not open to the public.
ACCESS_RIGHTS: Final[Mapping[str, str]] = MappingProxyType(
    {"UNCONDITIONAL": "RESTRICTED", "CONDITIONAL": "RESTRICTED", "WITHHELD": "NON_PUBLIC"}
)
DATATYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"C": "xsd:string", "N": "xsd:decimal", "D": "xsd:date", "T": "xsd:dateTime", "L": "xsd:boolean"}
)
_SEPARATORS: Final = re.compile(r"[\s、，,；;]+")


def catalog_head(address: str, publisher: Department | None) -> dict[str, Any]:
    """Return what is told of the catalogue itself, context first."""
    head = {
        "@context": dict(CONTEXT),
        "id": address,
        "type": ["dcat:Catalog", "hydra:Collection"],
        "title": both(_("政务数据共享目录")),
        "description": both(_("各部门已发布的政务信息资源，仅列目录信息；数据须经申请和授权后调用。")),
        "language": CHINESE,
    }
    return head | ({"publisher": agent(publisher)} if publisher else {})


def dataset(entry: Any, address: str) -> dict[str, Any]:
    """Return one entry, a row of `harvesting.shown`; its address is that of the entry in the REST interface."""
    told: dict[str, Any] = {
        "id": address,
        "type": "dcat:Dataset",
        "identifier": entry.code,
        "title": {"zh": entry.title},
        "description": {"zh": entry.summary},
        "language": CHINESE,
        "publisher": agent(entry.provider),
        "accrualPeriodicity": {"id": f"{EU}/frequency/{FREQUENCIES[entry.update_cycle]}", "type": "dct:Frequency"},
        "accessRights": _access(ACCESS_RIGHTS[entry.share_attribute]),
        "rights": _rights(entry),
        "theme": {"type": "skos:Concept", "notation": entry.classification},
        "spatial": {"type": "dct:Location", "identifier": entry.region.code, "label": {"zh": entry.region.name}},
        "conformsTo": _dictionary(entry.items.all(), f"{address}#items"),
    }
    keywords = [word for word in _SEPARATORS.split(entry.keywords) if word]
    if keywords:
        told["keyword"] = {"zh": keywords}
    for name, at in (("issued", entry.issued_at), ("modified", entry.modified_at)):
        if at is not None:
            told[name] = at.isoformat()
    return told


def is_served(entry: Any) -> bool:
    """Return whether granted calls of an entry can be answered."""
    return entry.mounted_at is not None and entry.share_attribute != ShareAttribute.WITHHELD


def data_service(entry: Any, address: str, *, endpoint: str, description: str) -> dict[str, Any]:
    """Return the interface a mounted entry is called through."""
    return {
        "id": f"{address}#service",
        "type": "dcat:DataService",
        "identifier": entry.code,
        "title": {"zh": entry.title},
        "publisher": agent(entry.provider),
        "accessRights": _access(ACCESS_RIGHTS[entry.share_attribute]),
        "endpointURL": endpoint,
        "endpointDescription": description,
        "servesDataset": address,
    }


def distribution(entry: Any, address: str, *, endpoint: str) -> dict[str, Any]:
    """Return how the data of a mounted entry is had: through its interface."""
    return {
        "type": "dcat:Distribution",
        "title": {"zh": entry.title},
        "accessURL": {"id": endpoint, "type": "rdfs:Resource"},
        "accessService": f"{address}#service",
    }


def agent(department: Department) -> dict[str, Any]:
    """Return a department; its name for machines outlives a change of its code."""
    return {
        "id": f"urn:uuid:{department.uid}",
        "type": ["foaf:Agent", "org:Organization"],
        "identifier": department.code,
        "name": {"zh": department.name},
    }


def both(text: Any) -> dict[str, str]:
    """Return a marked text in both languages of the platform."""
    found = {}
    for tag, language in (("zh", "zh-hans"), ("en", "en")):
        with override(language):
            found[tag] = str(text)
    return found


def _access(right: str) -> dict[str, str]:
    return {"id": f"{EU}/access-right/{right}", "type": "dct:RightsStatement"}


def _rights(entry: Any) -> dict[str, Any]:
    """Return the sharing attribute by name, with its conditions or the basis of withholding."""
    told: dict[str, Any] = {"type": "dct:RightsStatement", "label": both(ShareAttribute(entry.share_attribute).label)}
    reason = entry.withheld_basis if entry.share_attribute == ShareAttribute.WITHHELD else entry.share_conditions
    return told | ({"description": {"zh": reason}} if reason else {})


def _dictionary(items: Iterable[DataItem], address: str) -> dict[str, Any]:
    """Return the items in order, as the columns of a schema."""
    columns, keys = [], []
    for item in items:
        column: dict[str, Any] = {"type": "csvw:Column", "columnName": item.name, "columnTitle": {"zh": item.title}}
        if item.data_type in DATATYPES:
            column["datatype"] = DATATYPES[item.data_type]
        if item.standard:
            column["conformsTo"] = {"type": "dct:Standard", "identifier": item.standard}
        if item.is_withheld:
            column["accessRights"] = _access("NON_PUBLIC")
        columns.append(column)
        keys += [item.name] if item.is_key else []
    told = {"id": address, "type": ["dct:Standard", "csvw:Schema"], "columns": columns}
    return told | ({"primaryKey": keys} if keys else {})
