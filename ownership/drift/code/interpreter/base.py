"""What all parts of the interpreter share: cells, objects, and the queue of frames to be interpreted again."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from ownership.drift.code import syntax
from ownership.drift.code.frames import (
    Frame,
    FrameKey,
)
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN_VALUE,
    Cell,
    Class,
    CodeValue,
    External,
    Func,
    Obj,
    SdkCommand,
    Str,
)
from ownership.drift.code.values import limited, one

MAX_ROUNDS = 40  # that one frame is interpreted
STEPS_PER_FILE = 10_000
MIN_STEPS = 1_000_000
FRAMES_PER_FILE = 10  # of one function; a wrapper has one for each call of it
MIN_FRAMES = 200
FindModule = Callable[[str, str, int], syntax.Module | External | None]
FindLike = Callable[[str, str], list[syntax.Module | External | None]]
ClassesNamed = Callable[[str], list[syntax.ClassDefinition]]


class InterpreterBase(ABC):
    """Everything that frames share."""

    def __init__(
        self,
        find_module: FindModule,
        find_like: FindLike,
        classes_named: ClassesNamed,
        environment: Mapping[str, frozenset[str]],
        files: int,
    ) -> None:
        self.environment = environment
        self.find_module = find_module
        self.find_like = find_like
        self.classes_named = classes_named
        self.frames: dict[FrameKey, Frame] = {}
        self.frame_counts: dict[syntax.Function, int] = {}
        self.modules: dict[syntax.Module, Frame] = {}
        self.classes: dict[tuple[syntax.ClassDefinition, Frame], Class] = {}
        self.objects: dict[tuple[object, Frame], Obj] = {}
        self.functions: dict[Func, Obj] = {}  # the properties of functions
        self.results: dict[tuple[object, Frame], External] = {}
        self.commands: dict[tuple[object, Frame], SdkCommand] = {}
        self.externals: dict[str, External] = {}
        self.method_classes: dict[syntax.Function, syntax.ClassDefinition] = {}
        self.queue: deque[Frame] = deque()
        self.queued: set[Frame] = set()
        self.stack: list[Frame] = []
        self.nesting = 0
        self.steps = 0
        self.max_steps = MIN_STEPS + files * STEPS_PER_FILE
        self.max_frames = MIN_FRAMES + files * FRAMES_PER_FILE
        self.exhausted = False
        # Where the code counts as being run, if that matters: `__dirname` and `process.cwd()` are known then.
        self.working_folder: str | None = None

    @property
    def current(self) -> Frame:
        """The frame that is being interpreted."""
        return self.stack[-1]

    def read(self, cell: Cell) -> CodeValue:
        """A cell's value; whoever is being interpreted depends on it from now on."""
        if self.stack:
            cell.add_reader(self.stack[-1])
        return cell.value

    def add(self, cell: Cell, value: CodeValue) -> None:
        """Add possibilities to a cell."""
        if value <= cell.value:
            return
        cell.value = limited(cell.value | value)
        for frame in tuple(cell.readers):
            self.enqueue(frame)

    def enqueue(self, frame: Frame) -> None:
        """Have a frame interpreted again, later."""
        if frame not in self.queued and frame.rounds < MAX_ROUNDS:
            self.queued.add(frame)
            self.queue.append(frame)

    def step(self) -> None:
        """Count a step."""
        self.steps += 1
        if self.steps > self.max_steps:
            self.exhausted = True

    # What is made, each by where it is made

    def object_at(self, site: object, frame: Frame, line: int, is_list: bool = False) -> Obj:
        """The object that is made at a place in a frame."""
        key = (site, frame)
        if key not in self.objects:
            self.objects[key] = Obj(frame.location(line), is_list)
        return self.objects[key]

    def result_of(self, site: object, callee: External) -> External:
        """What a call of something external gives, at a place in the current frame."""
        key = (site, self.current)
        if key not in self.results:
            path = (*callee.path, "()")[-6:]
            self.results[key] = External(path, is_result=True, unread=callee.unread)
        return self.results[key]

    def external(self, name: str) -> External:
        """A package, or a global name of the language."""
        if name not in self.externals:
            self.externals[name] = External((name,))
        return self.externals[name]

    # Fields of objects

    def write_field(self, obj: Obj, key: str | Str, value: CodeValue) -> None:
        """Add what a field may be."""
        name = _field_name(key)
        if isinstance(key, Str) and key.named_at is not None:
            obj.named_at.setdefault(name, key.named_at)
        self.add(self._field_cell(obj, name), value)
        self.add(obj.keys, one(Str((name,)) if isinstance(name, str) else name))

    def _field_cell(self, obj: Obj, name: str | Str) -> Cell:
        if name not in obj.fields:
            obj.fields[name] = Cell()
        return obj.fields[name]

    def open(self, obj: Obj) -> None:
        """Say that an object may have fields that are not known."""
        if not obj.is_open:
            obj.is_open = True
            self.add(obj.keys, UNKNOWN_VALUE)

    def read_field(self, obj: Obj, key: str | Str) -> CodeValue:
        """What a field of the object itself may be; nothing if it is not set."""
        value = self.read(self._field_cell(obj, _field_name(key))) | self.read(obj.rest)
        if value:
            return value
        self.read(obj.keys)
        return UNKNOWN_VALUE if obj.is_open else NOTHING

    def field_names(self, obj: Obj) -> list[str | Str]:
        """The names of all fields that are set."""
        self.read(obj.keys)
        return [key for key, cell in obj.fields.items() if cell.value]

    def literal_names(self, obj: Obj) -> list[str]:
        """The names of the fields that are set, without those with an environment variable in them."""
        return [name for name in self.field_names(obj) if isinstance(name, str)]

    def fields(self, obj: Obj) -> list[tuple[str | Str, CodeValue]]:
        """All fields that are set: name and value."""
        return [(name, self.read(obj.fields[name])) for name in self.field_names(obj)]

    def has_more(self, obj: Obj) -> bool:
        """Whether an object may have fields or items besides those whose name is known."""
        return obj.is_open or bool(self.read(obj.rest))

    # What the classes above this one add

    @abstractmethod
    def _external_member(self, owner: External, name: str, line: int) -> CodeValue:
        """A member of a package, or of what a package made."""

    @abstractmethod
    def class_of_method(self, function: Func) -> Class | None:
        """The class that a method belongs to."""

    @abstractmethod
    def interpret(self, frame: Frame) -> None:
        """Interpret a frame's body once."""

    @abstractmethod
    def member(self, value: CodeValue, name: str, line: int) -> CodeValue:
        """``value.name``, for all that the value may be."""


def _field_name(key: str | Str) -> str | Str:
    """The name of a field: it is the same, whoever names it."""
    if isinstance(key, str):
        return key
    literal = key.literal
    return replace(key, named_at=None) if literal is None else literal
