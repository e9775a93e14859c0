"""Adjoints of recorded steps: the derivative is more steps on the same recording.

`pull` walks a recording backwards and pulls a cotangent through each step with the
rules that all methods share.  The rules are NumPy code, and the recording follows them
like any other, so a derivative of a derivative is the same walk once more.

A cotangent without axes stands for an array full of it.
"""

import functools
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from diffmethods import rules
from diffmethods.cotangents import fold
from diffmethods.errors import MissingRuleError
from diffmethods.pullbacks import MOVES, PULLBACKS, REARRANGED
from diffmethods.recording import Recorded, Recording
from diffmethods.steps import Step, each, filled, part, placed, spread
from diffmethods.tape import takes
from diffmethods.traced import Traced, leaves, qualified_name, rebuilt

# mypy: disable-error-code="no-untyped-call"

Function = Callable[..., Any]
Term = tuple[
    Any, ...
]  # (cotangent,) of the whole, or (index, cotangent, repeats) of a part


def pull(
    recording: Recording, seeds: list[tuple[Step, Any]], targets: list[Step]
) -> list[Any]:
    """Pull cotangents of some steps back to earlier ones.

    Parameters
    ----------
    seeds
        Steps with their cotangents.
    targets
        The steps whose cotangents are wanted.

    Returns
    -------
    list
        A cotangent for each target: an array, a stand-in or 0.0.
    """
    steps = recording.steps
    last = max(step.index for step, _ in seeds)
    active = varying(steps[: last + 1], targets)
    waiting: dict[int, list[Term]] = {}
    for step, w in seeds:
        if step.index in active:
            waiting.setdefault(step.index, []).append((w,))
    wanted = {step.index for step in targets}
    outside = recording.pulling
    try:
        with np.errstate(all="ignore"):
            for k in range(last, min(wanted) - 1, -1):
                if k in wanted or k not in waiting:
                    continue
                step = recording.pulling = steps[k]
                w = cotangent(step, waiting.pop(k))
                for operand, term in terms(recording, step, w, active):
                    waiting.setdefault(operand.index, []).append(term)
            found = []
            for step in targets:
                recording.pulling = step
                arrived = waiting.get(step.index)
                found.append(cotangent(step, arrived) if arrived else 0.0)
        return found
    finally:
        recording.pulling = outside


def varying(steps: list[Step], targets: list[Step]) -> set[int]:
    """The places of all steps that have a slope by one of the targets."""
    active = {step.index for step in targets}
    for step in steps[min(active) :]:
        if not step.fixed and any(operand.index in active for operand in step.operands):
            active.add(step.index)
    return active


def cotangent(step: Step, arrived: list[Term]) -> Any:
    """The sum of what arrived at a step, called after it."""
    w = joined_terms(step, arrived)
    if isinstance(w, Recorded) and w.step.of is None and w.step.args:
        w.step.of = step
    return w


def joined_terms(step: Step, arrived: list[Term]) -> Any:
    """The sum of what arrived at a step."""
    if step.several:
        return dict(arrived)
    wholes = [term[0] for term in arrived if len(term) == 1]
    pairs = tuple(term for term in arrived if len(term) == 3)
    total = functools.reduce(sum_of, wholes) if wholes else None
    if not pairs:
        return total
    values = [total, *(value for _, value, _ in pairs)]
    recorded = [x for x in leaves((total, *pairs)) if isinstance(x, Recorded)]
    if not recorded:
        return placed(step.shape, total, *pairs)
    result = recorded[0].recording.call(placed, (step.shape, total, *pairs), {})
    if all(is_masked(v) for v in values if v is not None):
        result.step.mask = True
    return result


def sum_of(a: Any, b: Any) -> Any:
    total = a + b
    if is_masked(a) and is_masked(b):
        total.step.mask = total.step.mask or True
    return total


def is_masked(w: Any) -> bool:
    return isinstance(w, Recorded) and w.step.mask is not None


def masked_like(result: Any, w: Any) -> Any:
    """The result of something linear in a cotangent that is 0 in places."""
    if is_masked(w) and isinstance(result, Recorded) and result.step.mask is None:
        result.step.mask = True
    return result


def terms(
    recording: Recording, step: Step, w: Any, active: set[int]
) -> Iterator[tuple[Step, Term]]:
    """What a step's cotangent gives to each of its operands."""
    function = step.function
    rule = ADJOINTS.get(function)
    if rule is None and function in PULLBACKS and by_pullbacks(recording, step):
        rule = through_pullbacks
    if rule is None and function in MOVES:
        rule = through_places
    if rule is None and rules.partials(function):
        rule = through_partials
    if rule is None and function in rules.PUSHFORWARDS:
        rule = through_pushforward
    if rule is None:
        raise MissingRuleError(
            f"numpy_source has no rule for {qualified_name(function)}"
        )
    if rule is not through_partials and not isinstance(w, dict):
        w = enlarged(w, step.shape)
    for operand, term in rule(recording, step, w, active):
        if operand.index in active:
            value = term[0] if len(term) == 1 else term[1]
            yield operand, masked_term(term, value, w)


def enlarged(w: Any, shape: tuple[int, ...]) -> Any:
    """A cotangent that broadcasts to the step's shape, in it; a number stays one."""
    if shape_of(w) in ((), shape) or len(shape_of(w)) > len(shape):
        return w
    return masked_like(np.broadcast_to(w, shape), w)


def masked_term(term: Term, value: Any, w: Any) -> Term:
    if not isinstance(w, dict):
        masked_like(value, w)
    return term


# Elementwise functions


def through_partials(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """The cotangent times each partial derivative."""
    y, xs = recording.wrap(step), recording.restored(step.args)
    partials = rules.partials(step.function, y) or ()
    for operand, partial in zip(step.args, partials, strict=True):
        if isinstance(operand, Step) and operand.index in active:
            factor = partial(y, *xs)
            if not (isinstance(factor, float) and factor == 0):
                yield operand, (folded(times(w, factor), operand, step),)


def times(w: Any, partial: Any) -> Any:
    """The product; where a mask has made w 0 it is 0, even times infinity."""
    if not isinstance(partial, Recorded) or not is_masked(w):
        return w * partial
    mask = w.step.mask
    if mask is True or mask.shape != shape_of(partial) or mask.shape != w.shape:
        product: Any = np.where(w == 0, 0.0, w * partial)
        product.step.mask = True
        return product
    condition = w.recording.wrap(mask)
    inner = w.recording.restored(w.step.args[1]) if w.step.function is np.where else w
    product = np.where(condition, inner * partial, 0.0)
    product.step.mask = mask
    return product


def folded(w: Any, operand: Step, step: Step) -> Any:
    """The cotangent of an operand that broadcasting had enlarged, or that is real."""
    if len(shape_of(w)) == 0:
        if operand.shape != step.shape:
            w = w * (step.size / operand.size) if operand.size else 0.0
    elif operand.shape != step.shape:
        w = fold(enlarged(w, step.shape), operand.shape, 0)
    return of_kind(w, operand)


def of_kind(w: Any, operand: Step) -> Any:
    """The cotangent of an operand that may be real."""
    return np.real(w) if operand.dtype.kind != "c" and is_complex(w) else w


def shape_of(w: Any) -> tuple[int, ...]:
    return w.shape if isinstance(w, Recorded) else np.shape(w)


def is_complex(w: Any) -> bool:
    return w.dtype.kind == "c" if isinstance(w, Recorded) else np.iscomplexobj(w)


def whole(w: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent with an item for each of the value's."""
    if len(shape_of(w)):
        return w
    return (
        np.broadcast_to(w, shape)
        if shape
        else w + np.float64(0.0)
        if isinstance(w, float)
        else w
    )


def through_where(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """Each branch has the cotangent where it was chosen, and 0 elsewhere."""
    condition, *branches = step.args
    for operand, chosen in zip(branches, (True, False), strict=True):
        if not (isinstance(operand, Step) and operand.index in active):
            continue
        if isinstance(condition, Step):
            mask = recording.wrap(condition)
            mask = mask if chosen else np.logical_not(mask)
        else:
            mask = recording.held(condition)
            mask = mask if chosen else np.logical_not(mask)
        full = w if shape_of(mask) == step.shape else whole(w, step.shape)
        if (
            is_masked(full)
            and full.step.function is np.where
            and isinstance(mask, Recorded)
        ):
            before = full.step.mask
            if isinstance(before, Step) and before.shape == mask.shape:
                mask = np.logical_and(mask, recording.wrap(before))
                full = recording.restored(full.step.args[1])
        dx = np.where(mask, full, 0.0)
        if isinstance(dx, Recorded):
            exact = isinstance(mask, Recorded) and mask.shape == dx.shape
            dx.step.mask = mask.step if exact else True
        yield operand, (folded(dx, operand, step),)


# Sums, products and the rest of linear algebra


def through_sum(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """All items of a sum have its cotangent; of the whole sum, one for all."""
    operand = step.args[0]
    if not step.shape or len(shape_of(w)) == 0:
        dx = np.reshape(w, ()) if len(shape_of(w)) else w
        yield operand, (dx,)
    else:
        yield from through_pullbacks(recording, step, w, active)


def by_pullbacks(recording: Any, step: Step) -> bool:
    pulls = PULLBACKS[step.function]
    return all(
        pull is None or takes(pull, step.args, step.kwargs)
        for pull in pulls[: len(step.args)]
    )


def through_pullbacks(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    y, xs = recording.wrap(step), recording.restored(step.args)
    named = {key: recording.restored(item) for key, item in step.kwargs.items()}
    if step.function in REARRANGED and len(shape_of(w)) == 0:
        yield step.args[0], (w,)
        return
    w = whole(w, step.shape)
    for operand, pulled in zip(step.args, PULLBACKS[step.function], strict=False):
        if pulled and isinstance(operand, Step) and operand.index in active:
            dx = pulled(w, y, *xs, **named)
            if shape_of(dx) == operand.shape:
                yield operand, (of_kind(dx, operand),)
            else:
                yield operand, (folded(dx, operand, step),)


def through_pushforward(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """A pushforward is linear in the tangents, so it can be pulled back itself."""
    count = rules.OPERANDS.get(step.function, 1)
    operands, others = step.args[:count], recording.restored(step.args[count:])
    named = {key: recording.restored(item) for key, item in step.kwargs.items()}
    inputs, tangents = [], []
    for operand in operands:
        shape = np.shape(recording.held(operand))
        kind = complex if np.iscomplexobj(recording.held(operand)) else float
        tangent: Any = np.zeros(shape, kind)[()]
        if isinstance(operand, Step) and operand.index in active:
            stand_in = recording.input(tangent, "tangent", slope=True)
            inputs.append((operand, stand_in.step))
            tangent = stand_in
        tangents.append(tangent)
    push = rules.PUSHFORWARDS[step.function]
    _, dy = push(*recording.restored(operands), *tangents, *others, **named)
    if isinstance(w, dict):
        seeds = [(dy[k].step, v) for k, v in w.items() if is_slope(recording, dy[k])]
    else:
        seeds = [(dy.step, w)] if is_slope(recording, dy) else []
    if seeds:
        found = pull(recording, seeds, [tangent for _, tangent in inputs])
        for (operand, _), dx in zip(inputs, found, strict=True):
            yield operand, (dx,)


def through_custom_rule(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """A function's own rule: as it is if it pulls back, else as any pushforward."""
    rule, named = step.kwargs["rule"], recording.restored(step.kwargs["named"])
    if rule.vjp is None:
        yield from through_pushforward(recording, step, w, active)
        return
    y, xs = recording.wrap(step), recording.restored(step.args)
    found = rule.cotangents(y, xs, completed(w, y), named)
    for k, (operand, dx) in enumerate(zip(step.args, found, strict=True)):
        if isinstance(operand, Step) and operand.index in active:
            if dx is None:
                raise rule.no_derivative(k)
            yield operand, (of_kind(dx, operand),)


def completed(w: Any, y: Any) -> Any:
    """A cotangent for each of a call's results; 0 for those that nothing needs."""
    if isinstance(y, (tuple, list)):
        known = w if isinstance(w, dict) else {}
        return rebuilt(y, [completed(known.get(k, 0.0), p) for k, p in enumerate(y)])
    return whole(w, np.shape(y))


def is_slope(recording: Any, dy: Any) -> bool:
    return isinstance(dy, Recorded) and dy.recording is recording


def to_several(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """The cotangent of one of a call's results."""
    several, k = step.args
    yield several, (k, w)


# Items that move


def through_index(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """What was taken from an index is added there."""
    operand, index = step.args
    yield operand, (recording.restored(index), w, may_repeat(recording, index, operand))


def may_repeat(recording: Any, index: Any, operand: Step) -> bool:
    """Whether an index of numbers may take an item twice."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [
        i for i in parts if not isinstance(i, slice) and np.ndim(recording.held(i))
    ]
    if any(isinstance(i, Step) and i.dtype.kind != "b" for i in arrays):
        return True
    if all(np.asarray(recording.held(i)).dtype.kind == "b" for i in arrays):
        return False
    numbers = np.arange(operand.size).reshape(operand.shape)
    taken = np.ravel(numbers[recording.held(index)])
    return len(np.unique(taken)) < len(taken)


def through_take_along(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """In one dimension this is an index; an order names each item once."""
    operand, index, *_ = step.args
    if len(step.shape) != 1 or not isinstance(index, Step) or len(shape_of(w)) == 0:
        yield from through_places(recording, step, w, active)
    else:
        term = recording.wrap(index), w, index.function is not np.argsort
        yield operand, term


def through_det(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """Jacobi's formula; what the cofactors do, nests through their minors."""
    (operand,) = step.args
    a = recording.wrap(operand)
    if isinstance(operand.held, Traced):
        cofactors = rules.cofactors_by_minors(a)
    else:
        cofactors = recording.call(rules.cofactors_by_svd, (a,), {})
    yield operand, ((w[..., None, None] if len(shape_of(w)) else w) * cofactors,)


def through_cofactors(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    (operand,) = step.args
    minors = rules.cofactors_by_minors(recording.wrap(operand))
    yield operand, tuple(pull(recording, [(minors.step, w)], [operand]))


def through_placed(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    _, total, *pairs = step.args
    if isinstance(total, Step):
        dx = w if total.shape else np.sum(whole(w, step.shape))
        yield total, (of_kind(dx, total),)
    for index, value, _ in pairs:
        if isinstance(value, Step):
            at = recording.restored(index)
            dx = w if len(shape_of(w)) == 0 else w[at]
            size = np.shape(np.broadcast_to(0.0, step.shape)[recording.held(index)])
            if value.shape != size:
                dx = fold(whole(dx, size), value.shape, 0)
            yield value, (of_kind(dx, value),)


def through_spread(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    places = recording.restored(step.args[0])
    yield step.args[1], (w if len(shape_of(w)) == 0 else w[places],)


def through_filled(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    yield step.args[1], (np.sum(whole(w, step.shape)),)


def through_concatenate(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """Each piece gets its part."""
    axis = joining_axis(step)
    lead = 0 if axis is None else axis % len(step.shape)
    start = 0
    for piece in step.args[0]:
        shape = np.shape(recording.held(piece))
        stop = start + joined_length(step, shape, axis)
        if isinstance(piece, Step) and piece.index in active:
            index = (*(slice(None),) * lead, slice(start, stop))
            dx = w if len(shape_of(w)) == 0 else w[index if lead else index[0]]
            if len(shape_of(dx)) and shape_of(dx) != shape:
                dx = np.reshape(dx, shape)
            yield piece, (folded(dx, piece, piece),)
        start = stop


def joining_axis(step: Step) -> int | None:
    """The axis along which pieces are put together; None after flattening them."""
    if step.function is np.vstack:
        return 0
    if step.function is np.hstack:
        return 0 if len(step.shape) == 1 else 1
    axis: int | None = (
        step.args[1] if len(step.args) > 1 else step.kwargs.get("axis", 0)
    )
    return axis


def joined_length(step: Step, shape: tuple[int, ...], axis: int | None) -> int:
    """How long a piece is along that axis."""
    if axis is None or not shape:
        return math.prod(shape)
    if step.function is np.vstack and len(shape) == 1:
        return 1
    return shape[axis]


def through_stack(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    axis = step.args[1] if len(step.args) > 1 else step.kwargs.get("axis", 0)
    lead = axis % len(step.shape)
    for k, piece in enumerate(step.args[0]):
        if isinstance(piece, Step) and piece.index in active:
            index = (*(slice(None),) * lead, k) if lead else k
            dx = w if len(shape_of(w)) == 0 else w[index]
            yield piece, (folded(dx, piece, piece),)


def through_copy(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    yield step.args[0], (w,)


def through_places(recording: Any, step: Step, w: Any, active: set[int]) -> Any:
    """Any other rearrangement, run on the numbers of its items."""
    others = recording.restored(step.args[1:])
    named = {key: recording.restored(item) for key, item in step.kwargs.items()}
    operands = list(dict.fromkeys(each(step.args[0])))
    live = any(each(step.args[1:]))  # a place that varies; then no item is a constant
    starts, start = {}, 0 if live else 1
    for operand in operands:
        starts[operand] = start
        start += operand.size

    def numbered(tree: Any) -> Any:
        if isinstance(tree, (tuple, list)):
            return type(tree)(map(numbered, tree))
        if isinstance(tree, Step):
            stop = starts[tree] + tree.size
            return np.arange(starts[tree], stop).reshape(tree.shape)
        return np.zeros(np.shape(recording.held(tree)), int)

    source = step.function(numbered(step.args[0]), *others, **named)
    flat = flattened(whole(w, step.shape))
    for operand in operands:
        if operand.index in active:
            dx = taken_back(flat, source, starts[operand], operand)
            yield operand, (folded(dx, operand, operand),)


def taken_back(flat: Any, source: Any, start: int, operand: Step) -> Any:
    """The weights of the items that come from one operand."""
    places = flattened(source) - start if start else flattened(source)
    if isinstance(places, Recorded):
        return unflattened(scattered(flat, places, operand.size), operand.shape)
    mine = np.flatnonzero((places >= 0) & (places < operand.size))
    weights = flat if len(mine) == np.size(places) else flat[mine]
    places = places[mine]
    if np.array_equal(np.sort(places), np.arange(operand.size)):
        order = np.argsort(places)
        dx = (
            weights
            if np.array_equal(order, places[order])
            and np.array_equal(order, np.arange(len(order)))
            else weights[order]
        )
    else:
        dx = scattered(weights, places, operand.size)
    return unflattened(dx, operand.shape)


def flattened(x: Any) -> Any:
    return x if np.ndim(x) == 1 else np.ravel(x)


def unflattened(x: Any, shape: tuple[int, ...]) -> Any:
    return x if len(shape) == 1 else np.reshape(x, shape)


def scattered(weights: Any, places: Any, size: int) -> Any:
    """Add each weight to its place; the parts of a complex one apart."""
    if np.iscomplexobj(weights):
        parts = (
            scattered(part, places, size)
            for part in (np.real(weights), np.imag(weights))
        )
        return next(parts) + 1j * next(parts)
    for x in (weights, places):
        if isinstance(x, Recorded):
            return x.recording.call(spread, (places, weights, size), {})
    return spread(places, weights, size)


ADJOINTS: dict[Function, Any] = {
    np.where: through_where,
    np.sum: through_sum,
    np.concatenate: through_concatenate,
    np.hstack: through_concatenate,
    np.vstack: through_concatenate,
    np.stack: through_stack,
    np.take_along_axis: through_take_along,
    np.linalg.det: through_det,
    rules.cofactors_by_svd: through_cofactors,
    rules.applied: through_custom_rule,
    np.copy: through_copy,
    np.array: through_copy,
    operator.getitem: through_index,
    part: to_several,
    placed: through_placed,
    spread: through_spread,
    filled: through_filled,
}
