"""Drives the real app in this process, as the Flutter client would: no browser, no window.

It stands on internals of Flet (`Session`, `Connection`, the encoder of its protocol), checked with
flet 1.0.5; nothing else in the tests may.

    async with App(main, width=390) as app:
        await app.enter("composer", "Hello")
        await app.tap("send")
        await app.until(lambda: "Hi" in app.text("message-assistant"))
"""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import flet as ft
import msgpack
from flet.components.component import Component
from flet.controls.base_control import BaseControl
from flet.controls.context import _context_page, context
from flet.messaging.connection import Connection
from flet.messaging.protocol import MessageAction, configure_encode_object_for_msgpack
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub

Control = TypeVar("Control", bound=BaseControl)


class Client(Connection):
    """Stands for the Flutter client: encodes what it is sent, and answers what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.executor = ThreadPoolExecutor(2)
        self.pubsubhub = PubSubHub()
        self.page_url = "http://localhost"
        self.session: Session | None = None
        self.answers: dict[str, Any] = {}
        """What methods of controls return, by name: a value, or a function of their arguments."""
        self.calls: list[tuple[str, Any]] = []
        """The methods that were called, with their arguments."""
        self.crashes: list[str] = []
        self.encode = configure_encode_object_for_msgpack(BaseControl)

    def send_message(self, message: Any) -> None:
        msgpack.packb([message.action, message.body], default=self.encode)
        if message.action == MessageAction.SESSION_CRASHED:
            self.crashes.append(message.body.message)
        elif message.action == MessageAction.INVOKE_METHOD:
            self.calls.append((message.body.name, message.body.args))
            self.loop.call_soon(self._answer, message.body)

    def get_upload_url(self, file_name: str, expires: int) -> str:
        return f"/upload?f={file_name}"

    def _answer(self, call: Any) -> None:
        result = self.answers.get(call.name)
        if callable(result):
            result = result(call.args)
        if call.name == "push_route":
            page = self.session.page
            page.route = call.args["route"]
            self.loop.create_task(self.session.dispatch_event(page._i, "route_change", {"route": page.route}))
        self.session.handle_invoke_method_results(call.control_id, call.call_id, result, None)


class App:
    """One session of the app, used like a person uses it."""

    def __init__(
        self,
        main: Callable[[ft.Page], Any],
        *,
        width: float = 390,
        height: float = 844,
        web: bool = False,
        dark: bool = False,
    ) -> None:
        self._main = main
        self._reported = {
            "width": width,
            "height": height,
            "platform": ft.PagePlatform.ANDROID,
            "platform_brightness": ft.Brightness.DARK if dark else ft.Brightness.LIGHT,
            "web": web,
            "route": "/",
        }

    async def __aenter__(self) -> App:
        self.client = Client()
        self.session = self.client.session = Session(self.client)
        self.page = self.session.page
        _context_page.set(self.page)
        self.session.apply_page_patch(self._reported)
        # Encoding takes the snapshots that later patches are compared with.
        msgpack.packb(self.session.get_page_patch(), default=self.client.encode)
        context.reset_auto_update()
        started = self._main(self.page)
        if inspect.isawaitable(started):
            await started
        await self.session.after_event(self.page)
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.session.close()
        await self.settle()
        self.client.executor.shutdown(wait=False)
        assert not self.client.crashes, self.client.crashes[0]

    # -- looking ------------------------------------------------------------------------------

    def controls(self, root: object = None) -> Iterator[BaseControl]:
        """Everything on the screen, dialogs included, in the order it is read."""
        todo: list[object] = [self.page.views, self.open_dialogs()] if root is None else [root]
        seen: set[int] = set()
        while todo:
            node = todo.pop(0)
            if isinstance(node, list | tuple):
                todo = [*node, *todo]
            elif isinstance(node, Component):
                todo.insert(0, node._b)
            elif isinstance(node, BaseControl) and id(node) not in seen:
                seen.add(id(node))
                yield node
                names = (name for name in node.__dataclass_fields__ if not name.startswith("_"))
                children = (getattr(node, name, None) for name in names if name != "parent")
                kinds = (BaseControl, list, tuple, Component)
                todo = [*(child for child in children if isinstance(child, kinds)), *todo]

    def open_dialogs(self) -> list[BaseControl]:
        """Dialogs, sheets and notices on top of the screen."""
        return [dialog for dialog in self.page._dialogs.controls if dialog.open]

    def service(self, kind: type[Control]) -> Control:
        """The page's service of a kind, such as its file picker."""
        return next(found for found in self.page._services._services if isinstance(found, kind))

    def all(self, kind: type[Control], root: object = None, **properties: object) -> list[Control]:
        """The controls of a kind that have these properties."""
        return [
            control
            for control in self.controls(root)
            if isinstance(control, kind)
            and all(getattr(control, name, None) == value for name, value in properties.items())
        ]

    def marks(self, identifier: str) -> list[ft.Semantics]:
        """The parts of the screen with this identifier."""
        return self.all(ft.Semantics, identifier=identifier)

    def shows(self, identifier: str) -> bool:
        """Whether such a part is on the screen."""
        return bool(self.marks(identifier))

    def mark(self, identifier: str) -> ft.Semantics:
        """The last part with this identifier."""
        found = self.marks(identifier)
        assert found, f"nothing on the screen is marked {identifier!r}; there are {self.identifiers()}"
        return found[-1]

    def identifiers(self) -> list[str]:
        """What is marked on the screen."""
        return [mark.identifier for mark in self.all(ft.Semantics) if mark.identifier]

    def text(self, root: object = None) -> str:
        """The words on the screen, or in a part of it."""
        part = self.mark(root) if isinstance(root, str) else root
        words: list[str] = []
        for control in self.controls(part):
            for name in ("value", "label", "hint_text", "title", "text", "tooltip", "error"):
                value = getattr(control, name, None)
                if isinstance(value, str):
                    words.append(value)
        return re.sub("[\u2066-\u2069]", "", "\n".join(words))

    # -- acting -------------------------------------------------------------------------------

    async def tap(self, identifier: str) -> None:
        """Tap a part: the first control in it that listens."""
        part = self.mark(identifier)
        for control in self.controls(part):
            if getattr(control, "on_click", None) is not None:
                assert not getattr(control, "disabled", False), f"{identifier!r} is disabled"
                return await self.fire(control, "click")
        raise AssertionError(f"nothing in {identifier!r} can be tapped")

    async def choose(self, identifier: str, label: str) -> None:
        """Open a menu and choose the entry with this label."""
        for item in self.all(ft.PopupMenuItem, self.mark(identifier)):
            if label in self.text(item):
                return await self.fire(item, "click")
        raise AssertionError(f"the menu {identifier!r} has no entry {label!r}")

    async def enter(self, identifier: str, value: object) -> None:
        """Write into a field, or set a switch, a box to tick or a slider."""
        kinds = (ft.TextField, ft.Switch, ft.Slider, ft.Checkbox)
        control = next(part for part in self.controls(self.mark(identifier)) if isinstance(part, kinds))
        self.session.apply_patch(control._i, {"value": value})
        await self.fire(control, "change", value)
        if isinstance(control, ft.Slider):
            await self.fire(control, "change_end", value)

    async def submit(self, identifier: str) -> None:
        """Press Enter in a field."""
        await self.fire(self.all(ft.TextField, self.mark(identifier))[0], "submit")

    async def go(self, index: int) -> None:
        """Choose a destination of the bar or rail."""
        kinds = (ft.NavigationBar, ft.NavigationRail)
        bar = next(control for control in self.controls() if isinstance(control, kinds))
        self.session.apply_patch(bar._i, {"selected_index": index})
        await self.fire(bar, "change", index)

    async def dismiss(self) -> None:
        """Tap beside the dialog."""
        dialog = self.open_dialogs()[-1]
        self.session.apply_patch(dialog._i, {"open": False})
        await self.fire(dialog, "dismiss")

    async def resize(self, width: float) -> None:
        """Give the window another width."""
        self.session.apply_page_patch({"width": width})
        await self.session.dispatch_event(
            self.page._i, "resize", {"width": width, "height": self.page.height}
        )
        await self.settle()

    async def press(self, key: str, *modifiers: str) -> None:
        """Press a key together with some of ctrl, shift, alt, meta."""
        held = {name: name in modifiers for name in ("ctrl", "shift", "alt", "meta")}
        await self.session.dispatch_event(self.page._i, "keyboard_event", {"key": key, **held})
        await self.settle()

    async def fire(self, control: BaseControl, event: str, data: object = None) -> None:
        """What the client reports when something is done with a control."""
        await self.session.dispatch_event(control._i, event, data)
        await self.settle()

    async def settle(self) -> None:
        """Let what is ready to run, run."""
        for _ in range(30):
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait for the screen to become as it should."""
        end = time.monotonic() + seconds
        while not condition():
            assert not self.client.crashes, self.client.crashes[0]
            assert time.monotonic() < end, f"not within {seconds} s; the screen shows:\n{self.text()}"
            await asyncio.sleep(0.01)
        await self.settle()
