"""Reader of Terraform and OpenTofu: what ``show -json`` says of a plan or a state.

A plan shows what will be there once it is applied, so drift is seen before. Its resources are read as what
CloudFormation calls them (terraform_resources.py), by the same rules: whose role it is, is decided by the ``--roles``
file, by address or name; the role's tag ``service``; the only service that its name mentions; or the folder.
Source: Terraform and OpenTofu documentation, "JSON Output Format".
"""

from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import cast

from ownership.drift.naming import Names
from ownership.drift.readers.cloudformation import TemplateReader
from ownership.drift.readers.collector import Collector
from ownership.drift.readers.files import Files, common_folder, resolved_path
from ownership.drift.readers.stacks import Stack
from ownership.drift.readers.template import Surroundings, Template
from ownership.drift.readers.terraform_files import load
from ownership.drift.readers.terraform_plan import TerraformPlan
from ownership.drift.readers.terraform_policies import POLICY, ByArn
from ownership.drift.readers.terraform_references import ReferenceFinder
from ownership.drift.readers.terraform_resource import TerraformResource
from ownership.drift.readers.terraform_resources import ResourceTranslator
from ownership.drift.readers.terraform_source import SourceFinder
from ownership.drift.types import Infrastructure, Location, ReadError
from ownership.drift.values import Text, known_text

# Names of files that say nothing of what is in them.
GENERAL_NAMES = frozenset(
    {"plan", "tfplan", "state", "tfstate", "terraform", "tofu", "show", "output", "out"}
)
MAX_STEPS = 20_000_000  # in one plan, which has no aliases


def read_plans(
    paths: Sequence[Path],
    names: Names,
    services: Mapping[str, str],
    root: Path | None = None,
) -> Infrastructure:
    """Read plans and states, as ``show -json`` prints them.

    ``services`` maps roles, by address or physical name, to services. ``root`` is the folder with the configuration
    that the plans were made of; without one, the common folder of all plans. A file that can't be read is an error in
    the result, and the others are still read.
    """
    paths = [resolved_path(path) for path in paths]
    if root is None:
        root = common_folder(paths)
    files = Files(root)
    collector = Collector(names)
    plans = _Plans(files, names)
    for path in paths:
        try:
            if not path.is_relative_to(files.root):
                raise ReadError(Location(str(path)), f"is outside {root} (--root FOLDER)")
            plans.load(path)
        except ReadError as error:
            collector.add_unreadable_template(error)
    TemplateReader(plans, names, plans.services(services), collector).read_all()
    return plans.sources.with_lines(collector.result("terraform"))


class _PlanTemplate(Template):
    """The resources of a plan as a template."""

    max_steps = MAX_STEPS

    def __init__(self, finder: ReferenceFinder, policies: ByArn, names: Names) -> None:
        super().__init__(
            [ResourceTranslator(finder, policies).template()],
            surroundings=Surroundings(names.given),
        )


class _Plans:
    """The plans and states of a run, each as one stack."""

    def __init__(self, files: Files, names: Names) -> None:
        self.files = files
        self.names = names
        self.sources = SourceFinder(files)
        self._plans: dict[Path, TerraformPlan] = {}
        self._finders: dict[Path, ReferenceFinder] = {}
        self._policies: dict[str, tuple[ReferenceFinder, TerraformResource]] = {}

    def load(self, path: Path) -> None:
        """Load a file. Raises ReadError."""
        file = self.files.display_name(path)
        try:
            plan = TerraformPlan(load(path, self.files), file, self.names.given)
            finder = ReferenceFinder(plan)
            for resource in plan.resources.values():
                arn = known_text(resource.values.get("arn"))
                if resource.type == POLICY and arn is not None:
                    self._policies[str(arn)] = (finder, resource)
        except RecursionError as error:
            raise ReadError(Location(file), "is nested too deeply") from error
        self._plans[path] = plan
        self._finders[path] = finder
        self.sources.add(path, plan)

    def services(self, given: Mapping[str, str]) -> Mapping[str, str]:
        """The services of roles as they were given, also by the names that the roles have in the templates."""
        services: dict[str, str] = {}
        for plan in self._plans.values():
            for address, name in plan.ids.items():
                if address in given:
                    services[name] = given[address]
        # Not a copy of ``given``, which takes down what is used of it. Nothing is written to it.
        return ChainMap(services, cast("MutableMapping[str, str]", given))

    def outermost(self) -> list[Stack]:
        """One stack for each file."""
        stacks = []
        for path in self._plans:
            name = path.name.partition(".")[0]
            own_names = () if name in GENERAL_NAMES else (name,)
            folders = path.parent.relative_to(self.files.root).parts[::-1]
            stacks.append(Stack(path, own_names, folders, "/".join(reversed(folders))))
        return stacks

    def template(self, stack: Stack) -> Template:
        """The resources of a file as a template. Raises ReadError."""
        finder = self._finders[stack.path]
        try:
            return _PlanTemplate(finder, self._policies, self.names)
        except RecursionError as error:
            raise ReadError(finder.plan.location, "is nested too deeply") from error

    def unread(self, stack: Stack) -> list[tuple[Text, str]]:
        """What a plan does not have and what may permit something, each with the reason."""
        return list(self._plans[stack.path].gaps())

    def nested_in(self, stack: Stack, template: Template) -> dict[Text, Stack | None]:
        """No plan is nested in another: modules are in the plan itself."""
        return {}
