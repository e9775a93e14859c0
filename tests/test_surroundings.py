"""A program is kept only while everything that its function reads is what it was.

Each function here is linear, so its value at the unit vectors is its gradient; a value
that was kept too long cannot hide.
"""

import abc
import array
import collections
import contextvars
import dataclasses
import enum
import functools
import itertools
import operator
import os
import random
import sys
import threading
import time
import types
import typing
import weakref

import numpy as np
import pytest

import diffmethods as dm
from diffmethods.methods import numpy_source
from diffmethods.surroundings import Surroundings

X = np.array([0.3, 0.7, 1.1])
UNITS = np.eye(3)

gradient = functools.partial(dm.gradient, method="numpy_source")


def exact(f):
    return [f(unit) for unit in UNITS]


MODULE = types.ModuleType("written_here")
MODULE.scale = 2.0
MODULE.inner = types.ModuleType("written_here.inner")
MODULE.inner.scale = 3.0
sys.modules["written_here"] = MODULE
SCALE = 1.0
HELD = [1.0]


def raise_scale():
    global SCALE
    SCALE += 1


def raise_module():
    MODULE.scale += 1


def raise_held():
    HELD[0] += 1


def scaled(x):
    return x * SCALE


class Model:
    """All ways in which an object can hold a number."""

    scale = 1.0

    def __init__(self):
        self.own = 1.0
        self.steps = [1.0]

    def __call__(self, x):
        return np.sum(x * self.scale * self.own)

    def __getitem__(self, index):
        return index * SCALE

    def method(self, x):
        return self(x) * self.steps[-1]

    @property
    def last(self):
        return self.steps[-1]

    @functools.cached_property
    def cached(self):
        return 2.0

    @staticmethod
    def static(x):
        return x * Model.scale

    @classmethod
    def of_class(cls, x):
        return x * cls.scale


class Child(Model):
    def method(self, x):
        return super().method(x)


class Slots:
    __slots__ = ("scale",)

    def __init__(self):
        self.scale = 1.0

    def __call__(self, x):
        return np.sum(x * self.scale)


class Anything:
    def __getattr__(self, name):
        return SCALE


class Meta(type):
    def __getitem__(cls, index):
        return index * SCALE


class WithMeta(metaclass=Meta):
    pass


class Descriptor:
    def __init__(self):
        self.scale = 1.0

    def __get__(self, thing, kind):
        return self.scale


class Described:
    scale = Descriptor()


class Missing(dict):
    def __missing__(self, key):
        return SCALE


class Scaled(abc.ABC):
    @abc.abstractmethod
    def scaled(self, x): ...


class ScaledBy(Scaled):
    def scaled(self, x):
        return x * SCALE


class Point(typing.NamedTuple):
    weight: float
    items: list


class Colour(enum.Enum):
    RED = 1.0


@dataclasses.dataclass
class Settings:
    scale: float = 1.0

    def apply(self, x):
        return np.sum(x * self.scale)


@dataclasses.dataclass(slots=True)
class Compact:
    scale: float = 1.0


class Number(float):
    pass


class Items(list):
    scale = 1.0


class Vector(np.ndarray):
    pass


def raising(thing, name="scale"):
    """Add 1 to an attribute."""
    return lambda: setattr(thing, name, getattr(thing, name) + 1)


CASES = {}


def case(make):
    CASES[make.__name__.replace("_", " ")] = make
    return make


def simple(name, f, change):
    CASES[name] = lambda: (f, change)


simple("a global", lambda x: np.sum(x * SCALE), raise_scale)
simple("a global of a helper", lambda x: np.sum(scaled(x)), raise_scale)
simple("a global by its name", lambda x: np.sum(x * globals()["SCALE"]), raise_scale)
simple("eval", lambda x: np.sum(x * eval("SCALE")), raise_scale)
simple(
    "another's globals", lambda x: np.sum(x * scaled.__globals__["SCALE"]), raise_scale
)
simple("a list", lambda x: np.sum(x * HELD[0]), raise_held)
simple("a module", lambda x: np.sum(x * MODULE.scale), raise_module)
simple("getattr", lambda x: np.sum(x * getattr(MODULE, "sca" + "le")), raise_module)
simple(
    "getattr, spelled out",
    lambda x: np.sum(x * getattr(MODULE, "scale")),  # noqa: B009
    raise_module,
)
simple(
    "getattr of any name",
    lambda x: np.sum(x * getattr(MODULE, ["scale"][0])),
    raise_module,
)
simple("vars", lambda x: np.sum(x * vars(MODULE)["scale"]), raise_module)
simple(
    "attrgetter",
    lambda x: np.sum(x * operator.attrgetter("scale")(MODULE)),
    raise_module,
)
simple("submodule", lambda x: np.sum(x * MODULE.inner.scale), raising(MODULE.inner))
simple("metaclass", lambda x: np.sum(WithMeta[2] * x), raise_scale)
simple("any attribute", lambda x: np.sum(Anything().scale * x), raise_scale)
simple("items of an object", lambda x: np.sum(Model()[2.0] * x), raise_scale)
simple("missing key", lambda x: np.sum(x * Missing()["key"]), raise_scale)
simple("an abstract class", lambda x: np.sum(ScaledBy().scaled(x)), raise_scale)
simple("enum", lambda x: np.sum(x * Colour.RED.value * SCALE), raise_scale)


@case
def an_import_inside():
    def f(x):
        import written_here

        return np.sum(x * written_here.scale)

    return f, raise_module


@case
def a_name_imported_inside():
    def f(x):
        from written_here import scale

        return np.sum(x * scale)

    return f, raise_module


@case
def two_helpers_of_one_module():
    first = lambda x: x * MODULE.scale
    second = lambda x: x * MODULE.inner.scale
    return lambda x: np.sum(first(second(x))), raising(MODULE.inner)


@case
def a_name_that_comes_later():
    def f(x):
        try:
            return np.sum(x * LATER)
        except NameError:
            return np.sum(x)

    globals().pop("LATER", None)
    return f, lambda: globals().update(LATER=globals().get("LATER", 1.0) + 1)


@case
def a_builtin_that_is_hidden():
    def f(x):
        return np.sum(x) * len([1])

    globals().pop("len", None)
    return f, lambda: globals().update(len=lambda _: 3)


@case
def a_mutable_default():
    def f(x, held=[1.0], *, named={"k": [1.0]}):  # noqa: B006
        return np.sum(x * held[0] * named["k"][0])

    def change():
        f.__defaults__[0][0] += 1
        f.__kwdefaults__["named"]["k"][0] += 1

    return f, change


@case
def defaults_replaced():
    def f(x, scale=1.0):
        return np.sum(x * scale)

    return f, lambda: setattr(f, "__defaults__", (f.__defaults__[0] + 1,))


@case
def code_replaced():
    def f(x):
        return np.sum(x)

    return f, lambda: setattr(f, "__code__", (lambda x: np.sum(2 * x)).__code__)


@case
def an_attribute_of_the_function():
    def f(x):
        return np.sum(x * f.scale)

    f.scale = 1.0
    return f, raising(f)


@case
def a_wrapper_that_says_it_is_NumPys():
    f = functools.wraps(np.sum)(lambda x: SCALE * np.sum(x))
    return f, raise_scale


@case
def a_closure_in_a_closure():
    scale = 1.0
    inner = lambda x: x * scale

    def change():
        nonlocal scale
        scale += 1

    return lambda x: np.sum(inner(x)), change


@case
def a_function_bound_anew():
    helper = lambda x: x

    def change():
        nonlocal helper
        before = helper
        helper = lambda x: 2 * before(x)

    return lambda x: np.sum(helper(x)), change


OBJECTS = {
    "a call": (lambda m: m, "own"),
    "a method": (lambda m: m.method, "own"),
    "an attribute": (lambda m: lambda x: np.sum(x * m.own), "own"),
    "an attribute of the class": (lambda m: m, "class"),
    "a static method": (lambda m: lambda x: np.sum(m.static(x)), "class"),
    "a class method": (lambda m: lambda x: np.sum(Model.of_class(x)), "class"),
    "a property": (lambda m: lambda x: np.sum(x * m.last), "steps"),
    "a cached property": (lambda m: lambda x: np.sum(x * m.cached), "cached"),
}


@pytest.mark.parametrize("kind", [Model, Child])
@pytest.mark.parametrize("name", OBJECTS)
def test_objects(name, kind, monkeypatch):
    make, what = OBJECTS[name]
    model = kind()
    f = make(model)

    def change():
        if what == "class":
            monkeypatch.setattr(Model, "scale", Model.scale + 1)
        elif what == "steps":
            model.steps.append(model.steps[-1] + 1)
        else:
            setattr(model, what, getattr(model, what) + 1)

    follow(f, change)
    assert Surroundings(f).steady


@case
def slots():
    return (thing := Slots()), raising(thing)


@case
def slots_closed_over():
    thing = Slots()
    return (lambda x: np.sum(x * thing.scale)), raising(thing)


@case
def a_compact_dataclass():
    thing = Compact()
    return (lambda x: np.sum(x * thing.scale)), raising(thing)


@case
def a_dataclass():
    thing = Settings()
    return thing.apply, raising(thing)


@case
def a_descriptor():
    thing = Described()
    return (lambda x: np.sum(x * thing.scale)), raising(vars(Described)["scale"])


@case
def a_named_tuple():
    thing = Point(2.0, [1.0])
    f = lambda x: np.sum(x * thing.weight * thing.items[-1])
    return f, lambda: thing.items.append(thing.items[-1] + 1)


@case
def a_namespace():
    thing = types.SimpleNamespace(inner=types.SimpleNamespace(scale=1.0))
    return (lambda x: np.sum(x * thing.inner.scale)), raising(thing.inner)


@case
def attributes_of_a_list():
    thing = Items([1.0])
    return (lambda x: np.sum(x * thing[0] * thing.scale)), raising(thing)


@case
def attributes_of_a_number():
    thing = Number(2.0)
    thing.scale = 1.0
    return (lambda x: np.sum(x * thing * thing.scale)), raising(thing)


@case
def attributes_of_an_array():
    thing = np.ones(3).view(Vector)
    thing.scale = 1.0
    return (lambda x: np.sum(x * np.asarray(thing) * thing.scale)), raising(thing)


@case
def a_weak_reference():
    thing = Model()
    kept = weakref.ref(thing)
    return (lambda x: np.sum(x * kept().own)), raising(thing, "own")


@case
def a_threads_own():
    thing = threading.local()
    thing.scale = 1.0
    return (lambda x: np.sum(x * thing.scale)), raising(thing)


@case
def a_context_variable():
    thing = contextvars.ContextVar("thing", default=1.0)
    return (lambda x: np.sum(x * thing.get())), lambda: thing.set(thing.get() + 1)


@case
def the_environment():
    os.environ["A_SCALE"] = "1"

    def change():
        os.environ["A_SCALE"] += "1"

    return (lambda x: np.sum(x * float(os.environ["A_SCALE"]))), change


@case
def a_partial():
    f = functools.partial(lambda held, x, k=1.0: np.sum(x * held[0] * k), [1.0], k=2.0)

    def change():
        f.args[0][0] += 1
        f.keywords["k"] += 1

    return f, change


@case
def a_cache():
    items = [1.0]
    length = functools.lru_cache(lambda: len(items))

    def change():
        items.append(1.0)
        length.cache_clear()

    return (lambda x: np.sum(x * length())), change


CONTAINERS = {
    "deque": (collections.deque([1.0, 2.0, 3.0]), lambda c: c.rotate(1)),
    "bytearray": (bytearray(b"\x01"), lambda c: c.__setitem__(0, c[0] + 1)),
    "array": (array.array("d", [1.0]), lambda c: c.__setitem__(0, c[0] + 1)),
    "ordered": (collections.OrderedDict({0: 1.0}), lambda c: c.update({0: c[0] + 1})),
    "default": (collections.defaultdict(float), lambda c: c.update({0: c[0] + 1})),
    "proxy": (
        types.MappingProxyType({0: HELD}),
        lambda c: c[0].__setitem__(0, c[0][0] + 1),
    ),
    "tuple": (([1.0],), lambda c: c[0].__setitem__(0, c[0][0] + 1)),
    "objects": (np.array([2.0, 3.0], object), lambda c: c.__setitem__(0, c[0] + 1)),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(name):
    container, change = CONTAINERS[name]
    follow(lambda x: np.sum(x * np.ravel(container[0])[0]), lambda: change(container))


ARRAYS = {
    "items": (np.ones(3), lambda w: w.__iadd__(1)),
    "a large one": (np.ones(40_000), lambda w: w.__setitem__(7, w[7] + 1)),
    "an exchange": (
        np.linspace(1, 2, 40_000),
        lambda w: w.__setitem__([0, 9], w[[9, 0]]),
    ),
    "whole numbers": (np.arange(40_000), lambda w: w.__setitem__(0, w[0] + 1)),
    "signs of 0": (np.zeros(3), lambda w: np.negative(w, out=w)),
    "records": (np.zeros(2, [("a", float)]), lambda w: w["a"].__iadd__(1)),
    "the shape": (np.ones(4), lambda w: setattr(w, "shape", (2, -1))),
    "the kind": (np.ones(4), lambda w: setattr(w, "dtype", np.int64)),
}


@pytest.mark.filterwarnings("ignore:Setting the (shape|dtype):DeprecationWarning")
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name):
    weights, change = ARRAYS[name]

    def f(x):
        numbers = weights["a"] if weights.dtype.names else weights
        angle = np.arctan2(np.ravel(numbers)[0], -1.0)
        return np.sum(x) * (angle + numbers.shape[0] + np.sum(numbers))

    follow(f, lambda: change(weights))


def follow(f, change):
    """The gradient is right before and after each change, however often it is asked."""
    g = gradient(f)
    for _ in range(3):
        for point in (X, X, X + 0.1, X):
            np.testing.assert_allclose(g(point.copy()), exact(f), rtol=1e-14)
        change()


@pytest.mark.parametrize("name", CASES)
def test_what_a_function_reads(name):
    follow(*CASES[name]())


def test_the_builtin_is_itself_again():
    globals().pop("len", None)
    assert len([1]) == 1


COUNTER = itertools.count(1)
RANDOM = random.random
NUMPYS = np.random.default_rng(0).random
CLOCK = time.perf_counter
GENERATED = (float(k) for k in itertools.count(1))
NEVER_THE_SAME = {
    "random": lambda x: np.sum(x) * random.random(),
    "random, bound": lambda x: np.sum(x) * RANDOM(),
    "NumPy's": lambda x: np.sum(x) * np.random.rand(),  # noqa: NPY002
    "NumPy's, bound": lambda x: np.sum(x) * NUMPYS(),
    "the system's": lambda x: np.sum(x) * int.from_bytes(os.urandom(6)),
    "a clock": lambda x: np.sum(x) * time.perf_counter(),
    "a clock, bound": lambda x: np.sum(x) * CLOCK(),
    "a counter": lambda x: np.sum(x) * next(COUNTER),
    "a generator": lambda x: np.sum(x) * next(GENERATED),
}


@pytest.mark.parametrize("name", NEVER_THE_SAME)
def test_what_is_never_the_same(name):
    g = gradient(NEVER_THE_SAME[name])
    found = [g(X)[0] for _ in range(5)]
    assert len(set(found)) == 5


def test_arrays_of_items():
    """Such a function is differentiated as one with another NumPy among its names."""
    follow(
        lambda x: np.mean(np.array([SCALE * x[0], HELD[0] * x[1], scaled(x[2])])),
        lambda: (raise_scale(), raise_held()),
    )


def test_a_function_that_counts_its_calls():
    calls = []

    def f(x):
        calls.append(1)
        return np.sum(x) * len(calls)

    assert [gradient(f)(X)[0] for _ in range(3)] == [1.0, 2.0, 3.0]


KEPT = {
    "ufunc": np.sin,
    "NumPy's own": lambda x: np.linalg.norm(x) + np.sum(np.fft.fft(x).real),
    "builtins": lambda x: sum(x) * len(x) + max(x) + float(3) * abs(x[0]),
    "comprehension": lambda x: np.sum([x[i] for i in range(3)]),
    "hasattr": lambda x: x.sum() if hasattr(x, "sum") else 0.0,
    "scipy": lambda x: np.sum(special().erf(x)),
    "functools": lambda x: functools.reduce(np.add, [x, x]).sum(),
    "named tuple": lambda x: np.sum(Point(1.0, []).weight * x),
}


def special():
    from scipy import special

    return special


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept(name):
    """Being careful is no excuse for keeping nothing."""
    assert Surroundings(KEPT[name]).steady


def test_objects_are_forgotten():
    model = Model()
    gradient(model)(X)
    gone = weakref.ref(model)
    assert id(model) in numpy_source.MEMORIES
    del model
    assert gone() is None
