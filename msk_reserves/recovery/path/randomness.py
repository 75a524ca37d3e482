"""Random numbers of recovery, keyed by seed and name."""

import hashlib

import numpy as np


def keyed_generator(seed: int, name: str) -> np.random.Generator:
    """Return a generator keyed by seed and move, so that one move's draws do not depend on which others exist."""
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key])))
