"""Asking other devices, and serving them: use cases over the package `network`. No Flet."""
