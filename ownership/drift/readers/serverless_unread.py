"""What a project of the Serverless Framework may permit besides what is read of it: plugins, settings, other roles.

A service is said to lack a permission only where all was read that could give it. So whatever nobody has read, and is
not known to permit nothing (serverless_settings.py), is reported.
Source: Serverless Framework documentation, "Serverless.yml Reference".
"""

from collections.abc import Iterator

from ownership.drift.readers.role_users import users_of_roles_elsewhere
from ownership.drift.readers.roles import GROUP_ELSEWHERE, users_of_roles
from ownership.drift.readers.serverless_plugins import APP_SYNC
from ownership.drift.readers.serverless_project import GENERATED_ROLE, Project
from ownership.drift.readers.serverless_roles import is_role
from ownership.drift.readers.serverless_settings import (
    CUSTOM_THAT_PERMIT,
    is_unused,
    plugin_permits_nothing,
)
from ownership.drift.readers.template_nodes import function_name
from ownership.drift.role_names import role_name_in_arn
from ownership.drift.types import READ_AND_WRITE
from ownership.drift.values import (
    Map,
    Seq,
    Text,
    Value,
    as_mapping,
    in_words,
    known_text,
    location_of,
)


def report_unread(project: Project) -> None:
    """Report what may permit more, or less, than was read. To be called when everything else was read."""
    for boundary in project.framework.boundaries:
        project.policies.note_boundary(boundary)
    _note_without_effect(project)
    for setting in project.framework.unresolved:
        project.add_unresolved(setting, "the setting can't be resolved")
    for user, group in project.principals.groups_elsewhere:
        service = project.names.role([user]) or project.service
        project.diagnostics.add_unresolved(group, GROUP_ELSEWHERE, service, READ_AND_WRITE)
    _report_existing_roles(project)
    _report_plugins(project)
    _report_other_provider(project)
    _report_no_mappings(project)
    for setting in _unread_settings(project):
        project.add_unresolved(setting, "this setting is not read, and may permit something")


def _note_without_effect(project: Project) -> None:
    # A plugin may make functions, which run in the framework's role.
    if not project.functions and _unread_plugins(project):
        return
    for node in project.framework.without_effect:
        note = f"{project.service}: this permits nothing: no function runs in a role that holds it"
        project.diagnostics.add_note(location_of(node), note)


def _report_existing_roles(project: Project) -> None:
    """Report roles that functions run in and the project doesn't define: what they permit is not known here."""
    existing = list(project.framework.existing)
    for user in users_of_roles(project.template):
        existing.append(user.role)
    for node in existing:
        value = project.template.expand(node)
        reference = project.expand(_role_reference(value))
        if isinstance(reference, Map | Seq):  # a function within a function, or no role at all
            reference = Text("the role", location_of(node))
        if isinstance(reference, Text) and not _is_own_role(project, reference):
            project.add_unresolved(reference, "the role is defined elsewhere")
    for other_user in users_of_roles_elsewhere(project.template, (GENERATED_ROLE,)):
        for text in other_user.roles:
            if not _is_own_role(project, text):
                reason = "the role is defined elsewhere"
                project.diagnostics.add_role_use(text, reason, project.service)


def _is_own_role(project: Project, reference: Text) -> bool:
    """Whether a reference, by logical name or by ARN, is to a role of this project."""
    logical_name = reference.strip("${}").partition(".")[0]
    own_roles = project.principals.roles
    # What the framework or the plugin makes for one function is called so, too.
    if logical_name in own_roles or logical_name in project.made_elsewhere:
        return True
    if logical_name.endswith(GENERATED_ROLE):
        return True
    physical_names: list[Text] = []
    for properties in own_roles.values():
        physical_names += project.template.texts(properties.get("RoleName"))
    return role_name_in_arn(reference) in physical_names


def _role_reference(node: Value) -> Value:
    """What names the role in ``name``, ``!Ref Name``, ``!Sub "${Name.Arn}"`` or ``!GetAtt Name.Arn``."""
    call = as_mapping(node)
    function = function_name(call)
    if function is not None:
        node = call[function]
    if isinstance(node, Seq):
        return node[0] if node else None
    return node


def _report_plugins(project: Project) -> None:
    for plugin in _unread_plugins(project):
        reason = "what this plugin permits is not read"
        if plugin == APP_SYNC:
            # Its data sources may hold whole functions, which run in the framework's role.
            reason = "what this plugin permits beyond the tables of its data sources is not read"
        project.add_unresolved(plugin, reason)


def _unread_plugins(project: Project) -> list[Text]:
    """The plugins that may permit what is not read here, or make functions."""
    unread = []
    for plugin in project.plugins:
        is_known = plugin_permits_nothing(plugin) and not project.has_local_plugins
        if plugin.reason or plugin == APP_SYNC or not is_known:
            unread.append(plugin)
    return unread


def _unread_settings(project: Project) -> Iterator[Text]:
    """The settings that nobody has read and that are not known to permit nothing."""
    for key in project.root.unread():
        if not is_unused(key):
            yield key
    for function in project.functions:
        yield from function.unread()
    custom = as_mapping(project.at("custom"))
    for maker, plugin in CUSTOM_THAT_PERMIT.items():
        if custom.get(maker) is not None and plugin not in project.plugins:
            yield Text(maker, custom.key_location(maker))


def _report_no_mappings(project: Project) -> None:
    """Report texts and lists in place of settings, unless they name a role."""
    sections = [project.provider, project.provider_iam, project.provider_role]
    for function in project.functions:
        iam = function.section("iam")
        sections += [iam, iam.section("role")]
    for section in sections:
        value = section.value
        if isinstance(value, Text | Seq) and not is_role(value):
            project.add_unresolved(in_words(value), "is not a mapping of settings")


def _report_other_provider(project: Project) -> None:
    name = known_text(project.provider.get("name"))
    if name is not None and name != "aws":
        project.add_unresolved(name, "projects of another provider than aws are not read")
