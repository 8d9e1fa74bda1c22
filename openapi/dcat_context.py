"""The terms of the catalogue in DCAT and the vocabularies they belong to: names only, nothing is ever fetched from them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

EU: Final = "http://publications.europa.eu/resource/authority"


def _text(iri: str) -> dict[str, str]:
    return {"@id": iri, "@container": "@language"}


def _link(iri: str) -> dict[str, str]:
    return {"@id": iri, "@type": "@id"}


CONTEXT: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "csvw": "http://www.w3.org/ns/csvw#",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "hydra": "http://www.w3.org/ns/hydra/core#",
        "org": "http://www.w3.org/ns/org#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "id": "@id",
        "type": "@type",
        "title": _text("dct:title"),
        "description": _text("dct:description"),
        "name": _text("foaf:name"),
        "label": _text("skos:prefLabel"),
        "keyword": _text("dcat:keyword"),
        "identifier": "dct:identifier",
        "notation": "skos:notation",
        "issued": {"@id": "dct:issued", "@type": "xsd:dateTime"},
        "modified": {"@id": "dct:modified", "@type": "xsd:dateTime"},
        "language": _link("dct:language"),
        "publisher": "dct:publisher",
        "accessRights": "dct:accessRights",
        "accrualPeriodicity": "dct:accrualPeriodicity",
        "conformsTo": "dct:conformsTo",
        "rights": "dct:rights",
        "spatial": "dct:spatial",
        "theme": "dcat:theme",
        "dataset": "dcat:dataset",
        "service": "dcat:service",
        "distribution": "dcat:distribution",
        "accessURL": "dcat:accessURL",
        "accessService": _link("dcat:accessService"),
        "endpointURL": _link("dcat:endpointURL"),
        "endpointDescription": _link("dcat:endpointDescription"),
        "servesDataset": _link("dcat:servesDataset"),
        "columns": {"@id": "csvw:column", "@container": "@list"},
        "columnName": "csvw:name",
        "columnTitle": _text("csvw:title"),
        "datatype": _link("csvw:datatype"),
        "primaryKey": "csvw:primaryKey",
        "totalItems": {"@id": "hydra:totalItems", "@type": "xsd:integer"},
        "view": "hydra:view",
        "first": _link("hydra:first"),
        "next": _link("hydra:next"),
    }
)
