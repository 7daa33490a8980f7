"""The conversations and the one that is open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.attachments import AttachmentDraft
from app.core.errors import ConversationMissing, NoRouter
from app.core.events import Event
from app.core.messages import ChatMessage
from app.core.model_options import AnswerOptions
from app.core.network.departure import Departure
from app.core.provenance import PrivacyLevel
from app.core.strings import Strings
from app.core.transcript import Transcript, TranscriptForm
from app.services import Services
from app.ui.state.chat_state import PAGE_OF_MESSAGES, ChatState, MessageView
from app.ui.state.consent import Consents
from app.ui.state.files import Files
from app.ui.state.live import LiveAnswer, LiveAnswers
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from app.ui.state.sources import Sources


class Chat:
    """What can be done with conversations."""

    def __init__(
        self,
        services: Services,
        live: LiveAnswers,
        files: Files,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        run: Callable[..., object],
        consents: Consents,
        ask_for_router: Callable[[], None],
    ) -> None:
        """`report` shows what went wrong; `run` starts a coroutine in the session's context."""
        self.state = ChatState()
        self.sources = Sources(services, self.state, report)
        self.draft = ""
        """What stands in the composer; kept while other screens are shown."""
        self._services = services
        self._conversations = services.conversations
        self._live = live
        self._files = files
        self.report = report
        self.consents = consents
        self._ask_for_router = ask_for_router
        self._run = run
        self._all_messages: list[ChatMessage] = []
        self._watched: LiveAnswer | None = None
        self._end = live.subscribe(lambda changed: mailbox.post(lambda: self._answer_changed(changed)))

    def close(self) -> None:
        """The session ends."""
        self._end()
        self.consents.close()

    # -- the list -----------------------------------------------------------------------------

    @reported
    async def refresh(self) -> None:
        """Read the list of conversations and of collections again."""
        query = self.state.query
        conversations = await asyncio.to_thread(self._conversations.list, query)
        collections = await asyncio.to_thread(self._services.knowledge.collections)
        if query == self.state.query:
            self.state.conversations = conversations
            self.state.listed = True
        self.state.collections = collections
        await self.sources.refresh()

    @reported
    async def search(self, query: str) -> None:
        """Show only conversations that hold these words."""
        self.state.query = query
        await self.refresh()

    def begin_search(self) -> None:
        """Put the cursor into the field that searches conversations."""
        self.state.searches += 1

    @reported
    async def rename(self, conversation_id: int, title: str) -> str | None:
        """Give a conversation another title."""
        if title.strip():
            await asyncio.to_thread(self._conversations.rename, conversation_id, title)
            await self.refresh()
            await self._read_again(conversation_id)
        return None

    @reported
    async def delete(self, conversation_id: int) -> None:
        """Delete a conversation; an answer being written there ends."""
        self._live.stop(conversation_id)
        await asyncio.to_thread(self._services.attachments.forget, conversation_id)
        await asyncio.to_thread(self._conversations.delete, conversation_id)
        if self.state.open and self.state.open.id == conversation_id:
            self.new()
        await self.refresh()

    @reported
    async def save_transcript(self, conversation_id: int, form: TranscriptForm, strings: Strings) -> bool:
        """Let the user keep a conversation as a file; returns whether that was done."""
        transcript = Transcript(
            await asyncio.to_thread(self._conversations.get, conversation_id),
            await asyncio.to_thread(self._conversations.messages, conversation_id),
        )
        content = transcript.written(form, strings).encode()
        return await self._files.save(
            transcript.file_name(form, strings), content, strings("chat.save_transcript")
        )

    # -- the open conversation ----------------------------------------------------------------

    def new(self) -> None:
        """Begin a new conversation, which asks the same documents as the one before."""
        self._watched = None
        self._all_messages = []
        self.state.open = None
        self.state.documents_gone = 0
        self.state.options = AnswerOptions()
        self.state.level = PrivacyLevel.DEVICE
        self.state.wishes = NO_WISHES
        self.state.messages = []
        self.state.earlier = 0
        self.state.follow = True
        self.state.answering = False
        self._write_next()

    @reported
    async def open(self, conversation_id: int) -> None:
        """Show a conversation."""
        try:
            conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        except ConversationMissing as error:
            self.report(error)
            await self.refresh()
            return
        self._watched = None
        self.state.open = conversation
        await self.sources.show(conversation)
        self.state.options = conversation.options
        self.state.level = conversation.level
        self.state.wishes = conversation.wishes
        self.state.follow = True
        self._write_next()
        await self._show_messages()

    def scrolled(self, *, away: bool) -> None:
        """The messages were scrolled, away from the end or back to it."""
        if self.state.away != away:
            self.state.away = away

    def to_end(self) -> None:
        """Show the end of the conversation."""
        self.state.follow = True
        self.state.away = False
        self.state.returns += 1

    def show_earlier(self) -> None:
        """Show one more page of earlier messages."""
        shown = len(self.state.messages)
        start = max(0, len(self._all_messages) - shown - PAGE_OF_MESSAGES)
        older = self._all_messages[start : len(self._all_messages) - shown]
        self.state.follow = False
        self.state.earlier = start
        self.state.messages = [*(MessageView.of(message) for message in older), *self.state.messages]

    @reported
    async def set_options(self, options: AnswerOptions) -> None:
        """Choose how the open conversation's answers are written, from the next one on."""
        self.state.options = options
        if self.state.open is not None:
            await asyncio.to_thread(self._conversations.set_options, self.state.open.id, options)

    @reported
    async def choose_level(self, level: PrivacyLevel) -> None:
        """Choose how far the open conversation's questions may travel, from the next one on."""
        self.state.level = level
        if self.state.open is not None:
            await asyncio.to_thread(self._conversations.set_level, self.state.open.id, level)

    @reported
    async def set_wishes(self, wishes: AskingWishes) -> None:
        """Choose what is wished of the other devices that the open conversation asks."""
        self.state.wishes = wishes
        if self.state.open is not None:
            await asyncio.to_thread(self._conversations.set_wishes, self.state.open.id, wishes)

    async def look_for_models(self) -> None:
        """Find out which models other devices of the open conversation's level offer."""
        level = self.state.level
        self.state.offered, self.state.offers_problem = None, None
        try:
            found = list(await self._services.network.offers.models(level))
        except Exception as error:  # noqa: BLE001 - shown where the models would stand
            if level is self.state.level:
                self.state.offers_problem = error
            return
        if level is self.state.level:
            self.state.offered = found

    @reported
    async def look_for_routers(self) -> None:
        """Note whether other devices can be asked at all."""
        self.state.has_router = await self._services.network.asking.ready()

    # -- answers ------------------------------------------------------------------------------

    @reported
    async def send(self, text: str, attachments: AttachmentDraft | None = None) -> bool:
        """Ask, with these files; tells whether the question was taken."""
        if not text.strip() or self.state.answering:
            return False
        await self.sources.look_again()
        conversation = self.state.open
        if conversation is None:
            conversation = await asyncio.to_thread(
                self._conversations.create,
                self.sources.existing_collections(),
                self.state.options,
                self.state.level,
                self.state.wishes,
                self.sources.document_ids(),
            )
            self.state.open = conversation
        answering = self._services.answering
        if self.state.level is PrivacyLevel.DEVICE:
            return await self._start(conversation.id, answering.ask(conversation.id, text, attachments))
        departure = await self._consent(conversation.id, text, attachments)
        if departure is None:
            await self._forget_if_empty(conversation.id)
            return False
        events = answering.ask(conversation.id, text, attachments, departure=departure)
        return await self._start(conversation.id, events)

    @reported
    async def regenerate(self) -> None:
        """Answer the last question again."""
        await self._again(frozenset())

    @reported
    async def ask_others(self) -> None:
        """Let devices answer the last question that have not answered it yet."""
        origin = self._all_messages[-1].provenance if self._all_messages else None
        await self._again(frozenset(reply.node for reply in origin.whole) if origin else frozenset())

    @reported
    async def answer_here(self) -> None:
        """Wait for other devices no longer."""
        if self.state.open is not None:
            await self._services.answering.answer_here(self.state.open.id)

    async def _again(self, avoid: frozenset[str]) -> None:
        conversation = self.state.open
        if conversation is None:
            return
        departure = None
        if self.state.level is not PrivacyLevel.DEVICE:
            departure = await self._consent(conversation.id)
            if departure is None:
                return
            departure = replace(departure, avoid=avoid)
        events = self._services.answering.regenerate(conversation.id, departure=departure)
        await self._start(conversation.id, events)

    @reported
    async def ask_differently(self, question: ChatMessage) -> None:
        """Put a question into the composer again, in a conversation that goes on from before it.

        The conversation in which it stands stays as it is.
        """
        asked_in = self.state.open
        if asked_in is None:
            return
        if any(message.id < question.id for message in self._all_messages):
            branch = await asyncio.to_thread(self._conversations.branch, asked_in.id, question.id)
            await self.refresh()
            await self.open(branch.id)
        else:
            self.new()
            self.state.options, self.state.level = asked_in.options, asked_in.level
            self.state.wishes = asked_in.wishes
        self.draft = question.text
        self._write_next()

    @reported
    async def continue_answer(self) -> None:
        """Go on with the last answer."""
        if self.state.open is not None:
            await self._start(
                self.state.open.id, self._services.answering.continue_answer(self.state.open.id)
            )

    def stop(self) -> None:
        """Stop the answer being written."""
        if self.state.open is not None:
            self._live.stop(self.state.open.id)

    def _write_next(self) -> None:
        """The composer shows the draft, and has the cursor where there is a keyboard."""
        self.state.drafts += 1
        self.state.searches = 0
        self.state.away = False

    async def _consent(
        self, conversation_id: int, text: str | None = None, attachments: AttachmentDraft | None = None
    ) -> Departure | None:
        """What may leave with this question, or with the last one again; None: the user does not agree."""
        try:
            departure = await self._services.answering.departure(conversation_id, text, attachments)
        except NoRouter:
            self._ask_for_router()
            return None
        if departure is None or departure.approved or departure.nothing_found:
            return departure and departure.approve()
        consent = await self.consents.ask(departure)
        if consent is None:
            return None
        if consent.remember:
            await asyncio.to_thread(self._conversations.set_consent, conversation_id, departure.level)
        return consent.departure

    async def _forget_if_empty(self, conversation_id: int) -> None:
        """A conversation that was made for a question which was not asked."""
        if not await asyncio.to_thread(self._conversations.messages, conversation_id):
            await asyncio.to_thread(self._conversations.delete, conversation_id)
            if self.state.open is not None and self.state.open.id == conversation_id:
                self.state.open = None

    async def _start(self, conversation_id: int, events: AsyncIterator[Event]) -> bool:
        if self.state.away or not self.state.follow:
            self.to_end()
        asked = self.sources.existing_collections() or self.state.chosen_documents
        await self._live.start(conversation_id, events, asks_documents=bool(asked))
        await self._show_messages()
        return True

    def _answer_changed(self, conversation_id: int) -> None:
        """An answer began or ended, in this session or another."""
        if self.state.open is not None and self.state.open.id == conversation_id:
            live = self._live.get(conversation_id)
            if live is not None and live is not self._watched:
                self._run(self._show_messages)
        self._run(self.refresh)

    async def _read_again(self, conversation_id: int) -> None:
        """Show the title that the open conversation has now."""
        with contextlib.suppress(ConversationMissing):
            conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
            if self.state.open is not None and self.state.open.id == conversation_id:
                self.state.open = conversation

    @reported
    async def _show_messages(self) -> None:
        conversation = self.state.open
        if conversation is None:
            return
        await self._read_again(conversation.id)
        ended = self._live.get(conversation.id)  # what is read may be older than its end
        messages = await asyncio.to_thread(self._conversations.messages, conversation.id)
        if self.state.open is None or self.state.open.id != conversation.id:
            return  # another one was opened meanwhile
        shown_before = {view.stored.id: view for view in self.state.messages}
        keep = max(PAGE_OF_MESSAGES, len(self.state.messages) if shown_before else 0)
        self._all_messages = messages
        self.state.earlier = max(0, len(messages) - keep)
        live = self._live.get(conversation.id) or ended
        views = []
        for message in messages[self.state.earlier :]:
            known = shown_before.get(message.id)
            being_written = live is not None and live.answer.id == message.id
            if known is None or not (known.stored == message or being_written):
                known = MessageView.of(message)
            if live is not None and being_written:
                known.phase = live.phase
            views.append(known)
        self.state.messages = views
        self.state.answering = live is not None and not live.finished
        if live is not None and live is not self._watched:
            self._watched = live
            view = next((view for view in views if view.stored.id == live.answer.id), None)
            if view is not None:
                self._run(self._watch, conversation.id, live, view)

    @reported
    async def _watch(self, conversation_id: int, live: LiveAnswer, view: MessageView) -> None:
        async for _ in live.watch():
            if self._watched is not live:
                return
            view.text, view.thinking = live.text, live.thinking
            view.stored, view.error, view.provenance = live.answer, live.error, live.provenance
            view.phase = None if live.finished else live.phase
        if self._watched is live:
            self._watched = None
            self.state.answering = self._live.get(conversation_id) is not None
            await self._read_again(conversation_id)
        self._all_messages = [
            live.answer if message.id == live.answer.id else message for message in self._all_messages
        ]
