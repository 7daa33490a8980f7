"""Settings, and what they change on every screen."""

from __future__ import annotations

import flet as ft

from app.core.settings import SettingsStore


async def test_persian_mirrors_the_app_and_comes_back(open_app, model, home):
    model("سلام.")
    async with open_app() as app:
        await app.go(4)
        await app.tap("language-fa")
        await app.until(lambda: "تنظیمات" in app.text("title"))
        bar = app.all(ft.NavigationBar)[0]
        assert bar.rtl
        assert bar.destinations[0].label == "گفت‌وگو"
        assert not app.page.rtl, "an answer or code could not run left to right again"
        assert app.page.locale_configuration.current_locale.language_code == "fa"
        await app.tap("language-en")
        await app.until(lambda: "Settings" in app.text("title"))
        assert not app.all(ft.NavigationBar)[0].rtl
    assert SettingsStore(home.settings).current.language == "en"


async def test_persian_answers_run_right_to_left_and_code_does_not(open_app, model):
    model("سلام **دنیا**\n\n```python\nprint(1)\n```\n")
    async with open_app() as app:
        await app.enter("composer", "Hello")
        await app.tap("send")
        await app.until(lambda: app.shows("regenerate") and not app.shows("stop"))
        prose, code = app.all(ft.Markdown)
        assert prose.rtl
        assert not code.rtl
        question = app.all(ft.Text, app.mark("message-user"))[0]
        assert not question.rtl


async def test_numbers_are_written_in_the_digits_of_the_setting(open_app, home):
    SettingsStore(home.settings).change(language="fa")
    async with open_app() as app:
        await app.go(4)
        assert "۴٬۰۹۶" in app.text()
        await app.enter("persian-digits", value=False)
        await app.until(lambda: "4,096" in app.text())


async def test_a_theme_and_a_text_size_are_kept(open_app, home):
    async with open_app() as app:
        await app.go(4)
        normal = app.page.theme.text_theme.body_medium.size
        await app.tap("theme-dark")
        await app.until(lambda: app.page.theme_mode is ft.ThemeMode.DARK)
        await app.enter("text-size", 1.5)
        await app.until(lambda: app.page.theme.text_theme.body_medium.size == normal * 1.5)
    async with open_app() as later:
        await later.until(lambda: later.page.theme_mode is ft.ThemeMode.DARK)
        assert later.page.theme.text_theme.body_medium.size == normal * 1.5


async def test_a_change_reaches_the_other_window(open_app):
    async with open_app() as one, open_app() as other:
        await one.go(4)
        await one.tap("language-fa")
        await other.until(lambda: "گفت‌وگو" in other.text())


async def test_the_layout_follows_the_width(open_app, model):
    model("Hello.")
    async with open_app(width=390) as app:
        assert app.all(ft.NavigationBar)
        assert not app.all(ft.NavigationRail)
        await app.resize(700)
        assert app.all(ft.NavigationRail)
        assert not app.all(ft.NavigationBar)
        assert app.shows("conversations")
        await app.resize(1280)
        assert app.shows("search-conversations")
        assert app.shows("composer")
        assert not app.shows("conversations")


async def test_the_page_about_the_app_names_privacy_and_licences(open_app, home):
    async with open_app() as app:
        await app.go(4)
        assert "contacts another computer only when you ask it to" in app.text()
        assert str(home.data) in app.text()
        assert "Vazirmatn: SIL OFL 1.1" in app.text().replace("\u00a0", " ")


async def test_every_bundled_font_is_there_with_its_licence():
    from app.main import ASSETS
    from app.ui.components.about import FONT_LICENCES
    from app.ui.theme import FONTS

    for name, file in FONTS.items():
        assert (ASSETS / file).is_file()
        family = name.removesuffix(" Medium")
        assert family in FONT_LICENCES
        assert list((ASSETS / "fonts").glob(f"*-{family.replace(' ', '')}.txt"))
