"""Reserves for workers' compensation musculoskeletal claims, under fee for service and under bundled contracts."""

__version__ = "0.1.0"
