"""The errors a user can meet: each says what was wrong, where, and what to do."""


class DiffmethodsError(Exception):
    """Base of every error that this package raises."""


class UnknownMethodError(DiffmethodsError, LookupError):
    """No method has that name."""


class MissingLibraryError(DiffmethodsError, ImportError):
    """A library that the method or the feature needs is not installed."""


class MissingRuleError(DiffmethodsError, NotImplementedError):
    """A method meets a function that it has no derivative for."""


class NotDifferentiableError(DiffmethodsError, ValueError):
    """The function has no derivative there, or none of the kind asked for."""


class TracedValueError(DiffmethodsError, TypeError):
    """A stand-in for an array was used where only a plain number can be."""


class WrongDerivativeError(DiffmethodsError, AssertionError):
    """A derivative that was to be checked differs from the reference."""


class InputError(DiffmethodsError, TypeError):
    """An argument is of a kind that cannot be differentiated at or along."""


class ShapeError(DiffmethodsError, ValueError):
    """A result or an argument has the wrong shape."""


class SparsityError(DiffmethodsError, ValueError):
    """A sparsity pattern misses an item, or cannot be found."""


class OptionError(DiffmethodsError, ValueError):
    """An option, an order or a step is unknown or out of range."""


class ExpressionError(DiffmethodsError, ValueError):
    """A formula in a string cannot be read."""
