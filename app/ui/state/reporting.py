"""Whatever goes wrong in an action of the user is told to the user; no action ends a session."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar


class Reporting(Protocol):
    """Something with actions."""

    def report(self, error: Exception) -> None:
        """Tell the user."""
        ...


Actor = TypeVar("Actor", bound=Reporting)
P = ParamSpec("P")
T = TypeVar("T")


def reported(
    action: Callable[Concatenate[Actor, P], Awaitable[T]],
) -> Callable[Concatenate[Actor, P], Coroutine[Any, Any, T | None]]:
    """The same action, but its errors are reported, and it returns None then."""

    @functools.wraps(action)
    async def guarded(self: Actor, /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return await action(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the user hears of it, the log too
            self.report(error)
            return None

    return guarded
