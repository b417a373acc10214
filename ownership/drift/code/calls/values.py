"""Calls of values: functions, classes, methods, and objects that can be called."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ownership.drift.code import dynamodb, language
from ownership.drift.code.calls.base import CallSite
from ownership.drift.code.calls.decorators import Decorators
from ownership.drift.code.calls.packages import LOGGERS, SUBMITTERS, WRAPPERS
from ownership.drift.code.frames import (
    Arguments,
    UnknownCall,
)
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Class,
    Client,
    CodeValue,
    External,
    Func,
    Marked,
    Method,
    Obj,
    Partial,
    Possibility,
    Record,
    SdkCommand,
    TableHandle,
)
from ownership.drift.code.values import one, only, union, with_members

CONTEXT_ENTERERS = {"enter_context", "enter_async_context"}  # methods of Python's ExitStack


class Calls(Decorators):
    """Calls from the current frame of an interpreter."""

    def call(self, value: CodeValue, site: CallSite, this: CodeValue = NOTHING) -> CodeValue:
        """The result of calling a value, whatever it may be."""
        results: list[CodeValue] = []
        for possibility in value:
            results.append(self.call_one(possibility, site, this))
        return union(results)

    def call_at(
        self, place: object, value: CodeValue, arguments: Arguments, line: int
    ) -> CodeValue:
        """The result of a call that is not written as one: ``owner[key]`` of an instance."""
        return self.call(value, CallSite(place, arguments, line))

    def call_one(self, callee: Possibility, site: CallSite, this: CodeValue = NOTHING) -> CodeValue:
        """The result of calling one possibility."""
        if callee is UNKNOWN or callee is ABSENT:
            return self._call_unknown(site)
        call = CALLS_BY_TYPE.get(type(callee))
        if call is None:
            return UNKNOWN_VALUE
        return call(self, callee, site, this)

    def _call_own_function(self, callee: Func, site: CallSite, this: CodeValue) -> CodeValue:
        if callee.function.module.language == "python":
            this = NOTHING  # a function that is a field gets no `self`
        return self._call_function(callee, this, site)

    def _call_bound(self, callee: Bound, site: CallSite, this: CodeValue) -> CodeValue:
        return self._call_function(callee.function, callee.this, site)

    def _call_class(self, callee: Class, site: CallSite, this: CodeValue) -> CodeValue:
        return self.instance(callee, site)

    def _call_marked(self, callee: Marked, site: CallSite, this: CodeValue) -> CodeValue:
        return self.call(callee.function, site, this)

    def _call_partial(self, callee: Partial, site: CallSite, this: CodeValue) -> CodeValue:
        completed = site.with_arguments(_completed(callee, site.arguments))
        return self.call(callee.function, completed, this)

    # Methods

    def call_member(self, owner: CodeValue, name: str, site: CallSite) -> CodeValue:
        """The result of ``owner.name(…)``."""
        # What a container gives is something unknown, and the instance that its type names.
        if any(instance.cls is not None for instance in only(owner, Obj)):
            site = replace(site, receiver="")
        results: list[CodeValue] = []
        for possibility in with_members(owner):
            results.append(self._call_member_of(possibility, name, site))
        return union(results)

    def _call_member_of(self, owner: Possibility, name: str, site: CallSite) -> CodeValue:
        if name in language.CONTINUATIONS and not self._has_field(owner, name):
            return language.continuation(self, one(owner), name, site)
        if _is_unknown(owner):
            collected = language.collected_by(self, name, site)
            if collected is not None:
                return collected
        if owner is UNKNOWN or owner is ABSENT:
            dynamodb.unknown_method(self, name, site)
            self._note_unknown(name, site)
            return self._call_unknown(site)
        value = self.interpreter.member_of(owner, name, site.line)
        if name in language.DICT_METHODS and self._is_dict(owner):
            value = one(Method(owner, name))  # and not what the dict has under that key
        if isinstance(owner, External):
            self._note_external(owner, name, value, site)
        return self.call(value, site, this=one(owner))

    def _note_external(self, owner: External, name: str, value: CodeValue, site: CallSite) -> None:
        """Note what a method of a package's object may be besides: the project's, or DynamoDB's."""
        if owner.is_result:
            self._note_unknown(name, site)
        if value == one(owner.child(name)):
            dynamodb.unknown_method(self, name, site)

    def _is_dict(self, owner: Possibility) -> bool:
        """Whether this is a dict of Python, whose keys are not its attributes."""
        if not isinstance(owner, Obj) or owner.cls is not None:
            return False
        return self.interpreter.current.is_python

    def _note_unknown(self, name: str, site: CallSite) -> None:
        """Note a call of a method of something unknown: it may turn out to be one of the project's."""
        if site.receiver:
            frame = self.interpreter.current
            call = UnknownCall(site.receiver, name, frame.location(site.line))
            frame.unknown_calls[call] = None

    def _has_field(self, owner: Possibility, name: str) -> bool:
        """Whether the name is a field, or that of a class's method, and not the language's own."""
        if not isinstance(owner, Obj | Class):
            return False
        value = self.interpreter.member_of(owner, name, 0)
        return value != only(value, Method)

    def _call_function(self, function: Func, this: CodeValue, site: CallSite) -> CodeValue:
        code = function.function
        if site.is_new and code.own_this and not code.module.is_python:
            return self._call_old_class(function, site)
        return self.interpreter.call_function(function, this, site.arguments, site.line)

    def _call_old_class(self, function: Func, site: CallSite) -> CodeValue:
        """An instance of an old-style class: ``function Repo(table) { this.table = table }``."""
        obj = self.object_of(site)
        obj.prototype = self.interpreter.prototype_of(function)
        self.interpreter.call_function(function, one(obj), site.arguments, site.line)
        return one(obj)

    def _call_object(self, callee: Obj, site: CallSite, this: CodeValue) -> CodeValue:
        if callee.cls is None:
            return self._call_unknown(site)
        methods = self.interpreter.member_of(callee, "__call__", site.line)
        return self.call(only(methods, Bound), site)

    def _call_method(self, method: Method, site: CallSite, this: CodeValue) -> CodeValue:
        if isinstance(method.owner, Client | TableHandle) or dynamodb.has_methods(method.owner):
            return dynamodb.call_method(self, method.owner, method.name, site)
        return language.call_method(self, method.owner, method.name, site)

    def _record(self, record: Record, site: CallSite, this: CodeValue) -> CodeValue:
        obj = self.object_of(site)
        self.write_arguments(obj, record.fields, site)
        return one(obj)

    # Packages

    def _call_external(self, callee: External, site: CallSite, this: CodeValue) -> CodeValue:
        special = dynamodb.call_external(self, callee, site)
        if special is None:
            special = language.call_global(self, callee, site)
        if special is not None:
            return special
        self._add_doubts(callee, site)
        known = self._call_known_name(callee, site)
        if known is not None:
            return known
        return self._call_package(callee, site)

    def _call_known_name(self, callee: External, site: CallSite) -> CodeValue | None:
        """A call of something whose name says what it does, whatever package it is of; None for others."""
        name = callee.path[-1]
        if name in SUBMITTERS and self._runs_functions:
            self._submit(site)
            return one(self.interpreter.result_of(site.node, callee))
        if name in CONTEXT_ENTERERS:
            return self.call_member(
                site.arguments.at(0), "__enter__", site.with_arguments(Arguments([]))
            )
        return language.iterated_by_package(self, name, site)

    def _call_package(self, callee: External, site: CallSite) -> CodeValue:
        """A call of what is not read: it may call what it is given, and gives what it is not known."""
        self.send_commands(site)
        functions = self.interpreter.functions_in(site.arguments.all())
        result = self.interpreter.result_of(site.node, callee)
        self.interpreter.add(result.held, functions)
        results: list[CodeValue] = [one(result), self._instances(site)]
        if site.type_argument is not None:
            results.append(self.instances_of_type(site.type_argument, site))
        if callee.is_result:
            results.append(self._call_result(callee, functions, result, site))
        if self._runs_functions and _may_call_arguments(callee):
            self.run_functions(functions, site)
        # A client that is instrumented, or anything else that is only wrapped.
        results.append(only(functions, Client, TableHandle))
        return union(results)

    def send_commands(self, site: CallSite) -> None:
        """Any call that is given a command may send it."""
        for value in site.arguments.all():
            for command in only(value, SdkCommand):
                dynamodb.send(self, command, site)


def _is_unknown(owner: Possibility) -> bool:
    """Whether nothing is known of this, or only that a package's function gave it."""
    return owner is UNKNOWN or (isinstance(owner, External) and owner.is_result)


def _may_call_arguments(callee: External) -> bool:
    """Whether a package's function may call the functions that it is handed."""
    package = callee.path[0].partition(".")[0]
    return callee.path[-1] not in WRAPPERS and package not in LOGGERS


def _completed(partial: Partial, arguments: Arguments) -> Arguments:
    """A partial function's own arguments, followed by those of a call."""
    keywords = dict(partial.keywords) | arguments.keywords
    return replace(
        arguments,
        positional=[*partial.positional, *arguments.positional],
        keywords=keywords,
    )


CALLS_BY_TYPE: dict[type, Callable[[Calls, Any, CallSite, CodeValue], CodeValue]] = {
    Bound: Calls._call_bound,
    Class: Calls._call_class,
    External: Calls._call_external,
    Func: Calls._call_own_function,
    Marked: Calls._call_marked,
    Method: Calls._call_method,
    Obj: Calls._call_object,
    Partial: Calls._call_partial,
    Record: Calls._record,
}
