"""Look at what the library shows: the demo's page at two widths, and every plot, as pictures in ./look."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.image import imread, imsave

from msk_reserves.cost.fit import fit_cost
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.recovery.quality.verdict import assess_recovery
from msk_reserves.report.claim_plot import plot_claim, plot_remaining_days
from msk_reserves.report.files import REPORT, write_results
from msk_reserves.report.quality_plots import (
    plot_brier,
    plot_calibration,
    plot_cox_snell,
    plot_predicted_and_observed,
)
from msk_reserves.report.reserve_plots import plot_bands, plot_exceedance
from msk_reserves.report.run import contracts_of, demo_bundle
from msk_reserves.report.style import shown
from msk_reserves.report.survival_plot import plot_survival
from msk_reserves.reserves.forecast import forecast
from msk_reserves.samples.shipped import EXTRACT_DATE, load_sample

LOOK = Path("look")
WIDTHS = (1280, 390)
SCENARIOS = 1_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--virtual-time-budget=2000",
)  # fmt: skip
"""What a browser needs to take a picture and do nothing else."""

SLICE = 2400
"""Height of one picture of a page, pixels: about what can be looked at in one go."""

MOST_SLICES = 20
MARGIN = 40
NARROWEST = 500
"""Windows cannot be narrower than this, so the page stands in a frame of its own width, with a margin."""

WINDOW_FRAME = 200
"""Pixels of a window's height that its frame may take from the page."""


def main() -> int:
    """Make the demo's page and plots, and take their pictures."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"no browser on the path; install one of {', '.join(BROWSERS)}", file=sys.stderr)
        return 1
    shutil.rmtree(LOOK, ignore_errors=True)
    LOOK.mkdir()
    page = _demo()
    for width in WIDTHS:
        for picture in pictures_of(browser, page, width):
            print(picture)
    return 0


def _demo() -> Path:
    """Forecast the shipped sample, save every plot, and return the page."""
    book = load_sample("portfolio").as_of(EXTRACT_DATE)
    recovery = fit_recovery(book)
    cost = fit_cost(book, recovery)
    found = forecast(book, recovery, cost, contracts_of([demo_bundle()]), scenarios=SCENARIOS, seed=7)
    off = book.claims["claim_id"][book.position.off_work()].iloc[0]
    judged = assess_recovery(recovery, book)
    first = judged.judged[0]
    plots = {
        "bands": plot_bands(found),
        "exceedance": plot_exceedance(found),
        "survival": plot_survival(recovery, book),
        "claim": plot_claim(found, off),
        "remaining_days": plot_remaining_days(recovery, book, off),
        "calibration": plot_calibration([first.calibration(day) for day in first.horizons.tolist()]),
        "cox_snell": plot_cox_snell(judged.residuals[0]),
        "predicted_and_observed": plot_predicted_and_observed(judged.groups[0]),
        "brier": plot_brier(first.brier()),
    }
    for name, axes in plots.items():
        (LOOK / f"{name}.png").write_bytes(shown(axes))
        print(LOOK / f"{name}.png")
    return write_results(found, LOOK, recovery=recovery, cost=cost)[REPORT]


def pictures_of(browser: str, page: Path, width: int) -> list[Path]:
    """Take pictures of a page from top to bottom, until one is empty.

    Parameters
    ----------
    browser : the program.
    page : the page.
    width : of the page, CSS pixels.
    """
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for place in range(MOST_SLICES):
            frame = Path(folder) / "frame.html"
            frame.write_text(
                f'<body style="margin:0;background:#888"><div style="width:{width}px;height:{SLICE}px;overflow:hidden;'
                f'margin:0 {MARGIN}px"><iframe src="{page.resolve().as_uri()}" style="border:0;width:{width}px;'
                f'height:{SLICE * MOST_SLICES}px;margin-top:-{place * SLICE}px"></iframe></div></body>',
                encoding="utf-8",
            )
            picture = LOOK / f"report_{width}_{place + 1}.png"
            _take(browser, frame, picture, width=width + 2 * MARGIN, profile=Path(folder) / "profile")
            inside = imread(picture)[:SLICE, MARGIN : MARGIN + width, :3]
            if (inside == inside[-1, -1]).all():
                picture.unlink()
                break
            imsave(picture, np.ascontiguousarray(inside))
            taken.append(picture)
    return taken


def _take(browser: str, page: Path, picture: Path, *, width: int, profile: Path) -> None:
    """Take one picture."""
    size = f"--window-size={max(width, NARROWEST)},{SLICE + WINDOW_FRAME}"
    own = (f"--user-data-dir={profile}", f"--screenshot={picture.resolve()}", size, page.as_uri())
    subprocess.run([browser, *QUIET, *own], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
