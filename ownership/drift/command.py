"""The command line: ``python -m ownership.drift READER …``. See docs/drift.md."""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ownership.drift import registry_client as maps
from ownership.drift import waivers
from ownership.drift.compare import compare
from ownership.drift.naming import Names
from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.dynamodb import read_endpoint
from ownership.drift.readers.serverless import read_projects
from ownership.drift.readers.yaml_values import Files, Map, real
from ownership.drift.report import Waived, as_json, as_text
from ownership.drift.types import Comparison, DeclaredMap, Infrastructure, Location, ReadError, WaiverTerms

NO_DRIFT, DRIFT, UNREADABLE = 0, 1, 2
TOKEN = "OWNERSHIP_REGISTRY_TOKEN"  # noqa: S105 -- the variable's name


def parser(*more: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The arguments. A wrapper's own, given as parsers without help, become options of every reader."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--registry", metavar="URL|FILE", help="the map: …/api/v1/map/ of a registry, or a file of it")
    common.add_argument("--token", default=os.environ.get(TOKEN), help=f"for the registry; better given in {TOKEN}")
    common.add_argument(
        "--environment", metavar="NAME", help="an environment of the map; its suffix is taken off names"
    )
    common.add_argument("--format", choices=["text", "json"], default="text")
    variables = argparse.ArgumentParser(add_help=False)
    variables.add_argument(
        "--var", metavar="NAME=VALUE", action="append", default=[], type=_pair,
        help="the value of a variable: opt:stage=prod, env:REGION=…, param:Stage=… (repeat for more)",
    )  # fmt: skip
    top = argparse.ArgumentParser(prog="drift", description="Compares the ownership map with the infrastructure.")
    readers = top.add_subparsers(dest="reader", required=True, metavar="READER")
    serverless = readers.add_parser(
        "serverless", parents=[common, variables, *more], help="Serverless Framework projects"
    )
    serverless.add_argument("path", type=Path, help="a project, or a folder of projects")
    serverless.add_argument("--root", type=Path, help="how far ${file(…)} may reach; PATH where not given")
    templates = readers.add_parser("cloudformation", parents=[common, variables, *more], help="compiled templates")
    templates.add_argument("files", type=Path, nargs="+", metavar="FILE")
    templates.add_argument("--roles", type=Path, metavar="FILE", help="JSON or YAML that maps roles to services")
    endpoint = readers.add_parser("dynamodb", parents=[common, *more], help="the tables of a live endpoint")
    endpoint.add_argument("--endpoint-url", metavar="URL")
    endpoint.add_argument("--region")
    return top


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    if ":" not in name:
        raise argparse.ArgumentTypeError(
            f"{name!r} does not say where the variable comes from: opt:{name}=…, env:{name}=… or param:{name}=…"
        )
    return name, value


def read(arguments: argparse.Namespace, declared: DeclaredMap) -> Infrastructure:
    """Run the chosen reader. Raises ReadError where nothing could be read at all."""
    try:
        names = Names.of(declared, arguments.environment)
    except KeyError as error:
        known = ", ".join(declared.environments) or "none"
        raise ReadError(
            Location("--environment"), f"{arguments.environment} is not in the map, which has {known}"
        ) from error
    if arguments.reader == "serverless":
        return read_projects(arguments.path, names, dict(arguments.var), arguments.root)
    if arguments.reader == "cloudformation":
        return read_templates(arguments.files, names, dict(arguments.var), _roles(arguments.roles))
    return read_endpoint(names, arguments.endpoint_url, arguments.region)


def _roles(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    path = real(path)
    content = Files(path.parent).load(path)
    if not isinstance(content, Map) or not all(isinstance(service, str) for service in content.values()):
        raise ReadError(Location(str(path)), "is no mapping of roles to services")
    return {str(role): str(service) for role, service in content.items()}


def show(
    arguments: argparse.Namespace, declared: DeclaredMap, found: Infrastructure, result: Comparison, waived: Waived
) -> str:
    """The report in the chosen format."""
    if arguments.format == "json":
        report = as_json(declared, found, result, arguments.environment, waived)
        return json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    return as_text(declared, found, result, waived)


class Registry:
    """Where map and waivers come from: an address or a file."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.address, self.token = arguments.registry, arguments.token

    def declared(self) -> DeclaredMap:
        """The map. Raises ReadError."""
        if not self.address:
            raise ReadError(
                Location("--registry"),
                "say which map to compare with: the address of a registry's map (https://…/api/v1/map/), "
                f"with its token in {TOKEN}, or a file with that map",
            )
        return maps.load(self.address, self.token)

    def waivers(self) -> Sequence[WaiverTerms]:
        """Those of the registry; a file has none, and where they can't be read every finding counts."""
        if not self.address.startswith(("https://", "http://")):
            return []
        try:
            return waivers.load(self.address, self.token)
        except ReadError as error:
            sys.stderr.write(f"drift: no waivers, so that every finding counts: {error}\n")
            return []

    def keep(self, declared: DeclaredMap, found: Infrastructure, result: Comparison) -> str:
        """Keep the run where the registry can; gives a word about it."""
        return ""


def main(argv: Sequence[str] | None = None, write: Callable[[str], object] | None = None) -> int:
    """Read, compare, report to ``write``, or to standard output. Gives the exit status."""
    arguments = parser().parse_args(argv)
    return run(arguments, Registry(arguments), write)


def run(arguments: argparse.Namespace, registry: Registry, write: Callable[[str], object] | None = None) -> int:
    """The exit status: 0 no drift but what is waived, 1 drift, 2 something could not be read."""
    try:
        declared = registry.declared()
        found = read(arguments, declared)
        result = compare(declared, found)
        today = datetime.now(UTC).date()
        waived = (
            waivers.waived(result.findings, registry.waivers(), arguments.environment, today) if result.findings else {}
        )
        kept = registry.keep(declared, found, result)
    except ReadError as error:
        sys.stderr.write(f"drift: {error}\n")
        return UNREADABLE
    except Exception:  # a fault of ours, or the database is away: told whole, and never taken for drift
        traceback.print_exc()
        return UNREADABLE
    write = write or sys.stdout.write
    write(show(arguments, declared, found, result, waived))
    (sys.stderr.write if arguments.format == "json" else write)(kept)
    return UNREADABLE if found.errors else DRIFT if len(waived) < len(result.findings) else NO_DRIFT
