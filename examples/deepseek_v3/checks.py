"""Compares what a run left in the tensors with golden.py, value by value."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import golden
import numpy as np
from config import Config

from pto_wsp import DType

TOLERANCE = {DType.F32: 1e-4, DType.F16: 2e-2, DType.BF16: 6e-2}
"""Largest max |a - b| / max |b|."""

CHECKED_IN_FULL = 1 << 29
"""Routed weights up to which every token's output is checked; NumPy has to make them all again."""

SAMPLED_TOKENS = (37, 201)
"""Checked otherwise."""

SCORE_ROUNDING = 1e-6
"""What f32 may add to a score between its logit and its place in the order."""


@dataclass(frozen=True)
class Check:
    name: str
    found: str
    passed: bool


def check_layer(c: Config, t: SimpleNamespace) -> list[Check]:
    checks: list[Check] = []
    for b in range(c.batch):
        checks += check_sequence(c, t, b)
    return checks


def check_decode(c: Config, t: SimpleNamespace) -> list[Check]:
    """What one step of decoding has computed, with the cache as it was before."""
    latents, keys = golden.f64(t.cache.latent), golden.f64(t.cache.k_pe)
    places = t.cache.position.numpy()[:, 0]
    for b, place in enumerate(places):
        if not np.array_equal(latents[b, place], golden.f64(t.latent[0, b])):
            return [Check(f"cache of sequence {b}", "the token's latent is not there", False)]
    caches = [(latents[b, :place], keys[b, :place]) for b, place in enumerate(places)]
    return check_values(c, t, 0, golden.decode(c, t, golden.f64(t.x[0]), caches))


def check_sequence(c: Config, t: SimpleNamespace, b: int) -> list[Check]:
    return check_values(c, t, b, golden.attention(c, t, golden.f64(t.x[b])))


def check_values(
    c: Config, t: SimpleNamespace, b: int, before: dict[str, golden.Array]
) -> list[Check]:
    """`before` is what comes before the experts."""
    chosen = t.chosen[b].numpy().astype(np.int64)
    checks = [compare(c, name, getattr(t, name)[b].numpy(), before[name]) for name in before]
    own, exact = golden.f64(t.logits[b]), before["logits"]
    checks.append(check_choice(c, t, own, chosen, SCORE_ROUNDING, "by its logits"))
    limit = np.abs(golden.sigmoid(own) - golden.sigmoid(exact)).max(axis=-1) + SCORE_ROUNDING
    checks.append(check_choice(c, t, exact, chosen, limit, "by golden logits"))
    if any(not check.passed for check in checks):
        return checks  # experts that cannot be trusted are no input for the rest
    sampled = [token % c.seq for token in SAMPLED_TOKENS]
    tokens = list(range(c.seq)) if c.routed_elements <= CHECKED_IN_FULL else sampled
    x1, h2, logits = (before[name][tokens] for name in ("x1", "h2", "logits"))
    after = golden.moe(c, t, x1, h2, logits, chosen[tokens])
    for name, expected in after.items():
        value = getattr(t, name)[b].numpy()[tokens]
        expected = expected.reshape(value.shape)
        checks.append(compare(c, name, value, expected, f"{len(tokens)} tokens"))
    return checks


def compare(c: Config, name: str, value: Any, expected: golden.Array, what: str = "all") -> Check:
    error, tolerance = golden.error(value, expected), TOLERANCE[c.dtype]
    found = f"error {error:.1e}, at most {tolerance:.0e}"
    return Check(f"{name} ({what})", found, error <= tolerance)


def check_choice(
    c: Config, t: SimpleNamespace, logits: golden.Array, chosen: Any, limit: Any, given: str
) -> Check:
    """The same sets of experts where scores that are off by `limit` change nothing."""
    expected, slack = golden.choose(c, t, logits)
    decided = slack > limit
    different = (np.sort(chosen) != np.sort(expected)).any(axis=-1)
    wrong = int((decided & different).sum())
    found = f"{int(decided.sum())} of {c.seq} tokens beyond rounding, {wrong} differ"
    return Check(f"chosen ({given})", found, wrong == 0 and bool(decided.any()))
