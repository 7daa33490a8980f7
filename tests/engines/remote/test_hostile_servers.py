"""What a server may do to the app: nothing but fail to answer."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from engines.errors import (
    EngineError,
    EngineNotLoaded,
    PromptTooLong,
    RemoteAnswerBroken,
    RemoteBusy,
    RemoteError,
    RemoteIncompatible,
    RemoteModelMissing,
    RemoteRefused,
    RemoteUnreachable,
    RemoteUntrusted,
    TemplateFailed,
)
from engines.protocol import Finish
from engines.remote.connection import Patience
from tests.engines.asking import Answer, ask, question
from tests.engines.remote.conftest import OpenRemote
from tests.engines.remote.scripted_server import Client, Received, ScriptedServer, scripted_server

SECRET_PROMPT = "the words of the person"


async def cut_in_an_event(client: Client) -> None:
    await client.send('data: {"choices": [{"delta": {"con')


async def cut_between_events(client: Client) -> None:
    pass


async def broken_json(client: Client) -> None:
    await client.send("data: {'choices': nonsense}\n\n")
    await client.words("never heard")


async def wrong_types(client: Client) -> None:
    await client.event({"choices": [{"delta": {"content": 5}}]})


async def not_utf8(client: Client) -> None:
    await client.send(b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n')


async def deeply_nested(client: Client) -> None:
    await client.send("data: " + "[" * 200_000 + "\n\n")


async def a_line_without_end(client: Client) -> None:
    while True:
        await client.send("data: " + "x" * 100_000)


async def an_event_without_end(client: Client) -> None:
    while True:
        await client.send(f"data: {'x' * 100_000}\n")


async def a_huge_event(client: Client) -> None:
    await client.words("x" * (8 << 20))


async def an_error_in_the_stream(client: Client) -> None:
    await client.event({"error": {"message": SECRET_PROMPT, "type": "server_error", "code": 418}})


async def a_filter(client: Client) -> None:
    await client.event({"choices": [{"delta": {}, "finish_reason": "content_filter"}]})


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        (cut_in_an_event, RemoteAnswerBroken),
        (cut_between_events, RemoteAnswerBroken),
        (broken_json, RemoteAnswerBroken),
        (wrong_types, RemoteAnswerBroken),
        (not_utf8, RemoteAnswerBroken),
        (deeply_nested, RemoteAnswerBroken),
        (a_line_without_end, RemoteAnswerBroken),
        (an_event_without_end, RemoteAnswerBroken),
        (a_huge_event, RemoteAnswerBroken),
        (an_error_in_the_stream, RemoteIncompatible),
        (a_filter, RemoteAnswerBroken),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_an_answer_that_goes_wrong_keeps_its_beginning(
    server: ScriptedServer, engine_at: OpenRemote, ending, error
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.words("Once ", "upon")
        await ending(client)

    server.script = script
    engine = await engine_at(server.url)
    answer = Answer()

    with pytest.raises(EngineError) as caught:
        await ask(engine, SECRET_PROMPT, answer=answer)

    assert type(caught.value) is error
    assert answer.text == "Once upon"
    assert SECRET_PROMPT not in str(caught.value)


async def test_an_answer_without_end_is_ended_long_before_it_hurts(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head()
        number = 0
        while True:
            number += 1
            await client.words(f"{number} " + "x" * 500)

    server.script = script
    engine = await engine_at(server.url)

    answer = await ask(engine, question(max_tokens=100))

    assert answer.finish is Finish.MAX_TOKENS
    assert len(answer.text) < 10_000


async def test_a_server_that_says_nothing_more_after_the_end_is_not_waited_for(
    server: ScriptedServer, engine_at: OpenRemote, monkeypatch
) -> None:
    monkeypatch.setattr("engines.remote.engine._SECONDS_FOR_USAGE", 0.05)

    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.words("Hello.")
        await client.event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        await client.gone.wait()

    server.script = script
    engine = await engine_at(server.url)

    answer = await ask(engine)

    assert (answer.text, answer.finish) == ("Hello.", Finish.END_OF_TURN)


async def test_silence_within_an_answer_ends_it(server: ScriptedServer, engine_at: OpenRemote) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head()
        await client.words("Once")
        await client.gone.wait()

    server.script = script
    engine = await engine_at(server.url, patience=Patience(between=1.0))
    answer = Answer()

    with pytest.raises(RemoteAnswerBroken, match="silent"):
        await ask(engine, answer=answer)

    assert answer.text == "Once"


async def test_silence_before_an_answer_is_a_server_out_of_reach(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.gone.wait()

    server.script = script
    engine = await engine_at(server.url, patience=Patience(begin=0.1))

    with pytest.raises(RemoteUnreachable, match="silent"):
        await ask(engine)


FAULTS = {
    "wrong key": (401, {"error": {"message": "Incorrect API key: abc"}}, RemoteRefused),
    "forbidden": (403, {"error": "forbidden"}, RemoteRefused),
    "Ollama has no such model": (
        404,
        {"error": {"message": 'model "x" not found, try pulling it first', "type": "api_error"}},
        RemoteModelMissing,
    ),
    "OpenAI has no such model": (
        404,
        {"error": {"message": "The model does not exist", "code": "model_not_found"}},
        RemoteModelMissing,
    ),
    "another kind of server": (404, {"detail": "Not Found"}, RemoteIncompatible),
    "rate limit": (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, RemoteBusy),
    "nothing left to spend": (429, {"error": {"code": "insufficient_quota"}}, RemoteBusy),
    "still loading": (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, RemoteBusy),
    "internal error": (500, {"error": {"message": "boom"}}, RemoteBusy),
    "bad request": (400, {"error": {"message": "no", "type": "invalid_request_error"}}, RemoteIncompatible),
    "an error of another form": (400, {"detail": [{"loc": ["body"], "msg": "no"}]}, RemoteIncompatible),
    "an error of numbers": (500, {"error": {"message": ["boom"], "code": 7, "param": {}}}, RemoteBusy),
    "a template that refuses": (500, {"error": {"message": "Jinja Exception: no"}}, TemplateFailed),
    "llama.cpp's window": (
        400,
        {"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}},
        PromptTooLong,
    ),
    "OpenAI's window": (
        400,
        {
            "error": {
                "message": "This model's maximum context length is 4096 tokens. "
                "However, your messages resulted in 9000 tokens.",
                "code": "context_length_exceeded",
            }
        },
        PromptTooLong,
    ),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_a_refusal_has_a_name(server: ScriptedServer, engine_at: OpenRemote, case: str) -> None:
    status, body, error = FAULTS[case]

    async def script(client: Client, _: Received) -> None:
        await client.json(body, status)

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(EngineError) as caught:
        await ask(engine)

    assert type(caught.value) is error
    if isinstance(caught.value, PromptTooLong):
        assert (caught.value.prompt_tokens, caught.value.context_tokens) == (9000, 4096)
    if isinstance(caught.value, RemoteModelMissing):
        assert caught.value.model == "tiny"
    if isinstance(caught.value, RemoteError):
        assert caught.value.host == server.url.removeprefix("http://").removesuffix("/v1")


async def test_a_busy_server_is_asked_again_after_the_time_it_names(
    server: ScriptedServer, engine_at: OpenRemote, pauses: list[float]
) -> None:
    async def script(client: Client, _: Received) -> None:
        if len(server.asked) == 1:
            await client.json({"error": {"message": "Loading model"}}, 503)
        elif len(server.asked) == 2:
            await client.json({"error": "busy"}, 429, retry_after="7")
        else:
            await client.head()
            await client.words("Hello.")
            await client.end()

    server.script = script
    engine = await engine_at(server.url)

    assert (await ask(engine)).text == "Hello."
    assert pauses == [1.0, 7.0]


async def test_nobody_is_made_to_wait_for_a_limit_that_lasts_an_hour(
    server: ScriptedServer, engine_at: OpenRemote, pauses: list[float]
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.json({"error": "limit"}, 429, retry_after="3600")

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(RemoteBusy):
        await ask(engine)
    assert (pauses, len(server.asked)) == ([], 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_gets_neither_the_key_nor_the_question(
    server: ScriptedServer, engine_at: OpenRemote, status: int
) -> None:
    async with scripted_server() as other:

        async def script(client: Client, _: Received) -> None:
            await client.head(status, location=f"{other.url}/chat/completions")

        server.script = script
        engine = await engine_at(server.url, key="secret")

        with pytest.raises(RemoteIncompatible, match="another address"):
            await ask(engine)

        assert len(server.asked) == 1
        assert other.received == []


@pytest.mark.parametrize(
    ("content_type", "content"),
    [("text/html", "<html>Sign in to this network</html>"), ("application/octet-stream", "data: [DONE]\n\n")],
)
async def test_something_else_than_an_answer_is_told_apart(
    server: ScriptedServer, engine_at: OpenRemote, content_type: str, content: str
) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head(content_type=content_type)
        await client.send(content)

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(RemoteIncompatible):
        await ask(engine)


async def test_what_is_no_http_is_told_apart(server: ScriptedServer, engine_at: OpenRemote) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.send("220 mail.example ready\r\n\r\n")

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(RemoteIncompatible):
        await ask(engine)


async def test_compressed_text_is_refused_unread(server: ScriptedServer, engine_at: OpenRemote) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head(content_encoding="gzip")
        await client.send(b"\x1f\x8b" + bytes(1000))

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(RemoteAnswerBroken, match="compressed"):
        await ask(engine)
    assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_a_whole_answer_has_a_largest_size(server: ScriptedServer, engine_at: OpenRemote) -> None:
    async def script(client: Client, _: Received) -> None:
        await client.head(content_type="application/json")
        while True:
            await client.send(" " * 100_000)

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(RemoteAnswerBroken, match="too long"):
        await ask(engine)


async def test_a_connection_that_dies_before_the_answer_is_a_server_out_of_reach(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    async def script(client: Client, _: Received) -> None:
        pass

    server.script = script
    engine = await engine_at(server.url)

    with pytest.raises(RemoteUnreachable):
        await ask(engine)


async def test_an_address_where_nobody_listens(engine_at: OpenRemote) -> None:
    async with scripted_server() as server:
        url = server.url

    with pytest.raises(RemoteUnreachable):
        await engine_at(url)


async def test_a_name_that_does_not_exist(engine_at: OpenRemote) -> None:
    with pytest.raises(RemoteUnreachable):
        await engine_at("http://no-such-host.invalid:1234")


async def test_a_proxy_that_is_not_there(engine_at: OpenRemote) -> None:
    async with scripted_server() as closed:
        proxy = closed.url

    with pytest.raises(RemoteUnreachable):
        await engine_at("http://models.example.com/v1", proxy=proxy)


async def test_a_key_never_shows_in_logs_errors_or_representations(
    server: ScriptedServer, engine_at: OpenRemote, caplog
) -> None:
    async def script(client: Client, request: Received) -> None:
        await client.json({"error": {"message": f"{request.headers['authorization']} {SECRET_PROMPT}"}}, 401)

    server.script = script
    with caplog.at_level(logging.DEBUG):
        engine = await engine_at(server.url, key="sk-secret")
        with pytest.raises(RemoteRefused) as caught:
            await ask(engine, SECRET_PROMPT)

    assert server.asked[0].headers["authorization"] == "Bearer sk-secret"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("engines")]
    told = f"{caught.value!r} {caught.value.details} {vars(caught.value)} {ours}"
    assert "sk-secret" not in told
    assert SECRET_PROMPT not in told
    assert SECRET_PROMPT not in caplog.text
    assert "sk-secret" not in caplog.text


@pytest.mark.parametrize("key", ["two\nlines", "کلید", "a\0b"])
async def test_a_key_that_cannot_be_one_is_refused_before_it_is_sent(
    server: ScriptedServer, engine_at: OpenRemote, key: str
) -> None:
    with pytest.raises(RemoteRefused):
        await engine_at(server.url, key=key)
    assert server.received == []


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate that nobody has signed."""
    x509 = pytest.importorskip("cryptography.x509")
    import datetime

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_that_nobody_signed_gets_nothing(
    engine_at: OpenRemote, own_certificate: ssl.SSLContext
) -> None:
    async with scripted_server(tls=own_certificate) as server:
        with pytest.raises(RemoteUntrusted):
            await engine_at(server.url, key="secret")
        assert server.received == []


async def test_https_at_a_server_without_it(server: ScriptedServer, engine_at: OpenRemote) -> None:
    with pytest.raises(RemoteUnreachable):
        await engine_at(server.url.replace("http:", "https:"))


async def test_cancel_during_a_silence_is_immediate_and_the_server_notices(
    server: ScriptedServer, engine_at: OpenRemote
) -> None:
    waiting = asyncio.Event()
    noticed = asyncio.Event()

    async def script(client: Client, _: Received) -> None:
        waiting.set()
        await client.gone.wait()
        noticed.set()

    server.script = script
    engine = await engine_at(server.url)
    task = asyncio.create_task(ask(engine))
    await waiting.wait()

    engine.cancel()
    answer = await task

    assert (answer.text, answer.finish) == ("", Finish.CANCELLED)
    await asyncio.wait_for(noticed.wait(), 60)


async def test_closing_while_the_server_is_silent(server: ScriptedServer, engine_at: OpenRemote) -> None:
    waiting = asyncio.Event()

    async def script(client: Client, _: Received) -> None:
        waiting.set()
        await client.gone.wait()

    server.script = script
    engine = await engine_at(server.url)
    task = asyncio.create_task(ask(engine))
    await waiting.wait()

    await engine.close()

    assert (await task).finish is Finish.CANCELLED
    with pytest.raises(EngineNotLoaded):
        await ask(engine)
