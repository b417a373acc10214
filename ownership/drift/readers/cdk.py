"""A CDK app as ``cdk synth`` writes it: the stacks of a cloud assembly, ``cdk.out``.

::

    manifest.json                     the stacks, with account, region and tags; stages: assemblies of their own
    Shop.template.json                a stack's template
    Shop.assets.json                  which file is uploaded by which name: templates of nested stacks, too

Nothing but these files is read; what constructs grant stands in the templates.
Source: AWS CDK, "Cloud Assembly Specification", manifests of versions 1 to 55.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from ownership.drift.readers.files import Files
from ownership.drift.types import Location, ReadError
from ownership.drift.values import UNKNOWN_LOCATION, Map, Text, Value, as_mapping, value_at

CDK_OUTPUT = "cdk.out"
MANIFEST = "manifest.json"
TEMPLATE, ASSETS = ".template.json", ".assets.json"
STACK, STAGE = "aws:cloudformation:stack", "cdk:cloud-assembly"
MAX_NESTING = 10  # of stages
UNKNOWN = "unknown-"  # what stands for an account or region that is not chosen: unknown-account


@dataclass(frozen=True)
class AssemblyStack:
    """A stack of an assembly. ``path`` is its place in the app, as the CDK's commands name it: ``Prod/Shop``."""

    template: Path
    name: str
    path: str
    tags: Mapping[str, str] = field(default_factory=dict)
    pseudo: Mapping[str, Text] = field(default_factory=dict)

    def is_selected(self, patterns: list[str]) -> bool:
        """Whether one of the patterns names it, by name or by path; without patterns, all are selected."""
        for pattern in patterns:
            if fnmatchcase(self.name, pattern) or fnmatchcase(self.path, pattern):
                return True
        return not patterns


def is_assembly(folder: Path) -> bool:
    """Whether a folder is a cloud assembly."""
    return folder.is_dir() and (folder / MANIFEST).is_file()


def stacks_of(folder: Path, files: Files, nesting: int = 0) -> Iterator[AssemblyStack]:
    """The stacks of an assembly and of its stages. Raises ReadError."""
    path = folder / MANIFEST
    artifacts = value_at(files.load(path), "artifacts")
    if not isinstance(artifacts, Map):
        raise ReadError(
            Location(files.display_name(path), 1),
            "is not a manifest of the CDK: it has no artifacts",
        )
    for artifact_id, node in artifacts.items():
        artifact = as_mapping(node)
        properties = as_mapping(artifact.get("properties"))
        if artifact.get("type") == STACK:
            yield _stack(folder, artifact_id, artifact, properties)
        elif artifact.get("type") == STAGE and nesting < MAX_NESTING:
            inner = _beside(folder, properties.get("directoryName"), files)
            yield from stacks_of(inner, files, nesting + 1)


def assets_of(template: Path, files: Files) -> dict[str, Path]:
    """Name of an uploaded file, without its ending → the file, for a stack's template; empty without CDK's list."""
    if not template.name.endswith(TEMPLATE):
        return {}
    path = template.with_name(template.name.removesuffix(TEMPLATE) + ASSETS)
    if not path.is_file():
        return {}
    uploaded = as_mapping(value_at(files.load(path), "files"))
    assets = {}
    for name, asset in uploaded.items():
        source = value_at(asset, "source", "path")
        if isinstance(source, Text) and source.endswith(".json"):
            assets[str(name)] = _beside(template.parent, source, files)
    return assets


def _stack(folder: Path, artifact_id: str, artifact: Map, properties: Map) -> AssemblyStack:
    name = str(properties.get("stackName") or artifact_id)
    file = str(properties.get("templateFile") or f"{artifact_id}{TEMPLATE}")
    path = str(artifact.get("displayName") or name)
    tags = as_mapping(properties.get("tags"))
    environment = str(artifact.get("environment") or "")
    return AssemblyStack(
        template=folder / file,
        name=name,
        path=path.partition(" ")[0],
        tags={str(key): str(value) for key, value in tags.items()},
        pseudo=_pseudo_parameters(name, environment),
    )


def _pseudo_parameters(name: str, environment: str) -> dict[str, Text]:
    """What is known of the pseudo parameters, from ``aws://111122223333/us-east-1``."""
    known = {"AWS::StackName": name}
    account, _, region = environment.removeprefix("aws://").partition("/")
    if account and not account.startswith(UNKNOWN):
        known["AWS::AccountId"] = account
    if region and not region.startswith(UNKNOWN):
        known["AWS::Region"] = region
    return {key: Text(value, UNKNOWN_LOCATION) for key, value in known.items()}


def _beside(folder: Path, name: Value, files: Files) -> Path:
    """A file or folder of the assembly. Raises ReadError if it lies outside of what may be read."""
    path = folder / str(name)
    if not path.resolve().is_relative_to(files.root):
        raise ReadError(
            Location(files.display_name(folder / MANIFEST)), f"{name} is outside the folder to read"
        )
    return path
