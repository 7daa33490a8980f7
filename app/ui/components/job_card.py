"""Long work on this device: how far it is, or what became of it."""

from __future__ import annotations

import flet as ft

from app.core.job import Job, JobEnd, JobKind
from app.core.strings import Strings
from app.ui import routes
from app.ui.components.controls import card, icon_button, in_reading_width, marked, remembered
from app.ui.state.app import AppState
from app.ui.state.jobs import JobsState
from app.ui.theme import Space


@remembered
def JobCard(app: AppState, job: Job) -> ft.Control:
    """What is being done, how far it is, how long it will take, and the way to end it."""
    strings = app.strings
    lines: list[ft.Control] = [
        ft.Text(_title(strings, job), theme_style=ft.TextThemeStyle.TITLE_SMALL),
        ft.Text(
            _details(app, job),
            theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
            color=ft.Colors.ON_SURFACE_VARIANT,
        ),
        ft.ProgressBar(value=job.share or None, bar_height=4, border_radius=2),
    ]
    if job.kind is not JobKind.COMPRESSION:
        lines.append(
            ft.Text(
                strings("job.hint"),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ON_SURFACE_VARIANT,
            )
        )
    cancel = icon_button(
        ft.Icons.CLOSE,
        strings("job.cancel"),
        app.jobs.cancel,
        identifier="cancel-job",
        disabled=job.cancelled,
    )
    return marked(
        card(
            ft.Row(
                [ft.Column(lines, spacing=Space.S, tight=True, expand=True), cancel],
                rtl=app.rtl,
                spacing=Space.S,
            )
        ),
        identifier="job",
        container=True,
    )


@remembered
def JobEndCard(app: AppState, end: JobEnd) -> ft.Control:
    """What became of the last one, until the user has seen it."""
    strings, made = app.strings, end.made
    color = ft.Colors.ON_SURFACE if end.error is None else ft.Colors.ERROR
    actions = [
        icon_button(ft.Icons.CLOSE, strings("action.close"), app.jobs.forget_last, identifier="dismiss-job")
    ]
    if made is not None:
        copy = made

        def open_copy() -> None:
            app.jobs.forget_last()
            app.go(routes.of_model(copy.id))

        actions.insert(
            0, marked(ft.TextButton(strings("job.open"), on_click=open_copy), identifier="open-copy")
        )
    icon = ft.Icons.CHECK_CIRCLE if end.error is None else ft.Icons.ERROR_OUTLINE
    mark = ft.Colors.PRIMARY if end.error is None else ft.Colors.ERROR
    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(icon, size=20, color=mark),
                    ft.Text(_outcome(strings, end), color=color, expand=True),
                    *actions,
                ],
                rtl=app.rtl,
                spacing=Space.S,
            )
        ),
        identifier="job-end",
        container=True,
        live_region=True,
    )


@ft.component
def JobNotice(app: AppState, jobs: JobsState) -> ft.Control:
    """What stands under the header of the models' pages while there is something to tell."""
    if jobs.current is not None:
        content: ft.Control = JobCard(app, jobs.current)
    elif jobs.last is not None:
        content = JobEndCard(app, jobs.last)
    else:
        return ft.Container(height=0)
    return ft.Container(in_reading_width(content), padding=ft.Padding.only(top=Space.S, bottom=Space.S))


def _title(strings: Strings, job: Job) -> str:
    if job.kind is JobKind.COMPRESSION:
        return strings("job.compression", name=job.model.name, target=job.target)
    return strings(f"job.{job.kind}", name=f"{job.model.name} {job.model.quantisation}")


def _details(app: AppState, job: Job) -> str:
    strings = app.strings
    if job.cancelled:
        can = app.services.compression.can_be_cancelled or job.kind is JobKind.SPEED
        return strings("job.cancelling" if can else "job.cancel_later")
    if not job.stage:
        return strings("job.beginning")
    parts = [_stage(strings, job), strings("job.percent", percent=round(100 * job.share))]
    if job.tokens_per_second is not None:
        parts.append(strings("bench.rate", number=strings.number(job.tokens_per_second, 1)))
    if job.seconds_left is not None:
        parts.append(strings.time_left(job.seconds_left))
    return " · ".join(parts)


def _stage(strings: Strings, job: Job) -> str:
    match job.kind:
        case JobKind.SPEED:
            return strings(f"bench.stage.{job.stage}")
        case JobKind.COMPRESSION:
            return strings(f"job.stage.{job.stage}")
        case JobKind.TRADE_OFFS:
            return f"{strings.isolate(job.target)}: {strings(f'tradeoffs.stage.{job.stage}')}"


def _outcome(strings: Strings, end: JobEnd) -> str:
    if end.error is not None:
        return strings.error(end.error)
    if end.made is not None:
        sizes = {"size": strings.size(end.made.bytes), "before": strings.size(end.model.bytes)}
        return strings("job.made", name=f"{end.made.name} {end.made.quantisation}", **sizes)
    return strings(f"job.done.{end.kind}", name=end.model.name)
