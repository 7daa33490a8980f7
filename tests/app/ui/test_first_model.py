"""From no model to the first answer, in one flow; and every way it may fail."""

from __future__ import annotations

import flet as ft
import pytest

from app.core.settings import SettingsStore
from app.ui.state import store as store_state
from engines.store.catalogue import Catalogue
from engines.store.transfer import Transfer
from tests.app.ui.conftest import services
from tests.engines.store.hub_server import hub_server
from tests.engines.test_gguf import write_model
from tests.engines.tiny_gguf import make_tiny_gguf

ROOMY = store_state.Memory(64 << 30, 4096)


@pytest.fixture
def best(monkeypatch):
    """The model that is recommended first on a roomy device."""
    monkeypatch.setattr(store_state.StoreOnScreen, "memory", lambda self: ROOMY)
    return store_state.offers(Catalogue.load(), ROOMY, "en")[0].model


@pytest.fixture
def hub(home, best, monkeypatch, tmp_path):
    """The hub of the settings; has the recommended model."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nobody"))
    with hub_server() as server:
        SettingsStore(home.settings).change(hub_endpoint=server.hub)
        content = make_tiny_gguf(tmp_path / "tiny.gguf", reply="Hello from your device.").read_bytes()
        server.files[f"{best.repository}/{best.files[0].name}"] = content
        yield server


async def begin(app):
    """Get the recommended model, and agree to its terms where they are asked for."""
    await app.until(lambda: app.shows("get-first-model"))
    await app.tap("get-first-model")
    await app.until(
        lambda: app.shows("dialog-confirm") or app.shows("problem") or not app.shows("get-first-model")
    )
    if app.shows("dialog-confirm"):
        await app.tap("dialog-confirm")


async def test_a_question_typed_before_the_model_came_is_answered_in_one_flow(open_app, hub, best):
    async with open_app() as app:
        await app.until(lambda: app.shows("first-model"))
        assert best.name in app.text("first-model")
        await app.enter("composer", "Who are you?")
        await app.tap("send")
        assert "waits here" in app.text("notice")
        assert "Who are you?" in app.text("composer")
        await begin(app)
        await app.until(lambda: app.shows("example-write"))
        opened = await services()
        await app.until(lambda: opened.models.loaded is not None)
        assert "Who are you?" in app.text("composer")
        await app.tap("send")
        await app.until(lambda: "Hello from your device." in app.text())


def offered(app):
    """What the first page offers of other programs."""
    return [name for name in app.identifiers() if name.startswith("use-first-")]


@pytest.mark.desktop("models of other programs")
async def test_a_model_of_another_program_answers_without_a_download(open_app, home, best, tmp_path):
    folder = tmp_path / "user/.lmstudio/models/someone/Tiny"
    folder.mkdir(parents=True)
    make_tiny_gguf(folder / "tiny.gguf", reply="I was here before.", name="Tiny of another")
    make_tiny_gguf(folder / "base.gguf", reply="Base", name="Base", chat_template=None)
    write_model(folder / "vectors.gguf", "bert", pooling=1)
    hidden = make_tiny_gguf(folder / "hidden.gguf", reply="Hidden", name="Hidden")
    SettingsStore(home.settings).change(hidden_models=(str(hidden),))
    async with open_app() as app:
        await app.until(lambda: app.shows("first-found"))
        shown = app.text("first-found")
        assert "Tiny of another" in shown
        assert "LM Studio" in shown
        assert offered(app) == ["use-first-tiny.gguf"]
        assert app.shows("get-first-model"), "what is recommended stays"
        await app.enter("composer", "Where were you?")
        await app.tap("use-first-tiny.gguf")
        opened = await services()
        await app.until(lambda: opened.models.loaded is not None)
        await app.until(lambda: not app.shows("first-model"))
        assert list(home.models.glob("*.gguf")) == [], "it is used where it lies"
        await app.tap("send")
        await app.until(lambda: "I was here before." in app.text())


@pytest.mark.desktop("models of other programs")
async def test_of_many_found_models_three_are_offered_and_the_rest_is_a_tap_away(open_app, best, tmp_path):
    folder = tmp_path / "user/.lmstudio/models/someone/Tiny"
    folder.mkdir(parents=True)
    for number in range(5):
        make_tiny_gguf(folder / f"tiny{number}.gguf", reply=f"Number {number}.", name=f"Tiny {number}")
    async with open_app() as app:
        await app.until(lambda: app.shows("more-found"))
        assert len(offered(app)) == 3
        assert "2 more" in app.all(ft.TextButton, app.mark("more-found"))[0].content
        await app.tap("more-found")
        await app.until(lambda: app.shows("found-tiny4.gguf"))


async def test_terms_that_are_not_agreed_to_lead_back_to_the_recommendation(open_app, hub, best):
    assert best.needs_acceptance
    async with open_app() as app:
        await app.until(lambda: app.shows("get-first-model"))
        await app.tap("get-first-model")
        await app.until(lambda: app.shows("dialog-confirm"))
        await app.tap("dialog-cancel")
        assert app.shows("get-first-model")
        assert hub.seen == [], "the terms come first, also without a network"


async def test_offline_is_told_on_the_card_with_a_way_on(open_app, best, home):
    SettingsStore(home.settings).change(hub_endpoint="http://127.0.0.1:9")
    async with open_app() as app:
        await begin(app)
        await app.until(lambda: app.shows("problem"))
        assert "does not answer" in app.text("first-model")
        assert app.shows("get-first-model")
        assert app.shows("first-file")


async def test_a_full_disk_keeps_what_arrived_and_goes_on_when_there_is_room(open_app, hub, monkeypatch):
    free = [0]
    real = Transfer.__init__

    def small_disk(self, *arguments, **keywords):
        real(self, *arguments, **{**keywords, "free_bytes": lambda _: free[0]})

    monkeypatch.setattr(Transfer, "__init__", small_disk)
    async with open_app() as app:
        await begin(app)
        await app.until(lambda: app.shows("go-on"))
        assert "The disk is full" in app.text("download-1")
        free[0] = 1 << 40
        await app.tap("go-on")
        await app.until(lambda: app.shows("example-write"))


async def test_a_cancelled_download_leads_back_to_the_recommendation(open_app, hub):
    hub.faults.stall_after = 100
    async with open_app() as app:
        await begin(app)
        await app.until(lambda: app.shows("cancel-download"))
        assert not app.shows("get-first-model")
        await app.tap("cancel-download")
        await app.until(lambda: app.shows("get-first-model"))
        hub.stopped.set()


async def test_a_file_that_is_gone_from_the_hub_is_told_and_others_are_offered(open_app, hub):
    hub.files.clear()
    async with open_app() as app:
        await begin(app)
        await app.until(lambda: app.shows("problem"))
        assert "has no" in app.text("first-model")
        await app.tap("first-find")
        assert app.shows("find-text")


async def test_a_refused_download_takes_a_token_on_its_card(open_app, hub):
    hub.token = "hf_secret"
    async with open_app() as app:
        await begin(app)
        await app.until(lambda: app.shows("enter-token"))
        assert "Accept their terms" in app.text("download-1")
        await app.tap("enter-token")
        await app.until(lambda: app.shows("token"))
        await app.enter("token", "hf_secret")
        await app.tap("token-save")
        await app.until(lambda: app.shows("example-write"))


async def test_a_base_model_is_no_first_model(open_app, best, home):
    make_tiny_gguf(home.models / "base.gguf", chat_template=None)
    async with open_app() as app:
        await app.until(lambda: app.shows("first-model"))
        assert "does not chat" in app.text()


async def test_a_file_of_the_device_is_as_good(open_app, best, tmp_path):
    path = make_tiny_gguf(tmp_path / "mine.gguf", reply="I was here.")
    async with open_app() as app:
        app.client.answers["pick_files"] = [
            {"id": 1, "name": path.name, "size": path.stat().st_size, "path": str(path)}
        ]
        await app.until(lambda: app.shows("first-file"))
        await app.tap("first-file")
        await app.until(lambda: app.shows("example-write"))


async def test_who_has_a_server_already_adds_that(open_app, best):
    async with open_app() as app:
        await app.until(lambda: app.shows("first-server"))
        await app.tap("first-server")
        await app.until(lambda: not app.shows("first-server"))
        assert app.shows("server-address"), app.identifiers()


async def test_where_nothing_fits_the_other_ways_are_shown(open_app, home, monkeypatch):
    monkeypatch.setattr(store_state.StoreOnScreen, "memory", lambda self: store_state.Memory(1000, 4096))
    async with open_app() as app:
        await app.until(lambda: app.shows("first-server"))
        assert "None of the recommended models fits" in app.text()
        assert not app.shows("get-first-model")
        await app.go(2)
        assert "are free on this device" in app.text(f"catalogue-{Catalogue.load().models[0].id}")


async def test_in_persian_the_best_persian_comes_first(open_app, home, monkeypatch):
    small = store_state.Memory(2 << 30, 4096)
    monkeypatch.setattr(store_state.StoreOnScreen, "memory", lambda self: small)
    SettingsStore(home.settings).change(language="fa")
    async with open_app() as app:
        await app.go(2)
        await app.until(lambda: any(name.startswith("catalogue-") for name in app.identifiers()))
        cards = [name for name in app.identifiers() if name.startswith("catalogue-")]
        grades = {model.id: model.persian for model in Catalogue.load().models}
        assert grades[cards[0].removeprefix("catalogue-")] == "weak", "the best that fits into 2 GB"
        assert "بزرگ‌تر از حافظه" in app.text(cards[-1])
