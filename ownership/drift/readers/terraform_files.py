"""Opens the output of ``terraform show -json`` and ``tofu show -json``, and says what another file is.

::

    {"format_version": "1.2", "planned_values": …, "resource_changes": …, "configuration": …}    a plan
    {"format_version": "1.0", "values": …}                                                      a state

Keys that are not known here are ignored, as the format demands; another major version is refused.
Source: Terraform and OpenTofu documentation, "JSON Output Format".
"""

import codecs
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from ownership.drift.readers.files import Files
from ownership.drift.types import Location, ReadError

# Numbers are kept as the text that they are written as.
JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | bool | None"
Object: TypeAlias = dict[str, JSON]

MAX_BYTES = 50_000_000
MAJOR_VERSION = "1"

SHOW = "terraform show -json"
FROM_PLAN = f"run `terraform plan -out=plan.out`, then `{SHOW} plan.out > plan.json`, and give plan.json (or use tofu)"
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # what PowerShell's `>` writes
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ZIP = b"PK\x03\x04"
HCL = re.compile(
    r"\s*(?:(?:(?:#|//).*|/\*[^*]*\*/)\s*)*"
    r'(?:resource|data|module|variable|output|locals|provider|terraform|moved|import|removed|check)\b[\s"{]'
)
# A log line of GitHub's action for Terraform, which wraps the command.
WRAPPER = re.compile(r"\[command\]|::\w+")
OF_PLAN_OR_STATE = frozenset(
    {"values", "planned_values", "resource_changes", "prior_state", "configuration", "checks"}
)
OF_ANY_OUTPUT = frozenset({"format_version", "terraform_version"})


def load(path: Path, files: Files) -> Object:
    """A plan or a state. Raises ReadError, with the command to run where the file is something else."""
    location = Location(files.display_name(path))
    if path.is_dir():
        raise ReadError(location, f"is a folder: {FROM_PLAN}")
    content = files.read_bytes(path, MAX_BYTES)
    if content.startswith(ZIP):
        raise ReadError(
            location, f"is a binary plan: run `{SHOW} {path.name} > plan.json`, and give plan.json"
        )
    text = _decoded(content, location)
    if not text.strip():
        raise ReadError(location, f"is empty: `{SHOW}` may have failed")
    document = _parsed(text, location)
    _check(document, location, path.name)
    return document


def parse(text: str) -> JSON:
    """The value of a JSON text. Raises ValueError for invalid JSON, deep nesting, and keys that occur twice."""
    try:
        value: JSON = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    return value


def _without_duplicates(pairs: Sequence[tuple[str, JSON]]) -> Object:
    result: Object = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"duplicate key {key}")
        result[key] = value
    return result


def _decoded(content: bytes, location: Location) -> str:
    encoding = "utf-8"
    for mark, of_mark in ENCODINGS:
        if content.startswith(mark):
            encoding = of_mark
            break
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReadError(location, f"is not text in {encoding.upper()}") from error


def _parsed(text: str, location: Location) -> Object:
    try:
        value = parse(text)
    except ValueError as error:
        raise ReadError(location, _why_not_json(text, error)) from error
    if not isinstance(value, dict):
        raise ReadError(location, f"is not a plan or a state: {FROM_PLAN}")
    return value


def _why_not_json(text: str, error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    if HCL.match(text):
        return f"is configuration, not a plan: {FROM_PLAN}"
    if WRAPPER.match(text):
        return "begins with a line of the CI's log, not with JSON: set `terraform_wrapper: false` in setup-terraform"
    first_line = text.lstrip().partition("\n")[0]
    if first_line.startswith("{") and '"@level"' in first_line:
        return f"is the log of `terraform plan -json`, not the plan: {FROM_PLAN}"
    return f"is not JSON (line {error.lineno}: {error.msg}): {FROM_PLAN}"


def _check(document: Object, location: Location, name: str) -> None:
    """Check that a document is a plan or a state, in a version that is read here. Raises ReadError."""
    version = document.get("format_version")
    if version is None:
        raise ReadError(location, _why_not_output(document, name))
    major = str(version).partition(".")[0]
    if major != MAJOR_VERSION:
        reason = f"has format_version {version}, and only {MAJOR_VERSION}.x is read"
        if major == "0":
            reason += ": use Terraform 1.1 or later"
        raise ReadError(location, reason)
    keys = document.keys() - OF_ANY_OUTPUT
    if keys and not keys & OF_PLAN_OR_STATE:
        raise ReadError(location, f"is the output of another command, not of `{SHOW}`: {FROM_PLAN}")


def _why_not_output(document: Object, name: str) -> str:
    if "@level" in document:
        return f"is the log of `terraform plan -json`, not the plan: {FROM_PLAN}"
    if "version" in document and ("serial" in document or "lineage" in document):
        return f"is a raw state file: run `{SHOW} {name} > state.json`, and give state.json"
    if document.keys() & {
        "resource",
        "provider",
        "module",
        "terraform",
        "variable",
        "locals",
        "data",
        "output",
    }:
        return f"is configuration, not a plan: {FROM_PLAN}"
    return f"is not a plan or a state, as it has no format_version: {FROM_PLAN}"
