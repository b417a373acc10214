"""Modules: what runs when they are imported, and what they export."""

from ownership.drift.code import syntax
from ownership.drift.code.frames import (
    Frame,
    ImportSource,
)
from ownership.drift.code.interpreter.frames_of_calls import FramesOfCalls
from ownership.drift.code.possibilities import (
    ABSENT,
    UNDEFINED,
    CodeValue,
    External,
    Namespace,
    Obj,
)
from ownership.drift.code.values import one, union


class ModuleFrames(FramesOfCalls):
    """Imports modules."""

    def module_frame(self, module: syntax.Module) -> Frame:
        """The frame of a module's own statements."""
        if module not in self.modules:
            frame = Frame(module.body, None, at_import=True)
            self.modules[module] = frame
            if not module.is_python:
                self._add_commonjs(frame)
            self.interpret_now_or_later(frame)
        return self.modules[module]

    def _add_commonjs(self, frame: Frame) -> None:
        """``module`` and ``exports``, which are the same object at first."""
        location = frame.location(1)
        exports, module = Obj(location), Obj(location)
        self.objects["exports", frame] = exports
        self.objects["module", frame] = module
        self.write_field(module, "exports", one(exports))

    def import_module(self, module: syntax.Module, line: int) -> Frame:
        """The frame of a module that the current frame imports, and so runs."""
        frame = self.module_frame(module)
        if self.stack:
            self.current.calls.setdefault(frame, line)
        return frame

    def import_value(self, source: ImportSource, name: str) -> CodeValue:
        """What ``name`` of a module is; ``*`` is the module itself, as ``require`` or ``import`` give it."""
        target = self.find_module(source.file, source.module, source.level)
        if isinstance(target, syntax.Module):
            return self._imported(target, source, name)
        external = target or self.external(source.module)
        if name in ("*", "default"):
            return one(external)
        return self._external_member(external, name, source.line)

    def _imported(self, target: syntax.Module, source: ImportSource, name: str) -> CodeValue:
        """A module that was found, what it exports under a name, or the module of that name in a Python package."""
        self.import_module(target, source.line)
        if name == "*":
            return self.module_value(target)
        value = self.exported(target, name, source.line)
        if not target.is_python or value - {ABSENT}:
            return value
        # `from package import module`
        return self._submodule(source, name) or value

    def _submodule(self, source: ImportSource, name: str) -> CodeValue | None:
        """A module in a package of Python; None if there is none of that name."""
        path = f"{source.module}.{name}" if source.module else name
        submodule = self.find_module(source.file, path, source.level)
        if not isinstance(submodule, syntax.Module):
            return None
        self.import_module(submodule, source.line)
        return one(Namespace(submodule))

    def module_value(self, module: syntax.Module) -> CodeValue:
        """A module as ``require`` gives it: its exports object, or all that it exports by name."""
        if module.is_python or module.has_exports:
            return one(Namespace(module))
        return self._commonjs_exports(module)

    def _commonjs_exports(self, module: syntax.Module) -> CodeValue:
        frame = self.module_frame(module)
        value = self.read_field(self.objects["module", frame], "exports")
        first = self.objects["exports", frame]
        # The object that `module.exports` was at first doesn't count once it is replaced.
        if len(value) > 1 and not self.field_names(first):
            value = value - {first}
        return value

    def exported(
        self,
        module: syntax.Module,
        name: str,
        line: int,
        seen: frozenset[str] = frozenset(),
    ) -> CodeValue:
        """What a module exports under a name; nothing if that isn't known yet, ABSENT if there is no such name.

        ``seen``: the modules that export this one again.
        """
        frame = self.module_frame(module)
        if module.is_python:
            return self._python_attribute(frame, name)
        if name in module.exports:
            return self.read(frame.cell(module.exports[name]))
        if syntax.WHOLE_EXPORT in module.exports:
            whole = self.read(frame.cell(module.exports[syntax.WHOLE_EXPORT]))
            return whole if name == "default" else self.member(whole, name, line)
        again = self._exported_again(module, name, line, seen)
        if again is not None:
            return again
        has_commonjs = bool(self.field_names(self.objects["exports", frame]))
        if module.has_exports and not has_commonjs:
            return one(ABSENT)
        return self._commonjs_member(module, name, line)

    def _exported_again(
        self,
        module: syntax.Module,
        name: str,
        line: int,
        seen: frozenset[str],
    ) -> CodeValue | None:
        """What a module has under a name by ``export * from "…"``; None if it has no such name."""
        packages: list[External] = []
        for source in module.export_all:
            target = self.find_module(module.file, source, 0)
            if not isinstance(target, syntax.Module):
                packages.append(target or self.external(source))
            elif target.file not in seen:
                self.import_module(target, line)
                value = self.exported(target, name, line, seen | {module.file})
                if value != one(ABSENT):
                    return value
        # Which names a package has is not known.
        if not packages:
            return None
        return union([self._external_member(package, name, line) for package in packages])

    def _commonjs_member(self, module: syntax.Module, name: str, line: int) -> CodeValue:
        exports = self._commonjs_exports(module)
        value = self.member(exports, name, line)
        if name == "default" and not value - {ABSENT, UNDEFINED}:
            return exports
        return value

    def _python_attribute(self, frame: Frame, name: str) -> CodeValue:
        # What comes from `from module import *` has a name of its own.
        for variable in (name, f"*{name}"):
            if variable in frame.function.variables or variable in frame.variables:
                return self.read(frame.cell(variable))
        return one(ABSENT)

    def _namespace_member(self, owner: Namespace, name: str, line: int) -> CodeValue:
        module = owner.module
        value = self.exported(module, name, line)
        if value == one(ABSENT) and module.is_python:
            submodule = self.find_module(module.file, name, 1)
            if isinstance(submodule, syntax.Module):
                return one(Namespace(submodule))
        return value
