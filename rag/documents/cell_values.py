"""What a cell of a sheet shows: its number in the form that its style gives it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from rag.documents.office_package import OfficePackage
from rag.documents.xml_events import Kind
from rag.errors import UnsafeDocument

_MOST_FORMATS = 100_000
_LITERAL = re.compile(r'"[^"]*"|\\.|\[(?![hms]+\])[^\]]*\]|[_*].', re.IGNORECASE)
"""What a format shows as it is, its colours and conditions; but [h] counts hours."""
_LAST_DAY = 2_958_466
"""Of the year 9999."""


class Form(Enum):
    """How a number is meant."""

    NUMBER = 1
    PERCENT = 2
    DATE = 3
    TIME = 4
    DATE_AND_TIME = 5
    DURATION = 6


_BUILT_IN = {
    **dict.fromkeys((9, 10), Form.PERCENT),
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 59)), Form.DATE),
    **dict.fromkeys((18, 19, 20, 21, *range(32, 36), 45, 47), Form.TIME),
    22: Form.DATE_AND_TIME,
    46: Form.DURATION,
}


@dataclass(slots=True)
class CellForms:
    """The forms of a workbook's styles."""

    by_style: list[Form] = field(default_factory=list)
    first_day: datetime = datetime(1899, 12, 30)
    """Day 0. Excel counts a 29 February 1900 that never was; so does this, by beginning two days early."""

    def shown(self, value: str, style: str) -> str:
        """The text of a number, as people read it: dates as 2026-11-24, shares in percent."""
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        index = int(style) if style.isdigit() and len(style) < 7 else 0
        form = self.by_style[index] if index < len(self.by_style) else Form.NUMBER
        if form is Form.PERCENT:
            return f"{_plain(number * 100)}%"
        if form is Form.NUMBER or not 0 <= number < _LAST_DAY:
            return _plain(number)
        return self._moment(number, form)

    def _moment(self, number: float, form: Form) -> str:
        seconds = round(number * 86_400)
        if form is Form.DURATION:
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        moment = self.first_day + timedelta(seconds=seconds)
        time = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
        if form is Form.TIME or number < 1:
            return time
        date = moment.date().isoformat()
        return date if form is Form.DATE or time == "00:00" else f"{date} {time}"


def read_forms(package: OfficePackage, part: str, *, from_1904: bool) -> CellForms:
    """The forms of a workbook's cells; plain numbers where that part is missing."""
    forms = CellForms(first_day=datetime(1904, 1, 1)) if from_1904 else CellForms()
    own: dict[str, Form] = {}
    inside = False
    for event in package.events(part) if part in package else ():
        if event.tag == "cellXfs" and event.kind is not Kind.TEXT:
            inside = event.kind is Kind.START
        if event.kind is not Kind.START:
            continue
        number = event.attributes.get("numFmtId", "")
        if event.tag == "numFmt":
            own[number] = form_of(event.attributes.get("formatCode", ""))
        elif event.tag == "xf" and inside:
            built_in = _BUILT_IN.get(int(number) if number.isdigit() and len(number) < 7 else 0, Form.NUMBER)
            forms.by_style.append(own.get(number, built_in))
        if len(own) + len(forms.by_style) > _MOST_FORMATS:
            raise UnsafeDocument(package.name, "formats without end")
    return forms


def form_of(code: str) -> Form:
    """What a format such as `yyyy/mm/dd` or `0.0%` makes of a number."""
    letters = _LITERAL.sub("", code.partition(";")[0]).casefold()
    if re.search(r"\[[hms]+\]", letters):
        return Form.DURATION
    days = re.search(r"[yd]|m{3}", letters)
    hours = re.search(r"h|s", letters)
    if days and hours:
        return Form.DATE_AND_TIME
    if days or (re.search("m", letters) and not hours):
        return Form.DATE
    if hours:
        return Form.TIME
    return Form.PERCENT if "%" in letters else Form.NUMBER


def plain_number(text: str) -> str:
    """A written number as people read it; "" where it is none."""
    try:
        number = float(text)
    except ValueError:
        return ""
    return _plain(number) if math.isfinite(number) else ""


def _plain(number: float) -> str:
    """Fifteen digits, as many as Excel keeps: 0.30000000000000004 is 0.3."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.15g}"
