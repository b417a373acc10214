"""Findings that the team has decided to ignore for a while."""

import http.client
import json
import urllib.error
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urljoin

from ownership.drift.registry_client import fetch
from ownership.drift.types import Finding, Identity, Location, ReadError, WaiverTerms

# The findings that are waived, each with the waiver that covers it.
Waived = Mapping[Finding, WaiverTerms]


def waived(
    findings: Iterable[Finding], waivers: Iterable[WaiverTerms], environment: str | None, today: date
) -> dict[Finding, WaiverTerms]:
    """The findings that a waiver covers: the same finding and grant, in the same environment, up to its day."""
    in_force = {}
    for waiver in waivers:
        if waiver.environment == environment and today <= waiver.until:
            in_force[waiver.identity, waiver.granted] = waiver
    covered = {}
    for finding in findings:
        if (finding.identity, finding.granted) in in_force:
            covered[finding] = in_force[finding.identity, finding.granted]
    return covered


def load(map_address: str, token: str | None) -> list[WaiverTerms]:
    """The waivers of the registry whose map is at that address (``drift/waivers/`` beside it). Raises ReadError."""
    address = urljoin(map_address, "../drift/waivers/")
    try:
        document = json.loads(fetch(address, token))
        return [_waiver(waiver) for waiver in document["results"]]
    except urllib.error.HTTPError as error:
        raise ReadError(Location(address), f"the registry answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ReadError(Location(address), str(getattr(error, "reason", None) or error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(Location(address), f"not a list of waivers ({type(error).__name__}: {error})") from error


def _waiver(content: Mapping[str, Any]) -> WaiverTerms:
    return WaiverTerms(
        identity=Identity(content["kind"], content["table"], content["service"]),
        environment=content["environment"],
        granted=content["granted"],
        until=date.fromisoformat(content["until"]),
        reason=content["reason"],
    )
