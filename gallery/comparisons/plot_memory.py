r"""
Memory of a gradient
====================

Reverse mode needs the values of the way there on its way back. How much memory is that,
and what does it cost to do with less?
"""

# %%
# A long loop
# -----------
# Each step of this program makes a few arrays of 1,000 items out of one. The number of
# steps is what grows.

import functools
import gc
import math
import timeit
import tracemalloc

import numpy as np

import diffmethods as dm
from diffmethods.checkpointing import checkpoint
from diffmethods.plotting import plot_curves

x = np.linspace(0.5, 1.5, 1_000)


def walk(x, steps):
    for _ in range(steps):
        x = x + 0.01 * np.cos(x) * x
    return x


def loop(steps, x):
    return np.sum(walk(x, steps))


# %%
# The same in blocks: :func:`~diffmethods.checkpoint` keeps what enters a
# block and forgets what happens inside, to run it again when the sweep comes back. With
# a block of the root of the number of steps, both the blocks and what is inside one are
# of that number.


def blocked_loop(steps, x):
    size = math.isqrt(steps)
    block = checkpoint(lambda x: walk(x, size))
    for _ in range(size):
        x = block(x)
    return np.sum(x)


def forward(steps):
    push = dm.jvp(functools.partial(loop, steps), method="dual_numbers")
    return lambda x: push(x, np.ones(1_000))


def reverse(program, method):
    return lambda steps: dm.gradient(functools.partial(program, steps), method=method)


ways = {
    "f alone": lambda steps: functools.partial(loop, steps),
    "forward, one direction": forward,
    "tape": reverse(loop, "reverse_tape"),
    "tape with checkpoints": reverse(blocked_loop, "reverse_tape"),
    "source": reverse(loop, "numpy_source"),
}

# %%
# What is measured
# ----------------
# ``tracemalloc`` sees the memory that Python and NumPy ask for. Its peak during a call,
# less what was there before, is given here in arrays of the size of x. Libraries with a
# memory of their own, such as PyTorch and JAX, are invisible to it, and absent here.
# The source of a loop is the loop unrolled, hence it is written for short ones only.


def peak(run):
    """The most memory that a call needs, in units of x."""
    run(x)
    gc.collect()
    tracemalloc.start()
    run(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / x.nbytes


STEPS = (4, 16, 64, 256, 1_024)
memory = {
    name: [peak(make(n)) if name != "source" or n <= 64 else np.nan for n in STEPS]
    for name, make in ways.items()
}

# %%

ax = plot_curves(
    STEPS,
    memory,
    title="A tape grows with the program, checkpoints with the root of it",
    xlabel="steps of the program",
    ylabel="peak memory (arrays of the size of x)",
)
ax.set(xscale="log", yscale="log")
for line, marker in zip(ax.lines, "os^Dv", strict=True):
    line.set(marker=marker)
legend = ax.legend()

# %%
# The growth from 64 to 1,024 steps, sixteen times the steps:

for name, amounts in memory.items():
    if np.isfinite(amounts[-1]):
        print(f"{name:24s} {amounts[-1] / amounts[2]:5.1f} times")
growth = {name: amounts[-1] / amounts[2] for name, amounts in memory.items()}
assert memory["forward, one direction"][-1] < memory["tape"][-1] / 20
assert growth["tape"] > 10
assert growth["tape with checkpoints"] < 8

# %%
# The price of forgetting
# -----------------------
# A checkpointed block is evaluated once, and recorded later. In units of the time of f:


def seconds(run):
    return min(timeit.repeat(lambda: run(x), number=1, repeat=5))


base = seconds(ways["f alone"](256))
for name in ("tape", "tape with checkpoints", "forward, one direction"):
    print(f"{name:24s} {seconds(ways[name](256)) / base:5.1f} times f")

# %%
# If a gradient runs out of memory, put :func:`~diffmethods.checkpoint`
# around blocks of about the root of the number of steps :cite:p:`griewank2008`. It
# costs a second recording of f, and nothing in exactness:

plain, blocked = (ways[name](256)(x) for name in ("tape", "tape with checkpoints"))
assert np.allclose(plain, blocked, rtol=1e-13)
np.max(np.abs(plain / blocked - 1))
