"""The page: everything an actuary needs is in it, nothing from outside, and the same bytes each time."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from msk_reserves.cost.fit import fit_cost
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.recovery.quality.verdict import assess_recovery
from msk_reserves.report.page import report_html, write_report
from msk_reserves.reserves.forecast import Forecast
from tests.worlds.forecasts import ledger_book, made_forecast, undated_book

RECOVERY = fit_recovery(ledger_book(), candidates=("weibull", "lognormal"), covariates=())
COST = fit_cost(ledger_book(), RECOVERY)

ASOP_43 = (
    "Purpose", "Intended measure", "Gross or net", "Time value", "Components", "Claims covered",
    "Claims not yet reported", "Dates", "Uncertainty", "Basis of the ranges", "Change from a prior estimate", "Data",
    "Models",
)  # fmt: skip


class Page(HTMLParser):
    """The tags, attributes and words of a page; every tag that needs an end must have it."""

    VOID = frozenset(("meta", "img", "br", "hr", "link", "input"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"never closed: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and what it carries."""
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a tag, in order."""
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> out of order")

    def handle_data(self, data: str) -> None:
        """Collect words."""
        self.words.append(data)

    def text(self) -> str:
        """Return the words with single spaces, the style left out."""
        return " ".join(" ".join(self.words).split())


def full_page(forecast: Forecast | None = None) -> str:
    """Return a page with everything that may be in one."""
    return report_html(forecast or made_forecast(), recovery=RECOVERY, cost=COST)


def test_nothing_comes_from_outside() -> None:
    """No address, script, link, frame or font outside the page: every image is in it."""
    text = full_page()
    page = Page(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"data:image/svg\+xml;base64,[\w+/=]+", "", text))
    assert not {"script", "link", "iframe", "object", "embed", "form"} & {tag for tag, _, _ in page.attributes}
    sources = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action"}]
    assert len(sources) == 5
    assert all(value.startswith("data:image/svg+xml;base64,") for value in sources)
    assert all(value for tag, name, value in page.attributes if (tag, name) == ("img", "alt"))


def test_everything_required_is_there() -> None:
    """Figures, certainty with its price and caveat, claims, data, models, absences, disclosures and manifest."""
    forecast = made_forecast()
    words = Page(full_page(forecast)).text()
    for name, reserve in forecast.reserves.items():
        for part in reserve.parts():
            low, high = reserve.band(0.9, part)
            figures = (reserve.mean(part), reserve.standard_deviation(part), low, reserve.quantile(0.5, part), high,
                       reserve.tail_mean(0.95, part), reserve.monte_carlo_error(part))  # fmt: skip
            assert " ".join((part, *(f"{dollars:,.0f}" for dollars in figures))) in words, (name, part)
    made = forecast.manifest
    needed = [
        forecast.what_a_band_holds(), "bundle against ffs", "whose failure is not in these figures",
        repr(forecast.ibnr),
        "Where the claims stand", assess_recovery(RECOVERY, forecast.book).verdict, "Checks of the recovery model",
        "Stays and days at risk by state", "Moves between states", "Medical level of claims",
        f"seed {made.seed}", f"scenarios {made.scenarios}", *made.methods.values(), *made.contracts.values(),
        *made.versions.values(), *(one.sha256 for one in made.inputs), *(one.origin for one in made.inputs),
        *(f"{one.name.replace('_', ' ')} {one.value} {one.source}" for one in made.assumptions),
        *(f"{one.rule.replace('_', ' ')} {one.meaning} {one.count:,}" for one in made.decisions), *ASOP_43,
    ]  # fmt: skip
    assert [one for one in needed if " ".join(one.split()) not in words] == []


def test_same_forecast_same_bytes(tmp_path: Path) -> None:
    """Two reports of equal forecasts are the same to the byte, wherever they are written."""
    first = write_report(made_forecast(seed=3), tmp_path / "a.html", recovery=RECOVERY, cost=COST)
    second = write_report(made_forecast(seed=3), tmp_path / "deep" / "b.html", recovery=RECOVERY, cost=COST)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != write_report(made_forecast(seed=4), tmp_path / "c.html").read_bytes()


def test_words_of_others_are_not_markup() -> None:
    """Names a user chose are shown, never run."""
    name = '<script>alert("x")</script> & <b>'
    text = report_html(made_forecast(names=("ffs", name)))
    assert "<script" not in text
    assert name in Page(text).text()


def test_what_is_missing_is_said() -> None:
    """An undated book without expense, with a claim set aside: each is stated, with its reason."""
    forecast = made_forecast(undated_book(), missing={"expense": "the source does not say"})
    words = Page(report_html(forecast)).text()
    assert "expense is not in any figure: the source does not say." in words
    assert "1 claims with $" in words
    assert "U-007" in words
    assert "there is no valuation date" in words
    assert "reported claims, undated" in words


def test_one_contract_needs_no_comparison() -> None:
    """With one contract there is nothing to set beside it."""
    words = Page(report_html(made_forecast(names=("ffs",)))).text()
    assert "What certainty costs" not in words
    assert "What is owed" in words


def test_a_chosen_comparison() -> None:
    """`before` and `after` choose what is compared; unknown names are refused."""
    forecast = made_forecast(names=("ffs", "one", "two"))
    both = Page(report_html(forecast)).text()
    assert "one against ffs" in both
    assert "two against ffs" in both
    chosen = Page(report_html(forecast, before="one", after="two")).text()
    assert "two against one" in chosen
    assert "against ffs" not in chosen
    with pytest.raises(ValueError, match="`after` must be one of ffs, one, two; got 'three'"):
        report_html(forecast, after="three")


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last step fails the old page stands and nothing is left beside it."""
    target = tmp_path / "report.html"
    target.write_text("old", encoding="utf-8")

    def fail(_self: Path, _target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_report(made_forecast(names=("ffs",)), target)
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert target.read_text(encoding="utf-8") == "old"


def test_a_recovery_that_cannot_be_judged_says_so() -> None:
    """A book with too few stays off work has the reason in place of the checks."""
    words = Page(report_html(made_forecast(book=undated_book()), recovery=RECOVERY)).text()
    assert "The recovery model was not judged: `book` must hold 100 first stays off work or more" in words
