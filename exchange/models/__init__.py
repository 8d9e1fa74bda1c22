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
from exchange.models.alert import Alert, AlertKind, AlertState
from exchange.models.backflow import BackflowBatch, BackflowMember, BackflowSubscription, BatchState, SubscriptionState
from exchange.models.basket import BasketEntry, RequestBundle
from exchange.models.break_glass import BreakGlass, BreakGlassReview, Verdict
from exchange.models.bulk_job import BulkFetch, BulkJob, BulkPart, FileFormat, JobState
from exchange.models.call_record import CallRecord, CallSubjects, RejectedAttempt
from exchange.models.call_statistics import CallStatistic, Grain, StatisticsCursor
from exchange.models.clock import ClockExtension, ExtensionState, SlaPolicy, Stage
from exchange.models.desk_work import BulkDecision, BulkLine, BulkOutcome, Claim, DailyDigest, Delegation, SavedFilter
from exchange.models.evidence import Archive, Chain, Seal
from exchange.models.feed import FeedMember
from exchange.models.grant import Grant, GrantState, SuspensionGround
from exchange.models.grant_history import GrantEvent, GrantSubject, GrantVersion, TerminationFiling
from exchange.models.legal_hold import HoldScope, LegalHold
from exchange.models.material_return import MaterialReturn, ReturningSide
from exchange.models.national import NationalRequester, NationalService, NationalSession
from exchange.models.remark import Attachment, GrantEndReminder, Remark
from exchange.models.source import (
    AccountAuth,
    BreakerState,
    HeaderFamily,
    HttpMethod,
    KeyKind,
    Source,
    SourceConnection,
    TableKind,
    UpstreamAccount,
    UpstreamInterface,
    UpstreamSecret,
)
from exchange.models.supervision import SupervisionNotice
from exchange.models.system import ConsumerSystem, Credential, CredentialState, SignatureAlgorithm
from exchange.models.upstream import (
    AuthorizationKind,
    ReceiptOrigin,
    RelayState,
    UpstreamAuthorization,
    UpstreamReceipt,
    UpstreamRelay,
)
from exchange.models.usage import (
    Disposal,
    DisposalManner,
    DisposalState,
    UsageInspection,
    UsageRecord,
    UsageReminder,
)

__all__ = [
    "AccessRequest",
    "AccessRequestStep",
    "AccountAuth",
    "AggregationBatch",
    "AggregationPlan",
    "AggregationRun",
    "Alert",
    "AlertKind",
    "AlertState",
    "Archive",
    "Attachment",
    "AuthorizationKind",
    "BackflowBatch",
    "BackflowMember",
    "BackflowSubscription",
    "BasketEntry",
    "BatchState",
    "BreakGlass",
    "BreakGlassReview",
    "BreakerState",
    "BulkDecision",
    "BulkFetch",
    "BulkJob",
    "BulkLine",
    "BulkOutcome",
    "BulkPart",
    "CallRecord",
    "CallStatistic",
    "CallSubjects",
    "Chain",
    "Claim",
    "ClockExtension",
    "ConnectorKind",
    "ConsumerSystem",
    "Credential",
    "CredentialState",
    "DailyDigest",
    "Delegation",
    "Desk",
    "Disposal",
    "DisposalManner",
    "DisposalState",
    "DropFile",
    "ExtensionState",
    "FeedMember",
    "FileFormat",
    "FileState",
    "Grain",
    "Grant",
    "GrantEndReminder",
    "GrantEvent",
    "GrantState",
    "GrantSubject",
    "GrantVersion",
    "HeaderFamily",
    "HoldScope",
    "HttpMethod",
    "JobState",
    "KeyKind",
    "LegalHold",
    "MaterialReturn",
    "NationalRequester",
    "NationalService",
    "NationalSession",
    "ReceiptOrigin",
    "RejectState",
    "RejectedAttempt",
    "RejectedRow",
    "RelayState",
    "Remark",
    "Reminder",
    "RequestBundle",
    "RequestState",
    "ReturningSide",
    "Route",
    "RunState",
    "SavedFilter",
    "Seal",
    "SignatureAlgorithm",
    "SlaPolicy",
    "Source",
    "SourceConnection",
    "Stage",
    "StatisticsCursor",
    "SubscriptionState",
    "SupervisionNotice",
    "SuspensionGround",
    "TableKind",
    "TerminationFiling",
    "UpstreamAccount",
    "UpstreamAuthorization",
    "UpstreamInterface",
    "UpstreamReceipt",
    "UpstreamRelay",
    "UpstreamSecret",
    "UsageInspection",
    "UsageRecord",
    "UsageReminder",
    "Verdict",
]
