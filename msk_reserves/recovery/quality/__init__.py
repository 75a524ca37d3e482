"""Whether it may be relied on: calibration, scores, residuals and a verdict."""
