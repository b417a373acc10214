"""Findings that the team decided to live with for a while."""

import http.client
import json
import urllib.error
from collections.abc import Iterable
from datetime import date
from urllib.parse import urljoin

from ownership.drift.registry_client import fetch
from ownership.drift.types import Finding, Identity, Location, ReadError, WaiverTerms


def waived(
    findings: Iterable[Finding], waivers: Iterable[WaiverTerms], environment: str | None, today: date
) -> dict[Finding, WaiverTerms]:
    """The findings that a waiver covers: the same finding and grant, in the same environment, up to its day."""
    in_force = {(w.identity, w.granted): w for w in waivers if w.environment == environment and today <= w.until}
    return {f: in_force[f.identity, f.granted] for f in findings if (f.identity, f.granted) in in_force}


def load(map_address: str, token: str | None) -> list[WaiverTerms]:
    """The waivers of the registry whose map is at that address (``drift/waivers/`` beside it). Raises ReadError."""
    address = urljoin(map_address, "../drift/waivers/")
    try:
        return [
            WaiverTerms(
                Identity(one["kind"], one["table"], one["service"]),
                one["environment"],
                one["granted"],
                date.fromisoformat(one["until"]),
                one["reason"],
            )
            for one in json.loads(fetch(address, token))["results"]
        ]
    except urllib.error.HTTPError as error:
        raise ReadError(Location(address), f"the registry answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ReadError(Location(address), str(getattr(error, "reason", None) or error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(Location(address), f"are no waivers ({type(error).__name__}: {error})") from error
