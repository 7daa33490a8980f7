"""What models a server offers."""

from __future__ import annotations

from dataclasses import dataclass

from engines.errors import RemoteIncompatible
from engines.remote import refusals
from engines.remote.address import ServerAddress
from engines.remote.connection import NO_KEY, Connection, ServerAccess
from engines.remote.wire import decode_models

_MOST_NAME_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model that a server offers."""

    id: str
    """Its name there."""
    context_tokens: int | None
    """Its window, where the server tells."""


async def list_models(server: ServerAddress, access: ServerAccess = NO_KEY) -> list[RemoteModel]:
    """Ask a server for its models. Sends nothing of the user's but the key.

    Raises:
        RemoteUnreachable, RemoteUntrusted, RemoteRefused, RemoteBusy, RemoteIncompatible: see
            `engines.errors`.
        RemoteAnswerBroken: the list breaks off.
    """
    connection = Connection(server, access)
    try:
        return await ask_for_models(connection)
    finally:
        await connection.close()


async def ask_for_models(connection: Connection) -> list[RemoteModel]:
    """The same through a connection that is open already."""
    host = connection.server.host
    async with connection.get("/models") as reply:
        if not reply.ok:
            fault = refusals.read_fault(await reply.beginning())
            raise refusals.refusal(host, "", reply.status, fault)
        body = await reply.whole()
    try:
        listed = decode_models(body)
    except (ValueError, RecursionError):
        raise RemoteIncompatible(host, "no list of models") from None
    models = listed if isinstance(listed, list) else listed.data or []
    return [RemoteModel(model.id, model.context_tokens) for model in models if _is_name(model.id)]


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _MOST_NAME_CHARACTERS and text.isprintable()
