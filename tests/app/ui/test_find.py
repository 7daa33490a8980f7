"""Finding models on the hub, as a person does it; the hub is a local server that speaks its protocol."""

from __future__ import annotations

import asyncio

import flet as ft
import pytest

from app.core.network.ledger import Purpose
from app.core.settings import SettingsStore
from app.core.strings import Strings
from app.ui.state import store as store_state
from engines.errors import CatalogueInvalid
from engines.store.catalogue import Catalogue
from tests.app.ui.conftest import services
from tests.engines.store.hub_server import hub_server
from tests.engines.tiny_gguf import make_tiny_gguf

REPOSITORY = "maker/Tiny-Chat-GGUF"
BOUND = next(model for model in Catalogue.load().models if model.needs_acceptance)


@pytest.fixture
def hub(home, monkeypatch, tmp_path):
    """The hub of the settings, with one model in three quantisations."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "nobody"))
    with hub_server() as server:
        server.searches = True
        SettingsStore(home.settings).change(hub_endpoint=server.hub)
        content = make_tiny_gguf(tmp_path / "tiny.gguf", reply="I am found.").read_bytes()
        for label in ("Q8_0", "Q4_K_M", "Q2_K"):
            server.files[f"{REPOSITORY}/tiny-chat-{label}.gguf"] = content
        server.models[REPOSITORY] = {
            "downloads": 123456,
            "likes": 78,
            "tags": ["gguf", "license:apache-2.0", "en"],
            "gguf": {"total": 4_000_000_000, "context_length": 2048},
        }
        yield server


async def search(app, text):
    await app.go(2)
    await app.tap("find-models")
    await app.enter("find-text", text)
    await app.tap("find-search")
    await app.until(lambda: not app.shows("find-asking"))


async def open_model(app, repository=REPOSITORY):
    await search(app, repository)
    await app.until(lambda: app.shows("about-model"))


async def test_nothing_is_sent_before_the_search_and_the_screen_tells_who_will_be_asked(open_app, hub):
    async with open_app() as app:
        await app.go(2)
        await app.tap("find-models")
        await app.enter("find-text", "tiny")
        assert hub.hub.removeprefix("http://") in app.text("find-host")
        assert hub.seen == []
        await app.tap("find-search")
        await app.until(lambda: app.shows(f"hub-{REPOSITORY}"))
        assert hub.seen[0].query["search"] == ["tiny"]


async def test_a_result_tells_its_maker_popularity_size_and_licence(open_app, hub):
    siblings = [{"rfilename": f"m-{label}.gguf"} for label in ("Q2_K", "Q8_0")]
    hub.models[REPOSITORY] |= {"siblings": siblings, "gated": "manual"}
    async with open_app() as app:
        await search(app, "Tiny")
        text = app.text(f"hub-{REPOSITORY}")
        for words in ("Tiny-Chat-GGUF", "by maker", "123,456", "78", "1.3 GB – 4.3 GB", "apache-2.0"):
            assert words in text
        assert "Asks first" in text


async def test_the_files_of_a_model_tell_what_they_need_and_the_best_for_this_device_comes_first(
    open_app, hub
):
    async with open_app() as app:
        await search(app, "tiny")
        await app.tap(f"hub-{REPOSITORY}")
        await app.until(lambda: app.shows("about-model"))
        files = [name for name in app.identifiers() if name.startswith("file-")]
        assert files[0] == "file-Q4_K_M"
        assert set(files) == {"file-Q4_K_M", "file-Q8_0", "file-Q2_K"}
        assert "Best for this device" in app.text("file-Q4_K_M")
        assert "Best for this device" not in app.text("file-Q8_0")
        size = len(hub.files[f"{REPOSITORY}/tiny-chat-Q4_K_M.gguf"])
        assert Strings("en").size(size) in app.text("file-Q4_K_M")
        assert "of memory" in app.text("file-Q4_K_M")
        assert "free to use, also at work" in app.text("about-model")


README = """---
license: apache-2.0
---
# Tiny Chat

![A chart](https://pictures.example/chart.png) <img src="https://pictures.example/x.png" alt="Badge">

Made for [tests](https://tests.example).
"""


async def test_what_the_makers_say_is_asked_for_when_it_is_opened_and_loads_no_picture(open_app, hub):
    hub.files[f"{REPOSITORY}/README.md"] = README.encode()
    async with open_app() as app:
        await open_model(app)
        assert not any(seen.path.endswith("README.md") for seen in hub.seen)
        assert "127.0.0.1" in app.text("readme"), "who is asked is told before"
        await app.tap("readme-toggle")
        await app.until(lambda: app.shows("readme-text"))
        shown = "\n".join(part.value for part in app.all(ft.Markdown, app.mark("readme-text")))
        assert "# Tiny Chat" in shown
        assert "license:" not in shown
        assert "[A chart](https://pictures.example/chart.png)" in shown
        assert "![" not in shown
        assert "<img" not in shown
        assert not app.shows("readme-cut-off")
        asked = [seen.path for seen in hub.seen if seen.host == "hub" and seen.path.endswith("README.md")]
        assert asked == [f"/{REPOSITORY}/resolve/{hub.commit}/README.md"]
        ledger = (await services()).network.ledger
        assert any(entry.purpose is Purpose.HUB for entry in ledger.entries())
        await app.tap("readme-toggle")
        assert not app.shows("readme-text")
        await app.tap("readme-toggle")
        await app.until(lambda: app.shows("readme-text"))
        assert len([seen for seen in hub.seen if seen.path.endswith("README.md")]) == 2, "it is remembered"


async def test_makers_who_say_nothing_and_a_hub_that_refuses_are_told_in_place(open_app, hub):
    async with open_app() as app:
        await open_model(app)
        await app.tap("readme-toggle")
        await app.until(lambda: app.shows("readme-none"))
        await app.tap("readme-toggle")
        hub.faults.status = [(503, {})]
        await app.tap("readme-toggle")
        await app.until(lambda: app.shows("readme-retry"))
        hub.files[f"{REPOSITORY}/README.md"] = b"Here " + b"word " * 20_000
        await app.tap("readme-retry")
        await app.until(lambda: app.shows("readme-cut-off"))
        assert app.shows("readme-page"), "the rest is a tap away"


async def test_with_the_offline_switch_on_nothing_is_asked(open_app, hub):
    async with open_app() as app:
        await open_model(app)
        store = (await services()).store
        # The hub of a test runs on this device, which stays allowed.
        (await services()).settings.change(hub_endpoint="http://hub.example", offline=True)
        await app.tap("readme-toggle")
        await app.until(lambda: app.shows("readme-retry"))
        assert "offline switch is on" in app.text("readme")
        assert store.host == "hub.example"


async def test_waiting_for_what_the_makers_say_is_given_up_by_folding_it_away(open_app, hub, monkeypatch):
    async with open_app() as app:
        await open_model(app)
        never = asyncio.Event()

        async def wait(*_):
            await never.wait()

        monkeypatch.setattr((await services()).store, "readme", wait)
        tapping = asyncio.create_task(app.tap("readme-toggle"))
        await app.until(lambda: app.shows("readme-asking"))
        await app.tap("readme-toggle")
        await tapping
        assert not app.shows("readme-asking")
        assert not app.shows("readme-retry")


async def test_an_installed_model_of_the_hub_tells_what_its_makers_say(open_app, hub):
    hub.files[f"{REPOSITORY}/README.md"] = README.encode()
    async with open_app() as app:
        await open_model(app)
        await app.tap("get-Q4_K_M")
        await app.until(lambda: app.shows("here-Q4_K_M"))
        await app.tap("here-Q4_K_M")
        [model] = (await services()).models.installed()
        await app.until(lambda: app.shows(f"model-{model.id}"))
        await app.tap(f"model-{model.id}")
        await app.until(lambda: app.shows("readme-toggle"))
        await app.tap("readme-toggle")
        await app.until(lambda: app.shows("readme-text"))


async def test_files_of_the_same_quantisation_are_told_apart_by_their_names(open_app, hub):
    hub.files[f"{REPOSITORY}/other-Q2_K.gguf"] = b"GGUF"
    async with open_app() as app:
        await open_model(app)
        files = {name for name in app.identifiers() if name.startswith("file-")}
        assert files == {"file-Q4_K_M", "file-Q8_0", "file-other-Q2_K", "file-tiny-chat-Q2_K"}


async def test_what_was_found_is_downloaded_and_answers(open_app, hub):
    async with open_app() as app:
        await open_model(app)
        await app.tap("get-Q4_K_M")
        await app.until(lambda: app.shows("here-Q4_K_M"))
        assert app.shows("here-Q8_0"), "the same bytes under another name"
        await app.go(0)
        await app.until(lambda: app.shows("example-write"))
        await app.enter("composer", "Who are you?")
        await app.tap("send")
        await app.until(lambda: "I am found." in app.text())


async def test_a_download_under_way_is_shown_on_its_page(open_app, hub):
    hub.faults.stall_after = 100
    async with open_app() as app:
        await open_model(app)
        await app.tap("get-Q8_0")
        await app.until(lambda: app.shows("coming-Q8_0"))
        assert app.shows("cancel-download")
        await app.tap("cancel-download")
        await app.until(lambda: app.shows("get-Q8_0"))
        hub.stopped.set()


async def test_terms_are_agreed_to_before_a_found_model_is_downloaded(open_app, hub):
    hub.models[REPOSITORY]["tags"] = ["license:gemma"]
    async with open_app() as app:
        await open_model(app)
        await app.tap("get-Q4_K_M")
        await app.until(lambda: app.shows("dialog-confirm"))
        assert "ai.google.dev/gemma/terms" in app.text()
        await app.tap("dialog-cancel")
        assert hub.bodies == []
        await app.tap("get-Q4_K_M")
        await app.until(lambda: app.shows("dialog-confirm"))
        await app.tap("dialog-read")
        assert any(name == "launch_url" for name, _ in app.client.calls)
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("here-Q4_K_M"))
        licence = Catalogue.load().of_repository(BOUND.repository).licence
        assert licence.url in (await services()).settings.current.licences_accepted


async def test_an_address_or_a_name_opens_the_model_itself(open_app, hub):
    async with open_app() as app:
        await open_model(app, f"https://huggingface.co/{REPOSITORY}/tree/main")
        assert "Tiny-Chat-GGUF" in app.text("title")
        await app.tap("back")
        assert app.shows("find-text")
        await app.enter("find-text", REPOSITORY)
        await app.submit("find-text")
        await app.until(lambda: app.shows("about-model"))


@pytest.mark.parametrize("named", [f"{REPOSITORY}:Q8_0", f"{REPOSITORY}/tiny-chat-Q8_0.gguf"])
async def test_a_file_that_was_named_stands_before_the_others(open_app, hub, named):
    async with open_app() as app:
        await open_model(app, named)
        assert next(name for name in app.identifiers() if name.startswith("file-")) == "file-Q8_0"


async def test_back_leads_to_what_was_found_and_then_to_the_models(open_app, hub):
    async with open_app() as app:
        await search(app, "tiny")
        await app.tap(f"hub-{REPOSITORY}")
        await app.until(lambda: app.shows("about-model"))
        await app.tap("back")
        assert app.shows(f"hub-{REPOSITORY}")
        await app.tap("back")
        assert app.shows("add-model")


async def test_more_results_are_asked_for_on_demand(open_app, hub):
    for number in range(30):
        hub.models[f"maker/many-{number:02}"] = {"downloads": number}
    async with open_app() as app:
        await search(app, "many")
        assert len([name for name in app.identifiers() if name.startswith("hub-")]) == 20
        await app.tap("find-more")
        await app.until(lambda: app.shows("hub-maker/many-29"))
        assert not app.shows("find-more")
        assert [seen.query["limit"] for seen in hub.seen] == [["20"], ["40"]]


async def test_only_models_that_speak_persian_are_asked_for_on_demand(open_app, hub):
    hub.models["maker/Tiny-Persian"] = {"tags": ["gguf", "fa"]}
    async with open_app() as app:
        await search(app, "tiny")
        assert "Persian" in app.text("hub-maker/Tiny-Persian")
        await app.tap("find-persian")
        await app.until(lambda: not app.shows(f"hub-{REPOSITORY}") and app.shows("hub-maker/Tiny-Persian"))
        assert hub.seen[-1].query["filter"] == ["gguf", "fa"]


async def test_what_comes_first_is_chosen_and_asked_for(open_app, hub):
    hub.models[REPOSITORY]["lastModified"] = "2025-05-20T12:34:56.000Z"
    async with open_app() as app:
        await app.go(2)
        await app.tap("find-models")
        assert not app.shows("find-order-likes"), "nothing was asked yet"
        await search(app, "tiny")
        assert hub.seen[-1].query["sort"] == ["downloads"]
        assert "updated May 20, 2025" in app.text(f"hub-{REPOSITORY}")
        asked = len(hub.seen)
        await app.tap("find-order-updated")
        await app.until(lambda: len(hub.seen) > asked and not app.shows("find-asking"))
        assert hub.seen[-1].query["sort"] == ["lastModified"]


async def test_nothing_found_says_what_to_do(open_app, hub):
    async with open_app() as app:
        await search(app, "unheard of")
        assert "unheard of" in app.text("nothing-found")
        assert app.shows("choose-file")


@pytest.mark.parametrize(
    "text", ["مدل فارسی", "۷ب", "Qwen ۲٫۵", "a b/c", "\u200c", "😀" * 300, "%s {x}", "../../api"]
)
async def test_whatever_is_typed_gets_an_answer(open_app, hub, text):
    async with open_app() as app:
        await search(app, text)
        assert app.shows("nothing-found") or app.shows("find-failed") or app.shows("find-host")


async def test_persian_digits_are_searched_as_the_hub_writes_them(open_app, hub):
    async with open_app() as app:
        await search(app, "gemma ۳ ۴b")
        assert hub.seen[0].query["search"] == ["gemma 3 4b"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ((429, {"Retry-After": "7"}), "Try again in 7 seconds"),
        ((500, {}), "busy"),
        ((403, {}), "does not let this device"),
        ((404, {}), "has no"),
    ],
)
async def test_a_hub_that_refuses_is_told_and_asked_again_on_demand(open_app, hub, status, words):
    hub.faults.status = [status]
    async with open_app() as app:
        await search(app, "tiny")
        assert words in app.text("find-failed")
        await app.tap("find-retry")
        await app.until(lambda: app.shows(f"hub-{REPOSITORY}"))


async def test_a_captive_portal_and_a_dead_network_are_told(open_app, hub, home):
    hub.faults.page = True
    async with open_app() as app:
        await search(app, "tiny")
        assert "log in first" in app.text("find-failed")
        (await services()).settings.change(hub_endpoint="http://127.0.0.1:9")
        await app.tap("find-retry")
        await app.until(lambda: app.shows("find-failed") and "does not answer" in app.text("find-failed"))
        assert app.shows("choose-file")


async def test_waiting_for_the_hub_can_be_given_up(open_app, hub, monkeypatch):
    async with open_app() as app:
        asked = []

        async def never(*_):
            asked.append(True)
            await asyncio.Event().wait()

        monkeypatch.setattr((await services()).store, "search", never)
        await app.go(2)
        await app.tap("find-models")
        await app.enter("find-text", "tiny")
        searching = asyncio.ensure_future(app.tap("find-search"))
        await app.until(lambda: asked and app.shows("find-cancel"))
        await app.tap("find-cancel")
        await searching
        assert not app.shows("find-asking")
        assert app.shows("find-text")


async def test_a_damaged_list_of_recommendations_does_not_keep_from_finding(open_app, hub, monkeypatch):
    def damaged(*_):
        raise CatalogueInvalid("damaged")

    monkeypatch.setattr(Catalogue, "load", damaged)
    async with open_app() as app:
        await search(app, "tiny")
        await app.tap(f"hub-{REPOSITORY}")
        await app.until(lambda: app.shows("get-Q4_K_M"))
        await app.tap("get-Q4_K_M")
        await app.until(lambda: app.shows("here-Q4_K_M"))


async def test_a_repository_without_models_says_so(open_app, hub):
    hub.models["maker/Plain"] = {"siblings": [{"rfilename": "model.safetensors"}]}
    async with open_app() as app:
        await open_model(app, "maker/Plain")
        assert "no model in GGUF files" in app.text("note")


async def test_what_does_not_fit_is_not_recommended(open_app, hub, monkeypatch):
    monkeypatch.setattr(store_state.StoreOnScreen, "memory", lambda self: store_state.Memory(1000, 2048))
    async with open_app() as app:
        await open_model(app)
        assert "Too large" in app.text("file-Q4_K_M")
        assert "Best for this device" not in app.text()
        assert "None of these files fits" in app.text("note")


async def test_a_gated_model_takes_a_token_where_it_is_missing(open_app, hub, home):
    hub.token = "hf_secret"
    hub.models[REPOSITORY]["gated"] = "manual"
    async with open_app() as app:
        await open_model(app)
        assert "asked first" in app.text("about-model")
        await app.tap("get-Q4_K_M")
        await app.until(lambda: app.shows("download-1") and "Accept their terms" in app.text("download-1"))
        # The button on the card of the failed download, below the one of the page.
        await app.tap("enter-token")
        await app.until(lambda: app.shows("token"))
        await app.enter("token", "hf_wrong")
        await app.tap("token-test")
        await app.until(lambda: app.shows("token-result"))
        assert "does not accept" in app.text("token-result")
        await app.enter("token", "hf_secret")
        await app.tap("token-test")
        await app.until(lambda: app.shows("token-result") and "somebody" in app.text("token-result"))
        await app.tap("token-save")
        await app.until(lambda: app.shows("here-Q4_K_M"))
        assert "hf_secret" not in app.text()
    kept = [path for path in home.data.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"hf_secret" in path.read_bytes()], "not in settings, lists or logs"


async def test_a_token_is_tested_and_forgotten_in_the_settings(open_app, hub):
    hub.token = "hf_secret"
    async with open_app() as app:
        await app.go(4)
        assert "owners want to be asked first" in app.text(), "no keyring is opened unasked"
        await app.tap("change-token")
        await app.until(lambda: "until the app is closed" in app.text("token-source"))
        await app.enter("token", "with a space")
        await app.tap("token-save")
        await app.until(lambda: app.shows("token-result"))
        assert "cannot be an access token" in app.text("token-result")
        await app.enter("token", "hf_secret")
        field = app.all(ft.TextField, app.mark("token"))[0]
        assert field.password
        assert not field.can_reveal_password
        await app.tap("token-save")
        await app.until(lambda: not app.open_dialogs() or not app.shows("token"))
        await app.until(lambda: "There is a token, until the app is closed." in app.text())
        await app.tap("change-token")
        await app.until(lambda: app.shows("token-remove"))
        assert all("hf_secret" not in str(vars(control)) for control in app.controls())
        await app.tap("token-test")
        await app.until(lambda: app.shows("token-result"))
        assert "somebody" in app.text("token-result")
        await app.tap("token-remove")
        await app.until(lambda: "There is no token." in app.text("token-source"))
        assert (await services()).secrets.hub_token(hub.hub) is None


async def test_a_hub_that_others_can_listen_to_gets_no_token(open_app, home):
    SettingsStore(home.settings).change(hub_endpoint="http://hub.example")
    async with open_app() as app:
        await app.go(4)
        await app.tap("change-token")
        await app.until(lambda: "never sent there" in app.text())
        await app.enter("token", "hf_secret")
        with pytest.raises(AssertionError, match="disabled"):
            await app.tap("token-test")
