"""Look at what the library shows: the demo's page at two widths, and every plot, as pictures in ./look."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from matplotlib.axes import Axes

from msk_reserves.contracts.files import read_contract
from msk_reserves.cost.fit import fit_cost
from msk_reserves.recovery.model import fit_recovery
from msk_reserves.report.claim_plot import plot_claim, plot_remaining_days
from msk_reserves.report.files import REPORT, write_results
from msk_reserves.report.reserve_plots import plot_bands, plot_exceedance
from msk_reserves.report.run import DEMO_BUNDLE, contracts_of
from msk_reserves.report.survival_plot import plot_survival
from msk_reserves.reserves.forecast import forecast
from msk_reserves.samples.shipped import EXTRACT_DATE, load_sample

LOOK = Path("look")
WIDTHS = (1280, 390)
SCENARIOS = 2_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--virtual-time-budget=2000",
)  # fmt: skip
