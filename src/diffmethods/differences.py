"""The operators of finite differences: weighted values of f, whatever the stencil."""

import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffmethods.errors import NotDifferentiableError, ShapeError
from diffmethods.method import Method
from diffmethods.operators import _check_elementwise as check_elementwise
from diffmethods.stencils import EPS, Stencil, primal
from diffmethods.traced import Traced, is_foreign, outcome

Function = Callable[..., Any]

OPTIONS = {
    "accuracy": "the power of the step that the error falls with",
    "step": (
        "the distance between nodes, a number or an array of the shape of x, used as "
        "it is; left away, it is chosen from the order, the accuracy and the size of x"
    ),
}


class Differences:
    """The operators that a family of stencils gives.

    Parameters
    ----------
    stencil : callable
        ``stencil(order, accuracy)``, a `Stencil`.
    accuracy : int
        The accuracy where none is asked for.
    """

    def __init__(self, stencil: Callable[[int, Any], Stencil], accuracy: int):
        self.stencil = stencil
        self.accuracy = accuracy

    def method(self, **described: Any) -> Method:
        """The method that these operators make, as it is described."""
        names = ("derivative", "jvp", "jacobian", "hessian", "hvp")
        return Method(
            family="numerical",
            exact=False,
            complex_points=True,
            options=OPTIONS,
            references=("fornberg1988",),
            **{name: getattr(self, name) for name in names},
            **described,
        )

    def derivative(
        self, f: Function, x: Any, order: int, accuracy: Any = None, step: Any = None
    ) -> Any:
        """Every item of x moves by its own step, all in one call of f a node."""

        def difference(near: Neighbourhood, steps: Any) -> Any:
            quotient = near.difference(steps)
            if np.ndim(steps) and np.shape(quotient) != np.shape(steps):
                check_elementwise(f, x, quotient)
            for _ in range(order):
                quotient = quotient / steps
            return quotient

        return self._fitted(difference, f, x, order, accuracy, step)

    def jvp(
        self, f: Function, x: Any, v: Any, accuracy: Any = None, step: Any = None
    ) -> Any:
        """The derivative of t -> f(x + t v) at 0."""

        def difference(near: Neighbourhood, steps: Any) -> Any:
            t = time_step(v, steps)
            return near.difference(t * v) / t

        return self._fitted(difference, f, x, 1, accuracy, step)

    def jacobian(
        self, f: Function, x: Any, accuracy: Any = None, step: Any = None
    ) -> Any:
        """One difference a variable; f(x), where a stencil has it, is shared."""

        def differences(near: Neighbourhood, steps: Any) -> Any:
            if not np.size(x):
                return np.zeros(np.shape(near.centre) + np.shape(x))
            columns = [near.difference(move) / h for move, h in axes(steps)]
            return np.reshape(
                np.stack(columns, axis=-1), np.shape(columns[0]) + np.shape(x)
            )

        return self._fitted(differences, f, x, 1, accuracy, step)

    def hessian(
        self, f: Function, x: Any, accuracy: Any = None, step: Any = None
    ) -> Any:
        """Second differences along the axes, and between every two of them."""

        def differences(near: Neighbourhood, steps: Any) -> Any:
            moves = list(axes(steps))
            second = [near.curvature(move) for move, _ in moves]
            rows = {(i, i): second[i] / h / h for i, (_, h) in enumerate(moves)}
            for (i, (a, ha)), (j, (b, hb)) in itertools.combinations(
                enumerate(moves), 2
            ):
                mixed = near.mixed(a, b, second[i], second[j]) / ha / hb
                rows[i, j] = rows[j, i] = mixed
            return stacked([rows[key] for key in sorted(rows)], np.shape(x) * 2)

        return self._fitted(differences, f, x, 2, accuracy, step)

    def hvp(
        self, f: Function, x: Any, v: Any, accuracy: Any = None, step: Any = None
    ) -> Any:
        """The mixed second differences of every axis with the direction v."""

        def differences(near: Neighbourhood, steps: Any) -> Any:
            t = time_step(v, steps)
            along = near.curvature(t * v)
            products = [
                near.mixed(move, t * v, near.curvature(move), along) / h / t
                for move, h in axes(steps)
            ]
            return stacked(products, np.shape(x))

        return self._fitted(differences, f, x, 2, accuracy, step)

    def _fitted(
        self,
        compute: Function,
        f: Function,
        x: Any,
        order: int,
        accuracy: Any,
        step: Any,
    ) -> Any:
        """Compute with steps for float64, and anew if f turns out to give fewer digits.

        NumPy's warnings are held back: they would speak of nodes that you did not ask
        for, and a value that is not finite is dealt with where it appears.
        """
        stencil = self.stencil(order, self.accuracy if accuracy is None else accuracy)
        near = Neighbourhood(f, x, stencil)
        with np.errstate(all="ignore"):
            if step is not None:
                return compute(near, stencil.given_steps(step, x))
            result = compute(near, stencil.chosen_steps(x))
            if near.eps > EPS:
                result = compute(
                    Neighbourhood(f, x, stencil), stencil.chosen_steps(x, near.eps)
                )
        return result


class Neighbourhood:
    """f around x, as one stencil sees it; f(x) is evaluated once if at all.

    After the first value, `eps` says how finely f resolves: float32 inside f shows.
    """

    def __init__(self, f: Function, x: Any, stencil: Stencil):
        self.f, self.x, self.stencil = f, x, stencil
        self.eps = EPS

    @functools.cached_property
    def centre(self) -> Any:
        return self._value(self.x.copy() if isinstance(self.x, np.ndarray) else self.x)

    def difference(self, move: Any) -> Any:
        """The weighted sum of values at ``x + k move``: a derivative times its steps.

        One of the values is subtracted from all others first.  The weights sum to 0, so
        that changes nothing but the rounding: differences of near numbers are exact.
        """
        first, *others = [self._at(k, move) for k in self.stencil.offsets]
        weighted = zip(self.stencil.floats[1:], others, strict=True)
        return functools.reduce(operator.add, [w * (y - first) for w, y in weighted])

    def curvature(self, move: Any) -> Any:
        """The second difference of a scalar f along a move."""
        second = self.difference(move)
        if np.shape(second):
            raise ShapeError(
                "a Hessian needs a function with a scalar result, and f(x) has shape "
                f"{np.shape(second)}; use jacobian twice for all second derivatives"
            )
        return second

    def mixed(self, a: Any, b: Any, along_a: Any, along_b: Any) -> Any:
        """The mixed second difference of two moves, out of the one along their sum."""
        return (self.curvature(a + b) - along_a - along_b) / 2

    def _at(self, k: int, move: Any) -> Any:
        if k == 0:
            return self.centre
        y = self._value(self.x + k * move)
        if not isinstance(y, (np.ndarray, np.generic)) or y.dtype.kind not in "fc":
            return y
        finite = np.isfinite(y)
        if finite if y.ndim == 0 else finite.all():  # the former is 10 times faster
            return y
        if np.any(np.isfinite(self.centre) & ~finite):
            side = "below" if k < 0 else "above"
            raise NotDifferentiableError(
                f"f is finite at x, but not {abs(k)} steps {side}{length(move)}: the "
                "difference leaves the domain of f, or f overflows; give a smaller "
                "step=, or use an exact method such as dual_numbers"
            )
        return y

    def _value(self, node: Any) -> Any:
        """f at a node, in float64 or complex, never in a buffer that f may reuse."""
        y = outcome(self.f(node))
        if type(y) is np.float64 or isinstance(y, Traced) or is_foreign(y):
            return y
        y = np.array(y)
        if y.dtype.kind in "fc":
            self.eps = max(self.eps, float(np.finfo(y.dtype).eps))
        if y.dtype.kind in "fiub":
            y = y.astype(float)
        elif y.dtype.kind == "c":
            y = y.astype(complex)
        return y[()]


def length(move: Any) -> str:
    """How long a step is, for a message."""
    sizes = primal(move)
    return "" if sizes is None else f" (a step is {np.max(np.absolute(sizes)):.3g})"


def axes(steps: Any) -> Iterator[tuple[Any, Any]]:
    """For every variable, the move along its axis and the step."""
    if not np.ndim(steps):
        yield steps, steps
        return
    for index in np.ndindex(steps.shape):
        move = np.zeros(steps.shape)
        move[index] = steps[index]
        yield move, steps[index]


def time_step(v: Any, steps: Any) -> Any:
    """The longest t for which no item of t v exceeds its step; 1 if nothing moves."""
    sizes = primal(v)
    sizes = np.ones(np.shape(v)) if sizes is None else np.absolute(sizes)
    t = np.min(steps / sizes, where=sizes > 0, initial=np.inf)
    return t if 0 < t < np.inf else np.float64(1.0)


def stacked(items: list[Any], shape: tuple[int, ...]) -> Any:
    """Numbers, plain or traced, as an array of that shape."""
    return np.reshape(np.stack(items), shape) if items else np.zeros(shape)
