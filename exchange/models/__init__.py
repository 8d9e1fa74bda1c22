"""Tables of the exchange."""

from exchange.models.access_request import AccessRequest, AccessRequestStep, Desk, Reminder, RequestState, Route
from exchange.models.aggregation import (
    AggregationBatch,
    AggregationPlan,
    AggregationRun,
    ConnectorKind,
    DropFile,
    FileState,
    RejectedRow,
    RejectState,
    RunState,
)
from exchange.models.backflow import BackflowBatch, BackflowMember, BackflowSubscription, BatchState, SubscriptionState
from exchange.models.call_record import CallRecord, RejectedAttempt
from exchange.models.evidence import Archive, Chain, Seal
from exchange.models.grant import Grant, GrantState
from exchange.models.system import ConsumerSystem, Credential, CredentialState, SignatureAlgorithm

__all__ = [
    "AccessRequest",
    "AccessRequestStep",
    "AggregationBatch",
    "AggregationPlan",
    "AggregationRun",
    "Archive",
    "BackflowBatch",
    "BackflowMember",
    "BackflowSubscription",
    "BatchState",
    "CallRecord",
    "Chain",
    "ConnectorKind",
    "ConsumerSystem",
    "Credential",
    "CredentialState",
    "Desk",
    "DropFile",
    "FileState",
    "Grant",
    "GrantState",
    "RejectState",
    "RejectedAttempt",
    "RejectedRow",
    "Reminder",
    "RequestState",
    "Route",
    "RunState",
    "Seal",
    "SignatureAlgorithm",
    "SubscriptionState",
]
