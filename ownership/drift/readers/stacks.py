"""The stacks that templates make: which template is nested in which, and what a stack is called.

With these two files, ``tables.yaml`` is read once, as the stack ``Tables`` of ``main.yaml``::

    # main.yaml
    Tables:
      Type: AWS::CloudFormation::Stack
      Properties: {TemplateURL: ./tables.yaml, Parameters: {Stage: !Ref Stage}}

A template's URL is a path beside it, CDK's asset, or an address whose last part is the name of one of the files.
Source: AWS CloudFormation User Guide, "Nested stacks"; AWS SAM Developer Guide, "AWS::Serverless::Application"; AWS CDK
Developer Guide, "Cloud assemblies", for what CDK writes into the metadata.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ownership.drift.naming import Names
from ownership.drift.readers.cdk import assets_of, is_assembly, stacks_of
from ownership.drift.readers.files import Files
from ownership.drift.readers.node_reader import as_it_is
from ownership.drift.readers.sam import expanded, is_sam
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.template import Expand, Exports, Surroundings, Template
from ownership.drift.readers.template_files import find_templates
from ownership.drift.readers.template_nodes import STACK_TYPES
from ownership.drift.templating import SUFFIXES, is_templated, load, without_suffix
from ownership.drift.types import Location, ReadError
from ownership.drift.values import UNKNOWN_LOCATION, Map, Text, Value, as_text

ASSET_PATH = "aws:asset:path"
MAX_NESTING = 20  # of stacks
MAX_NESTED_STACKS = 5_000  # in all that a run reads; CloudFormation allows 2,500 in one stack
# Names of files that say nothing of what is in them.
GENERAL_NAMES = frozenset(
    {"template", "packaged", "main", "index", "stack", "cloudformation", "sam"}
)


@dataclass(frozen=True)
class Stack:
    """One deployment of a template. ``names`` are what it is called, the most telling first.

    ``around`` are the templates of the stacks that it is nested in. ``tags`` are those of the whole stack. ``assets``
    are the files that CDK uploads for it, by the uploads' names.
    """

    path: Path
    names: tuple[str, ...]
    folders: tuple[str, ...] = ()
    folder: str = ""  # the template's, relative to the root
    pseudo: Mapping[str, Text] = field(default_factory=dict)
    parent: Template | None = None
    passed: Map = field(default_factory=lambda: Map(UNKNOWN_LOCATION))
    around: tuple[Path, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, Path] = field(default_factory=dict)

    def service(self, names: Names) -> str | None:
        """The service whose stack it is, by its name or its template's folder; None if neither says."""
        for name in self.names:
            service = names.service((), name) or names.role([name])
            if service:
                return service
        return names.service(self.folders, None)

    def tagged_service(self, names: Names) -> str | None:
        """The service that the stack's tag says; None without one."""
        for key, value in self.tags.items():
            if key.lower() == "service":
                return names.tagged_service(value)
        return None


class Stacks:
    """The stacks of a run. ``tables`` is what ``--tables`` says; ``exports`` are those of all templates read so far."""

    def __init__(
        self,
        files: Files,
        given: Mapping[str, str],
        tables: Mapping[str, str],
        exports: Exports,
    ) -> None:
        self.files = files
        self.given = given
        self.tables = tables
        self.exports = exports
        self._bodies: dict[Path, Map] = {}
        self._unread: dict[Path, list[tuple[Text, str]]] = {}
        self._variables: dict[Path, Variables] = {}  # of templates that are written in Jinja2
        self._given: list[Stack] = []
        self._nested: dict[Path, set[Path]] = {}  # the templates nested in a template
        self._nested_stacks = 0  # the number of those that were read
        self._included: set[Path] = set()  # what templates in Jinja2 take from other files

    def load(self, paths: Sequence[Path], selected: Sequence[str] = ()) -> Iterator[ReadError]:
        """Load the templates, and find out which are nested in others. Gives what can't be read.

        A path may be a CDK app's output, of which the selected stacks are read, or all.
        """
        for path in paths:
            try:
                stacks = self._stacks_at(path, list(selected))
            except ReadError as error:
                yield error
                continue
            for stack in stacks:
                try:
                    self._body(stack.path)
                    self._given.append(stack)
                except ReadError as error:
                    yield error
        for stack in self._given:
            try:
                self._find_nested(stack)
            except ReadError as error:
                yield error

    def by_path(self) -> dict[Path, Stack]:
        """The stacks with those nested in them, by their templates; of a template's several stacks, the first."""
        stacks: dict[Path, Stack] = {}
        waiting = self.outermost()
        while waiting:
            stack = waiting.pop(0)
            if stack.path in stacks:
                continue
            stacks[stack.path] = stack
            try:
                nested = self.nested_in(stack, self.template(stack))
            except ReadError:
                continue
            waiting += [inner for inner in nested.values() if inner is not None]
        return stacks

    def outermost(self) -> list[Stack]:
        """The stacks that are nested in no other, and are no part of another template."""
        nested = self._included.union(*self._nested.values())
        stacks = [stack for stack in self._given if stack.path not in nested]
        # Of stacks that are nested in each other, none is outermost: they are an error when they are read.
        reached = self._included | self._reached_from([stack.path for stack in stacks])
        return stacks + [stack for stack in self._given if stack.path not in reached]

    def _reached_from(self, paths: Iterable[Path]) -> set[Path]:
        """The templates themselves, those nested in them, and so on."""
        reached: set[Path] = set()
        waiting = list(paths)
        while waiting:
            path = waiting.pop()
            if path not in reached:
                reached.add(path)
                waiting += self._nested.get(path, ())
        return reached

    def _stacks_at(self, path: Path, selected: list[str]) -> list[Stack]:
        """The stack of a template, or those of a CDK app. Raises ReadError."""
        if not path.is_dir():
            return [self._stack_at(path)]
        if is_assembly(path):
            return self._stacks_of_app(path, selected)
        return self._stacks_below(path, selected)

    def _stack_at(self, path: Path) -> Stack:
        """The stack of a template, which is called like its file."""
        name = path.name.partition(".")[0]
        return Stack(
            path,
            names=() if name in GENERAL_NAMES else (name,),
            folders=self._folders(path),
            folder=self._folder(path),
            assets=assets_of(path, self.files),
        )

    def _stacks_of_app(self, path: Path, selected: list[str]) -> list[Stack]:
        """The selected stacks of a CDK app. Raises ReadError if there is none."""
        stacks = []
        for found in stacks_of(path, self.files):
            if not found.is_selected(selected):
                continue
            stack = Stack(
                found.template,
                names=(found.name, *reversed(found.path.split("/"))),
                folder=self._folder(found.template),
                pseudo=found.pseudo,
                tags=found.tags,
                assets=assets_of(found.template, self.files),
            )
            stacks.append(stack)
        if not stacks:
            patterns = ", ".join(selected) or "*"
            raise ReadError(Location(str(path)), f"has no stack that matches {patterns}")
        return stacks

    def _stacks_below(self, folder: Path, selected: list[str]) -> list[Stack]:
        """The stacks of all templates in a folder. Raises ReadError."""
        stacks = []
        for path in find_templates(folder):
            stacks += self._stacks_at(path, selected)
        if not stacks:
            raise ReadError(
                Location(str(folder)), "has no template of CloudFormation, SAM or a CDK app in it"
            )
        return stacks

    def template(self, stack: Stack) -> Template:
        """The template of a stack. Raises ReadError."""
        surroundings = Surroundings(
            tables=self.tables,
            pseudo=stack.pseudo,
            parent=stack.parent,
            passed=stack.passed,
            is_cdk=bool(stack.assets),
            load_nested=partial(self.load_nested, stack),
        )
        body = self._body(stack.path)
        return Template([body], self._expand(stack.path), self.given, self.exports, surroundings)

    def unread(self, stack: Stack) -> list[tuple[Text, str]]:
        """What a template written in Jinja2 may hold besides what is read of it, each with the reason."""
        return self._unread.get(stack.path, [])

    def _expand(self, path: Path) -> Expand:
        """What resolves the variables of a template that is written in Jinja2; others have none."""
        variables = self._variables.get(path)
        return as_it_is if variables is None else variables.expand

    def nested_in(self, stack: Stack, template: Template) -> dict[Text, Stack | None]:
        """The stacks nested in a stack, by logical name; None for one whose template is not there.

        Raises ReadError.
        """
        nested = {}
        for name, properties in template.of_type(*STACK_TYPES):
            own_name = as_text(name, properties.location)
            nested[own_name] = self._nested_stack(stack, template, name, properties)
        return nested

    def load_nested(
        self, stack: Stack, template: Template, name: str, properties: Map
    ) -> Template | None:
        """The template of a stack nested in another one, by its logical name and properties; None if it is not there.

        Raises ReadError.
        """
        nested = self._nested_stack(stack, template, name, properties)
        return None if nested is None else self.template(nested)

    def _nested_stack(
        self, stack: Stack, template: Template, name: str, properties: Map
    ) -> Stack | None:
        path = self._nested_path(stack, template, name, properties)
        if path is None:
            return None
        self._check_nesting(stack, path, name, properties.location)
        return replace(
            stack,
            path=path,
            names=(name, *stack.names),
            folders=self._folders(path),
            folder=self._folder(path),
            parent=template,
            passed=template.mapping(properties.get("Parameters")),
            around=(*stack.around, stack.path),
        )

    def _check_nesting(self, stack: Stack, path: Path, name: str, location: Location) -> None:
        """Raise ReadError for a template that is nested in itself, too deeply, or too often."""
        if path == stack.path or path in stack.around:
            raise ReadError(location, f"nested stack {name} has a template that it is a part of")
        if len(stack.around) >= MAX_NESTING:
            raise ReadError(location, f"stacks are nested deeper than {MAX_NESTING} levels")
        self._nested_stacks += 1
        if self._nested_stacks > MAX_NESTED_STACKS:
            raise ReadError(location, f"more than {MAX_NESTED_STACKS:,} nested stacks are not read")

    def _find_nested(self, stack: Stack) -> None:
        body = self._body(stack.path)
        template = Template([body], self._expand(stack.path), self.given)
        for name, properties in template.of_type(*STACK_TYPES):
            nested = self._nested_path(stack, template, name, properties)
            if nested is not None:
                self._nested.setdefault(stack.path, set()).add(nested)

    def _nested_path(
        self, stack: Stack, template: Template, name: str, properties: Map
    ) -> Path | None:
        """The file of a nested stack's template; None if it is not there."""
        addresses = template.texts(properties.get("TemplateURL") or properties.get("Location"))
        metadata = template.mapping(template.resource(name).get("Metadata"))
        addresses += template.texts(metadata.get(ASSET_PATH))
        for address in addresses:
            found = self._file(stack, address)
            if found is not None:
                return found
        return None

    def _file(self, stack: Stack, address: Text) -> Path | None:
        """The file that an address means: beside the template, an asset of CDK, or the only one of its name."""
        beside = self._file_beside(stack, address)
        if beside is not None:
            return beside
        file_name = address.partition("?")[0].rpartition("/")[2]
        asset = stack.assets.get(file_name.partition(".")[0])
        if asset is not None:
            return asset
        same_name = [
            given.path for given in self._given if without_suffix(given.path.name) == file_name
        ]
        return same_name[0] if len(same_name) == 1 else None

    def _file_beside(self, stack: Stack, address: Text) -> Path | None:
        """The file that a path means, seen from the template; None if there is none, and for an URL."""
        if "://" in address:
            return None
        for suffix in ("", *SUFFIXES):  # of a template that is rendered before it is deployed
            try:
                path = self.files.find(stack.path.parent, address + suffix)
            except ValueError:
                continue
            if path is not None:
                return path
        return None

    def _body(self, path: Path) -> Map:
        if path not in self._bodies:
            body = self._loaded(path)
            if not isinstance(body, Map) or not isinstance(body.get("Resources"), Map):
                location = Location(self.files.display_name(path), 1)
                raise ReadError(location, "is not a CloudFormation template: it has no Resources")
            self._bodies[path] = expanded(body) if is_sam(body) else body
        return self._bodies[path]

    def _loaded(self, path: Path) -> Value:
        """The values of a template, rendered if it is written in Jinja2. Raises ReadError."""
        text, name = self.files.read_text(path), self.files.display_name(path)
        content = load(text, name, path, self.files, self.given)
        self._unread[path] = content.unread
        self._included |= content.included
        if is_templated(text, name) and isinstance(content.value, Map):
            self._variables[path] = Variables(content.value, path.parent, self.files, self.given)
        return content.value

    def _folder(self, path: Path) -> str:
        """The folder of a template, relative to the root; empty for the root itself, and for one outside."""
        return "/".join(reversed(self._folders(path)))

    def _folders(self, path: Path) -> tuple[str, ...]:
        """The folders between the root and a template, innermost first."""
        if not path.is_relative_to(self.files.root):
            return ()
        return path.parent.relative_to(self.files.root).parts[::-1]
