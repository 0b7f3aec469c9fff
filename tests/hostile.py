"""Objects that object to being touched: every special method of theirs raises."""

from __future__ import annotations


class Touched(BaseException):
    """Raised by whatever is touched; no `except Exception` hides it."""


def refuse(*_args, **_keywords):
    raise Touched


_METHODS = [
    "__repr__",
    "__str__",
    "__eq__",
    "__ne__",
    "__lt__",
    "__len__",
    "__bool__",
    "__getattr__",
    "__contains__",
    "__format__",
    "__getitem__",
    "__bytes__",
    "__index__",
    "__int__",
    "__dir__",
    "__reduce__",
    "__sizeof__",
    "__add__",
    "__getattribute__",
]

HOSTILITY = dict.fromkeys(_METHODS, refuse) | {
    "__hash__": refuse,
    "__class__": property(refuse),
}


class HostileMeta(type):
    """A metaclass whose classes cannot be hashed, compared, asked or used with isinstance()."""


def make(name, base):
    members = dict(HOSTILITY, __module__="hostile")
    return HostileMeta(name, (base,), members)


Hostile = make("Hostile", object)
HostileStr = make("HostileStr", str)
HostileBytes = make("HostileBytes", bytes)
HostileBytearray = make("HostileBytearray", bytearray)
HostileInt = make("HostileInt", int)
HostileError = make("HostileError", Exception)
OwnError = type("OwnError", (Exception,), HOSTILITY)
"""One that can be raised: Python asks a metaclass about an exception's class."""


class Key(str):
    """An environ key that can be put in, and then not be touched."""

    __slots__ = ("armed",)

    def __hash__(self):
        return refuse() if hasattr(self, "armed") else str.__hash__(self)

    def __eq__(self, other):
        return refuse() if hasattr(self, "armed") else str.__eq__(self, other)

    __str__ = __repr__ = __len__ = __getitem__ = refuse


def put(environ, key, value):
    """Put a value at a key that bites."""
    bait = Key(key)
    environ[bait] = value
    bait.armed = True


for _name in ("__hash__", "__eq__", "__getattribute__", "__instancecheck__", "__subclasscheck__"):
    setattr(HostileMeta, _name, refuse)
