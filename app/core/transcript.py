"""A conversation as a file that people and programs can read without this app."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.core.messages import ChatMessage, Citation, Conversation, MessageState
from app.core.origin_words import names_of
from app.core.strings import Strings

FORMAT = "dai-conversation-1"
"""The field `format` of the JSON; another number where a field changes its meaning."""

_LONGEST_NAME = 60
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+')


class TranscriptForm(StrEnum):
    """How a conversation is written; the value is the ending of its file."""

    MARKDOWN = "md"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation with its messages, ready to be written."""

    conversation: Conversation
    messages: Sequence[ChatMessage]

    def written(self, form: TranscriptForm, strings: Strings) -> str:
        """The text of the file. Thoughts are in the JSON only: they are no part of an answer."""
        return self._markdown(strings) if form is TranscriptForm.MARKDOWN else self._json()

    def file_name(self, form: TranscriptForm, strings: Strings) -> str:
        """A name that every file system takes, made of the title."""
        title = _NOT_IN_NAMES.sub(" ", self.conversation.title or strings("chat.untitled"))
        stem = " ".join(title.split())[:_LONGEST_NAME].strip(". ")
        return f"{stem or 'DAI'}.{form}"

    def _markdown(self, strings: Strings) -> str:
        title = self.conversation.title or strings("chat.untitled")
        parts = [f"# {title}", _moment(self.conversation.created_at)]
        for message in self.messages:
            parts += [f"## {_speaker(message, strings)}", message.text]
            if message.state not in (MessageState.COMPLETE, MessageState.STREAMING):
                parts.append(f"*{strings(f'message.state.{message.state}')}*")
            parts += [_source(citation, message, strings) for citation in message.citations]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _json(self) -> str:
        conversation = self.conversation
        whole = {
            "format": FORMAT,
            "title": conversation.title,
            "created_at": _moment(conversation.created_at),
            "updated_at": _moment(conversation.updated_at),
            "messages": [_as_data(message) for message in self.messages],
        }
        return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _speaker(message: ChatMessage, strings: Strings) -> str:
    return strings("transcript.you") if message.role == "user" else message.model or "DAI"


def _source(citation: Citation, message: ChatMessage, strings: Strings) -> str:
    """The passage below its answer, as a quotation."""
    place = strings("citation.page", page=citation.page) if citation.page is not None else citation.heading
    head = f"[{citation.number}] {citation.document_title}" + (f", {place}" if place else "")
    if citation.given_by:
        names = names_of(strings, message.provenance, citation.given_by)
        head += f" · {strings('citation.given_by', names=names)}"
    return "\n".join(f"> {line}".rstrip() for line in (f"**{head}**", "", *citation.text.splitlines()))


def _as_data(message: ChatMessage) -> dict[str, Any]:
    """What a program can use; numbers of rows are nothing outside of this device."""
    return {
        "role": message.role,
        "text": message.text,
        "thinking": message.thinking,
        "state": message.state,
        "created_at": _moment(message.created_at),
        "model": message.model,
        "sources": [
            {
                "number": citation.number,
                "document": citation.document_title,
                "page": citation.page,
                "heading": citation.heading,
                "text": citation.text,
                "devices": len(citation.given_by),
            }
            for citation in message.citations
        ],
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
