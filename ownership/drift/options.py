"""The arguments of the command line: what each reader takes, and what all of them take."""

import argparse
import os
from pathlib import Path

from ownership.drift.formats import FORMATS

TOKEN = "OWNERSHIP_REGISTRY_TOKEN"  # noqa: S105 -- the variable's name


def parser(*more: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The arguments. A wrapper's own, given as parsers without help, become options of every reader."""
    top = argparse.ArgumentParser(
        prog="drift", description="Compare the ownership map with the infrastructure."
    )
    readers = top.add_subparsers(dest="reader", required=True, metavar="READER")
    common = _common_options()
    variables = _variable_options()
    code = _code_options()
    roles = _role_options()

    serverless = readers.add_parser(
        "serverless",
        parents=[common, variables, code, *more],
        help="read Serverless Framework projects",
    )
    serverless.add_argument("path", type=Path, help="a project, or a folder of projects")
    serverless.add_argument(
        "--root",
        type=Path,
        help="the folder that ${file(…)} may not leave; default: PATH",
    )

    templates = readers.add_parser(
        "cloudformation",
        parents=[common, variables, code, roles, *more],
        help="read templates of CloudFormation and SAM, and a CDK app's output",
    )
    templates.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="a template, a folder of templates, or cdk.out",
    )
    templates.add_argument(
        "--stack",
        metavar="PATTERN",
        action="append",
        default=[],
        help="of a CDK app, only the stacks with such a name or path: Shop, 'Prod/*' (may be repeated)",
    )

    plans = readers.add_parser(
        "terraform",
        parents=[common, variables, code, roles, *more],
        help="read plans and states of Terraform and OpenTofu",
    )
    plans.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="what `terraform show -json` or `tofu show -json` prints of a plan or a state",
    )
    plans.add_argument(
        "--root",
        type=Path,
        help="the folder whose .tf files give lines, and that holds each FILE; default: the folder of FILE",
    )

    endpoint = readers.add_parser(
        "dynamodb", parents=[common, *more], help="read the tables of a live endpoint"
    )
    endpoint.add_argument("--endpoint-url", metavar="URL")
    endpoint.add_argument("--region")

    source = readers.add_parser(
        "code",
        parents=[common, variables],
        help="find which tables the code of deployed functions uses; compares nothing",
    )
    source.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="a folder with code and infrastructure",
    )
    return top


def _common_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--registry",
        metavar="URL|FILE",
        help="the map: …/api/v1/map/ of a registry, or a file that contains it",
    )
    options.add_argument(
        "--token",
        default=os.environ.get(TOKEN),
        help=f"token for the registry; better set in {TOKEN}",
    )
    options.add_argument(
        "--environment",
        metavar="NAME",
        help="an environment of the map; what it adds to table names is removed from them",
    )
    options.add_argument(
        "--tables",
        type=Path,
        metavar="FILE",
        help="JSON or YAML that maps logical ids and names of tables to tables of the map",
    )
    options.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="for people; for programs; what the owners of IAM are to change, with a patch of serverless.yml; "
        "or what code scanning, a pull request on GitHub or GitLab, or a list of tests shows",
    )
    options.add_argument(
        "--baseline",
        metavar="FILE|GIT-REF",
        help="an earlier report of --format json, or a commit of the repository: only what is new since gives status 1",
    )
    return options


def _variable_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--var",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_variable,
        help="the value of a variable: opt:stage=prod, env:REGION=…, param:Stage=… (may be repeated)",
    )
    return options


def _code_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--code",
        metavar="FOLDER",
        type=Path,
        action="append",
        default=[],
        help="a folder whose code is read as well; the infrastructure that deploys it is in it (may be repeated)",
    )
    return options


def _role_options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--roles",
        type=Path,
        metavar="FILE",
        help="JSON or YAML that maps roles to services: by logical id, name or Terraform's address",
    )
    return options


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    if ":" not in name:
        raise argparse.ArgumentTypeError(
            f"{name!r} does not say where the variable comes from: opt:{name}=…, env:{name}=… or param:{name}=…"
        )
    return name, value
