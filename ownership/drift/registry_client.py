"""What the map declares, from a file or from the registry's API (``/api/v1/map/``)."""

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ownership.drift.readers.yaml_values import Files, real
from ownership.drift.types import (
    DeclaredMap,
    DeclaredService,
    GrantedAccess,
    KeyAttribute,
    Keys,
    Location,
    ReadError,
    ReadOrWrite,
    TableShape,
)

MODES: dict[str, tuple[ReadOrWrite, ...]] = {"read": ("read",), "write": ("write",), "read_write": ("read", "write")}
MAX_BYTES = 100_000_000
TIMEOUT = 30  # seconds


def from_map(document: Mapping[str, Any]) -> DeclaredMap:
    """The map as the API gives it, less what drift has no use for. Raises KeyError, TypeError, ValueError."""
    tables = document["tables"]
    return DeclaredMap(
        revision=int(document["revision"]) if document.get("revision") is not None else None,
        environments={e["name"]: e.get("suffix") or "" for e in document.get("environments") or []},
        services=tuple(
            DeclaredService(s["name"], s.get("part_of"), tuple(s.get("aliases") or ())) for s in document["services"]
        ),
        tables=tuple(
            TableShape(
                table["name"],
                _key_schema(table.get("key_schema")),
                tuple((i["name"], _key_schema(i.get("key_schema"))) for i in table.get("indexes") or ()),
            )
            for table in tables
        ),
        owners={table["name"]: table.get("owner") for table in tables},
        accesses=frozenset(
            GrantedAccess(access["service"], table["name"], mode)
            for table in tables
            for access in table.get("accesses") or ()
            for mode in MODES[access["mode"]]
        ),
    )


def _key_schema(stated: Mapping[str, Any] | None) -> Keys | None:
    if not stated or not stated.get("partition_key"):
        return None
    partition, sort = stated["partition_key"], stated.get("sort_key")
    return Keys(
        KeyAttribute(partition["name"], partition.get("type")),
        KeyAttribute(sort["name"], sort.get("type")) if sort else None,
    )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another address."""

    def redirect_request(self, *args: Any) -> None:
        return None


def load(source: str, token: str | None = None) -> DeclaredMap:
    """The map at an ``https://`` (or ``http://``) address or in a JSON or YAML file. Raises ReadError."""
    place = Location(source)
    try:
        if source.startswith(("https://", "http://")):
            return from_map(json.loads(fetch(source, token)))
        path = real(Path(source))
        if path.suffix in (".yml", ".yaml"):
            return from_map(Files(path.parent).load(path))
        with path.open("rb") as file:  # a pipe, too: `--registry <(curl …)`
            return from_map(json.loads(_bounded(file)))
    except urllib.error.HTTPError as error:
        moved = f" to {error.headers['Location']}: give that address" if error.headers.get("Location") else ""
        raise ReadError(place, f"the registry answered {error.code} {error.reason}{moved}") from error
    except OSError as error:
        raise ReadError(place, str(getattr(error, "reason", None) or error.strerror or error)) from error
    except http.client.HTTPException as error:  # an address with a blank in it, an answer that breaks off
        raise ReadError(place, f"{type(error).__name__}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ReadError(
            place, f"is no ownership map as /api/v1/map/ gives it ({type(error).__name__}: {error})"
        ) from error


def fetch(address: str, token: str | None) -> bytes:
    """What a registry answers at an address. Raises OSError, ValueError for more than MAX_BYTES, ReadError.

    No error tells the token.
    """
    token = (token or "").strip()  # a file that it was read from ends with a line break
    if not re.fullmatch(r"[!-~]*", token):
        raise ReadError(Location("--token"), "has characters that no token has: was it copied whole, and nothing else?")
    headers = {"Accept": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 -- load() lets in http and https alone
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
        return _bounded(answer)


def _bounded(file: IO[bytes]) -> bytes:
    body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return body
