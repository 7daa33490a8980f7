"""The vocabularies of the scripted test models, and how a script becomes tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gguf import TokenType

Piece = str | bytes
"""One token of a script: a text, or one raw byte (to script broken UTF-8)."""

_WORD = re.compile(r"</?think>|(?:(?!</?think>)\s*(?:(?!</?think>)\S)+)(?:\s+\Z)?|\s+")
_VISIBLE_TAGS = frozenset({"<think>", "</think>", "<tool_call>", "</tool_call>"})


@dataclass(slots=True)
class Vocabulary:
    """Everything that a GGUF file says of its tokenizer."""

    model: str
    pre_tokenizer: str
    tokens: list[str]
    types: list[TokenType]
    bos: str
    eos: str
    end_of_turn: str
    newline: int = 0
    """The token that ends every generation prompt here."""
    script: list[int] = field(default_factory=list)
    scores: list[float] | None = None
    merges: list[str] | None = None

    def add(self, token: str, kind: TokenType) -> int:
        """Append a token unless it is there; returns its number."""
        if token in self.tokens:
            return self.tokens.index(token)
        self.tokens.append(token)
        self.types.append(kind)
        return len(self.tokens) - 1


def split_script(reply: str) -> list[str]:
    """Cut a reply into pieces that all differ, since the model looks the next piece up by the last one.

    A piece is a word with the white space before it. A repeated one takes the next word along until the
    piece is new (as LZ78 does), so joining the pieces always gives the reply.
    """
    pieces: list[str] = []
    seen: set[str] = set()
    open_piece = ""
    for word in _WORD.findall(reply):
        open_piece += word
        if open_piece not in seen and open_piece != "\n":
            pieces.append(open_piece)
            seen.add(open_piece)
            open_piece = ""
    while open_piece:  # the end repeats an earlier piece: join it to those before it
        if open_piece not in pieces:
            pieces.append(open_piece)
            break
        open_piece = pieces.pop() + open_piece
    return pieces


def byte_level_vocabulary(architecture: str, script: Sequence[Piece]) -> Vocabulary:
    """The GPT-2 kind: 256 bytes, the family's control tokens, one token for each piece of the script."""
    letters = _letters_of_bytes()
    if architecture == "llama":
        specials = [
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
        ]
        ends = ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>")
    else:
        specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(_VISIBLE_TAGS)]
        ends = ("<|endoftext|>", "<|im_end|>", "<|im_end|>")
    types = [TokenType.USER_DEFINED if token in _VISIBLE_TAGS else TokenType.CONTROL for token in specials]
    pre_tokenizer = "llama-bpe" if architecture == "llama" else "qwen2"
    vocabulary = Vocabulary("gpt2", pre_tokenizer, specials, types, *ends)
    for byte in range(256):
        vocabulary.add(letters[byte], TokenType.NORMAL)
    # llama.cpp wants at least one merge in such a vocabulary.
    vocabulary.merges = [f"{letters[32]} {letters[ord('t')]}"]
    vocabulary.add(letters[32] + letters[ord("t")], TokenType.NORMAL)
    vocabulary.newline = vocabulary.tokens.index(letters[10])
    for piece in script:
        if isinstance(piece, bytes):
            vocabulary.script.append(vocabulary.tokens.index(letters[piece[0]]))
        elif len(piece.encode()) == 1:
            vocabulary.script.append(vocabulary.tokens.index(letters[ord(piece)]))
        else:
            # "User defined" keeps a piece one token when it comes back as history.
            vocabulary.script.append(vocabulary.add(piece, TokenType.USER_DEFINED))
    return vocabulary


def sentence_piece_vocabulary(script: Sequence[Piece]) -> Vocabulary:
    """Gemma's kind: byte tokens such as <0x0A>, "▁" for blanks, scores that decide what is joined."""
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    types = [TokenType.UNKNOWN if token == "<unk>" else TokenType.CONTROL for token in specials]
    vocabulary = Vocabulary("llama", "default", specials, types, "<bos>", "<eos>", "<end_of_turn>")
    for byte in range(256):
        vocabulary.add(f"<0x{byte:02X}>", TokenType.BYTE)
    vocabulary.newline = vocabulary.add("\n", TokenType.NORMAL)
    for letter in ["▁", *map(chr, range(33, 127))]:
        vocabulary.add(letter, TokenType.NORMAL)
    for piece in script:
        if isinstance(piece, bytes):
            vocabulary.script.append(vocabulary.tokens.index(f"<0x{piece[0]:02X}>"))
        else:
            # Such a token is written as it is: llama.cpp turns "▁" into a blank for ordinary ones only.
            vocabulary.script.append(vocabulary.add(piece, TokenType.USER_DEFINED))
    silent = (TokenType.CONTROL, TokenType.UNKNOWN)
    vocabulary.scores = [
        -1000.0 if kind in silent else -float(number) for number, kind in enumerate(vocabulary.types)
    ]
    return vocabulary


def _letters_of_bytes() -> list[str]:
    """GPT-2's printable stand-in for each byte."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(hidden)) for byte in range(256)]
