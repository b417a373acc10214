"""What deployed functions are, and what all parts of finding them share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import join, normpath

from ownership.drift.code.sources import Sources
from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.node_reader import as_it_is
from ownership.drift.readers.sam import SIMPLE_TABLE
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.template import Exports, Surroundings, Template
from ownership.drift.types import READ_AND_WRITE, Location, ReadError
from ownership.drift.values import (
    UNKNOWN_LOCATION,
    Map,
    Text,
)

INLINE = "#inline"
BUILT_FOLDERS = {
    "dist",
    "build",
    "lib",
    "out",
    ".build",
    ".webpack",
    "compiled",
}


@dataclass(frozen=True)
class EntryPoint:
    """A deployed function.

    ``folder`` is the folder of its service's own code. ``file`` is where the handler is, None if it is not known
    (``problem`` says why). ``environment`` has the texts that each variable may be.
    """

    service: str
    function: str
    folder: str
    file: str | None
    handler: str
    location: Location
    environment: Mapping[str, list[Text]] = field(default_factory=dict)
    problem: str = ""


class DeployedTemplate(Template):
    """A template whose nested stacks are connected once all templates are read, and which knows SAM's tables."""

    def __init__(
        self,
        parts: list[Map],
        given: dict[str, str],
        exports: Exports,
        tables: Mapping[str, str],
        variables: Variables | None = None,
    ) -> None:
        expand = as_it_is if variables is None else variables.expand
        super().__init__(parts, expand, given, exports, Surroundings(tables=tables))
        self.nested: dict[str, DeployedTemplate] = {}
        self.function_defaults = Map(UNKNOWN_LOCATION)  # what SAM's Globals say of functions
        self.parameters_given = given
        self.given = given  # the same dict, also while it is empty

    def nested_stack(self, name: str) -> Template | None:
        """The template of a nested stack, by the stack's logical name; None if it is not known."""
        return self.nested.get(name)

    def table_names(self, name: str, location: Location, nesting: int = 0) -> list[Text]:
        """The physical names of a table, or its logical id if it has none."""
        resource = self.resource(name)
        if resource.get("Type") != SIMPLE_TABLE:
            return super().table_names(name, location, nesting)
        table_name = self.mapping(resource.get("Properties")).get("TableName")
        known_name = self.surroundings.tables.get(name)
        if known_name is not None or table_name is None:
            return [Text(known_name or name, location)]
        return self.texts(table_name, nesting) or [Text(name, location)]


class DeploymentBase:
    """All functions that the infrastructure below a folder deploys."""

    def __init__(
        self,
        sources: Sources,
        names: Names,
        given: Mapping[str, str],
        services: Mapping[str, str],
        diagnostics: Diagnostics,
    ) -> None:
        self.sources = sources
        self.files = sources.files
        self.names = names
        self.given = given
        self.services = services
        self.diagnostics = diagnostics
        self.top = self.files.root
        self.exports = Exports()
        self.functions: list[DeployedFunction] = []
        self.roots: set[str] = set()  # folders from which imports of Python start
        self.service_folders: dict[str, str] = {}  # folder → service
        self.templates: dict[str, DeployedTemplate] = {}

    def _read_guarded(self, path: Path, read: Callable[[Path], None]) -> None:
        try:
            read(path)
        except ReadError as error:
            self.diagnostics.add_error(error)

    def _folder(self, path: Path) -> str:
        folder = self.files.display_name(path.parent)
        return "" if folder == "." else folder

    def _add_layer(self, folder: str) -> None:
        folder = normpath(folder)
        if not folder.startswith(".."):
            self.roots.update((folder, join(folder, "python")))

    def _unresolved(self, service: str, location: Location, text: str, reason: str) -> None:
        self.diagnostics.add_unresolved(Text(text, location), reason, service, READ_AND_WRITE)


@dataclass
class DeployedFunction:
    """A function as infrastructure describes it, before its values are resolved."""

    service: str
    name: str
    own_folder: str
    base: str  # where its code is: the project's folder, or CodeUri
    handler: Text
    template: DeployedTemplate
    environment: list[Map]
    problem: str = ""
    inline: Text | None = None
