"""What the hub tells about models, sound or hostile."""

import hashlib
from datetime import UTC, datetime

import pytest

from engines.errors import HubAddressInvalid, HubAnswerBroken, HubFileMissing
from engines.store.connection import HubAccess
from engines.store.hub import Hub, HubOrder
from engines.store.names import quantisation_of, safe_stem
from engines.store.transfer import Transfer


@pytest.fixture
async def hub(server):
    opened = Hub(HubAccess(server.hub))
    yield opened
    await opened.close()


async def test_a_search_tells_who_may_use_a_model_and_how_many_do(hub, server):
    tags = ["gguf", "license:apache-2.0", "en", "fa", "region:us"]
    server.models["owner/one"] = {"downloads": 7, "likes": 2, "gated": "auto", "tags": tags, "new": [1]}
    server.models["owner/two"] = {}
    one, two = await hub.search("ژ & one")
    assert (one.repository, one.downloads, one.likes, one.gated) == ("owner/one", 7, 2, True)
    assert (one.licence, one.languages) == ("apache-2.0", ("en", "fa"))
    assert (two.licence, two.gated) == ("", False)
    assert server.seen[0].query["search"] == ["ژ & one"]
    assert server.seen[0].query["filter"] == ["gguf"]
    assert "gated" in server.seen[0].query["expand"]


@pytest.mark.parametrize(
    ("order", "sent"),
    [(HubOrder.DOWNLOADS, "downloads"), (HubOrder.LIKES, "likes"), (HubOrder.UPDATED, "lastModified")],
)
async def test_the_hub_itself_is_told_what_comes_first(hub, server, order, sent):
    await hub.search("tiny", order=order)
    assert (server.seen[0].query["sort"], server.seen[0].query["direction"]) == ([sent], ["-1"])


@pytest.mark.parametrize(
    ("told", "updated"),
    [
        ("2025-05-20T12:34:56.000Z", datetime(2025, 5, 20, 12, 34, 56, tzinfo=UTC)),
        ("2025-05-20", datetime(2025, 5, 20, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00Z", None),
        (None, None),
    ],
)
async def test_a_search_tells_when_a_model_was_changed_last(hub, server, told, updated):
    server.models["owner/one"] = {"lastModified": told}
    [one] = await hub.search("one")
    assert one.updated == updated


async def test_a_model_is_pinned_to_its_commit_and_its_file_arrives(hub, server, tmp_path):
    content = b"GGUF" + bytes(100)
    server.files["owner/name/sub dir/مدل Q4_K_M.gguf"] = content
    details = await hub.model("owner/name")
    [file] = details.files
    assert details.commit == server.commit
    assert (file.bytes, file.sha256) == (104, hashlib.sha256(content).hexdigest())
    arrived = await Transfer(hub.connection, hub.source(details, file), tmp_path / "x.gguf").run()
    assert arrived.path.read_bytes() == content
    assert server.commit in server.seen[1].path


async def test_a_readme_comes_as_its_makers_wrote_it(hub, server):
    server.files["maker/Tiny-GGUF/README.md"] = "# Tiny\n\nسلام".encode() + b"\xff"
    assert await hub.readme("maker/Tiny-GGUF", server.commit) == "# Tiny\n\nسلام\ufffd"
    with pytest.raises(HubFileMissing):
        await hub.readme("maker/Other-GGUF")
    with pytest.raises(HubAddressInvalid):
        await hub.readme("../Tiny-GGUF")


async def test_a_readme_without_end_is_refused(hub, server):
    server.files["maker/Tiny-GGUF/README.md"] = b"a" * (3 << 20)
    server.faults.chunked = True
    with pytest.raises(HubAnswerBroken):
        await hub.readme("maker/Tiny-GGUF")


async def test_the_parts_of_a_model_are_one_file_and_the_smallest_comes_first(hub, server):
    server.files |= {
        "o/n/README.md": b"x",
        "o/n/mmproj-F16.gguf": b"x",
        "o/n/m-F16-00001-of-00002.gguf": b"x" * 30,
        "o/n/m-F16-00002-of-00002.gguf": b"x" * 31,
        "o/n/m-Q8_0.gguf": b"x" * 20,
        "o/n/m-Q4_K_M.gguf": b"x" * 10,
    }
    details = await hub.model("o/n")
    assert [(file.name, file.quantisation, file.bytes, file.parts) for file in details.files] == [
        ("m-Q4_K_M.gguf", "Q4_K_M", 10, 1),
        ("m-Q8_0.gguf", "Q8_0", 20, 1),
        ("m-F16.gguf", "F16", 61, 2),
    ]
    first, second = details.files[-1].pieces
    assert (first.bytes, second.bytes) == (30, 31)
    assert hub.source(details, second).url.endswith("m-F16-00002-of-00002.gguf")


@pytest.mark.parametrize("name", ["../../x.gguf", "/etc/x.gguf", "a\\b.gguf", "a\nb.gguf"])
async def test_a_name_that_leaves_its_repository_is_left_out(hub, server, name):
    server.models["o/n"] = {"siblings": [{"rfilename": name}, {"rfilename": "good.gguf"}]}
    assert [file.name for file in (await hub.model("o/n")).files] == ["good.gguf"]


@pytest.mark.parametrize("name", ["", "name", "../../api", "o/n/x", "o/n?x", "o/..", "o/a..b", "ژ/n", "o/n#"])
async def test_what_cannot_be_a_repository_is_not_asked_for(hub, server, name):
    with pytest.raises(HubAddressInvalid):
        await hub.model(name)
    assert server.seen == []


async def test_an_unknown_repository_or_revision_is_missing(hub, server):
    server.models["o/n"] = {}
    for repository, revision in (("o/other", "main"), ("o/n", "gone")):
        with pytest.raises(HubFileMissing):
            await hub.model(repository, revision)


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_a_captive_portal_is_not_the_hub(hub, server, kind):
    server.faults.page, server.faults.portal_type = True, kind
    with pytest.raises(HubAnswerBroken):
        await hub.search("x")


@pytest.mark.parametrize("address", ["", "huggingface.co", "ftp://x", "https://user:secret@x", "https://"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(HubAddressInvalid) as refused:
        Hub(HubAccess(address))
    assert "secret" not in refused.value.name


def test_an_access_does_not_show_its_token():
    assert "hf_secret" not in repr(HubAccess(token=lambda: "hf_secret"))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("gemma-2-2b-it-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q8_0.gguf", "Q8_0"),
        ("model.IQ3_XXS.gguf", "IQ3_XXS"),
        ("Qwen3-0.6B-UD-Q2_K_XL.gguf", "Q2_K_XL"),
        ("m-fp16.gguf", "F16"),
        ("m-BF16-00001-of-00003.gguf", "BF16"),
        ("Q4_0/m.gguf", ""),
        ("plain.gguf", ""),
    ],
)
def test_the_quantisation_stands_in_the_name(name, label):
    assert quantisation_of(name) == label


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../x.gguf", "x"),
        ("..\\..\\x.gguf", "x"),
        ("مدل 🦙.gguf", "مدل 🦙"),
        ("nul.gguf", "_nul"),
        ("a:b\x00c.gguf", "a_b_c"),
        (".gguf", "model"),
        ("...", "model"),
    ],
)
def test_a_file_name_from_the_hub_stays_in_its_folder(name, stem):
    assert safe_stem(name) == stem


def test_a_long_name_is_cut_between_letters(tmp_path):
    stem = safe_stem("ژ" * 300 + ".gguf")
    (tmp_path / f"{stem}.gguf").touch()
    assert set(stem) == {"ژ"}


async def test_without_a_token_a_private_model_looks_like_a_missing_one(hub, server):
    server.faults.status = [(401, {})]
    with pytest.raises(HubFileMissing):
        await hub.model("o/private")
