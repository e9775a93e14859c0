"""PyTorch: follow the program while it runs, with a rule for each operation."""

import contextlib
import contextvars
import functools
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch warns of its own use of itself
    import torch
    from torch import func

    func.jvp(torch.sin, (torch.zeros(()),), (torch.ones(()),))  # loads the rest
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode

from diffmethods.errors import (
    InputError,
    MissingLibraryError,
    MissingRuleError,
    NotDifferentiableError,
)
from diffmethods.lifted import (
    DEVICE,
    Library,
    Lifted,
    Native,
    base_of,
    no_device,
    value_of,
)
from diffmethods.method import Method
from diffmethods.transformations import (
    composed,
    nesting,
    operators,
    pulling,
    singly,
    sloping,
)

Function = Callable[..., Any]

FEW_COLUMNS = 16  # so many cost less than to find out how many rows there are
DOUBLE = {torch.float32: torch.float64, torch.complex64: torch.complex128}
PUSHING = threading.RLock()
FORWARD = contextvars.ContextVar("FORWARD", default=False)  # is a push in progress?


# What PyTorch has no slope for, or loses without a word


class Bessel(torch.autograd.Function):  # type: ignore[misc]
    """A function of `SLOPES` with its slope, which PyTorch alone takes for 0.

    PyTorch's J and Y are right to six digits alone, in float64 too: SciPy has them all.
    """

    @staticmethod
    def forward(name: str, x: Any) -> Any:
        if name not in BY_SCIPY:
            return getattr(torch.special, name)(x)
        try:
            from scipy import special
        except ModuleNotFoundError as error:
            raise MissingLibraryError(
                f"PyTorch gives {name} six digits; the others need SciPy, which is "
                "not installed: pip install scipy"
            ) from error
        y = getattr(special, BY_SCIPY[name])(x.numpy(force=True))
        return torch.as_tensor(y, dtype=x.dtype, device=x.device)

    @staticmethod
    def vmap(info: Any, in_dims: Any, name: str, x: Any) -> Any:
        return Bessel.apply(name, x), in_dims[1]

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.name, x = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, w: Any) -> Any:
        return None, w * SLOPES[ctx.name](*ctx.saved_tensors)

    @staticmethod
    def jvp(ctx: Any, _: None, v: Any) -> Any:
        return v * SLOPES[ctx.name](*ctx.saved_tensors)


BY_SCIPY = {f"bessel_{name}": name for name in ("j0", "j1", "y0", "y1")}


def bessel(name: str) -> Function:
    return functools.partial(Bessel.apply, name)


J0, J1, Y0, Y1 = map(bessel, ("bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"))
K0, K1 = map(bessel, ("modified_bessel_k0", "modified_bessel_k1"))


def j1_slope(x: Any) -> Any:
    away = torch.where(x == 0, 1.0, x)
    return torch.where(x == 0, 0.5, J0(x) - J1(x) / away)


SLOPES: dict[str, Function] = {
    "bessel_j0": lambda x: -J1(x),
    "bessel_j1": j1_slope,
    "bessel_y0": lambda x: -Y1(x),
    "bessel_y1": lambda x: Y0(x) - Y1(x) / x,
    "modified_bessel_k0": lambda x: -K1(x),
    "modified_bessel_k1": lambda x: -K0(x) - K1(x) / x,
}
RIGHT: dict[Any, Function] = {
    getattr(torch.special, name): bessel(name) for name in SLOPES
}
CONSTRUCTORS = {
    *(torch.tensor, torch.as_tensor, torch.asarray, torch.full, torch.ones),
    *(torch.zeros, torch.empty, torch.eye, torch.arange, torch.linspace),
    *(torch.logspace, torch.rand, torch.randn),
}
LEAVING = {"__array__", "__complex__", "__float__", "item", "numpy", "tensor", "tolist"}
ON_PURPOSE = {"copysign", "detach", "detach_", "requires_grad_", "type"}


class Followed(TorchFunctionMode):  # type: ignore[misc]
    """While f runs: constants in float64, on one device, and no slope lost in silence.

    PyTorch's default would be float32. Its functions that leave the graph (`float`,
    ``torch.tensor`` of a tensor, ``torch.linspace``) give numbers, and the slope 0.
    """

    def __init__(self, device: str):
        super().__init__()
        self.where = device

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        inputs = [t for t in flat((args, kwargs)) if isinstance(t, torch.Tensor)]
        copies = function in CONSTRUCTORS and not isinstance(
            (*args, None)[0], torch.Tensor
        )
        if (copies or name in LEAVING) and any(map(depends, inputs)):
            raise lost(name)
        if function in CONSTRUCTORS:
            kwargs = {"device": self.where} | kwargs
        y = RIGHT.get(function, function)(*args, **kwargs)
        if not isinstance(y, torch.Tensor) or y.requires_grad or discrete(y):
            return y
        if function in CONSTRUCTORS and not inputs and "dtype" not in kwargs:
            double = DOUBLE.get(y.dtype)
            return y if double is None else function(*args, **kwargs, dtype=double)
        constant = name in ON_PURPOSE or name.endswith("_like") or name[:4] == "new_"
        home = getattr(function, "__module__", None) or ""
        if constant or home.startswith("torch.autograd") or depends(y):
            return y
        if any(map(depends, inputs)):
            raise lost(name)
        return y


def lost(name: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"PyTorch loses the slope of a tensor in {name}: f has to compute with tensors "
        "throughout, without float(), item(), NumPy or torch.tensor of one; "
        "torch.stack joins numbers, and x.detach() is how to mean a constant"
    )


def discrete(y: Any) -> bool:
    return not (y.is_floating_point() or y.is_complex())


def flat(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (tuple, list)):
        return [tree]
    return [leaf for branch in tree for leaf in flat(branch)]


def depends(y: Any) -> bool:
    """Whether a derivative in progress goes through y, by a tape or a tangent."""
    while isinstance(y, torch.Tensor):
        if y.requires_grad:
            return True
        if not discrete(y) and forward_ad.unpack_dual(y).tangent is not None:
            return True
        inner = func.debug_unwrap(y, recurse=False)
        if inner is y:
            return False
        y = inner
    return False


# NumPy's functions as PyTorch spells them


def tensor(x: Any) -> Any:
    """The tensor of an array, in the array's precision; a copy, contiguous."""
    if isinstance(x, torch.Tensor):
        return x
    return torch.from_numpy(np.array(x, order="C"))


def settled(y: Any) -> Any:
    if not discrete(y):
        return None
    y = func.debug_unwrap(y)
    return np.array(np.from_dlpack(y) if y.device.type == "cpu" else y.tolist())


def getitem(x: Any, index: Any) -> Any:
    """PyTorch has no slices that run backwards."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts):
        parts = tuple(p.numpy() if isinstance(p, torch.Tensor) else p for p in parts)
        return gather([x], np.arange(x.numel()).reshape(x.shape)[parts])
    return x[index]


def gather(arrays: list[Any], numbers: Any) -> Any:
    end_to_end = torch.cat([torch.ravel(x) for x in arrays])
    return end_to_end[tensor(numbers)]


def alike(function: Function) -> Function:
    """PyTorch's function with operands of one type, as NumPy would make them."""

    def run(*args: Any, **kwargs: Any) -> Any:
        args = tuple(tensor(x) if isinstance(x, (int, float)) else x for x in args)
        types = [x.dtype for x in args if isinstance(x, torch.Tensor)]
        common = functools.reduce(torch.promote_types, types)
        return function(
            *(x.to(common) if isinstance(x, torch.Tensor) else x for x in args),
            **kwargs,
        )

    return run


def stacked(*arrays: Any, axis: int) -> Any:
    return torch.stack(arrays, axis)


def flattened(function: Function) -> Function:
    """PyTorch's function along an axis, or of all items in a row."""

    def run(x: Any, axis: int | None = None, dtype: None = None) -> Any:
        return function(torch.ravel(x), 0) if axis is None else function(x, axis)

    return run


def reduced(function: Function) -> Function:
    """PyTorch's reduction over one axis at a time, also over several or all."""

    def run(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        if axis is None:
            y = function(torch.ravel(x), 0)
            return y.reshape((1,) * x.ndim) if keepdims else y
        return function(x, axis, keepdims)

    return run


def hermitian(a: Any, UPLO: str = "L") -> Any:
    """The matrix that one triangle stands for; PyTorch would mix in the other one."""
    lower = torch.tril(a) if UPLO == "L" else torch.triu(a).mH
    return lower + torch.tril(lower, -1).mH


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return torch.linalg.svdvals(a)
    return torch.linalg.svd(
        a, full_matrices=full_matrices and a.shape[-2] != a.shape[-1]
    )


def heaviside(x: Any, half: Any) -> Any:
    return torch.where(x == 0, half, (x > 0).to(half.dtype))


MEND: dict[str, Function] = {  # what PyTorch lacks, or takes differently
    "getitem": getitem,
    "argsort": lambda a, axis=-1, kind=None: torch.argsort(a, dim=axis, stable=True),
    "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
    "conjugate": lambda x: torch.complex(x.real, -x.imag) if x.is_complex() else x,
    "cumprod": flattened(torch.cumprod),
    "cumsum": flattened(torch.cumsum),
    "degrees": torch.rad2deg,
    "einsum": alike(torch.einsum),
    "fabs": torch.abs,
    "floor_divide": lambda a, b: torch.floor_divide(a.detach(), b.detach()),
    "heaviside": heaviside,
    "imag": lambda x: torch.imag(x) if x.is_complex() else torch.zeros_like(x),
    "linalg.cholesky": lambda a: torch.linalg.cholesky(hermitian(a)),
    "linalg.eigh": lambda a, UPLO="L": torch.linalg.eigh(hermitian(a, UPLO)),
    "linalg.solve": alike(torch.linalg.solve),
    "linalg.svd": svd,
    "matmul": alike(torch.matmul),
    "max": reduced(torch.amax),
    "meshgrid": lambda *xs, indexing="xy": torch.meshgrid(*xs, indexing=indexing),
    "min": reduced(torch.amin),
    "nonzero": lambda x: torch.nonzero(x, as_tuple=True),
    "power": torch.pow,
    "prod": reduced(torch.prod),
    "radians": torch.deg2rad,
    "reshape": lambda a, shape: torch.reshape(a, shape if np.ndim(shape) else (shape,)),
    "rint": torch.round,
    "stack": lambda arrays, axis=0: alike(stacked)(*arrays, axis=axis),
    "transpose": lambda x, axes=None: torch.permute(
        x, tuple(axes or range(x.ndim)[::-1])
    ),
    "j0": J0,
    "j1": J1,
    "y0": Y0,
    "y1": Y1,
    "k0": K0,
    "k1": K1,
}
APART = """
amax amin angle clip column_stack compress concatenate copy corrcoef cov cross diag
diagflat diagonal diff dot flip fliplr flipud full_like gradient histogram hsplit
inner interp kron linspace linalg.cond linalg.cross linalg.diagonal linalg.eigvalsh
linalg.lstsq linalg.tensorinv logspace median nanmean nanmedian nanquantile outer put
quantile roll rot90 select sort split std take tensordot tile trace trapezoid tril
triu unique unravel_index vander var vdot vsplit
""".split()
LIBRARY = Library(
    "pytorch",
    {"np": torch, "scipy.special": torch.special},
    asarray=tensor,
    mend=MEND,
    apart=APART,
    gather=gather,
    settled=settled,
    real_parts=lambda y, base: (
        [torch.real(y), torch.imag(y)] if y.is_complex() else [y.to(base.dtype)]
    ),
    refusals=(TypeError, NotImplementedError, RuntimeError),
)


def natively(
    transform: Function,
    f: Function,
    x: Any,
    *vectors: Any,
    device: str = "cpu",
    **order: int,
) -> Any:
    """Apply a transformation of PyTorch to f at x, and hand the arrays back."""

    def followed(x: Any) -> Any:
        with Followed(device):
            return f(x)

    native = Native(LIBRARY, followed, x)
    base, *others = (placed(LIBRARY.lower(a), device) for a in (base_of(x), *vectors))
    if base.is_complex():
        raise InputError("pytorch differentiates at real points here, not complex ones")
    try:
        return native.joined(map(raised, transform(native, base, *others, **order)))
    except RuntimeError as error:  # NotImplementedError is one of them
        words = str(error)
        if not ("derivative for" in words or "forward AD" in words):
            raise
        raise MissingRuleError(f"pytorch has no rule for it: {error}") from error


def placed(x: Any, device: str) -> Any:
    try:
        return tensor(x).to(device)
    except (RuntimeError, AssertionError) as error:
        known = ["cpu"]
        if torch.accelerator.is_available():
            known.append(str(torch.accelerator.current_accelerator()))
        raise no_device("pytorch", device, known) from error


def raised(leaf: Any) -> Any:
    """A result as NumPy's array, or lifted inside an outer derivative by PyTorch."""
    if func.debug_unwrap(leaf) is not leaf:
        return Lifted(leaf, LIBRARY)
    return leaf.numpy(force=True)


# The transformations: from f as PyTorch's function, and points, to lists of tensors.


def pushed(native: Function, base: Any, v: Any) -> Any:
    if FORWARD.get():
        return pulled_twice(native, base, v)
    with forwards():
        return func.jvp(native, (base,), (v,))[1]


@contextlib.contextmanager
def forwards() -> Iterator[None]:
    """A push is in progress: one at a time, for PyTorch counts those of all threads."""
    with PUSHING:
        token = FORWARD.set(True)
        try:
            yield
        finally:
            FORWARD.reset(token)


def pulled_twice(native: Function, base: Any, v: Any) -> Any:
    """J v as the gradient of w J v by w.

    Forward mode inside forward mode takes what has a rule of its own for a constant.
    """
    values, pullback = func.vjp(native, base)
    weights = tuple(map(torch.zeros_like, values))
    product = lambda *weights: torch.sum(pullback(list(weights))[0] * v)
    return list(func.grad(product, argnums=tuple(range(len(weights))))(*weights))


def recorded(native: Function, base: Any) -> tuple[Any, list[Function]]:
    """The values, and what pulls a weight of each one back."""
    values, pullback = func.vjp(native, base)
    return values, singly(pullback, list(map(torch.zeros_like, values)))


def columns_or_rows(native: Function, base: Any) -> Any:
    """By columns where there are few or no more than rows, else by rows."""
    size = base.numel()
    if not size:
        return [y.new_zeros(y.shape + base.shape) for y in native(base)]
    few = size <= FEW_COLUMNS or native(base)[0].numel() >= size
    if FORWARD.get() or not few:
        return func.jacrev(native)(base)
    with forwards():
        return func.jacfwd(native)(base)


sloped = sloping(recorded, torch.ones_like)

METHOD = Method(
    title="PyTorch",
    family="libraries",
    summary="Follow the program while it runs, with a rule for each operation.",
    exact=True,
    rtol=1e-13,
    options={"device": DEVICE},
    **operators(
        natively,
        jvp=pushed,
        vjp=pulling(recorded),
        derivative=nesting(pushed, torch.ones_like),
        jacobian=columns_or_rows,
        hessian=composed(columns_or_rows, sloped),  # forward over reverse
        hvp=composed(pushed, sloped),
    ),
    value=functools.partial(value_of, natively),
    handles=LIBRARY.knows,
    references=("paszke2019",),
)
