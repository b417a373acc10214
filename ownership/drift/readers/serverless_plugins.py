"""The roles that plugins of the Serverless Framework make: for AppSync, Step Functions and proxies of API Gateway.

::

    plugins: [serverless-appsync-plugin]
    appSync:
      dataSources: {orders: {type: AMAZON_DYNAMODB, config: {tableName: orders}}}

makes a role that may read and write ``orders``. Each role becomes a list of statements, as the plugin writes them.
Source: the code of serverless-appsync-plugin 2.13 (lib/resources/DataSource), serverless-step-functions 3.28
(lib/deploy/stepFunctions/compileIamRole), serverless-apigateway-service-proxy 2.2 (lib/package/dynamodb).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from ownership.drift.readers.made_nodes import allow, below, table_arn
from ownership.drift.readers.node_reader import NodeReader
from ownership.drift.types import Location
from ownership.drift.values import Map, Seq, Text, Value, as_mapping, in_words, location_of

APP_SYNC = "serverless-appsync-plugin"
STEP_FUNCTIONS = "serverless-step-functions"
SERVICE_PROXY = "serverless-apigateway-service-proxy"

DATA_SOURCE_ACTIONS = (
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
)
# What a task does, by the end of its resource → the action that the plugin permits. It permits nothing for others.
TASKS = {
    "states:::dynamodb:updateItem": "UpdateItem",
    "states:::dynamodb:putItem": "PutItem",
    "states:::dynamodb:getItem": "GetItem",
    "states:::dynamodb:deleteItem": "DeleteItem",
    "states:::aws-sdk:dynamodb:updateItem": "UpdateItem",
    "states:::aws-sdk:dynamodb:updateItem.waitForTaskToken": "UpdateItem",
    "states:::aws-sdk:dynamodb:putItem": "PutItem",
    "states:::aws-sdk:dynamodb:putItem.waitForTaskToken": "PutItem",
    "states:::aws-sdk:dynamodb:query": "Query",
    "states:::aws-sdk:dynamodb:scan": "Scan",
    "states:::aws-sdk:dynamodb:batchGetItem": "BatchGetItem",
    "states:::aws-sdk:dynamodb:batchWriteItem": "BatchWriteItem",
}
MAX_NESTING = 50  # of states within states

# A section at the top of serverless.yml, which then counts as read.
SettingOf = Callable[[str], Value]


@dataclass
class PluginRoles:
    """What plugins make.

    - ``made``: the statements of each role.
    - ``existing``: references to roles that are defined elsewhere.
    - ``unresolved``: settings that can't be read, and may make anything.
    """

    made: list[Seq] = field(default_factory=list)
    existing: list[Value] = field(default_factory=list)
    unresolved: list[Text] = field(default_factory=list)


def roles_of_plugins(
    plugins: Collection[str], setting: SettingOf, custom: Map, reader: NodeReader
) -> PluginRoles:
    """The roles that a project's plugins make. ``custom`` is the section of that name."""
    roles = PluginRoles()
    if APP_SYNC in plugins:
        _AppSync(reader, roles).read(setting("appSync"))
        _AppSync(reader, roles).read(custom.get("appSync"))
    if STEP_FUNCTIONS in plugins:
        _StepFunctions(reader, roles).read(setting("stepFunctions"))
    if SERVICE_PROXY in plugins:
        _ServiceProxies(reader, roles).read(custom.get("apiGatewayServiceProxies"))
    return roles


class _PluginReader:
    def __init__(self, reader: NodeReader, roles: PluginRoles) -> None:
        self.reader = reader
        self.expand = reader.expand
        self.roles = roles

    def mappings(self, node: Value) -> Iterator[Map]:
        """The mappings in a list, or the one; what can't be resolved is taken down."""
        for item in self.reader.items(node):
            if isinstance(item, Map):
                yield item
            else:
                self.roles.unresolved.append(item)

    def mapping(self, node: Value) -> Map:
        """The mapping; an empty one for anything else, which is taken down as unresolved."""
        value = self.expand(node)
        if isinstance(value, Map):
            return value
        if value is not None:
            self.roles.unresolved.append(in_words(value))
        return Map(location_of(value))


class _AppSync(_PluginReader):
    """``appSync``, or below ``custom`` in versions before 2: an API or several."""

    def read(self, node: Value) -> None:
        for api in self.mappings(node):
            sources = self.expand(api.get("dataSources"))
            if isinstance(sources, Map):
                self._read_sources(sources)
            else:
                for part in self.mappings(sources):
                    # Before version 2 a list of sources, and now of mappings of them.
                    if "type" in part:
                        self._read_source(part)
                    else:
                        self._read_sources(part)
            for section in ("resolvers", "pipelineFunctions"):
                self._read_inline(self.expand(api.get(section)))

    def _read_sources(self, sources: Map) -> None:
        for node in sources.values():
            self._read_source(self.mapping(node))

    def _read_inline(self, section: Value) -> None:
        """Data sources that are written into resolvers and functions."""
        for part in self.mappings(section):
            for node in part.values():
                resolver = as_mapping(self.expand(node))
                source = self.expand(resolver.get("dataSource"))
                if isinstance(source, Map):
                    self._read_source(source)

    def _read_source(self, source: Map) -> None:
        config = self.mapping(source.get("config"))
        if not config:
            return
        if config.get("serviceRoleArn") is not None:
            self.roles.existing.append(config["serviceRoleArn"])
            return
        own = self.expand(config.get("iamRoleStatements"))
        if own is not None:
            self.roles.made.append(Seq(location_of(own), [own]))
        elif self.expand(source.get("type")) == "AMAZON_DYNAMODB":
            location = location_of(self.expand(config.get("tableName")))
            arn = table_arn(config.get("tableName"), location)
            statement = _statement(DATA_SOURCE_ACTIONS, [arn, below(arn, "/*", location)], location)
            self.roles.made.append(Seq(location, [statement]))


class _StepFunctions(_PluginReader):
    """``stepFunctions.stateMachines``: the tasks of each machine that has no role of its own."""

    def read(self, node: Value) -> None:
        for settings in self.mappings(node):
            for machines in self.mappings(settings.get("stateMachines")):
                for machine in machines.values():
                    self._read_machine(self.mapping(machine))

    def _read_machine(self, machine: Map) -> None:
        if self.expand(machine.get("role")) is not None:
            self.roles.existing.append(machine["role"])
            return
        statements = Seq(machine.location)
        definition = self.mapping(machine.get("definition"))
        for state in self._tasks(definition.get("States")):
            statements += self._permitted(state)
        own = self.expand(machine.get("iamRoleStatements"))
        if own is not None:
            statements.append(own)
        self.roles.made.append(statements)

    def _tasks(self, node: Value, nesting: int = 0) -> Iterator[Map]:
        """The tasks among states, also in branches and in what a map runs over."""
        if nesting > MAX_NESTING:
            return
        for part in self.mappings(node):
            for state_node in part.values():
                state = self.mapping(state_node)
                if "Resource" in state:
                    yield state
                for inner in ("Iterator", "ItemProcessor"):
                    if inner in state:
                        yield from self._tasks(
                            self.mapping(state[inner]).get("States"), nesting + 1
                        )
                for branch in self.mappings(state.get("Branches")):
                    yield from self._tasks(branch.get("States"), nesting + 1)

    def _permitted(self, state: Map) -> Iterator[Map]:
        resource = self.expand(state.get("Resource"))
        if not isinstance(resource, Text):
            return  # a function, by reference
        action = TASKS.get(resource.partition(":")[2].partition(":")[2])
        if action is None:
            return
        location = resource.location
        parameters = self.mapping(state.get("Parameters", state.get("Arguments")))
        if action.startswith("Batch"):
            resources = self._batch_tables(parameters, location)
        else:
            resources = self._table(parameters, location)
        yield _statement([action], resources, location)

    def _table(self, parameters: Map, location: Location) -> list[Value]:
        """The table of a task, or its index; any where the machine's input has the name."""
        name = self.expand(parameters.get("TableName"))
        if name is None or _is_input(name):
            return [Text("*", location)]
        arn = table_arn(name, location_of(name))
        index = self.expand(parameters.get("IndexName"))
        if index is None and "IndexName.$" not in parameters:
            return [arn]
        if not isinstance(index, Text) or _is_input(index):
            index = Text("*", location)
        return [below(arn, f"/index/{index}", location)]

    def _batch_tables(self, parameters: Map, location: Location) -> list[Value]:
        requests = self.expand(parameters.get("RequestItems"))
        if not isinstance(requests, Map):
            return [Text("*", location)]
        tables: list[Value] = []
        for name in requests:
            tables.append(table_arn(Text(name.removesuffix(".$"), location), location))
        return tables


class _ServiceProxies(_PluginReader):
    """``custom.apiGatewayServiceProxies``: the proxies of tables share one role, made if one needs it."""

    def read(self, node: Value) -> None:
        statements = Seq(location_of(node))
        is_made = False
        for proxy in self.mappings(node):
            if "dynamodb" not in proxy:
                continue
            settings = self.mapping(proxy["dynamodb"])
            if settings.get("roleArn") is not None:
                self.roles.existing.append(settings["roleArn"])
            else:
                is_made = True
            action = self.expand(settings.get("action"))
            location = location_of(action)
            table_name = settings.get("tableName")
            arn = table_arn(table_name, location_of(self.expand(table_name)))
            statements.append(_statement([str(action)], [arn], location))
        if is_made:
            self.roles.made.append(statements)


def _is_input(value: Value) -> bool:
    """Whether a value comes from a state machine's input: a path of JSON, or an expression of JSONata."""
    return isinstance(value, Text) and value.startswith(("$", "{%"))


def _statement(actions: Collection[str], resources: list[Value], location: Location) -> Map:
    return allow([f"dynamodb:{action}" for action in actions], resources, location)
