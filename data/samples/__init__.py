"""Synthetic workers' compensation claims that come with msk_reserves, each sample with its card."""
