"""What the catalogue in DCAT looks like to a reader of plain JSON: every object closed; for the description of the door."""

from __future__ import annotations

from typing import Any, Final

TEXT: Final[dict[str, Any]] = {"type": "string"}
IRI: Final[dict[str, Any]] = {"type": "string", "format": "uri"}
MOMENT: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
TYPES: Final[dict[str, Any]] = {"type": "array", "items": TEXT}


def _closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Return an object that has all of the first, any of the others, and nothing else."""
    return {"type": "object", "properties": required | optional, "required": list(required), "additionalProperties": False}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _is(name: str) -> dict[str, Any]:
    return {"type": "string", "enum": [name]}


ZH: Final = _closed({"zh": TEXT}, en=TEXT)
AGENT: Final = _closed({"id": IRI, "type": TYPES, "identifier": TEXT, "name": ZH})
ACCESS: Final = _closed({"id": IRI, "type": _is("dct:RightsStatement")})
STANDARD: Final = _closed({"type": _is("dct:Standard"), "identifier": TEXT})
COLUMN: Final = _closed(
    {"type": _is("csvw:Column"), "columnName": TEXT, "columnTitle": ZH}, datatype=TEXT, conformsTo=STANDARD, accessRights=ACCESS
)
DICTIONARY: Final = _closed({"id": IRI, "type": TYPES, "columns": _list(COLUMN)}, primaryKey=_list(TEXT))
DISTRIBUTION: Final = _closed(
    {
        "type": _is("dcat:Distribution"),
        "title": ZH,
        "accessURL": _closed({"id": IRI, "type": _is("rdfs:Resource")}),
        "accessService": IRI,
    }
)
DATASET: Final = _closed(
    {
        "id": IRI,
        "type": _is("dcat:Dataset"),
        "identifier": TEXT,
        "title": ZH,
        "description": ZH,
        "language": IRI,
        "publisher": AGENT,
        "accrualPeriodicity": _closed({"id": IRI, "type": _is("dct:Frequency")}),
        "accessRights": ACCESS,
        "rights": _closed({"type": _is("dct:RightsStatement"), "label": ZH}, description=ZH),
        "theme": _closed({"type": _is("skos:Concept"), "notation": TEXT}),
        "spatial": _closed({"type": _is("dct:Location"), "identifier": TEXT, "label": ZH}),
        "conformsTo": DICTIONARY,
    },
    keyword=_closed({"zh": _list(TEXT)}),
    issued=MOMENT,
    modified=MOMENT,
    distribution=DISTRIBUTION,
)
SERVICE: Final = _closed(
    {
        "id": IRI,
        "type": _is("dcat:DataService"),
        "identifier": TEXT,
        "title": ZH,
        "publisher": AGENT,
        "accessRights": ACCESS,
        "endpointURL": IRI,
        "endpointDescription": IRI,
        "servesDataset": IRI,
    }
)
VIEW: Final = _closed({"id": IRI, "type": _is("hydra:PartialCollectionView"), "first": IRI}, next=IRI)
CATALOG: Final = _closed(
    {
        "@context": {"type": "object", "additionalProperties": True},
        "id": IRI,
        "type": TYPES,
        "title": ZH,
        "description": ZH,
        "language": IRI,
        "totalItems": {"type": "integer"},
        "dataset": _list(DATASET),
        "service": _list(SERVICE),
        "view": VIEW,
    },
    publisher=AGENT,
)
