"""Other libraries, each called by its own idiom: NumPy goes in, and NumPy comes out.

A builder takes ``make`` and the point, imports its library, and returns the call.  What
a library does only once, such as compilation, happens in the first call.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.functions import Make
from benchmarks.timing import Run

Build = Callable[[Make, Any], Run]


# SciPy and numdifftools: values of f are all they need.


def scipy_derivative(make: Make, x: Any) -> Run:
    from scipy.differentiate import derivative

    f = make(np)
    return lambda: derivative(f, x).df


def scipy_jacobian(make: Make, x: Any) -> Run:
    from scipy.differentiate import jacobian

    f = make(np)

    def columns(z: Any) -> Any:  # SciPy asks for many points at once
        y = f(z.reshape(len(z), -1))
        return y.reshape(len(y), *z.shape[1:])

    return lambda: jacobian(columns, x).df


def numdifftools(operator: str) -> Build:
    def build(make: Make, x: Any) -> Run:
        import numdifftools

        derivative = getattr(numdifftools, operator)(make(np))
        return lambda: derivative(x)

    return build


# Libraries that trace the function.


def autograd(operator: str) -> Build:
    def build(make: Make, x: Any) -> Run:
        import autograd
        import autograd.numpy as anp

        elementwise = operator == "grad" and np.ndim(x) and np.ndim(make(np)(x))
        transform = "elementwise_grad" if elementwise else operator
        derivative = getattr(autograd, transform)(make(anp))
        return lambda: derivative(x)

    return build


def jax(operator: str) -> Build:
    def build(make: Make, x: Any) -> Run:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        derivative = getattr(jax, operator)(make(jnp))
        if operator == "grad" and np.ndim(x) and np.ndim(make(np)(x)):
            derivative = jax.vmap(derivative)
        compiled = jax.jit(derivative)
        return lambda: np.asarray(compiled(x))

    return build


def torch_grad(make: Make, x: Any) -> Run:
    import torch

    torch.set_num_threads(1)
    f = make(torch)

    def run() -> Any:
        z = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        y = f(z)
        return torch.autograd.grad(y.sum() if y.ndim else y, z)[0].numpy()

    return run


def torch_func(operator: str) -> Build:
    def build(make: Make, x: Any) -> Run:
        import torch

        torch.set_num_threads(1)
        derivative = getattr(torch.func, operator)(make(torch))
        return lambda: derivative(torch.from_numpy(x)).numpy()

    return build


def casadi(operator: str) -> Build:
    def build(make: Make, x: Any) -> Run:
        import casadi

        xp = SimpleNamespace(
            sum=casadi.sum1, asarray=casadi.DM, tanh=casadi.tanh, sin=casadi.sin
        )
        z = casadi.MX.sym("z", np.size(x))
        derivative = getattr(casadi, operator)(make(xp)(z), z)
        if operator == "hessian":
            derivative = derivative[0]
        function = casadi.Function("derivative", [z], [derivative])
        shape = np.shape(x) if operator == "gradient" else (-1, np.size(x))
        return lambda: np.reshape(function(x).full(), shape)

    return build


# Numbers that carry their derivatives.


class Methods:
    """A namespace for numbers whose functions are methods: tanh(x) is x.tanh()."""

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        return lambda x: getattr(x, name)()


def num_dual(make: Make, x: Any) -> Run:
    import num_dual

    f = make(Methods())
    if np.ndim(x):
        return lambda: np.array(
            [num_dual.first_derivative(f, z)[1] for z in x.tolist()]
        )
    return lambda: num_dual.first_derivative(f, x)[1]


def algopy(order: int) -> Build:
    """The last of the Taylor coefficients is a derivative divided by a factorial."""

    def build(make: Make, x: Any) -> Run:
        import algopy

        f = make(algopy)
        series = np.zeros((order + 1, 1, *np.shape(x)))
        factorial = float(np.prod(np.arange(1.0, order + 1)))

        def run() -> Any:
            series[0] = x
            series[1] = 1
            return f(algopy.UTPM(series)).data[order, 0] * factorial

        return run

    return build


def jax_jet(order: int) -> Build:
    """Taylor arithmetic inside JAX, compiled."""

    def build(make: Make, x: Any) -> Run:
        import jax
        import jax.numpy as jnp
        from jax.experimental.jet import jet

        jax.config.update("jax_enable_x64", True)
        f = make(jnp)
        seed = [jnp.ones_like(x)] + [jnp.zeros_like(x)] * (order - 1)
        compiled = jax.jit(lambda z: jet(f, (z,), (seed,))[1][-1])
        return lambda: np.asarray(compiled(jnp.asarray(x)))

    return build


NATIVE: dict[str, dict[str, Build]] = {
    "derivative": {
        "SciPy": scipy_derivative,
        "numdifftools": numdifftools("Derivative"),
        "autograd": autograd("grad"),
        "jitted JAX": jax("grad"),
        "PyTorch": torch_grad,
        "num-dual": num_dual,
        "algopy": algopy(1),
    },
    "gradient": {
        "autograd": autograd("grad"),
        "jitted JAX": jax("grad"),
        "PyTorch": torch_grad,
        "casadi": casadi("gradient"),
    },
    "jacobian": {
        "SciPy": scipy_jacobian,
        "numdifftools": numdifftools("Jacobian"),
        "autograd": autograd("jacobian"),
        "jitted JAX": jax("jacfwd"),
        "PyTorch": torch_func("jacfwd"),
        "casadi": casadi("jacobian"),
    },
    "hessian": {
        "numdifftools": numdifftools("Hessian"),
        "autograd": autograd("hessian"),
        "jitted JAX": jax("hessian"),
        "PyTorch": torch_func("hessian"),
        "casadi": casadi("hessian"),
    },
}
