"""The registry's models and their rules: the map, teams, drift runs, waivers, API tokens, identities, news."""

from ownership.history.lock import RegistryLock
from ownership.history.models import ChangeSet
from ownership.models.confirmations import Confirmation
from ownership.models.drift_runs import CodeUse, DriftRun, Grant, TableTruth, Waiver
from ownership.models.identities import ProviderIdentity
from ownership.models.news import (
    Delivery,
    DeliveryAttempt,
    DeliveryRequest,
    Endpoint,
    EndpointSecret,
)
from ownership.models.services import Environment, Service, TableGroup
from ownership.models.suggestions import SuggestedStep, Suggestion, SuggestionSubject
from ownership.models.tables import Access, KeySchema, SecondaryIndex, Table
from ownership.models.teams import Membership, Team
from ownership.models.tokens import ApiToken
from ownership.models.validators import READS, WRITES, KeyType, Mode
from ownership.models.watches import DelivererSign, Mailing, MailPreference, Watch

__all__ = [
    "READS",
    "WRITES",
    "Access",
    "ApiToken",
    "ChangeSet",
    "CodeUse",
    "Confirmation",
    "DelivererSign",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryRequest",
    "DriftRun",
    "Endpoint",
    "EndpointSecret",
    "Environment",
    "Grant",
    "KeySchema",
    "KeyType",
    "MailPreference",
    "Mailing",
    "Membership",
    "Mode",
    "ProviderIdentity",
    "RegistryLock",
    "SecondaryIndex",
    "Service",
    "SuggestedStep",
    "Suggestion",
    "SuggestionSubject",
    "Table",
    "TableGroup",
    "TableTruth",
    "Team",
    "Waiver",
    "Watch",
]
