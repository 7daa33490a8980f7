"""Draws the icons of the app from assets/icon.svg: `python docs/icons.py`. Needs Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SQUARE = {"icon.png": 512}
"""Stores and systems round the corners themselves."""
ROUNDED = {
    "splash.png": 512,
    "favicon.png": 64,
    "icons/loading-animation.png": 192,
    "icons/apple-touch-icon-192.png": 192,
}


def draw(browser: Browser, svg: str, target: Path, size: int, radius: str) -> None:
    """Render the drawing at one size, with round corners or without."""
    page = browser.new_page(viewport={"width": size, "height": size})
    page.set_content(
        "<style>body{margin:0;background:transparent}"
        f"svg{{display:block;width:{size}px;height:{size}px;border-radius:{radius}}}</style>{svg}"
    )
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=target, omit_background=True)
    page.close()


def main() -> None:
    """Draw them all."""
    svg = (ASSETS / "icon.svg").read_text(encoding="utf-8")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, size in SQUARE.items():
            draw(browser, svg, ASSETS / name, size, "0")
        for name, size in ROUNDED.items():
            draw(browser, svg, ASSETS / name, size, "22%")
        browser.close()


if __name__ == "__main__":
    main()
