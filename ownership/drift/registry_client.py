"""Loads the map from a file or from a registry's API (``/api/v1/map/``), and a registry's waivers."""

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from ownership.drift.physical_names import NamePattern
from ownership.drift.readers.files import Files, resolved_path
from ownership.drift.types import (
    MODE_PARTS,
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    Identity,
    KeyAttribute,
    Keys,
    Location,
    ReadError,
    TableShape,
    WaiverTerms,
)
from ownership.drift.values import Map

MAX_BYTES = 100_000_000
TIMEOUT = 30  # seconds

Document = Mapping[str, Any]


def from_map(document: Document) -> DeclaredMap:
    """The part of the API's map that drift compares. Raises KeyError, TypeError, ValueError."""
    revision = document.get("revision")
    tables = document["tables"]
    return DeclaredMap(
        revision=None if revision is None else int(revision),
        environments=dict(_environments(document)),
        services=tuple(_service(service) for service in document["services"]),
        tables=tuple(_table(table) for table in tables),
        owners={table["name"]: table.get("owner") for table in tables},
        accesses=frozenset(_accesses(tables)),
    )


def _environments(document: Document) -> Iterable[tuple[str, NamePattern]]:
    for environment in document.get("environments") or ():
        name = environment["name"]
        yield (
            name,
            NamePattern.of(name, environment.get("suffix") or "", environment.get("pattern") or ""),
        )


def _service(service: Document) -> DeclaredService:
    return DeclaredService(
        service["name"], service.get("part_of"), tuple(service.get("aliases") or ())
    )


def _table(table: Document) -> TableShape:
    indexes = []
    for index in table.get("indexes") or ():
        indexes.append((index["name"], _keys(index.get("key_schema"))))
    return TableShape(table["name"], _keys(table.get("key_schema")), tuple(indexes))


def _accesses(tables: Iterable[Document]) -> Iterable[DeclaredAccess]:
    for table in tables:
        for access in table.get("accesses") or ():
            if access["mode"] not in MODE_PARTS:
                raise ValueError(f"{access['mode']} is not a mode")
            for mode in MODE_PARTS[access["mode"]]:
                yield DeclaredAccess(access["service"], table["name"], mode)


def _keys(key_schema: Document | None) -> Keys | None:
    if not key_schema or not key_schema.get("partition_key"):
        return None
    sort_key = key_schema.get("sort_key")
    return Keys(_key(key_schema["partition_key"]), _key(sort_key) if sort_key else None)


def _key(key: Document) -> KeyAttribute:
    return KeyAttribute(key["name"], key.get("type"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would send the token to another address."""

    def redirect_request(self, *args: Any) -> None:
        return None


def load_map(source: str, token: str | None = None) -> DeclaredMap:
    """The map at an ``https://`` (or ``http://``) address or in a JSON or YAML file. Raises ReadError."""
    location = Location(source)
    try:
        return from_map(_document(source, token))
    except urllib.error.HTTPError as error:
        moved_to = error.headers.get("Location")
        hint = f" to {moved_to}: use that address" if moved_to else ""
        raise ReadError(
            location, f"the registry answered {error.code} {error.reason}{hint}"
        ) from error
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise ReadError(location, str(reason)) from error
    except (
        http.client.HTTPException
    ) as error:  # a space in the address, or an answer that breaks off
        raise ReadError(location, f"{type(error).__name__}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        detail = f"{type(error).__name__}: {error}"
        if isinstance(error, KeyError):
            detail = f"{error.args[0]} is missing"
        elif isinstance(error, ValueError):
            detail = str(error)
        reason = f"not an ownership map as /api/v1/map/ returns it ({detail})"
        raise ReadError(location, reason) from error


def _document(source: str, token: str | None) -> Document:
    document: Document
    if source.startswith(("https://", "http://")):
        document = json.loads(fetch(source, token))
        return document
    path = resolved_path(Path(source))
    if path.suffix in (".yml", ".yaml"):
        value = Files(path.parent).load(path)
        if not isinstance(value, Map):
            raise ValueError("not a mapping")
        return value
    with path.open("rb") as file:  # may also be a pipe: `--registry <(curl …)`
        document = json.loads(_read_bounded(file))
        return document


def load_waivers(map_address: str, token: str | None) -> list[WaiverTerms]:
    """The waivers of the registry whose map is at that address (``drift/waivers/`` beside it). Raises ReadError."""
    address = urljoin(map_address, "../drift/waivers/")
    try:
        document = json.loads(fetch(address, token))
        return [_waiver(waiver) for waiver in document["results"]]
    except urllib.error.HTTPError as error:
        raise ReadError(
            Location(address), f"the registry answered {error.code} {error.reason}"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise ReadError(Location(address), str(getattr(error, "reason", None) or error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(
            Location(address),
            f"not a list of waivers ({type(error).__name__}: {error})",
        ) from error


def _waiver(content: Mapping[str, Any]) -> WaiverTerms:
    return WaiverTerms(
        identity=Identity(content["kind"], content["table"], content["service"]),
        environment=content["environment"],
        granted=content["granted"],
        until=date.fromisoformat(content["until"]),
        reason=content["reason"],
    )


def fetch(address: str, token: str | None) -> bytes:
    """The body of a registry's answer. Raises OSError, ReadError, and ValueError for more than MAX_BYTES.

    No error message contains the token.
    """
    token = (token or "").strip()  # a token read from a file ends with a line break
    if not re.fullmatch(r"[!-~]*", token):
        raise ReadError(
            Location("--token"),
            "contains characters that no token has; copy the whole token and nothing else",
        )
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Token {token}"
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 -- load() lets in http and https alone
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
        return _read_bounded(answer)


def _read_bounded(file: IO[bytes]) -> bytes:
    body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return body
