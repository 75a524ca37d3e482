"""Random numbers that belong to a claim: a future does not change when other claims come and go.

A uniform number is a hash of (seed, claim, slot, scenario), so any part of any future can be drawn alone, in any order,
on any machine. The hash is the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, section 5), whose
stream n steps on is `mix(key + n * GOLDEN)`.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats
from msk_reserves.episodes.compiled import inlined

Keys = npt.NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
HALF_STEP = 2.0**-54
STEP = 2.0**-53


def key_of(seed: int, name: str) -> int:
    """Return the 64-bit key of a named stream: BLAKE2b of the seed and the name.

    Examples
    --------
    >>> key_of(7, "C-001") == key_of(7, "C-001"), key_of(7, "C-001") == key_of(8, "C-001")
    (True, False)
    """
    return int.from_bytes(blake2b(f"{seed}:{name}".encode(), digest_size=8).digest(), "little")


def keys_of(seed: int, names: Sequence[str]) -> Keys:
    """Return the keys of named streams, shape (n_names,)."""
    return np.array([key_of(seed, name) for name in names], dtype=np.uint64)


def uniforms(keys: Keys, scenario: Keys, slot: Keys | int) -> Floats:
    """Return one uniform number in (0, 1) an element.

    Parameters
    ----------
    keys : key of the element's claim, shape (m,).
    scenario : scenario number of the element, below 2**40, shape (m,).
    slot : which draw of the path this is, below 2**24; the same slot of the same future is always the same number.

    Returns
    -------
    numpy.ndarray
        Uniforms, shape (m,); never 0 nor 1.
    """
    counter = (np.asarray(slot, dtype=np.uint64) << np.uint64(40)) + scenario
    bits = keys + counter * GOLDEN
    bits ^= bits >> np.uint64(30)
    bits *= FIRST
    bits ^= bits >> np.uint64(27)
    bits *= SECOND
    bits ^= bits >> np.uint64(31)
    uniform = (bits >> np.uint64(11)).astype(np.float64)
    uniform *= STEP
    uniform += HALF_STEP
    return uniform


def _uniform(key: np.uint64, scenario: int, slot: int) -> float:
    """Return one number of `uniforms`, for the inner loop."""
    counter = (np.uint64(slot) << np.uint64(40)) + np.uint64(scenario)
    bits = key + counter * GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * SECOND
    bits = bits ^ (bits >> np.uint64(31))
    return float(bits >> np.uint64(11)) * STEP + HALF_STEP


uniform_of = inlined(_uniform)


def generator(seed: int, name: str) -> np.random.Generator:
    """Return numpy's generator for a named stream, for draws that have no closed inverse."""
    return np.random.Generator(np.random.Philox(key=key_of(seed, name)))
