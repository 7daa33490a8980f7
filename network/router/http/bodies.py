"""What was sent: never more than it may be, and not slower than a request may take."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from network.errors import LinkClosed, MessageInvalid, MessageTooLarge
from network.protocol.fields import MAX_FRAME_BYTES
from network.protocol.message import decode

T = TypeVar("T")

JSON = "application/json"


async def read_body(request: Request, seconds: float, limit_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """The body, given up as soon as it is too long.

    Only JSON is taken: other types can be sent by any website through the browser of its visitor, who may be
    behind the same walls as this router.

    Raises:
        MessageTooLarge: at once where the request says how long it is.
        MessageInvalid: another type, or too slow.
        LinkClosed: it broke off.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise MessageInvalid(f"the body must be {JSON}")
    said = request.headers.get("content-length", "")
    if said.isdigit() and (len(said) > 12 or int(said) > limit_bytes):
        raise MessageTooLarge(limit_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > limit_bytes:
                    raise MessageTooLarge(limit_bytes)
    except TimeoutError:
        raise MessageInvalid("the body takes too long") from None
    except ClientDisconnect:
        raise LinkClosed("the request broke off") from None
    return bytes(body)


async def read_message(request: Request, kind: type[T], seconds: float) -> T:
    """The message in the body. Raises MessageError and as `read_body`."""
    return decode(await read_body(request, seconds), kind)
