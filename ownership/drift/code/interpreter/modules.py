"""Modules: what runs when they are imported, and what they export."""

from ownership.drift.code import syntax
from ownership.drift.code.frames import (
    Frame,
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
from ownership.drift.code.values import one


class ModuleFrames(FramesOfCalls):
    """Imports modules."""

    def module_frame(self, module: syntax.Module) -> Frame:
        """The frame of a module's own statements."""
        if module not in self.modules:
            frame = Frame(module.body, None, at_import=True)
            self.modules[module] = frame
            if module.language == "javascript":
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
        if self.stack and self.stack[-1] is not frame:
            self.stack[-1].calls.setdefault(frame, line)
        return frame

    def import_value(self, file: str, module: str, level: int, name: str, line: int) -> CodeValue:
        """What ``name`` of a module is; ``*`` is the module itself, as ``require`` or ``import`` give it."""
        target = self.find_module(file, module, level)
        if isinstance(target, syntax.Module):
            self.import_module(target, line)
            if name == "*":
                return self.module_value(target)
            value = self.exported(target, name, line)
            if value and value != one(ABSENT):
                return value
            if target.language == "python":
                # `from package import module`
                inner = f"{module}.{name}" if module else name
                submodule = self.find_module(file, inner, level)
                if isinstance(submodule, syntax.Module):
                    self.import_module(submodule, line)
                    return one(Namespace(submodule))
            return value
        if target is None and name != "*" and level:
            # `from . import module` in a folder without __init__.py
            submodule = self.find_module(file, f"{module}.{name}" if module else name, level)
            if isinstance(submodule, syntax.Module):
                self.import_module(submodule, line)
                return one(Namespace(submodule))
        external = target if isinstance(target, External) else self.external(module)
        if name in ("*", "default"):
            return one(external)
        return self._external_member(external, name, line)

    def module_value(self, module: syntax.Module) -> CodeValue:
        """A module as ``require`` gives it: its exports object, or all that it exports by name."""
        if module.language == "python" or module.exports or module.export_all:
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
        """What a module exports under a name; nothing if that isn't known yet, ABSENT if there is no such name."""
        frame = self.module_frame(module)
        if module.language == "python":
            return self._python_attribute(frame, name)
        if name in module.exports:
            return self.read(frame.cell(module.exports[name]))
        if syntax.WHOLE_EXPORT in module.exports:
            whole = self.read(frame.cell(module.exports[syntax.WHOLE_EXPORT]))
            return whole if name == "default" else self.member(whole, name, line)
        if module.exports or module.export_all:
            for source in module.export_all:
                target = self.find_module(module.file, source, 0)
                if isinstance(target, syntax.Module) and target.file not in seen:
                    self.import_module(target, line)
                    value = self.exported(target, name, line, seen | {module.file})
                    if value != one(ABSENT):
                        return value
                elif isinstance(target, External):
                    return one(target.child(name))
            if not self._has_commonjs(frame):
                return one(ABSENT)
        value = self._commonjs_exports(module)
        if name == "default":
            own = self.member(value, name, line)
            return own if own - {ABSENT, UNDEFINED} else value
        return self.member(value, name, line)

    def _has_commonjs(self, frame: Frame) -> bool:
        return bool(self.field_names(self.objects["exports", frame]))

    def _python_attribute(self, frame: Frame, name: str) -> CodeValue:
        if name in frame.function.variables:
            return self.read(frame.cell(name))
        cell = frame.variables.get(f"*{name}")  # from `from module import *`
        if cell is not None:
            return self.read(cell)
        return one(ABSENT)

    def _namespace_member(self, owner: Namespace, name: str, line: int) -> CodeValue:
        module = owner.module
        value = self.exported(module, name, line)
        if value == one(ABSENT) and module.language == "python":
            submodule = self.find_module(module.file, name, 1)
            if isinstance(submodule, syntax.Module):
                return one(Namespace(submodule))
        return value
