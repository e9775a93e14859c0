"""Rules of your own: a function that no method can see into, with its derivative.

Every method meets such a function as one call, ``rules.applied``, whose pushforward
asks the function itself.  A rule that pulls cotangents back is transposed where a
method pushes forward, and the other way round, since both are linear.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.cotangents import whole
from diffmethods.errors import (
    DiffmethodsError,
    InputError,
    MissingRuleError,
    OptionError,
    ShapeError,
    TracedValueError,
)
from diffmethods.method import methods_for
from diffmethods.pullbacks import REWRITES
from diffmethods.recording import Recorded
from diffmethods.tape import Entry, Node, Sweep, Tape
from diffmethods.traced import Traced, joined, leaves, level_of, one_array, rebuilt

Function = Callable[..., Any]
Rule = Function | Sequence[Function | None]
Named = tuple[tuple[str, Any], ...]  # keyword arguments

FOREIGN = {"jax", "jaxlib", "torch", "tensorflow", "autograd", "casadi", "sympy"}
CALLS = {
    "partials": "(y, *xs)",
    "jacobian": "(y, *xs)",
    "jvp": "(y, *xs, *dxs)",
    "vjp": "(y, *xs, w)",
}
PLAIN = (bool, int, float, complex, str, bytes)
COMMON = ("dual_numbers", "reverse_tape", "central_difference")


def custom_rule(
    function: Function | None = None,
    *,
    partials: Rule | None = None,
    jacobian: Rule | None = None,
    jvp: Function | None = None,
    vjp: Function | None = None,
) -> Any:
    """Give a function a derivative of its own.

    The function may be anything that takes and gives numbers and arrays: a solver, a
    table, compiled code.  One rule is enough for forward and for reverse mode; a rule
    in plain NumPy is itself differentiated for higher derivatives.  Rules are called
    with the result `y` first, then with all arguments `xs` that the function has
    places for, defaults included.

    Parameters
    ----------
    function : callable, optional
        ``y = function(*xs, **options)``; the result is a number, an array, or a tuple
        of these.  Left away, `custom_rule` is a decorator.
    partials : callable or sequence of callable, optional
        For an elementwise function: ``partial(y, *xs)`` by each argument, with None for
        an argument that has no derivative.
    jacobian : callable or sequence of callable, optional
        ``jacobian(y, *xs)`` by each argument, of shape ``y.shape + x.shape``, or None.
    jvp : callable, optional
        ``jvp(y, *xs, *dxs)``, the tangent of the result, linear in the tangents `dxs`.
        An argument that does not vary has the tangent 0.
    vjp : callable, optional
        ``vjp(y, *xs, w)``, the cotangent of each argument (a tuple of them if there are
        several; None where there is no derivative), linear in the cotangent `w` of the
        result.  Together with `jvp`, each serves its own mode.

    Returns
    -------
    CustomFunction
        The same function, with the rule.  Keyword-only arguments are options: they
        cannot vary, and a rule that has parameters of their names gets them, too.

    Raises
    ------
    OptionError
        If there is no rule, or one too many.
    InputError
        If the function or a rule cannot be called.

    See Also
    --------
    custom_root, custom_fixed_point : Rules for what is defined by an equation.

    Notes
    -----
    Differences call the function; `complex_step`, dual numbers, series, tapes and JAX
    use the rule.  `taylor_series` applies it to series of one order less and
    integrates, to any order.  Source written by `to_source` takes the function as an
    argument.  Symbolic methods refuse.

    References
    ----------
    :cite:t:`griewank2008`, chapter 6.

    Examples
    --------
    A function of the standard library that knows nothing of arrays:

    >>> import math
    >>> import diffmethods as dm
    >>> log_gamma = dm.custom_rule(
    ...     math.lgamma, partials=lambda y, x: digamma(x)
    ... )
    >>> digamma = dm.custom_rule(
    ...     lambda x: math.log(x) - 0.5 / x - 1 / (12 * x**2),  # for large x
    ...     jvp=lambda y, x, dx: (1 / x + 0.5 / x**2 + 1 / (6 * x**3)) * dx,
    ... )
    >>> print(f"{dm.derivative(log_gamma)(100.0):.9f}")
    4.600161853
    >>> print(f"{dm.derivative(log_gamma, method='reverse_tape')(100.0):.9f}")
    4.600161853
    >>> print(f"{dm.derivative(log_gamma, order=2)(100.0):.9f}")
    0.010050167
    """
    rules_by_name: dict[str, Any] = {
        "partials": partials,
        "jacobian": jacobian,
        "jvp": jvp,
        "vjp": vjp,
    }
    given = {name: rule for name, rule in rules_by_name.items() if rule is not None}
    if not given:
        raise OptionError(
            "a custom rule needs one of partials=, jacobian=, jvp= and vjp="
        )
    if len(given) > 1 and set(given) != {"jvp", "vjp"}:
        raise OptionError(
            f"{' and '.join(f'{name}=' for name in given)} say the same twice: give "
            "one of them, or jvp= and vjp= together"
        )
    for name, rule in given.items():
        several = name in ("partials", "jacobian") and isinstance(rule, (tuple, list))
        for each in rule if several else (rule,):
            if not callable(each) and not (several and each is None):
                raise InputError(
                    f"{name}= must be a function, not {type(each).__name__}"
                )
    if function is None:
        return functools.partial(custom_rule, **given)
    if not callable(function):
        raise InputError(
            f"a custom rule belongs to a function, not to {type(function).__name__}"
        )
    return CustomFunction(function, **given)


class CustomFunction:
    """A function with a rule of its own; made by `custom_rule` and its relatives.

    ``check(*xs)`` compares the rule with differences.
    """

    def __init__(
        self,
        function: Function,
        partials: Any = None,
        jacobian: Any = None,
        jvp: Function | None = None,
        vjp: Function | None = None,
    ):
        functools.update_wrapper(self, function, updated=())
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self.by_argument = partials if jacobian is None else jacobian
        if callable(self.by_argument):
            self.by_argument = (self.by_argument,)
        self.elementwise = partials is not None
        self.jvp = jvp
        self.vjp = vjp
        self.signature: inspect.Signature | None = None
        if not isinstance(function, np.ufunc):
            with contextlib.suppress(TypeError, ValueError):  # compiled: it has none
                self.signature = inspect.signature(function)

    def __repr__(self) -> str:
        return f"<{self.__name__} with a custom rule>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: the object is the first argument, as for any function."""
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.signature is not None:
            bound = self.signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        args = tuple(map(one_array, joined(args)))
        varying = [name for name, x in kwargs.items() if leaves((x,))]
        if varying:
            raise TracedValueError(
                f"the option {varying[0]}= of {self.__name__} depends on the variable, "
                "and its rule is for arguments without a name: hand it over as one"
            )
        return self.evaluated(args, tuple(kwargs.items()))

    def evaluated(self, xs: tuple[Any, ...], named: Named) -> Any:
        """The result; the innermost trace among the arguments sees one call."""
        innermost = max(leaves(xs), key=level_of, default=None)
        if innermost is None:
            for x in xs:
                self._refuse_foreign(x)
            y = self.function(*xs, **dict(named))
            if leaves((joined(y),)):
                raise let_in(self.__name__)
            return y
        call = {"rule": self, "named": named}
        result = innermost.apply(rules.applied, xs, call)
        if result is NotImplemented:
            able = [
                name for name in methods_for(rules.applied) if name != innermost.method
            ]
            raise MissingRuleError(
                f"{innermost.method} cannot take {self.__name__}, which has a rule of "
                f"its own; methods that take it: {', '.join(able or COMMON)}"
            )
        return result

    def _refuse_foreign(self, x: Any) -> None:
        """Other libraries' arrays may carry derivatives that the rule would not see."""
        library = type(x).__module__.partition(".")[0]
        if library in FOREIGN:
            raise MissingRuleError(
                f"{self.__name__} has a rule in NumPy, and got an array of {library}: "
                "write the function around it in NumPy, too"
            )

    # What methods ask for

    def in_numbers(self, xs: Any, named: Named = ()) -> Any:
        """The result as float64 or complex."""
        return as_numbers(self.evaluated(tuple(xs), named), self.__name__)

    def called(self, *xs: Any, **named: Any) -> Any:
        """What source calls."""
        return self.in_numbers(xs, tuple(named.items()))

    def push(self, xs: Any, dxs: Any, named: Named) -> tuple[Any, Any]:
        """The result and its tangent."""
        y = self.in_numbers(xs, named)
        return y, self.tangent(y, xs, dxs, named)

    def tangent(self, y: Any, xs: Any, dxs: Any, named: Named) -> Any:
        """The tangent of the result, by whatever rule there is."""
        if self.by_argument is not None:
            dy = self._by_argument(y, xs, dxs, named)
        elif self.jvp is not None:
            dy = self._ask("jvp", self.jvp, (y, *xs, *dxs), named)
        else:
            dy = transposed(lambda w: self.cotangents(y, xs, w, named), y, dxs)
        return matching(dy, y, f"the {self._rule_name} of {self.__name__} gave", "y")

    def cotangents(self, y: Any, xs: Any, w: Any, named: Named) -> list[Any]:
        """The cotangent of every argument by `vjp`; None where it has none."""
        assert self.vjp is not None
        found = self._ask("vjp", self.vjp, (y, *xs, w), named)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != len(xs):
            raise ShapeError(
                f"the vjp of {self.__name__} gave {len(found)} cotangents for "
                f"{len(xs)} arguments: return one for each, None where there is none"
            )
        return [
            dx
            if dx is None
            else matching(
                dx, x, f"the vjp of {self.__name__} gave argument {k} a cotangent", "x"
            )
            for k, (x, dx) in enumerate(zip(xs, found, strict=True))
        ]

    def no_derivative(self, k: int) -> MissingRuleError:
        return MissingRuleError(
            f"{self.__name__} has no derivative by its argument {k}, which depends on "
            f"the variable: its {self._rule_name} is None there"
        )

    @property
    def _rule_name(self) -> str:
        if self.by_argument is not None:
            return "partials" if self.elementwise else "jacobian"
        return "jvp" if self.jvp is not None else "vjp"

    def _by_argument(self, y: Any, xs: Any, dxs: Any, named: Named) -> Any:
        """Sum what the change of each argument gives."""
        name = self._rule_name
        if isinstance(y, (tuple, list)):
            raise ShapeError(
                f"{self.__name__} has several results, and {name}= is for one: give "
                "jvp= or vjp="
            )
        total: Any = np.zeros(np.shape(y))
        for k, dx in enumerate(dxs):
            if is_zero(dx):
                continue
            rule = self.by_argument[k] if k < len(self.by_argument) else None
            if rule is None:
                raise self.no_derivative(k)
            slope = joined(self._ask(name, rule, (y, *xs), named))
            if self.elementwise:
                total = total + slope * dx
                continue
            slope = matching(
                slope,
                np.broadcast_to(0.0, np.shape(y) + np.shape(dx)),
                f"the jacobian of {self.__name__} by argument {k} has",
                "y.shape + x.shape",
            )
            total = total + (
                np.tensordot(slope, dx, np.ndim(dx)) if np.ndim(dx) else slope * dx
            )
        return total

    def _ask(self, name: str, rule: Function, args: Any, named: Named) -> Any:
        """Call a rule, with such options as it knows."""
        try:
            return rule(*args, **known_to(rule, named))
        except (DiffmethodsError, np.linalg.LinAlgError) as error:
            if not isinstance(error, TracedValueError):
                raise
            raise self._opaque(name, error) from error
        except RecursionError as error:
            raise MissingRuleError(
                f"the {name} of {self.__name__} calls {self.__name__} itself, so it "
                "cannot be read backwards: give jvp= and vjp= together"
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            self._match(name, rule, args)
            if not leaves(args):
                raise
            raise self._opaque(name, error) from error

    def _match(self, name: str, rule: Function, args: Any) -> None:
        """Say so if a rule has no places for what it is called with."""
        try:
            inspect.signature(rule).bind(*args)
        except TypeError as error:
            raise InputError(
                f"the {name} of {self.__name__} does not take the {len(args)} values "
                f"{CALLS[name]} that it is called with: {error}"
            ) from error
        except ValueError:  # it has no signature
            pass

    def _opaque(self, name: str, error: Exception) -> MissingRuleError:
        other = {"jvp": "vjp", "vjp": "jvp"}.get(name)
        advice = f"; {other}= beside it serves the other mode" if other else ""
        return MissingRuleError(
            f"the {name} of {self.__name__} does not follow stand-ins for arrays, as "
            f"the other mode and higher derivatives need it: {error}. Write it in "
            f"plain NumPy{advice}"
        )

    def check(
        self,
        *xs: Any,
        reference: str = "chebyshev",
        rtol: float = 1e-6,
        **options: Any,
    ) -> None:
        """Compare the rule with differences, by every argument and in both modes.

        Parameters
        ----------
        *xs
            The arguments, as the function takes them; those of float64 move.
        reference : str
            The method that differentiates the function without its rule.
        rtol : float
            As for `check_gradient`.
        **options
            The options of the function.

        Raises
        ------
        WrongDerivativeError
            With a table of what is wrong.
        """
        from diffmethods.checking import check_gradient

        y = self(*xs, **options)
        for k, x in enumerate(xs):
            if not is_float(x) or self._is_none(k):
                continue
            for part in range(len(y)) if isinstance(y, (tuple, list)) else (None,):
                f = functools.partial(self._of_one, xs, k, part, options)
                for method in ("dual_numbers", "reverse_tape"):
                    check_gradient(
                        f,
                        x,
                        method=method,
                        reference=reference,
                        rtol=rtol,
                        name=f"{self.__name__} by argument {k}",
                    )

    def _is_none(self, k: int) -> bool:
        by = self.by_argument
        return by is not None and (k >= len(by) or by[k] is None)

    def _of_one(self, xs: Any, k: int, part: int | None, options: Any, x: Any) -> Any:
        y = self(*xs[:k], x, *xs[k + 1 :], **options)
        return y if part is None else y[part]


def let_in(name: str) -> TracedValueError:
    return TracedValueError(
        f"{name} uses a variable of the derivative that is not among its arguments, "
        "and its rule does not see that one: hand it over as an argument"
    )


def as_numbers(y: Any, name: str) -> Any:
    """A function's result as float64 or complex."""
    if isinstance(y, (tuple, list)):
        return rebuilt(y, [as_numbers(item, name) for item in y])
    if isinstance(y, Traced):
        return y
    array = np.asarray(y)
    if array.dtype.kind not in "iufc":
        raise InputError(
            f"{name} must return numbers or arrays to have a rule, not {y!r}"
        )
    return array.astype(np.result_type(array, float), copy=False)[()]


def matching(found: Any, like: Any, what: str, its: str) -> Any:
    """What a rule gave, joined; an error if the shape is another than wanted."""
    if isinstance(like, (tuple, list)):
        if not isinstance(found, (tuple, list)) or len(found) != len(like):
            raise ShapeError(
                f"{what} {type(found).__name__}, where a tuple of {len(like)} parts "
                "was wanted"
            )
        parts = zip(found, like, strict=True)
        return rebuilt(like, [matching(*pair, what, its) for pair in parts])
    found = joined(np.asarray(found) if isinstance(found, (tuple, list)) else found)
    if np.shape(found) != np.shape(like):
        raise ShapeError(
            f"{what} shape {np.shape(found)}, where {its} has shape {np.shape(like)}"
        )
    return found


def is_zero(dx: Any) -> bool:
    """Whether a tangent is that of a constant."""
    return not isinstance(dx, Traced) and not np.any(dx)


def is_float(x: Any) -> bool:
    return isinstance(x, (float, np.ndarray)) and np.asarray(x).dtype.kind == "f"


def is_plain(x: Any) -> bool:
    """Whether an argument can be written down."""
    if isinstance(x, (tuple, list)):
        return all(map(is_plain, x))
    return x is None or isinstance(x, (Traced, np.ndarray, np.generic, *PLAIN))


def known_to(rule: Function, named: Named) -> dict[str, Any]:
    """Those of some options that a rule has parameters for."""
    if not named:
        return {}
    found = inspect.signature(rule).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in found):
        return dict(named)
    names = {p.name for p in found if p.kind is p.KEYWORD_ONLY}
    return {name: x for name, x in named if name in names}


# Transposition: a linear map on a tape, read backwards.


def transposed(pull: Function, y: Any, dxs: Any) -> Any:
    """The tangent of y out of the linear map from its cotangent to those of x."""
    tape = Tape()

    def variable(part: Any) -> Any:
        if isinstance(part, (tuple, list)):
            return rebuilt(part, map(variable, part))
        kind = complex if np.iscomplexobj(part) else float
        return tape.record(np.zeros(np.shape(part), kind))

    w = variable(y)
    inputs = leaves((w,))
    total: Any = 0.0
    for dx, cotangent in zip(dxs, pull(w), strict=True):
        if is_zero(dx):
            continue
        if cotangent is None:
            raise MissingRuleError(
                "the vjp gives no cotangent of an argument that depends on the variable"
            )
        total = total + np.sum(cotangent * dx)
    arrived: list[Any] = [None] * len(inputs)
    if isinstance(total, Node) and total.tape is tape:
        arrived = Sweep(tape).back(total.index, 1.0, len(inputs))
    tangents = iter(arrived)

    def tangent(part: Any) -> Any:
        if isinstance(part, (tuple, list)):
            return rebuilt(part, list(map(tangent, part)))
        dy = next(tangents)
        shape = np.shape(part)
        return np.zeros(shape) if dy is None else np.broadcast_to(dy, shape)

    return tangent(y)


def recorded_by_vjp(*xs: Any, rule: CustomFunction, named: Named = ()) -> Any:
    """On a tape, a rule that pulls back serves as it is, without transposition."""
    innermost = max(leaves(xs), key=level_of)
    if isinstance(innermost, Recorded) and not all(map(is_plain, (*xs, named))):
        innermost.recording.private = True  # no source can be written of it
    if rule.vjp is None or not isinstance(innermost, Node):
        return NotImplemented
    tape = innermost.tape
    tape.watch([x for x in xs if not isinstance(x, Node)])
    values = tape.values(xs)
    y = rule.in_numbers(values, named)
    targets = [
        (k, x.index, np.shape(x.value), not np.iscomplexobj(x.value))
        for k, x in enumerate(xs)
        if isinstance(x, Node) and x.tape is tape
    ]

    def recorded(part: Any, place: tuple[int, ...]) -> Any:
        if isinstance(part, (tuple, list)):
            items = [recorded(item, (*place, k)) for k, item in enumerate(part)]
            return rebuilt(part, items)
        return tape.record(part, (pull_by_vjp, rule, named, targets, place, y, values))

    return recorded(y, ())


def pull_by_vjp(sweep: Sweep, w: Any, entry: Entry) -> None:
    """dx by the rule's own vjp, row by row."""
    _, rule, named, targets, place, y, xs = entry
    part = y
    for k in place:
        part = part[k]
    w = whole(w, np.shape(part))
    rows = [
        rule.cotangents(y, xs, among_zeros(row, y, place), named)
        for row in (w if sweep.rows else [w])
    ]
    for k, index, shape, real in targets:
        found = [row[k] for row in rows]
        if any(dx is None for dx in found):
            raise rule.no_derivative(k)
        sweep.give_folded(
            index, np.stack(found) if sweep.rows else found[0], shape, real
        )


def among_zeros(w: Any, y: Any, place: tuple[int, ...]) -> Any:
    """The cotangent of a result of which one part counts."""
    if not place:
        return w
    first, *rest = place
    return rebuilt(
        y,
        [
            among_zeros(w, part, tuple(rest)) if k == first else all_zeros(part)
            for k, part in enumerate(y)
        ],
    )


def all_zeros(y: Any) -> Any:
    if isinstance(y, (tuple, list)):
        return rebuilt(y, map(all_zeros, y))
    return np.zeros(np.shape(y))


REWRITES[rules.applied] = recorded_by_vjp
